//! The worker of changes: an announced calendar takes effect at one instant for everyone, and every open case is counted again
//! by it, once, before anything else happens to it.

use std::rc::Rc;

use crate::adaptor::{self, Happening, Round};
use crate::database::{CaseRow, Key, Purpose, Stop, TxId, Value};
use crate::days::Micros;
use crate::env::Env;
use crate::firing::insert_limits;

#[derive(Debug)]
struct One {
    case: u32,
    before: Rc<CaseRow>,
    after: Rc<CaseRow>,
    happened: Vec<Happening>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Alone,
    TakeEffect,
    Rules,
    Take,
    Save,
    Limits,
    Journal,
    Commit,
}

/// A replica's worker.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(crate) replica: usize,
    pub(crate) waits: Option<TxId>,
    batch: usize,
    stage: Stage,
    tx: TxId,
    at: Micros,
    edition: usize,
    round: Vec<One>,
}

impl Changes {
    pub(crate) const fn new(replica: usize, batch: usize) -> Self {
        Self { replica, waits: None, batch, stage: Stage::Idle, tx: 0, at: 0, edition: 0, round: Vec::new() }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Whether a change waits to take effect, or a case that nobody works on to be counted.
    pub(crate) fn has_work(env: &Env<'_>) -> bool {
        let rules = env.database.rules();
        env.announced > rules && !env.database.has_behind(rules, false) || env.database.has_behind(rules, true)
    }

    pub(crate) fn reset(&mut self, env: &mut Env<'_>) {
        env.database.rollback(self.tx);
        self.stage = Stage::Idle;
        self.waits = None;
        self.round.clear();
    }

    pub(crate) fn step(&mut self, env: &mut Env<'_>) {
        self.waits = None;
        let mark = env.database.mark(self.tx);
        match self.advance(env) {
            Ok(what) => env.note("changes", self.replica as u64, what, self.round.len() as u64),
            Err(Stop::Blocked(holder)) => {
                env.note("changes", self.replica as u64, "waits for transaction", holder);
                env.database.back_to(self.tx, mark);
                self.waits = Some(holder);
            }
            Err(Stop::Gone) => {
                env.note("changes", self.replica as u64, "lost its connection", self.tx);
                self.reset(env);
            }
            Err(stop @ (Stop::Unique(_) | Stop::Stale | Stop::Deadlock)) => {
                env.fail("constraint", format!("the worker of changes met {stop:?}"));
                self.reset(env);
            }
        }
    }

    fn advance(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        match self.stage {
            Stage::Idle => {
                let is_behind = env.database.has_behind(env.database.rules(), false);
                self.tx = env.begin(if is_behind { Purpose::Recount } else { Purpose::Change });
                self.at = env.legal();
                self.stage = if is_behind { Stage::Rules } else { Stage::Alone };
                Ok("begin")
            }
            Stage::Alone => {
                env.database.hold_rules_alone(self.tx)?;
                self.stage = Stage::TakeEffect;
                Ok("holds the rules alone")
            }
            Stage::TakeEffect => {
                let rules = env.database.rules();
                // Another replica may have been quicker.
                if env.announced > rules && !env.database.has_behind(rules, false) {
                    let next = i64::try_from(rules + 1).unwrap_or_default();
                    env.database.put(self.tx, Key::Rules, Value::Number(next))?;
                    env.commit(self.replica, self.tx)?;
                } else {
                    env.database.rollback(self.tx);
                }
                self.stage = Stage::Idle;
                Ok("a change takes effect")
            }
            Stage::Rules => {
                self.edition = env.hold_rules(self.tx)?;
                self.stage = Stage::Take;
                Ok("rules in force")
            }
            Stage::Take => self.take(env),
            Stage::Save => {
                for one in &self.round {
                    env.database.put(self.tx, Key::Case(one.case), Value::Case(Rc::clone(&one.after)))?;
                }
                self.stage = Stage::Limits;
                Ok("save")
            }
            Stage::Limits => {
                for one in &self.round {
                    insert_limits(env, self.tx, one.case, Some(&one.before), &one.after)?;
                }
                self.stage = Stage::Journal;
                Ok("limits")
            }
            Stage::Journal => {
                for one in &self.round {
                    env.database.append(self.tx, one.case, one.after.version, &one.happened)?;
                }
                self.stage = Stage::Commit;
                Ok("journal")
            }
            Stage::Commit => {
                env.commit(self.replica, self.tx)?;
                self.stage = Stage::Idle;
                self.round.clear();
                Ok("commit")
            }
        }
    }

    /// Takes cases that older rules counted last, passing over those that others hold, and counts them.
    fn take(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        let mut cases = env.database.free_behind(self.edition);
        cases.truncate(self.batch);
        if cases.is_empty() {
            env.database.rollback(self.tx);
            self.stage = Stage::Idle;
            return Ok("nothing to count");
        }
        let round = Round::default();
        for case in cases {
            env.database.lock(self.tx, Key::Case(case))?;
            let before = match env.database.get(self.tx, Key::Case(case))? {
                Some(Value::Case(row)) => Rc::clone(row),
                _ => continue,
            };
            let edition = self.edition;
            match env.book.recount(&before.case, before.agency, self.at, edition, &round) {
                Ok(counted) => {
                    let (state, happened) = counted.unwrap_or_else(|| (before.case.clone(), Vec::new()));
                    let CaseRow { version, acted, closed, agency, .. } = *before;
                    let version = version + u32::from(!happened.is_empty());
                    let next_due = adaptor::next_due(&state);
                    let after = Rc::new(CaseRow { version, acted, edition, closed, agency, next_due, case: state });
                    self.round.push(One { case, before, after, happened });
                }
                Err(refusal) => env.fail("set aside", format!("case {case}: {refusal}")),
            }
        }
        self.stage = Stage::Save;
        Ok("take what is behind")
    }
}

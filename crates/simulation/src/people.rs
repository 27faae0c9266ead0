//! What people do, as a request: idempotency key, row lock, decision, save, journal, commit; and again when it fails.

use std::rc::Rc;

use crate::adaptor::{self, Act, Case, Happening, Refusal, Round, Standing};
use crate::database::{CaseRow, Key, Purpose, Stop, TxId, Value};
use crate::days::{Micros, SECOND};
use crate::env::Env;
use crate::firing::insert_limits;
use crate::options::Mutation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Begin,
    Key,
    Rules,
    Lock,
    Save,
    Limits,
    Journal,
    Commit,
    Done,
}

/// A person's act under way.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: u64,
    pub(crate) replica: usize,
    pub(crate) case: u32,
    pub(crate) item: usize,
    pub(crate) act: Act,
    /// Whether the item's story goes on after it.
    pub(crate) is_main: bool,
    pub(crate) waits: Option<TxId>,
    /// Not before this true time.
    pub(crate) wake: Micros,
    stage: Stage,
    tx: TxId,
    at: Micros,
    edition: usize,
    seen: Option<u32>,
    /// The case, and the one that is completed with it.
    changes: Vec<Change>,
    /// A first attempt came in time and was refused.
    was_in_time: bool,
}

/// A row, when there is one.
type Found = Option<Rc<CaseRow>>;

#[derive(Debug)]
struct Change {
    case: u32,
    before: Rc<CaseRow>,
    after: Rc<CaseRow>,
    /// What counting the case again by rules that have just changed did to it, one version before the act.
    counted: Vec<Happening>,
    happened: Vec<Happening>,
}

impl Request {
    pub(crate) const fn new(id: u64, replica: usize, (case, item, act): (u32, usize, Act), is_main: bool) -> Self {
        Self {
            id,
            replica,
            case,
            item,
            act,
            is_main,
            waits: None,
            wake: Micros::MIN,
            stage: Stage::Begin,
            tx: 0,
            at: 0,
            edition: 0,
            seen: None,
            changes: Vec::new(),
            was_in_time: false,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// The replica dies or the connection is lost: the client tries again, with the same key.
    pub(crate) fn reset(&mut self, env: &mut Env<'_>) {
        env.database.rollback(self.tx);
        if self.stage != Stage::Done {
            self.stage = Stage::Begin;
        }
        self.waits = None;
        self.changes.clear();
    }

    pub(crate) fn step(&mut self, env: &mut Env<'_>) {
        self.waits = None;
        let mark = env.database.mark(self.tx);
        match self.advance(env) {
            Ok(what) => env.note("request", self.id, what, u64::from(self.case)),
            Err(Stop::Blocked(holder)) => {
                env.note("request", self.id, "waits for transaction", holder);
                env.database.back_to(self.tx, mark);
                self.waits = Some(holder);
            }
            Err(Stop::Gone) => {
                env.note("request", self.id, "lost its connection", u64::from(self.case));
                self.reset(env);
                self.wake = env.now + env.rng.between(0, 5 * SECOND);
            }
            Err(Stop::Stale) => {
                // What other people did: the person sees the newer state and decides again.
                env.note("request", self.id, "was stale", u64::from(self.case));
                self.reset(env);
                self.seen = env.database.case(self.case).map(|row| row.version);
            }
            Err(stop @ (Stop::Unique(_) | Stop::Deadlock)) => {
                env.fail("constraint", format!("a request met {stop:?}"));
                self.reset(env);
            }
        }
    }

    fn advance(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        match self.stage {
            Stage::Begin => {
                self.seen = self.seen.or_else(|| env.database.case(self.case).map(|row| row.version));
                self.tx = env.begin(Purpose::Act { case: self.case, item: self.item, act: self.act });
                self.at = env.legal();
                self.stage = Stage::Key;
                Ok("begin")
            }
            Stage::Key => match env.database.insert(self.tx, Key::Answered(self.id), Value::Unit) {
                Ok(()) => {
                    self.stage = Stage::Rules;
                    Ok("idempotency key")
                }
                Err(Stop::Unique(_)) => {
                    env.database.rollback(self.tx);
                    self.stage = Stage::Done;
                    Ok("was answered before")
                }
                Err(stop) => Err(stop),
            },
            Stage::Rules => {
                self.edition = env.hold_rules(self.tx)?;
                self.stage = Stage::Lock;
                Ok("rules in force")
            }
            Stage::Lock => self.decide(env),
            Stage::Save => {
                for change in &self.changes {
                    env.database.put(self.tx, Key::Case(change.case), Value::Case(Rc::clone(&change.after)))?;
                }
                self.stage = Stage::Limits;
                Ok("save")
            }
            Stage::Limits => {
                for change in &self.changes {
                    insert_limits(env, self.tx, change.case, Some(&change.before), &change.after)?;
                }
                self.stage = Stage::Journal;
                Ok("limits")
            }
            Stage::Journal => {
                for change in &self.changes {
                    let version = change.after.version;
                    env.database.append(self.tx, change.case, version.saturating_sub(1), &change.counted)?;
                    env.database.append(self.tx, change.case, version, &change.happened)?;
                }
                self.stage = Stage::Commit;
                Ok("journal")
            }
            Stage::Commit => {
                env.commit(self.replica, self.tx)?;
                self.stage = Stage::Done;
                Ok("commit")
            }
            Stage::Done => Ok("done"),
        }
    }

    /// Locks the case, and the other one where the act may complete both: always in the order of their numbers.
    fn lock(&self, env: &mut Env<'_>) -> Result<(Found, Found), Stop> {
        let may_complete =
            matches!(self.act, Act::CloseOut { .. } | Act::CloseOwn | Act::DecideLift { granted: true, .. });
        let is_linked = env.database.case(self.case).is_some_and(|row| adaptor::is_linked(&row.case));
        let other = adaptor::counterpart_of(self.case);
        let mut cases = vec![self.case];
        if may_complete && is_linked {
            cases.push(other);
        }
        cases.sort_unstable();
        for case in &cases {
            if *case == self.case || !env.is(Mutation::CounterpartUnlocked) {
                env.database.lock(self.tx, Key::Case(*case))?;
            }
        }
        let row = |case: u32| env.database.case(case).map(Rc::clone);
        Ok((row(self.case), if cases.len() > 1 { row(other) } else { None }))
    }

    /// Lock, decide under the lock by the legal time of the transaction, check what the person had seen.
    fn decide(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        let (Some(before), other) = self.lock(env)? else { return Ok(self.give_up(env, "no such case")) };
        let at = if env.is(Mutation::SendersClock) { self.at - 5 * SECOND } else { self.at };
        let (edition, case) = (self.edition, self.case);
        let (counted, recounted) = match self.count_again(env, &before) {
            Ok(Some((state, happened))) => (Some(state), happened),
            Ok(None) => (None, Vec::new()),
            Err(refusal) => {
                env.fail("set aside", format!("case {case}: {refusal}"));
                return Ok(self.give_up(env, "cannot be counted"));
            }
        };
        let current = counted.as_ref().unwrap_or(&before.case);
        let counterpart = other.as_ref().map(|row| &row.case);
        match env.book.act((current, counterpart), before.agency, (self.item, self.act), at, edition) {
            Ok(Some((state, happened))) => {
                if let Some(seen) = self.seen.filter(|seen| *seen != before.version) {
                    let by_the_clock_alone = seen >= before.acted && !env.is(Mutation::StaleByClock);
                    if !by_the_clock_alone {
                        self.count_refused(env, &happened);
                        env.is_stale((case, self.act), seen);
                        return Err(Stop::Stale);
                    }
                }
                if happened.iter().any(|one| is_report(one, false)) && std::mem::take(&mut self.was_in_time) {
                    env.turned_late += 1;
                }
                let completes = happened.contains(&Happening::Completed);
                let closed = completes || (before.closed && adaptor::is_complete(&state));
                let concluded = other.filter(|_| completes).and_then(|other| conclude(case, other, self.at, edition));
                let next_due = adaptor::next_due(&state);
                let (version, agency) = (before.version + u32::from(counted.is_some()) + 1, before.agency);
                let after =
                    Rc::new(CaseRow { version, acted: version, edition, closed, agency, next_due, case: state });
                self.changes.push(Change { case, before, after, counted: recounted, happened });
                self.changes.extend(concluded);
                self.stage = Stage::Save;
                Ok("decide")
            }
            Ok(None) => {
                self.stage = Stage::Commit;
                Ok("unchanged")
            }
            Err(refusal) => {
                env.is_refused(case, (self.item, self.act), self.at, &refusal);
                Ok(self.give_up(env, "refused"))
            }
        }
    }

    /// Rules have just changed and the worker has not come to the case: it is counted by them here, at the act's own instant.
    fn count_again(&self, env: &Env<'_>, before: &CaseRow) -> Result<Option<(Case, Vec<Happening>)>, Refusal> {
        let is_behind = !before.closed && before.edition < self.edition;
        if !is_behind || env.is(Mutation::ActBehind) {
            return Ok(None);
        }
        env.book.recount(&before.case, before.agency, self.at, self.edition, &Round::default())
    }

    fn count_refused(&mut self, env: &mut Env<'_>, happened: &[Happening]) {
        if happened.iter().any(|one| is_report(one, true)) && !self.was_in_time {
            self.was_in_time = true;
            env.refused_in_time += 1;
        }
    }

    fn give_up(&mut self, env: &mut Env<'_>, why: &'static str) -> &'static str {
        env.database.rollback(self.tx);
        self.stage = Stage::Done;
        why
    }
}

/// The counterpart that waited for this case and is completed with it.
fn conclude(case: u32, before: Rc<CaseRow>, at: Micros, edition: usize) -> Option<Change> {
    let (state, happened) = adaptor::conclude(&before.case, at)?;
    let (version, agency, next_due) = (before.version + 1, before.agency, adaptor::next_due(&state));
    let after = Rc::new(CaseRow { version, acted: version, edition, closed: true, agency, next_due, case: state });
    Some(Change { case: adaptor::counterpart_of(case), before, after, counted: Vec::new(), happened })
}

fn is_report(happening: &Happening, wanted: bool) -> bool {
    matches!(happening, Happening::Reported { standing, .. } if (*standing == Standing::InTime) == wanted)
}

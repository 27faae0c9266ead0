//! The intake: letters and receipts in any order and several times; both together start the clocks.

use std::rc::Rc;

use crate::adaptor::{self, Happening, Letter};
use crate::database::{CaseRow, Key, Map, Purpose, Stop, TxId, Value};
use crate::env::{Env, Mail};
use crate::firing::insert_limits;
use crate::options::Mutation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Begin,
    Inbox,
    Rules,
    Lock,
    Keep,
    Look,
    Insert,
    Journal,
    Commit,
    Acknowledge,
}

/// A replica's consumer of letters and receipts.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) replica: usize,
    pub(crate) waits: Option<TxId>,
    stage: Stage,
    tx: TxId,
    mail: Option<Mail>,
    edition: usize,
    opened: Option<(Rc<CaseRow>, Vec<Happening>)>,
}

impl Intake {
    pub(crate) const fn new(replica: usize) -> Self {
        Self { replica, waits: None, stage: Stage::Idle, tx: 0, mail: None, edition: 0, opened: None }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    pub(crate) fn reset(&mut self, env: &mut Env<'_>) {
        env.database.rollback(self.tx);
        self.stage = Stage::Idle;
        self.waits = None;
        self.mail = None;
        self.opened = None;
    }

    pub(crate) fn step(&mut self, env: &mut Env<'_>, letters: &Map<u32, Letter>) {
        self.waits = None;
        let about = self.mail.map_or(0, |mail| u64::from(mail.case));
        let mark = env.database.mark(self.tx);
        match self.advance(env, letters) {
            Ok(what) => env.note("intake", self.replica as u64, what, about),
            Err(Stop::Blocked(holder)) => {
                env.note("intake", self.replica as u64, "waits for transaction", holder);
                env.database.back_to(self.tx, mark);
                self.waits = Some(holder);
            }
            Err(Stop::Gone) => {
                env.note("intake", self.replica as u64, "lost its connection", about);
                self.reset(env);
            }
            Err(stop @ (Stop::Unique(_) | Stop::Stale | Stop::Deadlock)) => {
                env.fail("constraint", format!("the intake met {stop:?}"));
                self.reset(env);
            }
        }
    }

    fn advance(&mut self, env: &mut Env<'_>, letters: &Map<u32, Letter>) -> Result<&'static str, Stop> {
        let Some(mail) = self.mail else {
            let index = env.rng.index(env.mail.len());
            self.mail = env.mail.get(index).copied();
            self.stage = if self.mail.is_some() { Stage::Begin } else { Stage::Idle };
            return Ok("fetch");
        };
        match self.stage {
            Stage::Idle | Stage::Begin => {
                self.tx = env.begin(Purpose::Intake);
                self.stage = Stage::Inbox;
                Ok("begin")
            }
            Stage::Inbox => match env.database.insert(self.tx, Key::Inbox(mail.event), Value::Unit) {
                Ok(()) => {
                    self.stage = Stage::Rules;
                    Ok("inbox")
                }
                Err(Stop::Unique(_)) => {
                    env.database.rollback(self.tx);
                    self.stage = Stage::Acknowledge;
                    Ok("knows the event")
                }
                Err(stop) => Err(stop),
            },
            Stage::Rules => {
                self.edition = env.hold_rules(self.tx)?;
                self.stage = Stage::Lock;
                Ok("rules in force")
            }
            Stage::Lock => {
                if !env.is(Mutation::NoLetterLock) {
                    env.database.lock(self.tx, Key::LetterLock(mail.case))?;
                }
                self.stage = Stage::Keep;
                Ok("lock the letter")
            }
            Stage::Keep => {
                let (key, value) = match mail.received {
                    None => (Key::Letter(mail.case), Value::Unit),
                    Some(at) => (Key::Receipt(mail.case), Value::Number(at)),
                };
                match env.database.insert(self.tx, key, value) {
                    Ok(()) | Err(Stop::Unique(_)) => {}
                    Err(stop) => return Err(stop),
                }
                self.stage = Stage::Look;
                Ok("keep")
            }
            Stage::Look => self.look(env, mail.case, letters),
            Stage::Insert => {
                if let Some((row, _)) = &self.opened {
                    env.database.insert(self.tx, Key::Case(mail.case), Value::Case(Rc::clone(row)))?;
                    insert_limits(env, self.tx, mail.case, None, row)?;
                }
                self.stage = Stage::Journal;
                Ok("insert the case")
            }
            Stage::Journal => {
                if let Some((row, happened)) = &self.opened {
                    env.database.append(self.tx, mail.case, row.version, happened)?;
                }
                self.stage = Stage::Commit;
                Ok("journal")
            }
            Stage::Commit => {
                env.commit(self.replica, self.tx)?;
                self.stage = Stage::Acknowledge;
                Ok("commit")
            }
            Stage::Acknowledge => {
                if let Some(index) = env.mail.iter().position(|other| other.event == mail.event) {
                    env.mail.swap_remove(index);
                }
                self.mail = None;
                self.opened = None;
                self.stage = Stage::Idle;
                Ok("acknowledge")
            }
        }
    }

    fn look(&mut self, env: &mut Env<'_>, case: u32, letters: &Map<u32, Letter>) -> Result<&'static str, Stop> {
        let heard = env.database.get(self.tx, Key::Letter(case))?.is_some();
        let received = match env.database.get(self.tx, Key::Receipt(case))? {
            Some(Value::Number(at)) => Some(*at),
            _ => None,
        };
        let is_open = env.database.get(self.tx, Key::Case(case))?.is_some();
        self.stage = Stage::Commit;
        let (true, Some(at), false, Some(letter)) = (heard, received, is_open, letters.get(&case)) else {
            return Ok("not both are here, or it is open");
        };
        match env.book.open(letter, at, self.edition) {
            Ok((state, happened)) => {
                let next_due = adaptor::next_due(&state);
                let (edition, agency) = (self.edition, letter.agency);
                let row = CaseRow { version: 1, acted: 1, edition, closed: false, agency, next_due, case: state };
                self.opened = Some((Rc::new(row), happened));
                self.stage = Stage::Insert;
            }
            Err(refusal) => env.fail("opened", format!("case {case}: {refusal}")),
        }
        Ok("open")
    }
}

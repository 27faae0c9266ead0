//! The firing worker, statement by statement as in `services/deadlines`.

use std::rc::Rc;

use crate::adaptor::{self, Fired, Happening, Items, Round};
use crate::database::{CaseRow, Key, OrderRow, Purpose, Stop, TxId, Value};
use crate::days::{Micros, SECOND, year_of};
use crate::env::Env;
use crate::options::Mutation;

/// What one case becomes in a round.
#[derive(Debug)]
struct One {
    case: u32,
    before: Rc<CaseRow>,
    after: Rc<CaseRow>,
    happened: Vec<Happening>,
    timers: Vec<u64>,
    order: Option<(u32, Items)>,
    serial: u32,
    /// The competent department's case.
    department: Option<Rc<CaseRow>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Rules,
    Take,
    Save,
    Limits,
    Departments,
    Number(usize),
    Orders,
    Journal,
    Commit,
    /// Of a mutation only: the journal in a transaction of its own.
    LateJournal,
    /// Of a mutation only: the departments' cases in a transaction of their own.
    LateDepartments,
}

/// A lane of a replica's firing worker; each replica has two.
#[derive(Debug)]
pub(crate) struct Firing {
    pub(crate) replica: usize,
    pub(crate) waits: Option<TxId>,
    batch: usize,
    stage: Stage,
    tx: TxId,
    at: Micros,
    edition: usize,
    round: Vec<One>,
    agencies: Vec<usize>,
}

impl Firing {
    pub(crate) const fn new(replica: usize, batch: usize) -> Self {
        Self {
            replica,
            waits: None,
            batch,
            stage: Stage::Idle,
            tx: 0,
            at: 0,
            edition: 0,
            round: Vec::new(),
            agencies: Vec::new(),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// The process dies or the connection is lost.
    pub(crate) fn reset(&mut self, env: &mut Env<'_>) {
        env.database.rollback(self.tx);
        self.stage = Stage::Idle;
        self.waits = None;
        self.round.clear();
        self.agencies.clear();
    }

    pub(crate) fn step(&mut self, env: &mut Env<'_>) {
        self.waits = None;
        let mark = env.database.mark(self.tx);
        match self.advance(env) {
            Ok(what) => env.note("firing", self.replica as u64, what, self.round.len() as u64),
            Err(Stop::Blocked(holder)) => {
                env.note("firing", self.replica as u64, "waits for transaction", holder);
                env.database.back_to(self.tx, mark);
                self.waits = Some(holder);
            }
            Err(Stop::Gone) => {
                env.note("firing", self.replica as u64, "lost its connection", self.tx);
                self.reset(env);
            }
            Err(stop @ (Stop::Unique(_) | Stop::Stale | Stop::Deadlock)) => {
                env.fail("constraint", format!("a firing round met {stop:?}"));
                self.reset(env);
            }
        }
    }

    fn advance(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        match self.stage {
            Stage::Idle => {
                self.tx = env.begin(Purpose::Fire);
                self.at = env.legal();
                if env.is(Mutation::OwnClock) {
                    self.at += i64::try_from(self.replica).unwrap_or_default() * SECOND;
                }
                self.stage = Stage::Rules;
                Ok("begin")
            }
            Stage::Rules => {
                self.edition = env.hold_rules(self.tx)?;
                self.stage = Stage::Take;
                Ok("rules in force")
            }
            Stage::Take => self.take(env),
            Stage::Save => {
                for one in &self.round {
                    let key = Key::Case(one.case);
                    env.database.lock(self.tx, key)?;
                    let unchanged = env.database.case(one.case).is_some_and(|row| row.version == one.before.version);
                    if !unchanged && !env.is(Mutation::NoRowLock) {
                        return Err(Stop::Stale);
                    }
                    env.database.put(self.tx, key, Value::Case(Rc::clone(&one.after)))?;
                }
                if !env.is(Mutation::EffectOutsideClaim) {
                    self.mark_fired(env)?;
                }
                self.stage = Stage::Limits;
                Ok("save")
            }
            Stage::Limits => {
                for one in &self.round {
                    insert_limits(env, self.tx, one.case, Some(&one.before), &one.after)?;
                }
                let late = env.is(Mutation::DepartmentOutside);
                self.stage = if late { self.after_departments() } else { Stage::Departments };
                Ok("limits")
            }
            Stage::Departments => {
                self.insert_departments(env)?;
                self.stage = self.after_departments();
                Ok("departments' cases")
            }
            Stage::Number(index) => self.number(env, index),
            Stage::Orders => {
                for one in &self.round {
                    let Some((sequence, items)) = one.order else { continue };
                    let (agency, year) = (agency_key(one.before.agency), year_key(self.at));
                    let row = OrderRow { agency, year, serial: one.serial, items };
                    env.database.insert(self.tx, Key::Order(one.case, sequence), Value::Order(row))?;
                    env.database.insert(self.tx, Key::Serial(agency, year, one.serial), Value::Unit)?;
                }
                self.stage = Stage::Journal;
                Ok("orders")
            }
            Stage::Journal => {
                if !env.is(Mutation::JournalOutside) {
                    self.journal(env)?;
                }
                self.stage = Stage::Commit;
                Ok("journal")
            }
            Stage::Commit => {
                env.commit(self.replica, self.tx)?;
                if env.is(Mutation::JournalOutside) {
                    self.stage = Stage::LateJournal;
                } else if env.is(Mutation::DepartmentOutside) && self.round.iter().any(|one| one.department.is_some()) {
                    self.stage = Stage::LateDepartments;
                } else {
                    self.finish();
                }
                Ok("commit")
            }
            Stage::LateJournal => {
                self.tx = env.begin(Purpose::Fire);
                self.journal(env)?;
                env.commit(self.replica, self.tx)?;
                self.finish();
                Ok("journal afterwards")
            }
            Stage::LateDepartments => {
                self.tx = env.begin(Purpose::Fire);
                self.insert_departments(env)?;
                env.commit(self.replica, self.tx)?;
                self.finish();
                Ok("departments' cases afterwards")
            }
        }
    }

    fn finish(&mut self) {
        self.stage = Stage::Idle;
        self.round.clear();
        self.agencies.clear();
    }

    fn after_departments(&self) -> Stage {
        if self.agencies.is_empty() { Stage::Journal } else { Stage::Number(0) }
    }

    fn insert_departments(&self, env: &mut Env<'_>) -> Result<(), Stop> {
        for one in &self.round {
            let Some(row) = &one.department else { continue };
            let case = adaptor::department_of(one.case);
            env.database.insert(self.tx, Key::Case(case), Value::Case(Rc::clone(row)))?;
            insert_limits(env, self.tx, case, None, row)?;
        }
        Ok(())
    }

    fn journal(&self, env: &mut Env<'_>) -> Result<(), Stop> {
        for one in &self.round {
            env.database.append(self.tx, one.case, one.after.version, &one.happened)?;
            if one.department.is_some() {
                let case = adaptor::department_of(one.case);
                env.database.append(self.tx, case, 1, &[Happening::Opened])?;
            }
        }
        Ok(())
    }

    fn take(&mut self, env: &mut Env<'_>) -> Result<&'static str, Stop> {
        let locked = !env.is(Mutation::NoRowLock);
        let rules = if env.is(Mutation::FireBehind) { 0 } else { self.edition };
        let due = env.database.take_due(self.tx, (self.at, rules), self.batch, locked)?;
        if due.is_empty() {
            env.database.rollback(self.tx);
            self.finish();
            return Ok("nothing due");
        }
        let round = Round::default();
        for case in due {
            let before = match env.database.get(self.tx, Key::Case(case))? {
                Some(Value::Case(row)) => Rc::clone(row),
                _ => continue,
            };
            match env.book.fire(&before.case, before.agency, self.at, self.edition, &round) {
                Ok(Some(fired)) => self.decided(env, case, before, fired),
                Ok(None) => env.fail("state", format!("case {case} stands under what is due and has no timer")),
                Err(refusal) => env.fail("set aside", format!("case {case}: {refusal}")),
            }
        }
        if env.is(Mutation::EffectOutsideClaim) {
            self.claim_apart(env)?;
        }
        for one in self.round.iter().filter(|one| one.order.is_some()) {
            if !self.agencies.contains(&one.before.agency) {
                self.agencies.push(one.before.agency);
            }
        }
        self.agencies.sort_unstable();
        self.stage = Stage::Save;
        Ok("take due")
    }

    fn decided(&mut self, env: &Env<'_>, case: u32, before: Rc<CaseRow>, fired: Fired) {
        let Fired { case: state, happened, department } = fired;
        let order = happened.iter().find_map(|happening| match happening {
            Happening::Order { sequence, items } => Some((*sequence, *items)),
            _ => None,
        });
        let forgets = order.is_some() && env.is(Mutation::ForgetNextTimer);
        let next_due = if forgets { None } else { adaptor::next_due(&state) };
        // A version is what the journal has an event for: a timer that had become moot tells nobody anything.
        let is_told = !happened.is_empty() || env.is(Mutation::SilentVersion);
        let version = before.version + u32::from(is_told);
        let edition = self.edition;
        let timers = adaptor::due_timers(&before.case, self.at).collect();
        let department = department.map(|state| {
            let (agency, next_due) = (before.agency, adaptor::next_due(&state));
            Rc::new(CaseRow { version: 1, acted: 1, edition, closed: false, agency, next_due, case: state })
        });
        let CaseRow { acted, closed, agency, .. } = *before;
        let after = Rc::new(CaseRow { version, acted, edition, closed, agency, next_due, case: state });
        self.round.push(One { case, before, after, happened, timers, order, serial: 0, department });
    }

    /// The mutation: timers count as fired before their effect is there; those that do already are passed over.
    fn claim_apart(&mut self, env: &mut Env<'_>) -> Result<(), Stop> {
        let mut known = Vec::new();
        for one in &mut self.round {
            if one.timers.iter().any(|timer| env.database.committed(Key::Fired(one.case, *timer)).is_some()) {
                known.push(one.case);
                one.happened.clear();
                one.order = None;
                one.department = None;
                let before = CaseRow::clone(&one.before);
                one.after = Rc::new(CaseRow { version: before.version + 1, next_due: None, ..before });
            }
        }
        for one in self.round.iter().filter(|one| !known.contains(&one.case)) {
            for timer in &one.timers {
                env.database.insert(self.tx, Key::Fired(one.case, *timer), Value::Unit)?;
            }
        }
        env.commit(self.replica, self.tx)?;
        self.tx = env.begin(Purpose::Fire);
        Ok(())
    }

    fn mark_fired(&self, env: &mut Env<'_>) -> Result<(), Stop> {
        for one in &self.round {
            for timer in &one.timers {
                env.database.insert(self.tx, Key::Fired(one.case, *timer), Value::Unit)?;
            }
        }
        Ok(())
    }

    /// One statement for each series: the counter's row moves in this transaction and stays locked until its end.
    fn number(&mut self, env: &mut Env<'_>, index: usize) -> Result<&'static str, Stop> {
        let Some(agency) = self.agencies.get(index).copied() else {
            self.stage = Stage::Orders;
            return Ok("numbers are taken");
        };
        let key = Key::Series(agency_key(agency), year_key(self.at));
        let mine = |one: &&mut One| one.order.is_some() && one.before.agency == agency;
        let count = self.round.iter().filter(|one| one.order.is_some() && one.before.agency == agency).count();
        let outside = env.is(Mutation::NumberOutside);
        let tx = if outside { env.begin(Purpose::Fire) } else { self.tx };
        let locked = env.database.lock(tx, key);
        if locked.is_err() && outside {
            env.database.rollback(tx);
        }
        locked?;
        let last = env.database.number(key).unwrap_or_default();
        let taken = last + i64::try_from(count).unwrap_or_default();
        env.database.put(tx, key, Value::Number(taken))?;
        if outside {
            env.commit(self.replica, tx)?;
        }
        for (one, serial) in self.round.iter_mut().filter(mine).zip(last + 1..) {
            one.serial = u32::try_from(serial).unwrap_or_default();
        }
        self.stage = Stage::Number(index + 1);
        Ok("number")
    }
}

pub(crate) fn insert_limits(
    env: &mut Env<'_>,
    tx: TxId,
    case: u32,
    before: Option<&CaseRow>,
    after: &CaseRow,
) -> Result<(), Stop> {
    for item in 0..adaptor::item_count(&after.case) {
        let known = before.map_or(0, |row| adaptor::limit_count(&row.case, item));
        for round in known..adaptor::limit_count(&after.case, item) {
            let key = Key::Limit(case, small(item), u16::try_from(round).unwrap_or(u16::MAX));
            env.database.insert(tx, key, Value::Unit)?;
        }
    }
    Ok(())
}

fn agency_key(agency: usize) -> u8 {
    small(agency)
}

fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn year_key(at: Micros) -> u16 {
    u16::try_from(year_of(at)).unwrap_or_default()
}

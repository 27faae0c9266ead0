//! The oracle: climbs the ladder by itself, from what was committed in which order at which legal time, and compares.
//!
//! It knows no domain type and none of the engine's code. Of the rules it takes the periods as plain numbers and counts the days
//! itself. It knows every clock of a case: its own next instant, and how many clocks run, must be the engine's.

use std::collections::BTreeSet;

use crate::adaptor::{self, Act, Book, CaseFacts, Happening, Letter};
use crate::database::{CaseRow, Committed, Key, Map, OrderRow, Purpose, Value};
use crate::days::{Micros, year_of};
use crate::reference::{RefCase, RefItem};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, as a short stable name.
    pub rule: &'static str,
    /// What was seen and what was expected.
    pub detail: String,
}

pub(crate) const fn violation(rule: &'static str, detail: String) -> Violation {
    Violation { rule, detail }
}

/// What was counted on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Timers that took effect.
    pub fired: u64,
    /// Cases opened by a letter.
    pub cases: u64,
    /// Times that a case was completed.
    pub completed: u64,
    /// Urging orders issued.
    pub orders: u64,
    /// Steps proposed, for the levels 2 to 4.
    pub steps: [u64; 3],
    /// Steps that people took.
    pub taken: u64,
    /// Steps that people lifted.
    pub lifted: u64,
    /// Steps that ended by themselves, their items closed.
    pub ended: u64,
    /// Duties called to mind.
    pub duties: u64,
    /// Of those, for the second time or more.
    pub again: u64,
    /// Cases of competent departments.
    pub departments: u64,
    /// Pairs of cases that were completed at one instant.
    pub together: u64,
    /// Look-backs that found the problem back.
    pub reopened: u64,
    /// Changes of the calendar that took effect.
    pub changes: u64,
    /// Open cases counted again, each once for each change.
    pub recounted: u64,
    /// Of those, cases that it changed.
    pub touched: u64,
    /// Of all, those counted by the act of a person who came before the worker.
    pub counted_by_acts: u64,
    /// Reports in time.
    pub in_time: u64,
    /// Reports late.
    pub late: u64,
    /// Reports within three microseconds of the due instant.
    pub close_calls: u64,
    /// Reports in time by their own legal time on items that the clock had marked late before: the mark was taken back.
    pub crossed: u64,
    /// Of those, on items with an urging order issued for the same limit.
    pub crossed_urged: u64,
    /// Acts that were refused, rightly.
    pub refused: u64,
    /// Acts that were sent back for a version that other people had made.
    pub stale: u64,
    /// Firings that told nobody anything, and raised no version.
    pub moot: u64,
}

#[derive(Clone, Debug)]
struct Incoming {
    letter: Letter,
    heard: bool,
    received: Option<Micros>,
}

/// How an item stands to its binding limit when a report comes.
#[derive(Clone, Copy, Debug)]
struct Crossing {
    due: Micros,
    is_marked: bool,
    is_urged: bool,
}

impl Crossing {
    fn of(item: &RefItem) -> Option<Self> {
        let due = item.binding()?.1.due;
        Some(Self { due, is_marked: item.is_marked(), is_urged: item.is_urged() })
    }
}

/// The reference of one run.
#[derive(Debug, Default)]
pub struct Oracle {
    incoming: Map<u32, Incoming>,
    ready: BTreeSet<u32>,
    cases: Map<u32, RefCase>,
    next: BTreeSet<(Micros, u32)>,
    serials: Map<(u8, u16), u32>,
    /// The calendar in force.
    edition: usize,
    /// Departments held liable in the transaction that is looked at.
    born: Map<u32, RefCase>,
    /// The case that must be completed in the transaction that is looked at, because its counterpart is.
    concluding: Option<u32>,
    /// What was counted.
    pub counts: Counts,
}

/// The name of the rule that a difference breaks.
fn name_of_difference(expected: &[Happening], actual: &[Happening]) -> &'static str {
    let count = |list: &[Happening]| list.iter().filter(|one| matches!(one, Happening::Order { .. })).count();
    match count(expected).cmp(&count(actual)) {
        std::cmp::Ordering::Greater => "missed",
        std::cmp::Ordering::Less => "early or double",
        std::cmp::Ordering::Equal => "journal",
    }
}

impl Oracle {
    /// A letter is sent.
    pub fn letter(&mut self, letter: Letter) {
        self.incoming.insert(letter.case, Incoming { letter, heard: false, received: None });
    }

    /// The calendar that was in force before the run.
    pub const fn begins_with(&mut self, edition: usize) {
        self.edition = edition;
    }

    /// A transaction of the engine's database was committed.
    pub fn observe(&mut self, book: &Book, done: &Committed) -> Result<(), Violation> {
        let mut serials: Vec<OrderRow> = Vec::new();
        let mut changed = 0;
        for (key, value) in &done.writes {
            match (key, value) {
                (Key::Letter(case), _) => self.hear(*case, None),
                (Key::Receipt(case), Value::Number(at)) => self.hear(*case, Some(*at)),
                (Key::Case(case), Value::Case(row)) => {
                    changed += 1;
                    self.change(book, done, *case, row)?;
                }
                (Key::Order(_, _), Value::Order(order)) => serials.push(*order),
                (Key::Fired(_, _), _) => self.counts.fired += 1,
                (Key::Rules, Value::Number(edition)) => self.rules(done.purpose, *edition)?,
                _ => {}
            }
        }
        if let Some(case) = self.born.keys().next() {
            return Err(violation("joint", format!("case {case}: held liable, but no case was opened with it")));
        }
        if let Some(case) = self.concluding.take() {
            return Err(violation("joint", format!("case {case} was not completed together with its counterpart")));
        }
        self.number(done.at, serials)?;
        let journaled = done.entries.iter().any(|entry| !self.cases.contains_key(&entry.case));
        if journaled || (changed == 0 && !done.entries.is_empty()) {
            return Err(violation("journal", format!("entries without a change: {:?}", done.entries)));
        }
        if let (Purpose::Act { case, item, act }, 0, true) =
            (done.purpose, changed, done.writes.iter().any(|(key, _)| matches!(key, Key::Answered(_))))
            && self.would(book, case, (item, act), done.at).is_some()
        {
            return Err(violation("lost act", format!("case {case} item {item}: {act:?} changed nothing")));
        }
        Ok(())
    }

    /// What an act would do; nothing when it must be refused or was done before.
    fn would(&self, book: &Book, case: u32, (item, act): (usize, Act), at: Micros) -> Option<Vec<Happening>> {
        let other = self.cases.get(&adaptor::counterpart_of(case));
        let mut own = self.cases.get(&case)?.clone();
        if !own.closed && own.edition < self.edition {
            own.recount(at, book, self.edition);
        }
        own.act((item, act), at, other, book, self.edition)
    }

    /// A person was refused.
    pub fn refused(
        &mut self,
        book: &Book,
        case: u32,
        (item, act): (usize, Act),
        (at, edition): (Micros, usize),
        refusal: &str,
    ) -> Result<(), Violation> {
        self.counts.refused += 1;
        match self.would(book, case, (item, act), at).filter(|_| edition == self.edition) {
            None => Ok(()),
            Some(expected) => {
                let detail = format!("case {case} item {item}: {act:?} was refused ({refusal}), expected {expected:?}");
                Err(violation("refused", detail))
            }
        }
    }

    /// A person was sent back for a version: only what other people did is a reason.
    pub fn stale(&mut self, case: u32, act: Act, seen: u32) -> Result<(), Violation> {
        self.counts.stale += 1;
        match self.cases.get(&case) {
            Some(own) if seen >= own.acted => {
                let detail = format!("case {case}: {act:?} on version {seen}; people last made version {}", own.acted);
                Err(violation("stale by the clock", detail))
            }
            _ => Ok(()),
        }
    }

    fn hear(&mut self, case: u32, received: Option<Micros>) {
        if let Some(incoming) = self.incoming.get_mut(&case) {
            match received {
                None => incoming.heard = true,
                Some(at) => incoming.received = incoming.received.or(Some(at)),
            }
            if incoming.heard && incoming.received.is_some() && !self.cases.contains_key(&case) {
                self.ready.insert(case);
            }
        }
    }

    /// Another calendar takes effect: every open case has been counted by the one before.
    fn rules(&mut self, purpose: Purpose, edition: i64) -> Result<(), Violation> {
        let before = self.edition;
        if purpose != Purpose::Change || i64::try_from(before + 1) != Ok(edition) {
            return Err(violation("recount", format!("the rules went from version {before} to {edition}")));
        }
        if let Some((case, own)) = self.cases.iter().find(|(_, own)| !own.closed && own.edition != before) {
            let detail = format!("case {case}: still counted by version {} when {edition} took effect", own.edition);
            return Err(violation("recount", detail));
        }
        self.edition = before + 1;
        self.counts.changes += 1;
        Ok(())
    }

    fn change(&mut self, book: &Book, done: &Committed, case: u32, row: &CaseRow) -> Result<(), Violation> {
        let before = self.cases.get(&case).and_then(|own| own.next);
        let expected = match done.purpose {
            Purpose::Intake => self.opened(book, case, row)?,
            Purpose::Fire if !self.cases.contains_key(&case) => self.department_opened(case, row)?,
            Purpose::Fire => self.fired(book, case, done.at)?,
            Purpose::Act { case: named, item, act } => self.acted(book, case, named, (item, act), done)?,
            Purpose::Recount => self.recounted(book, case, done.at)?.into_iter().collect(),
            Purpose::Change | Purpose::Relay | Purpose::Consume => {
                return Err(violation("state", format!("case {case} changed by {:?}", done.purpose)));
            }
        };
        let actual = told(done, case, row.version);
        if actual != expected {
            let rule = name_of_difference(&expected, &actual);
            return Err(violation(rule, format!("case {case} at {}: {actual:?}, expected {expected:?}", done.at)));
        }
        self.check_orders(done, case, &expected)?;
        self.count(&expected);
        let Some(own) = self.cases.get_mut(&case) else { return Ok(()) };
        own.next = own.first_clock();
        if let Some(due) = before {
            self.next.remove(&(due, case));
        }
        if let Some(due) = own.next {
            self.next.insert((due, case));
        }
        check_row(own, case, row)
    }

    fn opened(&mut self, book: &Book, case: u32, row: &CaseRow) -> Result<Vec<Happening>, Violation> {
        let incoming = self.incoming.get(&case);
        let Some((letter, at)) = incoming.and_then(|incoming| Some((&incoming.letter, incoming.received?))) else {
            return Err(violation("opened", format!("case {case} opened without a receipt")));
        };
        if self.cases.contains_key(&case) {
            return Err(violation("opened", format!("case {case} opened twice")));
        }
        let draws: Vec<u8> = (0..letter.severities.len()).map(|item| adaptor::draw(&row.case, item)).collect();
        let own = RefCase::open(letter, &draws, at, book, self.edition);
        self.ready.remove(&case);
        self.cases.insert(case, own);
        self.counts.cases += 1;
        Ok(vec![Happening::Opened])
    }

    fn department_opened(&mut self, case: u32, row: &CaseRow) -> Result<Vec<Happening>, Violation> {
        let Some(mut own) = self.born.remove(&case) else {
            return Err(violation("joint", format!("case {case} was opened and nobody is liable")));
        };
        own.draw(adaptor::draw(&row.case, 0));
        self.cases.insert(case, own);
        self.counts.departments += 1;
        Ok(vec![Happening::Opened])
    }

    /// The case, which the rules in force must have counted if it is open.
    fn counted(&mut self, case: u32) -> Result<&mut RefCase, Violation> {
        let edition = self.edition;
        let Some(own) = self.cases.get_mut(&case) else {
            return Err(violation("opened", format!("case {case} was never opened")));
        };
        if !own.closed && own.edition != edition {
            let detail = format!("case {case}: decided on under version {edition}, counted by {}", own.edition);
            return Err(violation("recount", detail));
        }
        own.edition = edition;
        Ok(own)
    }

    fn fired(&mut self, book: &Book, case: u32, at: Micros) -> Result<Vec<Happening>, Violation> {
        let edition = self.edition;
        let own = self.counted(case)?;
        let (happened, department) = own.fire(at, book, edition);
        own.version += u32::from(!happened.is_empty());
        self.counts.moot += u64::from(happened.is_empty());
        if let Some(department) = department {
            let number = adaptor::department_of(case);
            if self.cases.contains_key(&number) {
                return Err(violation("joint", format!("case {case}: its department is held liable a second time")));
            }
            self.born.insert(number, department);
        }
        Ok(happened)
    }

    fn acted(
        &mut self,
        book: &Book,
        case: u32,
        named: u32,
        (item, act): (usize, Act),
        done: &Committed,
    ) -> Result<Vec<Happening>, Violation> {
        let (edition, at) = (self.edition, done.at);
        if named != case {
            if self.concluding.take() != Some(case) {
                return Err(violation("state", format!("case {case} changed by an act on {named}")));
            }
            let Some(own) = self.cases.get_mut(&case) else {
                return Err(violation("joint", format!("case {case} was never opened")));
            };
            own.edition = edition;
            own.conclude();
            self.counts.together += 1;
            return Ok(vec![Happening::Completed]);
        }
        let number = adaptor::counterpart_of(case);
        let other = self.cases.get(&number).cloned();
        if self.cases.get(&case).is_some_and(|own| !own.closed && own.edition != edition) {
            // The worker has not come to the case: the act counts it first, in a version of its own.
            let counted: Vec<Happening> = self.recounted(book, case, at)?.into_iter().collect();
            let version = self.cases.get(&case).map_or(0, |own| own.version);
            let actual = if counted.is_empty() { Vec::new() } else { told(done, case, version) };
            if actual != counted {
                let detail = format!("case {case}: {actual:?} before {act:?}, expected {counted:?}");
                return Err(violation("recount", detail));
            }
            self.counts.counted_by_acts += 1;
        }
        let own = self.counted(case)?;
        let crossing = own.items.get(item).and_then(Crossing::of);
        let Some(expected) = own.act((item, act), at, other.as_ref(), book, edition) else {
            return Err(violation("state", format!("case {case} item {item}: {act:?} must be refused")));
        };
        own.version += 1;
        own.acted = own.version;
        if expected.contains(&Happening::Completed) && other.is_some_and(|other| other.waits()) {
            self.concluding = Some(number);
        }
        if let (Act::Report { .. }, Some(crossing)) = (act, crossing) {
            self.count_report(at, crossing);
        }
        Ok(expected)
    }

    fn recounted(&mut self, book: &Book, case: u32, at: Micros) -> Result<Option<Happening>, Violation> {
        let edition = self.edition;
        let Some(own) = self.cases.get_mut(&case) else {
            return Err(violation("opened", format!("case {case} counted but never opened")));
        };
        if own.closed || own.edition + 1 != edition {
            let detail = format!("case {case}: counted by version {edition} after {} (or closed)", own.edition);
            return Err(violation("recount", detail));
        }
        own.edition = edition;
        let happened = own.recount(at, book, edition);
        own.version += u32::from(happened.is_some());
        self.counts.recounted += 1;
        self.counts.touched += u64::from(happened.is_some());
        Ok(happened)
    }

    fn count(&mut self, happened: &[Happening]) {
        let counts = &mut self.counts;
        for happening in happened {
            match happening {
                Happening::Completed => counts.completed += 1,
                Happening::Proposal { level, .. } => {
                    if let Some(count) = counts.steps.get_mut(usize::from(*level).wrapping_sub(2)) {
                        *count += 1;
                    }
                }
                Happening::StepTaken { .. } => counts.taken += 1,
                Happening::StepLifted { .. } => counts.lifted += 1,
                Happening::StepMoot { .. } => counts.ended += 1,
                Happening::Duty { times, .. } => {
                    counts.duties += 1;
                    counts.again += u64::from(*times > 1);
                }
                Happening::Reopened(_) => counts.reopened += 1,
                _ => {}
            }
        }
    }

    fn count_report(&mut self, at: Micros, crossing: Crossing) {
        let Crossing { due, is_marked, is_urged } = crossing;
        if at < due {
            self.counts.in_time += 1;
            self.counts.crossed += u64::from(is_marked);
            self.counts.crossed_urged += u64::from(is_urged);
        } else {
            self.counts.late += 1;
        }
        self.counts.close_calls += u64::from((due - at).abs() <= 3);
    }

    /// Every order that happened has a row with its items, and no row stands without one.
    fn check_orders(&self, done: &Committed, case: u32, expected: &[Happening]) -> Result<(), Violation> {
        let agency = self.cases.get(&case).map(|own| own.agency);
        let mut rows = done.writes.iter().filter_map(|(key, value)| match (key, value) {
            (Key::Order(of, sequence), Value::Order(order)) if *of == case => Some((*sequence, *order)),
            _ => None,
        });
        for happening in expected {
            if let Happening::Order { sequence, items } = happening {
                let row = rows.next();
                let good = row.is_some_and(|(number, order)| {
                    number == *sequence && order.items == *items && Some(usize::from(order.agency)) == agency
                });
                if !good {
                    return Err(violation("missed", format!("case {case}: {happening:?} has the row {row:?}")));
                }
            }
        }
        match rows.next() {
            None => Ok(()),
            Some(row) => Err(violation("early or double", format!("case {case}: the order {row:?} was not due"))),
        }
    }

    /// Numbers follow each other without gap, in the order of the commits.
    fn number(&mut self, at: Micros, mut orders: Vec<OrderRow>) -> Result<(), Violation> {
        orders.sort_unstable_by_key(|order| (order.agency, order.year, order.serial));
        for order in orders {
            self.counts.orders += 1;
            let last = self.serials.entry((order.agency, order.year)).or_default();
            if order.serial != *last + 1 || i64::from(order.year) != year_of(at) {
                let year = year_of(at);
                return Err(violation("numbers", format!("{order:?} after number {last}, in the year {year}")));
            }
            *last = order.serial;
        }
        Ok(())
    }

    /// Nothing may be left undone when everyone is idle: no clock that has run out, no received letter without a case.
    pub fn check_idle(&self, legal_now: Micros, intake_is_empty: bool) -> Result<(), Violation> {
        if let Some((due, case)) = self.next.first()
            && *due <= legal_now
        {
            return Err(violation("missed", format!("case {case}: due at {due}, nothing happened by {legal_now}")));
        }
        match self.ready.first() {
            Some(case) if intake_is_empty => {
                Err(violation("opened", format!("case {case}: letter and receipt are here, no clock started")))
            }
            _ => Ok(()),
        }
    }

    /// The end: every case as the reference says, complete, and counted by the rules in force or closed before them.
    pub fn check_end<'r>(&mut self, row_of: impl Fn(u32) -> Option<&'r CaseRow>) -> Result<(), Violation> {
        if let Some(case) = self.ready.first() {
            return Err(violation("opened", format!("case {case} was never opened")));
        }
        let mut numbers: Vec<&u32> = self.cases.keys().collect();
        numbers.sort_unstable();
        for case in numbers {
            let Some(own) = self.cases.get(case) else { continue };
            let row = row_of(*case).ok_or_else(|| violation("state", format!("case {case} has vanished")))?;
            check_row(own, *case, row)?;
            if !own.closed || own.next.is_some() {
                let detail = format!("case {case}: everyone has gone home, and it is open or a clock runs: {own:?}");
                return Err(violation("silence", detail));
            }
        }
        Ok(())
    }

    /// The last version of each case, in the order of the cases.
    pub fn versions(&self) -> Vec<(u32, u32)> {
        let mut versions: Vec<(u32, u32)> = self.cases.iter().map(|(case, own)| (*case, own.version)).collect();
        versions.sort_unstable();
        versions
    }
}

/// What a transaction told of a version of a case.
fn told(done: &Committed, case: u32, version: u32) -> Vec<Happening> {
    done.entries
        .iter()
        .filter(|entry| entry.case == case && entry.version == version)
        .map(|entry| entry.happening)
        .collect()
}

/// Compares a row with the reference.
fn check_row(own: &RefCase, case: u32, row: &CaseRow) -> Result<(), Violation> {
    if (row.version, row.acted) != (own.version, own.acted) {
        let (version, acted) = (own.version, own.acted);
        let detail = format!("case {case}: versions {} and {}, expected {version} and {acted}", row.version, row.acted);
        return Err(violation("version", detail));
    }
    if (row.edition, row.closed) != (own.edition, own.closed) {
        let detail = format!("case {case}: rules {} closed {}, expected {own:?}", row.edition, row.closed);
        return Err(violation("recount", detail));
    }
    for (index, item) in own.items.iter().enumerate() {
        let facts = adaptor::item_facts(&row.case, index);
        if !facts.as_ref().is_some_and(|facts| item.matches(facts)) {
            return Err(violation("state", format!("case {case} item {index}: {facts:?}, expected {item:?}")));
        }
    }
    if let Some((index, item)) = own.silent() {
        return Err(violation("silence", format!("case {case} item {index}: no clock runs: {item:?}")));
    }
    if row.next_due != own.next {
        let detail = format!("case {case}: next timer at {:?}, expected {:?}", row.next_due, own.next);
        return Err(violation("armed", detail));
    }
    let (facts, expected): (CaseFacts, CaseFacts) = (adaptor::case_facts(&row.case), own.facts());
    if facts != expected {
        return Err(violation("state", format!("case {case}: {facts:?}, expected {expected:?} of {own:?}")));
    }
    if adaptor::armed_twice(&row.case) {
        return Err(violation("armed", format!("case {case}: one timer is armed twice in {:?} of {own:?}", row.case)));
    }
    Ok(())
}

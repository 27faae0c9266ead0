//! What every actor shares: the clock, the database, the broker, chance, and the watchers.

use std::collections::VecDeque;

use crate::adaptor::{Act, Book, Happening};
use crate::broker::Broker;
use crate::database::{Database, Key, Map, Purpose, Stop, TxId, Value};
use crate::days::{DAY, Micros, SECOND, day_of, start_of};
use crate::options::Mutation;
use crate::oracle::{Oracle, Violation, violation};
use crate::rng::Rng;

/// How many steps a failure shows.
const TAIL: usize = 40;

/// A letter or a receipt on its way to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) event: u64,
    pub(crate) case: u32,
    /// The instant of the receipt; nothing for the letter itself.
    pub(crate) received: Option<Micros>,
}

/// Something that people react to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// A case was opened.
    Opened(u32),
    /// A step of the ladder was proposed: case and place.
    Proposed(u32, u16),
    /// A look-back is due: case and item.
    LookBackDue(u32, usize),
    /// An item is open again.
    Reopened(u32, usize),
}

/// A step as it is remembered.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    step: u64,
    now: Micros,
    offset: Micros,
    who: &'static str,
    which: u64,
    what: &'static str,
    about: u64,
}

/// The last steps.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    tail: VecDeque<Remembered>,
}

impl Trace {
    fn note(&mut self, remembered: Remembered) {
        if self.tail.len() >= TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(remembered);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |one: &Remembered| {
            let day = day_of(one.now);
            let (year, month, of_month) = crate::days::civil_from_day(day);
            let clock = (one.now - start_of(day)).rem_euclid(DAY);
            let (seconds, micros) = (clock / SECOND, clock % SECOND);
            let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            format!(
                "step {:>8}  {year}-{month:02}-{of_month:02} {hour:02}:{minute:02}:{second:02}.{micros:06} {:+} µs  {} {}: {} {}",
                one.step, one.offset, one.who, one.which, one.what, one.about
            )
        };
        self.tail.iter().map(line).collect()
    }
}

/// The world that actors act in.
#[derive(Debug)]
pub(crate) struct Env<'b> {
    pub(crate) book: &'b Book,
    pub(crate) rng: Rng,
    /// True time, which nobody in the system sees.
    pub(crate) now: Micros,
    /// How far the database's legal clock is off.
    pub(crate) offset: Micros,
    pub(crate) step: u64,
    pub(crate) database: Database,
    /// The databases of the consuming services.
    pub(crate) shops: Vec<Database>,
    /// Effects committed at each shop.
    pub(crate) effects: Vec<u64>,
    pub(crate) broker: Broker,
    pub(crate) oracle: Oracle,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) failure: Option<Violation>,
    pub(crate) mail: Vec<Mail>,
    /// Which replica's relay holds the advisory lock.
    pub(crate) leader: Option<usize>,
    pub(crate) last_batch: u64,
    pub(crate) published: u64,
    /// The edition of the calendars that has been announced.
    pub(crate) announced: usize,
    /// Whose next commit loses its acknowledgement.
    pub(crate) deaf: Vec<bool>,
    /// What people have to react to since the world last looked.
    pub(crate) news: Vec<News>,
    pub(crate) commits: u64,
    /// Reports that began in time and were refused because other people had changed the version.
    pub(crate) refused_in_time: u64,
    /// Of those, late when they were sent again.
    pub(crate) turned_late: u64,
    pub(crate) trace: Trace,
}

impl Env<'_> {
    /// Legal time.
    pub(crate) const fn legal(&self) -> Micros {
        self.now + self.offset
    }

    pub(crate) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// The version of the rules by which a transaction decides; it stays in force until the transaction ends.
    pub(crate) fn hold_rules(&mut self, tx: TxId) -> Result<usize, Stop> {
        if self.is(Mutation::RulesUnheld) { Ok(self.database.rules()) } else { self.database.hold_rules(tx) }
    }

    pub(crate) fn begin(&mut self, purpose: Purpose) -> TxId {
        let at = self.legal();
        self.database.begin(at, purpose)
    }

    pub(crate) fn note(&mut self, who: &'static str, which: u64, what: &'static str, about: u64) {
        let (step, now, offset) = (self.step, self.now, self.offset);
        self.trace.note(Remembered { step, now, offset, who, which, what, about });
    }

    pub(crate) fn fail(&mut self, rule: &'static str, detail: String) {
        if self.failure.is_none() {
            self.failure = Some(violation(rule, detail));
        }
    }

    /// Commits in the engine's database, under the oracle's eyes; the acknowledgement may get lost.
    pub(crate) fn commit(&mut self, replica: usize, tx: TxId) -> Result<(), Stop> {
        let done = self.database.commit(tx)?;
        self.commits += 1;
        if let Err(found) = self.oracle.observe(self.book, &done) {
            self.failure.get_or_insert(found);
        }
        for (key, value) in &done.writes {
            if let (Key::Batch(number), Value::Batch(_)) = (key, value) {
                self.last_batch = self.last_batch.max(*number);
            }
        }
        for entry in &done.entries {
            let case = entry.case;
            match entry.happening {
                Happening::Opened => self.news.push(News::Opened(case)),
                Happening::Proposal { place, .. } => self.news.push(News::Proposed(case, place)),
                Happening::LookBackDue(items) => {
                    let due = (0..8).filter(|item| items & (1 << item) != 0);
                    self.news.extend(due.map(|item| News::LookBackDue(case, item)));
                }
                Happening::Reopened(item) => self.news.push(News::Reopened(case, item)),
                _ => {}
            }
        }
        if self.deaf.get_mut(replica).is_some_and(std::mem::take) {
            return Err(Stop::Gone);
        }
        Ok(())
    }

    /// A person is refused: rightly, by the oracle's own judgement of the same state.
    pub(crate) fn is_refused(&mut self, case: u32, act: (usize, Act), at: Micros, refusal: &str) {
        let edition = self.database.rules();
        if let Err(found) = self.oracle.refused(self.book, case, act, (at, edition), refusal) {
            self.failure.get_or_insert(found);
        }
    }

    /// A person is sent back for a version: rightly, when other people made a newer one.
    pub(crate) fn is_stale(&mut self, (case, act): (u32, Act), seen: u32) {
        if let Err(found) = self.oracle.stale(case, act, seen) {
            self.failure.get_or_insert(found);
        }
    }

    /// What is the same at the end as at the beginning: the consumers' effects are the journal, each once.
    pub(crate) fn check_consumers(&self) -> Result<(), Violation> {
        let mut journaled = 0;
        let mut versions: Map<u32, u32> = Map::default();
        for entry in self.database.journal() {
            journaled += 1;
            let last = versions.entry(entry.case).or_default();
            // Every version is told: a consumer that keeps the newest never waits for one that does not come.
            if entry.version != *last && entry.version != *last + 1 {
                let detail = format!("case {}: version {} after {last}", entry.case, entry.version);
                return Err(violation("journal order", detail));
            }
            *last = entry.version;
            for (number, shop) in self.shops.iter().enumerate() {
                let times = shop.number(Key::Effect(entry.event())).unwrap_or_default();
                if times != 1 {
                    let detail = format!("consumer {number}: {entry:?} took effect {times} times");
                    return Err(violation("effect", detail));
                }
            }
        }
        for (number, effects) in self.effects.iter().enumerate() {
            if *effects != journaled {
                let detail = format!("consumer {number}: {effects} effects of {journaled} events");
                return Err(violation("effect", detail));
            }
        }
        for (case, version) in self.oracle.versions() {
            let last = versions.get(&case).copied().unwrap_or_default();
            for (number, shop) in self.shops.iter().enumerate() {
                let copy = shop.number(Key::Copy(case)).unwrap_or_default();
                if copy != i64::from(last) || last != version {
                    let detail = format!("consumer {number}, case {case}: copy {copy}, journal {last}, row {version}");
                    return Err(violation("copy", detail));
                }
            }
        }
        Ok(())
    }
}

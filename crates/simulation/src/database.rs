//! A database in memory with the semantics that the engine relies on: transactions, row locks that die with their connection,
//! unique keys, a counter for the journal's positions that no roll-back takes back, and transaction numbers.
//!
//! Reads see what is committed, and a transaction's own writes (READ COMMITTED). Whoever meets a lock waits and tries its
//! statement again; whoever asks for due rows skips them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use crate::adaptor::{Act, Case, Happening};
use crate::days::Micros;

/// A map without chance in its hashes, so that a run repeats.
pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<FixedHasher>>;

/// A fast multiplicative hasher without a random key.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedHasher(u64);

impl Hasher for FixedHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number.unsigned_abs() as u64);
    }
}

/// A row's primary or unique key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The dossier of a case.
    Case(u32),
    /// A number series: agency and year.
    Series(u8, u16),
    /// An urging order: case and sequence.
    Order(u32, u32),
    /// The number of an order: agency, year, serial.
    Serial(u8, u16, u32),
    /// A limit: case, item, round.
    Limit(u32, u8, u16),
    /// A fired timer: case and identity.
    Fired(u32, u64),
    /// A letter that was heard of.
    Letter(u32),
    /// A receipt that was heard of.
    Receipt(u32),
    /// The advisory lock of a letter.
    LetterLock(u32),
    /// The version of the rules in force; its lock is shared by all who decide about cases.
    Rules,
    /// An event that a consumer knows.
    Inbox(u64),
    /// How often an event took effect at a consumer.
    Effect(u64),
    /// A consumer's copy of a case.
    Copy(u32),
    /// An answered request.
    Answered(u64),
    /// A batch of the relay.
    Batch(u64),
    /// The incarnation of the stream that the relay knows.
    Transport,
    /// An event of the journal: case, version, place within the version.
    Event(u32, u32, u8),
}

/// A row's content.
#[derive(Clone, Debug)]
pub enum Value {
    /// A dossier.
    Case(Rc<CaseRow>),
    /// An order.
    Order(OrderRow),
    /// The range of a batch.
    Batch(Range),
    /// A number, an instant, a version.
    Number(i64),
    /// Nothing but the key.
    Unit,
}

/// A dossier with its version.
#[derive(Clone, Debug)]
pub struct CaseRow {
    /// One more with each change that the journal tells.
    pub version: u32,
    /// The version that people made last; later ones are the clock's.
    pub acted: u32,
    /// The version of the rules by which it was counted last.
    pub edition: usize,
    /// Whether it is complete, alone or with its counterpart.
    pub closed: bool,
    /// The issuing agency.
    pub agency: usize,
    /// The column by which due rows are found.
    pub next_due: Option<Micros>,
    /// The state that the domain decides on.
    pub case: Case,
}

/// An urging order as it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// The agency.
    pub agency: u8,
    /// The year of its number.
    pub year: u16,
    /// Its number.
    pub serial: u32,
    /// The items it lists.
    pub items: u8,
}

/// The part of the journal that a batch published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first transaction number.
    pub from_tx: u64,
    /// The first transaction number after it.
    pub below_tx: u64,
    /// The position after which it begins.
    pub after_position: u64,
    /// Its last position.
    pub to_position: u64,
}

/// A row of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Taken from a counter when the row is written.
    pub position: u64,
    /// The case.
    pub case: u32,
    /// Its version.
    pub version: u32,
    /// The place within the version.
    pub place: u8,
    /// What happened.
    pub happening: Happening,
}

impl Entry {
    /// The identity of the event: the same change always has the same.
    pub const fn event(&self) -> u64 {
        ((self.case as u64) << 32) | ((self.version as u64) << 8) | self.place as u64
    }
}

/// A transaction's number.
pub type TxId = u64;

/// What a transaction is for, as its author says; the oracle judges by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The clock.
    Fire,
    /// A person.
    Act {
        /// The case.
        case: u32,
        /// The item.
        item: usize,
        /// The act.
        act: Act,
    },
    /// A letter or a receipt.
    Intake,
    /// Another version of the rules takes effect.
    Change,
    /// Cases are counted by it.
    Recount,
    /// The relay.
    Relay,
    /// A consumer of the journal.
    Consume,
}

/// Why a statement did not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Another transaction holds the row.
    Blocked(TxId),
    /// The key is there already.
    Unique(Key),
    /// The connection is gone; what was not committed is undone.
    Gone,
    /// The row is not the one that was read.
    Stale,
    /// Two transactions wait for each other; this one is the victim.
    Deadlock,
}

/// A place within a transaction that a statement goes back to before it waits.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    writes: usize,
    entries: usize,
}

/// What a committed transaction wrote.
#[derive(Debug)]
pub struct Committed {
    /// Its number.
    pub tx: TxId,
    /// The legal time at which it began.
    pub at: Micros,
    /// What it was for.
    pub purpose: Purpose,
    /// The rows, in the order of writing.
    pub writes: Vec<(Key, Value)>,
    /// The journal rows, in the order of writing.
    pub entries: Vec<Entry>,
}

#[derive(Debug)]
struct Tx {
    at: Micros,
    purpose: Purpose,
    writes: Vec<(Key, Value)>,
    own: Map<Key, usize>,
    held: Vec<Key>,
    entries: Vec<Entry>,
}

/// The database.
#[derive(Debug, Default)]
pub struct Database {
    rows: Map<Key, Value>,
    locks: Map<Key, TxId>,
    /// Who shares the lock of the rules.
    sharing: BTreeSet<TxId>,
    due: BTreeSet<(Micros, u32)>,
    /// Open cases by the version of the rules that counted them last.
    open: BTreeSet<(usize, u32)>,
    active: BTreeMap<TxId, Tx>,
    waits: BTreeMap<TxId, TxId>,
    next_tx: TxId,
    next_position: u64,
    ended: u64,
    journal: BTreeMap<u64, Entry>,
    by_tx: BTreeMap<TxId, Vec<u64>>,
}

impl Database {
    /// Begins a transaction at a legal time.
    pub fn begin(&mut self, at: Micros, purpose: Purpose) -> TxId {
        self.next_tx += 1;
        let tx = Tx { at, purpose, writes: Vec::new(), own: Map::default(), held: Vec::new(), entries: Vec::new() };
        self.active.insert(self.next_tx, tx);
        self.next_tx
    }

    /// Whether a transaction still runs.
    pub fn is_active(&self, tx: TxId) -> bool {
        self.active.contains_key(&tx)
    }

    /// What is committed under a key.
    pub fn committed(&self, key: Key) -> Option<&Value> {
        self.rows.get(&key)
    }

    /// The committed dossier of a case.
    pub fn case(&self, case: u32) -> Option<&Rc<CaseRow>> {
        match self.rows.get(&Key::Case(case)) {
            Some(Value::Case(row)) => Some(row),
            _ => None,
        }
    }

    /// The committed number under a key.
    pub fn number(&self, key: Key) -> Option<i64> {
        match self.rows.get(&key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The earliest instant at which something is due.
    pub fn first_due(&self) -> Option<Micros> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether a due row waits that nobody works on, among the first rows.
    pub fn has_free_due(&self, at: Micros) -> bool {
        let rules = self.rules();
        self.due
            .iter()
            .take(2_000)
            .take_while(|(due, _)| *due <= at)
            .any(|(_, case)| !self.locks.contains_key(&Key::Case(*case)) && !self.is_behind(*case, rules))
    }

    /// The version of the rules in force.
    pub fn rules(&self) -> usize {
        self.number(Key::Rules).and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
    }

    /// The rules that were in force before anything began.
    pub fn begin_with_rules(&mut self, rules: usize) {
        self.rows.insert(Key::Rules, Value::Number(i64::try_from(rules).unwrap_or_default()));
    }

    /// Whether an open case is still counted by older rules.
    pub fn is_behind(&self, case: u32, rules: usize) -> bool {
        self.case(case).is_some_and(|row| !row.closed && row.edition < rules)
    }

    /// Whether an open case was counted last by older rules, of those that nobody works on when only free ones are asked for.
    pub fn has_behind(&self, rules: usize, only_free: bool) -> bool {
        let is_free = |case: u32| !only_free || !self.locks.contains_key(&Key::Case(case));
        self.open.range(..(rules, 0)).any(|(_, case)| is_free(*case))
    }

    /// Open cases that older rules counted last, the first due first, without those that others hold.
    pub fn free_behind(&self, rules: usize) -> Vec<u32> {
        let is_free = |case: &u32| !self.locks.contains_key(&Key::Case(*case));
        let mut cases: Vec<u32> = self.open.range(..(rules, 0)).map(|(_, case)| *case).filter(is_free).collect();
        cases.sort_by_key(|case| (self.case(*case).and_then(|row| row.next_due), *case));
        cases
    }

    /// Holds the rules as they are until the end of the transaction.
    pub fn hold_rules(&mut self, tx: TxId) -> Result<usize, Stop> {
        if !self.active.contains_key(&tx) {
            return Err(Stop::Gone);
        }
        match self.locks.get(&Key::Rules).copied() {
            Some(holder) if holder != tx => Err(self.wait(tx, holder)),
            Some(_) | None => {
                self.sharing.insert(tx);
                Ok(self.rules())
            }
        }
    }

    /// Keeps everyone else from the rules, once nobody holds them any more.
    pub fn hold_rules_alone(&mut self, tx: TxId) -> Result<(), Stop> {
        self.lock(tx, Key::Rules)?;
        match self.sharing.iter().find(|other| **other != tx).copied() {
            Some(other) => Err(self.wait(tx, other)),
            None => Ok(()),
        }
    }

    /// Reads a row: the transaction's own write, else what is committed.
    pub fn get(&self, tx: TxId, key: Key) -> Result<Option<&Value>, Stop> {
        let tx = self.active.get(&tx).ok_or(Stop::Gone)?;
        Ok(match tx.own.get(&key) {
            Some(index) => tx.writes.get(*index).map(|(_, value)| value),
            None => self.rows.get(&key),
        })
    }

    /// Locks a key until the transaction ends.
    pub fn lock(&mut self, tx: TxId, key: Key) -> Result<(), Stop> {
        let open = self.active.get_mut(&tx).ok_or(Stop::Gone)?;
        match self.locks.get(&key).copied() {
            Some(holder) if holder == tx => Ok(()),
            Some(holder) => Err(self.wait(tx, holder)),
            None => {
                self.locks.insert(key, tx);
                open.held.push(key);
                Ok(())
            }
        }
    }

    /// Notes who waits for whom; a ring of them is a deadlock.
    fn wait(&mut self, tx: TxId, holder: TxId) -> Stop {
        let mut next = Some(holder);
        while let Some(other) = next {
            if other == tx {
                return Stop::Deadlock;
            }
            next = self.waits.get(&other).copied();
        }
        self.waits.insert(tx, holder);
        Stop::Blocked(holder)
    }

    /// Where a transaction stands before a statement.
    pub fn mark(&mut self, tx: TxId) -> Mark {
        self.waits.remove(&tx);
        let open = self.active.get(&tx);
        Mark { writes: open.map_or(0, |open| open.writes.len()), entries: open.map_or(0, |open| open.entries.len()) }
    }

    /// Takes back what a statement wrote before it had to wait; its locks stay.
    pub fn back_to(&mut self, tx: TxId, mark: Mark) {
        if let Some(open) = self.active.get_mut(&tx) {
            open.writes.truncate(mark.writes);
            open.entries.truncate(mark.entries);
            open.own = open.writes.iter().enumerate().map(|(index, (key, _))| (*key, index)).collect();
        }
    }

    /// Takes up to `limit` due rows under locks, the longest due first, and passes over rows that others hold and over those
    /// that the rules have not counted yet.
    pub fn take_due(
        &mut self,
        tx: TxId,
        (at, rules): (Micros, usize),
        limit: usize,
        locked: bool,
    ) -> Result<Vec<u32>, Stop> {
        let mut taken = Vec::new();
        for (due, case) in &self.due {
            if *due > at || taken.len() >= limit {
                break;
            }
            if (!locked || !self.locks.contains_key(&Key::Case(*case))) && !self.is_behind(*case, rules) {
                taken.push(*case);
            }
        }
        if locked {
            for case in &taken {
                self.lock(tx, Key::Case(*case))?;
            }
        }
        Ok(taken)
    }

    /// Writes a row that must be new. Where another transaction writes the same key it waits for its end.
    pub fn insert(&mut self, tx: TxId, key: Key, value: Value) -> Result<(), Stop> {
        match self.locks.get(&key) {
            Some(holder) if *holder != tx => {
                let holder = *holder;
                return Err(self.wait(tx, holder));
            }
            Some(_) | None => {}
        }
        if self.get(tx, key)?.is_some() {
            return Err(Stop::Unique(key));
        }
        self.put(tx, key, value)
    }

    /// Writes a row, new or not.
    pub fn put(&mut self, tx: TxId, key: Key, value: Value) -> Result<(), Stop> {
        self.lock(tx, key)?;
        let open = self.active.get_mut(&tx).ok_or(Stop::Gone)?;
        open.own.insert(key, open.writes.len());
        open.writes.push((key, value));
        Ok(())
    }

    /// Appends to the journal.
    pub fn append(&mut self, tx: TxId, case: u32, version: u32, happened: &[Happening]) -> Result<(), Stop> {
        for (place, happening) in (0_u8..).zip(happened) {
            self.insert(tx, Key::Event(case, version, place), Value::Unit)?;
            self.next_position += 1;
            let entry = Entry { position: self.next_position, case, version, place, happening: *happening };
            self.active.get_mut(&tx).ok_or(Stop::Gone)?.entries.push(entry);
        }
        Ok(())
    }

    /// Makes a transaction's work durable and visible.
    pub fn commit(&mut self, tx: TxId) -> Result<Committed, Stop> {
        let done = self.active.remove(&tx).ok_or(Stop::Gone)?;
        self.waits.remove(&tx);
        self.ended += 1;
        self.sharing.remove(&tx);
        for key in &done.held {
            self.locks.remove(key);
        }
        for (key, value) in &done.writes {
            if let (Key::Case(case), Value::Case(row)) = (key, value) {
                if let Some(Value::Case(before)) = self.rows.get(key) {
                    if let Some(due) = before.next_due {
                        self.due.remove(&(due, *case));
                    }
                    self.open.remove(&(before.edition, *case));
                }
                if let Some(due) = row.next_due {
                    self.due.insert((due, *case));
                }
                if !row.closed {
                    self.open.insert((row.edition, *case));
                }
            }
            self.rows.insert(*key, value.clone());
        }
        if !done.entries.is_empty() {
            self.by_tx.insert(tx, done.entries.iter().map(|entry| entry.position).collect());
            for entry in &done.entries {
                self.journal.insert(entry.position, *entry);
            }
        }
        Ok(Committed { tx, at: done.at, purpose: done.purpose, writes: done.writes, entries: done.entries })
    }

    /// Undoes a transaction; nothing when it is gone already.
    pub fn rollback(&mut self, tx: TxId) {
        if let Some(undone) = self.active.remove(&tx) {
            self.waits.remove(&tx);
            self.sharing.remove(&tx);
            self.ended += 1;
            for key in &undone.held {
                self.locks.remove(key);
            }
        }
    }

    /// The server dies and comes back: everything uncommitted vanishes with its locks.
    pub fn crash(&mut self) {
        self.ended += 1;
        self.active.clear();
        self.waits.clear();
        self.sharing.clear();
        self.locks.clear();
    }

    /// How many transactions have ended, one way or the other.
    pub const fn ended(&self) -> u64 {
        self.ended
    }

    /// Whether nobody is in a transaction.
    pub fn is_quiet(&self) -> bool {
        self.active.is_empty()
    }

    /// The oldest transaction number that still runs, else the next one: below it the journal is settled.
    pub fn settled(&self) -> TxId {
        self.active.keys().next().copied().unwrap_or(self.next_tx + 1)
    }

    /// The rows of a range, in the order of their positions.
    pub fn read(&self, range: Range, limit: usize) -> Vec<Entry> {
        let mut positions: Vec<u64> = self
            .by_tx
            .range(range.from_tx..range.below_tx)
            .flat_map(|(_, positions)| positions)
            .copied()
            .filter(|position| *position > range.after_position && *position <= range.to_position)
            .collect();
        positions.sort_unstable();
        positions.truncate(limit);
        positions.iter().filter_map(|position| self.journal.get(position)).copied().collect()
    }

    /// Committed rows after a position, whatever still runs: what a relay with a high-water mark would read.
    pub fn read_after(&self, position: u64, limit: usize) -> Vec<Entry> {
        self.journal.range(position + 1..).take(limit).map(|(_, entry)| *entry).collect()
    }

    /// How many rows the journal has.
    pub fn journaled(&self) -> u64 {
        self.journal.len() as u64
    }

    /// Every committed row of the journal, by position.
    pub fn journal(&self) -> impl Iterator<Item = &Entry> {
        self.journal.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_dies_with_its_transaction_and_a_roll_back_takes_everything_back() {
        let mut database = Database::default();
        let first = database.begin(0, Purpose::Relay);
        let second = database.begin(0, Purpose::Relay);
        database.put(first, Key::Transport, Value::Number(1)).unwrap();
        assert_eq!(database.lock(second, Key::Transport), Err(Stop::Blocked(first)));
        assert_eq!(database.insert(second, Key::Transport, Value::Unit), Err(Stop::Blocked(first)));
        database.rollback(first);
        assert_eq!(database.number(Key::Transport), None);
        database.insert(second, Key::Transport, Value::Number(2)).unwrap();
        database.commit(second).unwrap();
        assert_eq!(database.number(Key::Transport), Some(2));
        let third = database.begin(0, Purpose::Relay);
        assert_eq!(database.insert(third, Key::Transport, Value::Unit), Err(Stop::Unique(Key::Transport)));
        database.crash();
        assert_eq!(database.put(third, Key::Transport, Value::Unit), Err(Stop::Gone));
    }

    #[test]
    fn a_late_commit_is_read_in_its_settled_range() {
        let mut database = Database::default();
        let slow = database.begin(0, Purpose::Relay);
        let quick = database.begin(0, Purpose::Relay);
        database.append(slow, 1, 1, &[Happening::Opened]).unwrap();
        database.append(quick, 2, 1, &[Happening::Opened]).unwrap();
        database.commit(quick).unwrap();
        assert_eq!(database.settled(), slow);
        let all = Range { from_tx: 0, below_tx: database.settled(), after_position: 0, to_position: u64::MAX };
        assert!(database.read(all, 10).is_empty());
        database.commit(slow).unwrap();
        let all = Range { below_tx: database.settled(), ..all };
        assert_eq!(database.read(all, 10).len(), 2);
    }
}

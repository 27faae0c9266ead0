//! A broker that may lose everything: a stream with an incarnation, durable consumers, redelivery in any order.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use crate::database::{Entry, FixedHasher};
use crate::rng::Rng;

/// A message in a consumer's hands.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    /// Its place in the stream.
    pub index: usize,
    /// The stream's incarnation when it was delivered.
    pub incarnation: i64,
    /// The event.
    pub entry: Entry,
}

#[derive(Clone, Debug, Default)]
struct Durable {
    cursor: usize,
    outstanding: Vec<(usize, usize)>,
    again: Vec<usize>,
}

/// The broker.
#[derive(Clone, Debug)]
pub struct Broker {
    incarnation: i64,
    stream: Vec<Entry>,
    durables: Vec<Durable>,
}

impl Broker {
    /// An empty stream with so many durable consumers.
    pub fn new(consumers: usize) -> Self {
        Self { incarnation: 1, stream: Vec::new(), durables: vec![Durable::default(); consumers] }
    }

    /// When the stream was created, as far as it matters.
    pub const fn incarnation(&self) -> i64 {
        self.incarnation
    }

    /// Takes events.
    pub fn publish(&mut self, entries: &[Entry]) {
        self.stream.extend_from_slice(entries);
    }

    /// Loses everything; the stream that comes back is another one.
    pub fn wipe(&mut self) {
        self.incarnation += 1;
        self.stream.clear();
        for durable in &mut self.durables {
            *durable = Durable::default();
        }
    }

    /// Whether a consumer has something to fetch.
    pub fn has_news(&self, consumer: usize) -> bool {
        self.durables
            .get(consumer)
            .is_some_and(|durable| !durable.again.is_empty() || durable.cursor < self.stream.len())
    }

    /// How many messages a consumer has not fetched yet.
    pub fn backlog(&self, consumer: usize) -> usize {
        self.durables.get(consumer).map_or(0, |durable| durable.again.len() + self.stream.len() - durable.cursor)
    }

    /// Delivers up to `most` messages to a replica of a consumer, sometimes out of order, sometimes one twice.
    pub fn fetch(&mut self, consumer: usize, replica: usize, most: usize, rng: &mut Rng) -> Vec<Delivered> {
        let Some(durable) = self.durables.get_mut(consumer) else { return Vec::new() };
        let mut indexes: Vec<usize> = Vec::with_capacity(most);
        let repeated = durable.again.len().min(most);
        indexes.extend(durable.again.drain(..repeated));
        while indexes.len() < most && durable.cursor < self.stream.len() {
            indexes.push(durable.cursor);
            durable.cursor += 1;
        }
        durable.outstanding.extend(indexes.iter().map(|index| (*index, replica)));
        if rng.chance(1_000) {
            rng.shuffle(&mut indexes);
        }
        if rng.chance(500)
            && let Some(first) = indexes.first().copied()
        {
            indexes.push(first);
        }
        indexes
            .into_iter()
            .filter_map(|index| {
                let entry = *self.stream.get(index)?;
                Some(Delivered { index, incarnation: self.incarnation, entry })
            })
            .collect()
    }

    /// A replica acknowledges; what belongs to a stream that is gone means nothing.
    pub fn acknowledge(&mut self, consumer: usize, replica: usize, messages: &[Delivered]) {
        let incarnation = self.incarnation;
        if let Some(durable) = self.durables.get_mut(consumer)
            && messages.iter().all(|message| message.incarnation == incarnation)
        {
            let done: HashSet<usize, BuildHasherDefault<FixedHasher>> =
                messages.iter().map(|message| message.index).collect();
            durable.outstanding.retain(|(index, of)| *of != replica || !done.contains(index));
        }
    }

    /// What a replica had fetched and not acknowledged comes again.
    pub fn give_back(&mut self, consumer: usize, replica: usize) {
        if let Some(durable) = self.durables.get_mut(consumer) {
            let (back, kept) = durable.outstanding.iter().copied().partition(|(_, of)| *of == replica);
            durable.outstanding = kept;
            let back: Vec<(usize, usize)> = back;
            durable.again.extend(back.into_iter().map(|(index, _)| index));
        }
    }

    /// A run of old messages is delivered again.
    pub fn repeat(&mut self, consumer: usize, rng: &mut Rng) {
        if let Some(durable) = self.durables.get_mut(consumer)
            && durable.cursor > 0
        {
            let first = rng.index(durable.cursor);
            let mut indexes: Vec<usize> = (first..durable.cursor).take(1 + rng.index(50)).collect();
            rng.shuffle(&mut indexes);
            durable.again.extend(indexes);
        }
    }
}

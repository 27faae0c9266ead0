//! Identifiers: UUID version 7, so that they sort by the time of their making.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Makes identifiers.
pub trait Ids: Send + Sync + std::fmt::Debug {
    /// A new UUIDv7.
    fn new_id(&self) -> Uuid;
}

/// Identifiers from the machine's clock and its source of chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes identifiers")]
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// The same identifiers in every run with the same seed, for tests.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    made: AtomicU64,
}

impl SeededIds {
    /// A sequence that depends on the seed alone.
    pub fn new(seed: u64) -> Self {
        Self { seed, made: AtomicU64::new(0) }
    }
}

impl Ids for SeededIds {
    fn new_id(&self) -> Uuid {
        // 2026-01-01T00:00:00Z in milliseconds; each identifier is a millisecond younger than the last.
        const START: u64 = 1_767_225_600_000;
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(number.to_be_bytes()).finalize();
        let mut random = [0_u8; 10];
        random.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        uuid::Builder::from_unix_timestamp_millis(START + number, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_ids_repeat_differ_and_sort() {
        let (one, two) = (SeededIds::new(7), SeededIds::new(7));
        let first: Vec<Uuid> = (0..100).map(|_| one.new_id()).collect();
        let second: Vec<Uuid> = (0..100).map(|_| two.new_id()).collect();
        assert_eq!(first, second);
        assert!(first.is_sorted());
        assert_ne!(first[0], SeededIds::new(8).new_id());
        assert_eq!(first[0].get_version_num(), 7);
    }
}

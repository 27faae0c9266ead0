//! Machine time, for tokens, timeouts and measurements.
//!
//! Legal time (when something is due, when something was done) is the database's and comes with the
//! transaction; it never comes from here.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// Tells the machine's time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, rounded down to microseconds as PostgreSQL keeps them.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        to_microseconds(Timestamp::now())
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `at`.
    pub fn new(at: Timestamp) -> Self {
        Self(Mutex::new(to_microseconds(at)))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.saturating_add(by).map_or(*now, to_microseconds);
    }

    /// Sets the clock, forward or backward.
    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = to_microseconds(at);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Cuts a timestamp to microseconds: what is answered must equal what the column keeps.
pub fn to_microseconds(at: Timestamp) -> Timestamp {
    at.round(TimestampRound::new().smallest(Unit::Microsecond).mode(RoundMode::Trunc)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_keeps_microseconds() {
        let clock = ManualClock::new("2026-11-23T08:00:00.123456789Z".parse().unwrap());
        assert_eq!(clock.now().to_string(), "2026-11-23T08:00:00.123456Z");
        clock.advance(Duration::from_mins(1));
        assert_eq!(clock.now().to_string(), "2026-11-23T08:01:00.123456Z");
    }
}

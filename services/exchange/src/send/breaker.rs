//! The circuit breaker of the whole platform: a dead platform is asked by one message at a time, less and less often.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What an attempt says about the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answers.
    Healthy,
    /// It does not, or not sensibly.
    Failing,
    /// It asks to be left alone for a while.
    Pause(Option<Duration>),
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Everyone may ask.
    Closed { failures: u32 },
    /// Nobody until that instant, then one.
    Open { until: Instant, round: u32 },
    /// One is asking.
    HalfOpen,
}

/// Shared by all lanes of a process.
#[derive(Debug)]
pub(super) struct Breaker {
    state: Mutex<State>,
    failures: u32,
    first_pause: Duration,
    longest_pause: Duration,
}

/// The right to make one attempt. Dropped without a report it changes nothing.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    breaker: &'a Breaker,
    /// The round of a probe, with the instant at which it was given out.
    probe: Option<(u32, Instant)>,
}

impl Breaker {
    /// Opens after so many failures in a row.
    pub(super) fn new(failures: u32, first_pause: Duration, longest_pause: Duration) -> Self {
        Self { state: Mutex::new(State::Closed { failures: 0 }), failures, first_pause, longest_pause }
    }

    /// Admits an attempt, or nobody.
    pub(super) fn admit(&self, now: Instant) -> Option<Ticket<'_>> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Some(Ticket { breaker: self, probe: None }),
            State::Open { until, round } if until <= now => {
                *state = State::HalfOpen;
                Some(Ticket { breaker: self, probe: Some((round, now)) })
            }
            State::Open { .. } | State::HalfOpen => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause(&self, round: u32) -> Duration {
        self.first_pause.saturating_mul(2_u32.saturating_pow(round)).min(self.longest_pause)
    }
}

fn open(round: u32, pause: Duration, now: Instant) -> State {
    tracing::warn!(seconds = pause.as_secs_f64(), "the national platform is left alone for a while");
    State::Open { until: now + pause, round }
}

impl Ticket<'_> {
    /// Says how the attempt went.
    pub(super) fn report(mut self, verdict: Verdict, now: Instant) {
        let breaker = self.breaker;
        let probe = self.probe.take();
        let mut state = breaker.lock();
        // A probe that fails lengthens the pause.
        let round = probe.map_or(0, |(round, _)| round.saturating_add(1));
        match (*state, verdict) {
            // An attempt that began before the others failed has nothing more to say; a receipt has.
            (State::Open { .. }, Verdict::Failing) | (State::HalfOpen, Verdict::Failing | Verdict::Pause(_))
                if probe.is_none() => {}
            (State::Closed { .. }, Verdict::Healthy) => *state = State::Closed { failures: 0 },
            (State::Open { .. } | State::HalfOpen, Verdict::Healthy) => {
                tracing::info!("the national platform answers again");
                *state = State::Closed { failures: 0 };
            }
            (State::Closed { failures }, Verdict::Failing) if failures + 1 < breaker.failures => {
                *state = State::Closed { failures: failures + 1 };
            }
            (State::Closed { .. } | State::Open { .. } | State::HalfOpen, Verdict::Failing) => {
                *state = open(round, breaker.pause(round), now);
            }
            (State::Closed { .. } | State::Open { .. } | State::HalfOpen, Verdict::Pause(asked)) => {
                *state = open(round, asked.unwrap_or_else(|| breaker.pause(round)), now);
            }
        }
    }
}

impl Drop for Ticket<'_> {
    /// A probe that found nothing to send, or could not record it, leaves the place to the next.
    fn drop(&mut self) {
        if let Some((round, given)) = self.probe.take() {
            let mut state = self.breaker.lock();
            if matches!(*state, State::HalfOpen) {
                *state = State::Open { until: given, round };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(3, SECOND, SECOND * 60)
    }

    fn fail(breaker: &Breaker, now: Instant) {
        breaker.admit(now).unwrap().report(Verdict::Failing, now);
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_only_then() {
        let (breaker, now) = (breaker(), Instant::now());
        fail(&breaker, now);
        fail(&breaker, now);
        breaker.admit(now).unwrap().report(Verdict::Healthy, now);
        fail(&breaker, now);
        fail(&breaker, now);
        assert!(breaker.admit(now).is_some());
        fail(&breaker, now);
        assert!(breaker.admit(now).is_none());
        assert!(breaker.admit(now + SECOND / 2).is_none());
    }

    #[test]
    fn one_probe_at_a_time_and_longer_pauses_up_to_the_limit() {
        let (breaker, mut now) = (breaker(), Instant::now());
        (0..3).for_each(|_| fail(&breaker, now));
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            let pause = SECOND * pause;
            assert!(breaker.admit(now + pause - SECOND / 10).is_none(), "{pause:?}");
            now += pause;
            let probe = breaker.admit(now).unwrap();
            assert!(breaker.admit(now).is_none(), "a second probe");
            probe.report(Verdict::Failing, now);
        }
        now += SECOND * 60;
        breaker.admit(now).unwrap().report(Verdict::Healthy, now);
        assert!(breaker.admit(now).is_some() && breaker.admit(now).is_some());
    }

    #[test]
    fn a_probe_without_a_message_does_not_block_the_next() {
        let (breaker, now) = (breaker(), Instant::now());
        (0..3).for_each(|_| fail(&breaker, now));
        let now = now + SECOND;
        drop(breaker.admit(now).unwrap());
        assert!(breaker.admit(now).is_some());
    }

    #[test]
    fn the_platform_may_ask_for_its_own_pause() {
        let (breaker, now) = (breaker(), Instant::now());
        breaker.admit(now).unwrap().report(Verdict::Pause(Some(SECOND * 7)), now);
        assert!(breaker.admit(now + SECOND * 6).is_none());
        assert!(breaker.admit(now + SECOND * 7).is_some());
    }

    #[test]
    fn late_failures_do_not_lengthen_the_pause() {
        let (breaker, now) = (breaker(), Instant::now());
        let late = breaker.admit(now).unwrap();
        (0..3).for_each(|_| fail(&breaker, now));
        late.report(Verdict::Failing, now + SECOND / 2);
        assert!(breaker.admit(now + SECOND).is_some());
    }
}

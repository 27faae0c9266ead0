//! The gate before a provider: a circuit breaker for one that fails, and a limit for one that takes only so much.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How often a provider may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many.
    pub amount: u32,
    /// In so long.
    pub every: Duration,
}

/// What an attempt says about a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answers, be it with a refusal.
    Healthy,
    /// It does not answer, or not sensibly.
    Failing,
    /// It asks to be left alone for a while.
    Pause(Duration),
}

#[derive(Debug)]
struct State {
    failures: u32,
    /// Nobody asks before that.
    closed_until: Option<Instant>,
    round: u32,
    /// How much of the rate is left, and when it was counted.
    tokens: f64,
    counted: Instant,
}

/// Shared by all senders of a process.
#[derive(Debug)]
pub struct Gate {
    name: String,
    rate: Option<Rate>,
    failures: u32,
    first_pause: Duration,
    longest_pause: Duration,
    state: Mutex<State>,
}

impl Gate {
    /// A gate that closes after so many failures in a row.
    pub fn new(name: &str, rate: Option<Rate>, failures: u32, first_pause: Duration, longest_pause: Duration) -> Self {
        let tokens = rate.map_or(0.0, |rate| f64::from(rate.amount));
        let state = State { failures: 0, closed_until: None, round: 0, tokens, counted: Instant::now() };
        Self { name: name.to_owned(), rate, failures, first_pause, longest_pause, state: Mutex::new(state) }
    }

    /// Name of the provider.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long nobody may ask; zero when somebody may.
    pub fn wait(&self, now: Instant) -> Duration {
        self.refresh(now).1
    }

    /// Takes the right to ask once; else says how long to wait.
    pub fn admit(&self, now: Instant) -> Result<(), Duration> {
        let (mut state, wait) = self.refresh(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        if state.closed_until.is_some() {
            // One asks; the others wait for what it finds.
            state.closed_until = Some(now + self.pause(state.round));
        }
        if self.rate.is_some() {
            state.tokens -= 1.0;
        }
        Ok(())
    }

    /// Says how an attempt went.
    pub fn report(&self, verdict: Verdict, now: Instant) {
        let mut state = self.lock();
        match verdict {
            Verdict::Healthy => {
                if state.closed_until.is_some() {
                    tracing::info!(provider = self.name, "the provider answers again");
                }
                state.failures = 0;
                state.round = 0;
                state.closed_until = None;
            }
            Verdict::Failing => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= self.failures {
                    let pause = self.pause(state.round);
                    tracing::warn!(provider = self.name, seconds = pause.as_secs_f64(), "the provider is left alone");
                    state.round = state.round.saturating_add(1);
                    state.closed_until = Some(now + pause);
                }
            }
            Verdict::Pause(asked) => state.closed_until = Some(now + asked.min(self.longest_pause)),
        }
    }

    fn refresh(&self, now: Instant) -> (MutexGuard<'_, State>, Duration) {
        let mut state = self.lock();
        let mut wait = state.closed_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if let Some(rate) = self.rate {
            let amount = f64::from(rate.amount);
            let per_second = amount / rate.every.as_secs_f64();
            let passed = now.saturating_duration_since(state.counted).as_secs_f64();
            state.tokens = (state.tokens + passed * per_second).min(amount);
            state.counted = now;
            if state.tokens < 1.0 {
                wait = wait.max(Duration::from_secs_f64((1.0 - state.tokens) / per_second));
            }
        }
        (state, wait)
    }

    fn pause(&self, round: u32) -> Duration {
        self.first_pause.saturating_mul(2_u32.saturating_pow(round)).min(self.longest_pause)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_closes_after_failures_in_a_row_and_lets_one_ask_at_a_time() {
        let (gate, now) = (Gate::new("x", None, 3, SECOND, SECOND * 4), Instant::now());
        gate.report(Verdict::Failing, now);
        gate.report(Verdict::Failing, now);
        assert_eq!(gate.admit(now), Ok(()));
        gate.report(Verdict::Failing, now);
        assert_eq!(gate.admit(now), Err(SECOND));
        let mut now = now + SECOND;
        assert_eq!(gate.admit(now), Ok(()));
        assert!(gate.admit(now).is_err(), "one asks");
        for pause in [2, 4, 4] {
            gate.report(Verdict::Failing, now);
            assert_eq!(gate.admit(now), Err(SECOND * pause));
            now += SECOND * pause;
            assert_eq!(gate.admit(now), Ok(()));
        }
        gate.report(Verdict::Healthy, now);
        assert_eq!((gate.admit(now), gate.admit(now)), (Ok(()), Ok(())));
    }

    #[test]
    fn no_more_than_the_rate_passes() {
        let rate = Rate { amount: 2, every: SECOND * 10 };
        let (gate, now) = (Gate::new("x", Some(rate), 3, SECOND, SECOND), Instant::now());
        assert_eq!((gate.admit(now), gate.admit(now)), (Ok(()), Ok(())));
        assert_eq!(gate.admit(now), Err(SECOND * 5));
        assert_eq!(gate.admit(now + SECOND * 5), Ok(()));
        assert!(gate.admit(now + SECOND * 6).is_err());
        let later = now + SECOND * 1000;
        let passed = (0..10).filter(|_| gate.admit(later).is_ok()).count();
        assert_eq!(passed, 2, "what was not used is not saved up");
    }

    #[test]
    fn a_provider_may_ask_for_its_own_pause() {
        let (gate, now) = (Gate::new("x", None, 3, SECOND, SECOND * 60), Instant::now());
        gate.report(Verdict::Pause(SECOND * 7), now);
        assert_eq!(gate.wait(now + SECOND * 6), SECOND);
        assert_eq!(gate.admit(now + SECOND * 7), Ok(()));
    }
}

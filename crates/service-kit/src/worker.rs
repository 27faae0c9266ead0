//! Workers: reconcilers that are woken by their period or by a signal, and never die.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What a round of a worker leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Nothing is due any more: wait for the period or a signal.
    Done,
    /// More is due than one round takes: go on at once.
    More,
}

type Run = dyn Fn() -> BoxFuture<'static, anyhow::Result<Round>> + Send + Sync;

/// A reconciler: it takes no input, reads what is due, does it idempotently, and trusts the next round.
#[derive(Clone)]
pub struct Worker {
    name: &'static str,
    period: Duration,
    wake: Arc<Notify>,
    run: Arc<Run>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("name", &self.name).field("period", &self.period).finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker that runs at start and then at the latest every `period`.
    pub fn every<F, Fut>(name: &'static str, period: Duration, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyhow::Result<Round>> + Send + 'static,
    {
        Self { name, period, wake: Arc::new(Notify::new()), run: Arc::new(move || Box::pin(run())) }
    }

    /// Its name in logs and metrics.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Wakes on this signal as well; signals given during a round are not lost.
    #[must_use]
    pub fn woken_by(mut self, wake: Arc<Notify>) -> Self {
        self.wake = wake;
        self
    }

    /// The signal that wakes it.
    pub fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// One round now, for tests.
    pub async fn run_once(&self) -> anyhow::Result<Round> {
        match AssertUnwindSafe((self.run)()).catch_unwind().await {
            Ok(result) => result,
            Err(_) => Err(anyhow::anyhow!("the worker panicked")),
        }
    }

    /// Runs until cancelled; a round that has begun is finished.
    pub async fn run(self, meter: Meter, cancel: CancellationToken) {
        let labels = [KeyValue::new("worker", self.name)];
        let runs = meter.u64_counter("worker.runs").with_description("Rounds of a worker").build();
        let failures = meter.u64_counter("worker.failures").with_description("Failed rounds of a worker").build();
        failures.add(0, &labels);
        let mut failed = 0_u64;
        while !cancel.is_cancelled() {
            let result = self.run_once().await;
            runs.add(1, &labels);
            match result {
                Ok(round) => {
                    if failed > 0 {
                        tracing::info!(worker = self.name, rounds = failed, "the worker succeeds again");
                        failed = 0;
                    }
                    if round == Round::More {
                        tokio::task::yield_now().await;
                        continue;
                    }
                }
                Err(error) => {
                    failures.add(1, &labels);
                    // Said once an outage; the metric counts the rest.
                    if failed == 0 {
                        tracing::error!(
                            worker = self.name,
                            error = format!("{error:#}"),
                            "the worker failed; it tries again"
                        );
                    }
                    failed += 1;
                }
            }
            // After a failure signals do not shorten the pause: they would turn an outage into a busy loop.
            let signalled = async {
                if failed == 0 {
                    self.wake.notified().await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            let pause = if failed == 0 { self.period } else { self.period.min(Duration::from_secs(5)) };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = signalled => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use opentelemetry::metrics::MeterProvider as _;

    use super::*;

    fn meter() -> Meter {
        opentelemetry_sdk::metrics::SdkMeterProvider::default().meter("test")
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_survives_errors_and_panics_and_finishes_its_backlog() {
        let rounds = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&rounds);
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let worker = Worker::every("test", Duration::from_mins(1), move || {
            let round = count.fetch_add(1, Ordering::SeqCst);
            let stop = stop.clone();
            async move {
                match round {
                    0 => anyhow::bail!("database away"),
                    1 => panic!("a bug"),
                    2..=4 => Ok(Round::More),
                    _ => {
                        stop.cancel();
                        Ok(Round::Done)
                    }
                }
            }
        });
        worker.run(meter(), cancel).await;
        assert_eq!(rounds.load(Ordering::SeqCst), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_wakes_before_the_period() {
        let began = tokio::time::Instant::now();
        let (cancel, rounds) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let (stop, count) = (cancel.clone(), Arc::clone(&rounds));
        let worker = Worker::every("test", Duration::from_hours(1), move || {
            if count.fetch_add(1, Ordering::SeqCst) == 1 {
                stop.cancel();
            }
            async { Ok(Round::Done) }
        });
        worker.wake().notify_one();
        worker.run(meter(), cancel).await;
        assert_eq!(rounds.load(Ordering::SeqCst), 2);
        assert!(began.elapsed() < Duration::from_hours(1));
    }
}

//! Sending: heads of line, one message of a case at a time, some cases at once, until the platform gives a receipt.
//!
//! A message on its way is claimed by an advisory lock of a transaction that has not written yet: another replica
//! passes over it, a process that dies frees it with its connection, and nobody's journal waits for the platform.
//! What the platform accepted just before a death is sent again under the same idempotency key and gets the same
//! receipt.

mod breaker;
mod platform;

use std::sync::Arc;
use std::time::Duration;

use contracts::Actor;
use messaging::trace;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use postgres::{Database, Tx};
use service_kit::clock_watch::ClockWatch;
use service_kit::{Kit, Round, Worker};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::config::PlatformSection;
use crate::message::{Message, store};

use breaker::{Breaker, Verdict};
use platform::{Answer, Outcome, Platform};

/// How often a lane looks for due messages when it found none.
const PERIOD: Duration = Duration::from_millis(500);
/// A platform that asks for a longer pause than this is asked again nevertheless.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_hours(1);

/// What a lane needs.
#[derive(Debug)]
struct Sender {
    database: Database,
    platform: Platform,
    breaker: Breaker,
    first_delay: Duration,
    longest_delay: Duration,
    attempts: Counter<u64>,
}

/// The lanes, each a worker that sends one message at a time; together they know whether the platform answers.
pub(crate) fn lanes(kit: &Kit, section: &PlatformSection) -> anyhow::Result<Vec<Worker>> {
    let first_delay = Duration::from_millis(section.first_delay_milliseconds);
    let longest_delay = Duration::from_secs(section.longest_delay_seconds);
    let sender = Arc::new(Sender {
        database: kit.database.clone(),
        platform: Platform::try_new(kit, section)?,
        breaker: Breaker::new(section.breaker_failures, first_delay, longest_delay),
        first_delay,
        longest_delay,
        attempts: kit
            .metrics
            .meter()
            .u64_counter("dudao_exchange_attempts")
            .with_description("Attempts to send a message to the national platform, by outcome")
            .build(),
    });
    // A signature with a wrong time is refused; while this machine's clock is wrong, the other replicas send.
    let watch = ClockWatch::new(kit.database.clone(), Arc::clone(&kit.clock));
    let lane = |_| {
        let (sender, watch) = (Arc::clone(&sender), watch.clone());
        Worker::every("exchange-send", PERIOD, move || {
            let (sender, watch) = (Arc::clone(&sender), watch.clone());
            async move { if watch.agrees().await? { sender.send_one().await } else { Ok(Round::Done) } }
        })
    };
    Ok((0..section.concurrency).map(lane).collect())
}

impl Sender {
    /// Sends one message that is due; `Done` when there is none or the platform is left alone.
    async fn send_one(&self) -> anyhow::Result<Round> {
        let Some(ticket) = self.breaker.admit(Instant::now()) else { return Ok(Round::Done) };
        let mut tx = self.database.begin().await?;
        let Some((message, started_at)) = store::take_due(&mut tx).await? else { return Ok(Round::Done) };
        let span = tracing::info_span!(
            "exchange.message.send",
            otel.kind = "client",
            message.id = %message.message_id,
            case.id = %message.case_id,
            message.kind = message.kind.as_str(),
        );
        trace::continue_from(&span, message.traceparent.as_deref());
        async move {
            // As it was checked when it was written, and not again: in a rolling update the process that sends may be older than the
            // one that wrote, and would call a form faulty that it does not know yet.
            let answer = self.platform.send(&message).await;
            self.attempts.add(1, &[KeyValue::new("outcome", answer.outcome.word())]);
            ticket.report(verdict(&answer.outcome), Instant::now());
            let attempt = store::Attempt {
                started_at,
                outcome: answer.outcome.word(),
                status: answer.status,
                answer: answer.text.as_deref(),
            };
            store::save_attempt(&mut tx, &message, &attempt).await?;
            self.record(&mut tx, &message, &answer).await?;
            tx.commit().await?;
            Ok(Round::More)
        }
        .instrument(span)
        .await
    }

    async fn record(&self, tx: &mut Tx, message: &Message, answer: &Answer) -> anyhow::Result<()> {
        let said = answer.text.as_deref().unwrap_or_default();
        match &answer.outcome {
            Outcome::Accepted(receipt) | Outcome::Duplicate(receipt) => {
                // Legal time of the receipt, not of the transaction, which began before the request.
                let at = postgres::legal_now(tx).await?;
                let word = answer.outcome.word();
                let version = store::accept(tx, message, word, &receipt.receipt_no, &receipt.accepted_at, at).await?;
                let event = message.accepted_event(version, &receipt.receipt_no, at);
                messaging::append(tx, &Actor::system("exchange.send"), &event).await?;
            }
            Outcome::Rejected { reason } => {
                store::reject(tx, message, reason).await?;
                tracing::warn!(message.id = %message.message_id, reason, "the national platform refused a message");
            }
            Outcome::RefusedAtDoor
            | Outcome::ServerError
            | Outcome::Throttled { .. }
            | Outcome::TimedOut
            | Outcome::Unreachable
            | Outcome::UnreadableReceipt => {
                let pause = self.pause(message.failures, answer.outcome.asked_pause());
                store::postpone(tx, message, answer.outcome.word(), said, pause.as_secs_f64()).await?;
            }
        }
        Ok(())
    }

    /// Doubles with each failure in a row; the platform may ask for more.
    fn pause(&self, failures: i32, asked: Option<Duration>) -> Duration {
        let doubled = self.first_delay.saturating_mul(2_u32.saturating_pow(failures.unsigned_abs()));
        doubled.min(self.longest_delay).max(asked.unwrap_or_default().min(LONGEST_ASKED_PAUSE))
    }
}

/// What an outcome says about the platform as a whole.
fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Accepted(_) | Outcome::Duplicate(_) | Outcome::Rejected { .. } => Verdict::Healthy,
        Outcome::Throttled { pause } => Verdict::Pause(pause.map(|pause| pause.min(LONGEST_ASKED_PAUSE))),
        Outcome::RefusedAtDoor
        | Outcome::ServerError
        | Outcome::TimedOut
        | Outcome::Unreachable
        | Outcome::UnreadableReceipt => Verdict::Failing,
    }
}

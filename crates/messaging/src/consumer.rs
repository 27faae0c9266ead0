//! The consumer: batches of events from JetStream into one transaction each, then the acknowledgements.

use std::{
    collections::{BTreeMap, HashSet},
    future::Future,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use async_nats::jetstream::{
    self, AckKind,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use contracts::{Envelope, ReadError, subjects};
use futures_util::StreamExt;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram},
};
use postgres::{Database, Tx};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::{Broker, BrokerError, dead_letters, trace};

/// Events in one transaction.
const BATCH: usize = 500;
/// Attempts before an event that fails for a reason of its own becomes a dead letter; with the growing pauses about a quarter of an hour.
const ATTEMPTS: i32 = 25;
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Pause when the stream is not there yet or the broker is away.
const AFTER_FAILURE: Duration = Duration::from_millis(300);
/// After this time without an acknowledgement the broker delivers again, which the inbox makes harmless. Short, because what a
/// killed replica had fetched waits that long.
const ACK_WAIT: Duration = Duration::from_secs(15);
/// How often the broker is asked what waits for the consumer.
const LOOK: Duration = Duration::from_secs(15);

/// Why a handler did not apply an event.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The database failed. When waiting helps, the event is tried again without limit.
    #[error("the effect could not be stored")]
    Storage(#[from] sqlx::Error),
    /// The payload cannot be read: a dead letter at once.
    #[error("the event cannot be read")]
    Unreadable(#[from] ReadError),
    /// A rule refuses the event for good: a dead letter at once.
    #[error("the event is refused: {0}")]
    Refused(String),
    /// Something that must come before is not there yet: tried again, a dead letter in the end.
    #[error("something is missing that must come before: {0}")]
    NotYet(String),
}

/// What a service does with events.
pub trait Handler: Send + Sync + 'static {
    /// The event types wanted, `contracts::…::TYPE`.
    fn event_types(&self) -> Vec<&'static str>;

    /// Applies one event inside the transaction that also holds the inbox row. Must not reach outside the database.
    ///
    /// Called once per event, but events of one aggregate may come out of order: a version older than the known one
    /// is to be passed over.
    fn apply(&self, tx: &mut Tx, event: &Envelope) -> impl Future<Output = Result<(), ApplyError>> + Send;

    /// Applies all events of a batch inside that transaction; one by one unless the handler knows better.
    ///
    /// A handler that keeps copies writes them with a few statements here: in a storm that is one round trip for hundreds of
    /// events. When it fails nothing of the batch stands, and the events come one by one, each through [`Handler::apply`], so that
    /// the bad one is named.
    fn apply_all(&self, tx: &mut Tx, batch: &Batch<'_>) -> impl Future<Output = Result<(), ApplyError>> + Send {
        async move {
            for event in batch.events() {
                self.apply(tx, event).instrument(span(batch.consumer, event)).await?;
            }
            Ok(())
        }
    }
}

/// New events of one consumer, in the order of their arrival.
#[derive(Debug)]
pub struct Batch<'a> {
    consumer: &'static str,
    events: Vec<&'a Envelope>,
}

impl Batch<'_> {
    /// The events.
    pub fn events(&self) -> &[&Envelope] {
        &self.events
    }

    /// A span for work on all of them at once: it continues the trace of the first and is linked to the others'.
    pub fn span(&self) -> tracing::Span {
        let Some((first, others)) = self.events.split_first() else { return tracing::Span::none() };
        let span = span(self.consumer, first);
        for other in others {
            trace::link(&span, other.traceparent.as_deref());
        }
        span
    }
}

fn span(consumer: &'static str, envelope: &Envelope) -> tracing::Span {
    let span = tracing::info_span!(
        "consume",
        otel.name = format!("consume {}", envelope.event_type),
        otel.kind = "consumer",
        consumer,
        event.id = %envelope.event_id,
        event.r#type = envelope.event_type,
    );
    trace::continue_from(&span, envelope.traceparent.as_deref());
    span
}

/// A durable consumer of one service.
#[derive(Debug)]
pub struct Consumer<H> {
    database: Database,
    broker: Broker,
    name: &'static str,
    handler: Arc<H>,
}

impl<H> Clone for Consumer<H> {
    fn clone(&self) -> Self {
        Self {
            database: self.database.clone(),
            broker: self.broker.clone(),
            name: self.name,
            handler: Arc::clone(&self.handler),
        }
    }
}

/// An event as received: its envelope, or the reason why there is none.
struct Received {
    message: jetstream::Message,
    envelope: Envelope,
}

impl<H: Handler> Consumer<H> {
    /// A consumer called `name` (`<service>-<purpose>`, no dots), the same in all replicas.
    pub fn new(database: Database, broker: Broker, name: &'static str, handler: H) -> Self {
        Self { database, broker, name, handler: Arc::new(handler) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs until cancelled; the batch in hand is finished first.
    pub async fn run(self, cancel: CancellationToken) {
        let mut by_service: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        for event_type in self.handler.event_types() {
            by_service.entry(subjects::owner(event_type)).or_default().push(event_type);
        }
        let mut tasks = tokio::task::JoinSet::new();
        for (service, event_types) in by_service {
            let (consumer, cancel, service) = (self.clone(), cancel.clone(), service.to_owned());
            tasks.spawn(async move { consumer.follow(&service, &event_types, cancel).await });
        }
        let (consumer, redrive_cancel) = (self.clone(), cancel.clone());
        tasks.spawn(async move { consumer.redrive_until(redrive_cancel).await });
        while tasks.join_next().await.is_some() {}
    }

    async fn follow(&self, service: &str, event_types: &[&'static str], cancel: CancellationToken) {
        let metrics = Metrics::new(self.name);
        let mut reported = false;
        while !cancel.is_cancelled() {
            match self.follow_once(service, event_types, &cancel, &metrics).await {
                Ok(()) => reported = false,
                Err(error) => {
                    // Said once per outage: a missing stream at start-up is normal for some seconds.
                    if !reported {
                        tracing::warn!(
                            consumer = self.name,
                            service,
                            error = &error as &dyn std::error::Error,
                            "the consumer waits for its stream"
                        );
                        reported = true;
                    }
                    pause(AFTER_FAILURE, &cancel).await;
                }
            }
        }
    }

    /// Follows the stream until something breaks or the consumer is cancelled.
    async fn follow_once(
        &self,
        service: &str,
        event_types: &[&'static str],
        cancel: &CancellationToken,
        metrics: &Metrics,
    ) -> Result<(), BrokerError> {
        let name = subjects::stream(self.broker.prefix(), service);
        let stream = self
            .broker
            .context()
            .get_stream(&name)
            .await
            .map_err(|error| BrokerError::refused("find the stream of another service", error))?;
        let consumer = stream
            .create_consumer(pull::Config {
                durable_name: Some(self.name.to_owned()),
                deliver_policy: DeliverPolicy::All,
                ack_policy: AckPolicy::Explicit,
                ack_wait: ACK_WAIT,
                max_deliver: -1,
                max_ack_pending: 20_000,
                filter_subjects: event_types.iter().map(|t| subjects::subject(self.broker.prefix(), t)).collect(),
                ..pull::Config::default()
            })
            .await
            .map_err(|error| BrokerError::refused("set up the durable consumer", error))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(BATCH)
            .expires(Duration::from_secs(10))
            .heartbeat(Duration::from_secs(3))
            .messages()
            .await
            .map_err(|error| BrokerError::refused("deliver events", error))?;
        let mut chunks = messages.ready_chunks(BATCH);
        let waiting = [KeyValue::new("consumer", self.name), KeyValue::new("source", service.to_owned())];
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let chunk = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                chunk = chunks.next() => chunk,
                _ = look.tick() => {
                    // A broker that does not answer shows elsewhere; the gauge keeps what was known.
                    if let Ok(info) = consumer.get_info().await {
                        let fetched = u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX);
                        metrics.waiting.record(info.num_pending.saturating_add(fetched), &waiting);
                    }
                    continue;
                }
            };
            let Some(chunk) = chunk else { return Ok(()) };
            let mut messages = Vec::with_capacity(chunk.len());
            let mut broken = None;
            for item in chunk {
                match item {
                    Ok(message) => messages.push(message),
                    Err(error) => broken = Some(error),
                }
            }
            if !messages.is_empty() {
                self.take(messages, metrics, cancel).await;
            }
            if let Some(error) = broken {
                return Err(BrokerError::refused("go on delivering events", error));
            }
        }
    }

    /// Applies what was received; nothing here is lost: what is not acknowledged comes again.
    async fn take(&self, messages: Vec<jetstream::Message>, metrics: &Metrics, cancel: &CancellationToken) {
        let mut readable = Vec::with_capacity(messages.len());
        for message in messages {
            match serde_json::from_slice::<Envelope>(&message.payload) {
                Ok(envelope) => readable.push(Received { message, envelope }),
                Err(error) => {
                    let cause = format!("not an event envelope: {error}");
                    if self.bury(&message, None, &cause, metrics).await {
                        acknowledge(&message, AckKind::Ack).await;
                    } else {
                        acknowledge(&message, AckKind::Nak(Some(Duration::from_secs(1)))).await;
                    }
                }
            }
        }
        let began = Instant::now();
        let applied = self.apply_together(&readable).await;
        metrics.seconds.record(began.elapsed().as_secs_f64(), &metrics.labels);
        match applied {
            Ok(applied) => {
                metrics.applied.add(applied, &metrics.labels);
                let now = machine_time();
                for received in &readable {
                    // From the broker's acceptance to the commit; a clock that differs makes it zero, never a failure.
                    let published = received.message.info().map(|info| SystemTime::from(info.published));
                    let lag = published.ok().and_then(|published| now.duration_since(published).ok());
                    metrics.lag.record(lag.unwrap_or_default().as_secs_f64(), &metrics.labels);
                    acknowledge(&received.message, AckKind::Ack).await;
                }
            }
            Err(error) => {
                tracing::debug!(
                    consumer = self.name,
                    error = &error as &dyn std::error::Error,
                    "the batch is applied event by event"
                );
                self.apply_apart(readable, metrics, cancel).await;
            }
        }
    }

    /// All events in one transaction. Returns how many were new.
    async fn apply_together(&self, received: &[Received]) -> Result<u64, ApplyError> {
        if received.is_empty() {
            return Ok(0);
        }
        let mut tx = self.database.begin().await?;
        let mut ids: Vec<Uuid> = received.iter().map(|received| received.envelope.event_id.into()).collect();
        // One order for everyone: two replicas with the same events then wait for each other instead of locking up.
        ids.sort_unstable();
        ids.dedup();
        let mut new: HashSet<Uuid> = sqlx::query_scalar!(
            "INSERT INTO messaging.inbox (consumer, event_id) SELECT $1, unnest($2::uuid[])
             ON CONFLICT DO NOTHING RETURNING event_id",
            self.name,
            &ids
        )
        .fetch_all(&mut *tx)
        .await?
        .into_iter()
        .collect();
        let count = new.len() as u64;
        let events: Vec<&Envelope> = received
            .iter()
            .map(|received| &received.envelope)
            .filter(|envelope| new.remove(&envelope.event_id.into()))
            .collect();
        match events.as_slice() {
            [] => {}
            [event] => self.handler.apply(&mut tx, event).instrument(span(self.name, event)).await?,
            _ => self.handler.apply_all(&mut tx, &Batch { consumer: self.name, events }).await?,
        }
        tx.commit().await?;
        Ok(count)
    }

    /// One transaction per event, after the batch failed as a whole: the good ones pass, the bad one is named.
    async fn apply_apart(&self, received: Vec<Received>, metrics: &Metrics, cancel: &CancellationToken) {
        let mut held_back: HashSet<Uuid> = HashSet::new();
        let mut database_is_away = false;
        for received in received {
            let again = |pause| AckKind::Nak(Some(pause));
            if database_is_away || cancel.is_cancelled() || held_back.contains(&received.envelope.aggregate_id) {
                // Later events of an aggregate wait behind the one that failed.
                acknowledge(&received.message, again(Duration::from_secs(1))).await;
                continue;
            }
            let error = match self.apply_together(std::slice::from_ref(&received)).await {
                Ok(applied) => {
                    metrics.applied.add(applied, &metrics.labels);
                    acknowledge(&received.message, AckKind::Ack).await;
                    continue;
                }
                Err(error) => error,
            };
            let cause = chain_text(&error);
            let verdict = match &error {
                ApplyError::Storage(error) if postgres::is_transient(error) => {
                    database_is_away = true;
                    tracing::warn!(consumer = self.name, cause, "the database is away, the event will come again");
                    Verdict::Again(Duration::from_secs(1))
                }
                ApplyError::Unreadable(_) | ApplyError::Refused(_) => Verdict::GiveUp,
                ApplyError::NotYet(_) | ApplyError::Storage(_) => self.count_failure(&received.envelope, &cause).await,
            };
            let pause = match verdict {
                Verdict::Again(pause) => pause,
                Verdict::GiveUp => {
                    if self.bury(&received.message, Some(received.envelope.event_id.into()), &cause, metrics).await {
                        acknowledge(&received.message, AckKind::Ack).await;
                        continue;
                    }
                    Duration::from_secs(1)
                }
            };
            metrics.retried.add(1, &metrics.labels);
            held_back.insert(received.envelope.aggregate_id);
            acknowledge(&received.message, again(pause)).await;
        }
    }

    /// Counts a failure of this event and says what follows.
    async fn count_failure(&self, envelope: &Envelope, cause: &str) -> Verdict {
        let attempts = sqlx::query_scalar!(
            "INSERT INTO messaging.failures (consumer, event_id, attempts, cause) VALUES ($1, $2, 1, $3)
             ON CONFLICT (consumer, event_id)
             DO UPDATE SET attempts = messaging.failures.attempts + 1, cause = excluded.cause, failed_at = clock_timestamp()
             RETURNING attempts",
            self.name,
            Uuid::from(envelope.event_id),
            cause
        )
        .fetch_one(self.database.pool())
        .await;
        match attempts {
            Ok(attempts) if attempts >= ATTEMPTS => Verdict::GiveUp,
            Ok(attempts) => {
                let pause = Duration::from_millis(100 * 2_u64.saturating_pow(u32::try_from(attempts).unwrap_or(0)));
                Verdict::Again(pause.min(LONGEST_PAUSE))
            }
            Err(_) => Verdict::Again(Duration::from_secs(1)),
        }
    }

    /// Writes a dead letter. False when that was not possible either: then the event has to come again.
    async fn bury(&self, message: &jetstream::Message, event_id: Option<Uuid>, cause: &str, metrics: &Metrics) -> bool {
        let kept = async {
            let mut connection = self.database.pool().acquire().await?;
            dead_letters::keep(&mut connection, self.name, &message.subject, event_id, &message.payload, cause).await
        }
        .await;
        match kept {
            Ok(()) => {
                metrics.dead.add(1, &metrics.labels);
                tracing::error!(consumer = self.name, subject = %message.subject, cause, "an event became a dead letter");
                true
            }
            Err(error) => {
                tracing::warn!(
                    consumer = self.name,
                    error = &error as &dyn std::error::Error,
                    "a dead letter could not be written yet"
                );
                false
            }
        }
    }

    async fn redrive_until(&self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            match self.redrive_one().await {
                Ok(true) => {}
                Ok(false) => pause(Duration::from_secs(1), &cancel).await,
                Err(error) => {
                    tracing::debug!(consumer = self.name, error = &error as &dyn std::error::Error, "redriving waits");
                    pause(Duration::from_secs(2), &cancel).await;
                }
            }
        }
    }

    /// Applies one dead letter that a person sent again. True when there was one.
    async fn redrive_one(&self) -> Result<bool, sqlx::Error> {
        let mut tx = self.database.begin().await?;
        let Some(letter) = dead_letters::take_redrive(&mut tx, self.name).await? else { return Ok(false) };
        match self.apply_letter(&mut tx, &letter.body).await {
            Ok(()) => {
                dead_letters::settle(&mut tx, letter.dead_letter_id).await?;
                tx.commit().await?;
            }
            Err(ApplyError::Storage(error)) if postgres::is_transient(&error) => return Err(error),
            Err(error) => {
                tx.rollback().await?;
                let mut connection = self.database.pool().acquire().await?;
                dead_letters::put_back(&mut connection, letter.dead_letter_id, &chain_text(&error)).await?;
            }
        }
        Ok(true)
    }

    async fn apply_letter(&self, tx: &mut Tx, body: &[u8]) -> Result<(), ApplyError> {
        let envelope: Envelope = serde_json::from_slice(body)
            .map_err(|error| ApplyError::Refused(format!("not an event envelope: {error}")))?;
        let new = sqlx::query!(
            "INSERT INTO messaging.inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            self.name,
            Uuid::from(envelope.event_id)
        )
        .execute(&mut **tx)
        .await?
        .rows_affected();
        if new == 1 {
            self.handler.apply(tx, &envelope).instrument(span(self.name, &envelope)).await?;
        }
        Ok(())
    }
}

enum Verdict {
    Again(Duration),
    GiveUp,
}

/// An acknowledgement that gets lost is harmless: the event comes again and the inbox knows it.
async fn acknowledge(message: &jetstream::Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        tracing::debug!(error = %error, "an acknowledgement was not sent");
    }
}

/// An error and its sources in one line.
fn chain_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

async fn pause(length: Duration, cancel: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = cancel.cancelled() => {}
    }
}

/// For a measurement against the broker's own clock; nothing depends on it.
#[expect(clippy::disallowed_methods, reason = "the broker's stamps are machine time")]
fn machine_time() -> SystemTime {
    SystemTime::now()
}

/// Buckets of what takes milliseconds when all is well.
const SECONDS: [f64; 10] = [0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];

#[derive(Debug)]
struct Metrics {
    applied: Counter<u64>,
    retried: Counter<u64>,
    dead: Counter<u64>,
    seconds: Histogram<f64>,
    lag: Histogram<f64>,
    waiting: Gauge<u64>,
    labels: [KeyValue; 1],
}

impl Metrics {
    fn new(consumer: &'static str) -> Self {
        let meter = opentelemetry::global::meter("messaging");
        Self {
            applied: meter
                .u64_counter("dudao_events_applied")
                .with_description("Events whose effect was committed")
                .build(),
            retried: meter
                .u64_counter("dudao_events_retried")
                .with_description("Events put back for another attempt")
                .build(),
            dead: meter.u64_counter("dudao_events_dead").with_description("Events that became dead letters").build(),
            seconds: meter
                .f64_histogram("dudao_events_batch_duration")
                .with_unit("s")
                .with_description("Time to apply a batch of events in one transaction")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            lag: meter
                .f64_histogram("dudao_events_lag")
                .with_unit("s")
                .with_description("From the broker's acceptance of an event to the commit of its effect")
                .with_boundaries(SECONDS.to_vec())
                .build(),
            waiting: meter
                .u64_gauge("dudao_events_waiting")
                .with_description("Events that the broker has for a consumer and that are not applied yet")
                .build(),
            labels: [KeyValue::new("consumer", consumer)],
        }
    }
}

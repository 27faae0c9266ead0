//! The relay: journal → JetStream, one at a time per service, in commit order, without gaps.
//!
//! Rows become readable in ranges of transaction numbers: everything below the oldest transaction that still runs is settled,
//! so a range `[from_tx, below_tx)` never gains a row later. Within a range the order is the journal's position, which for
//! one aggregate is the order of its versions, since whoever changes an aggregate holds its row lock.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::message::PublishMessage;
use contracts::{Actor, Envelope, subjects};
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge},
};
use postgres::Database;
use serde_json::value::RawValue;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, BrokerError, JournalKey,
    broker::Stream,
    merkle::{self, BatchContent, Hash},
    replay,
};

/// Rows in one batch. Large enough that the row per batch costs nothing, small enough to keep memory flat.
const BATCH: i64 = 1_000;
/// Pause when nothing is there.
const IDLE: Duration = Duration::from_millis(50);
/// Pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How often the stream's incarnation is looked at while all goes well.
const LOOK_AT_STREAM: Duration = Duration::from_secs(5);

/// What can stop a round of the relay; the next round tries again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("the journal cannot be read or written")]
    Database(#[from] sqlx::Error),
    #[error("the broker did not take the events")]
    Broker(#[from] BrokerError),
    #[error("journal row {position} is not readable")]
    Row { position: i64, source: serde_json::Error },
}

/// Publishes one service's journal.
#[derive(Debug, Clone)]
pub struct Relay {
    database: Database,
    broker: Broker,
    service: &'static str,
    key: Arc<JournalKey>,
}

/// A journal row, as it is hashed and published.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) position: i64,
    pub(crate) envelope: Envelope,
    pub(crate) leaf: Hash,
}

/// The part of the journal that may be read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) epoch: i32,
    pub(crate) from_tx: i64,
    pub(crate) below_tx: i64,
    pub(crate) after_position: i64,
    pub(crate) to_position: i64,
}

#[derive(Debug)]
struct Place {
    batch: i64,
    link: Hash,
    range: Range,
}

impl Relay {
    /// A relay for `service`, whose journal is in `database`.
    pub fn new(database: Database, broker: Broker, service: &'static str, key: Arc<JournalKey>) -> Self {
        Self { database, broker, service, key }
    }

    /// Runs until cancelled. Several replicas may run this: one holds the lock and works, the others wait.
    pub async fn run(self, cancel: CancellationToken) {
        let metrics = Metrics::new(self.service);
        while !cancel.is_cancelled() {
            if let Err(error) = self.work_while_leading(&cancel, &metrics).await {
                metrics.failures.add(1, &metrics.labels);
                tracing::warn!(
                    service = self.service,
                    error = &error as &dyn std::error::Error,
                    "the relay pauses and tries again"
                );
            }
            pause(AFTER_FAILURE, &cancel).await;
        }
    }

    /// Publishes everything that is committed now, once; used at shutdown and by tests.
    ///
    /// Returns how many events were published; 0 as well when another replica holds the lock.
    pub async fn drain(&self) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
        let mut connection = self.database.pool().acquire().await?;
        if !self.lead(&mut connection).await? {
            return Ok(0);
        }
        let result = self.drain_with(&mut connection).await;
        self.stop_leading(connection).await;
        Ok(result?)
    }

    async fn drain_with(&self, connection: &mut PgConnection) -> Result<u64, RelayError> {
        self.look_at_stream(connection).await?;
        let mut total = 0;
        loop {
            match self.publish_batch(connection).await? {
                0 => return Ok(total),
                events => total += events,
            }
        }
    }

    async fn work_while_leading(&self, cancel: &CancellationToken, metrics: &Metrics) -> Result<(), RelayError> {
        let mut connection = self.database.pool().acquire().await?;
        if !self.lead(&mut connection).await? {
            return Ok(());
        }
        let result = self.work(&mut connection, cancel, metrics).await;
        // Whoever leads next tells it.
        metrics.copies_missing.record(0, &metrics.labels);
        self.stop_leading(connection).await;
        result
    }

    async fn work(
        &self,
        connection: &mut PgConnection,
        cancel: &CancellationToken,
        metrics: &Metrics,
    ) -> Result<(), RelayError> {
        let mut looked_at = None::<tokio::time::Instant>;
        while !cancel.is_cancelled() {
            if looked_at.is_none_or(|at| at.elapsed() >= LOOK_AT_STREAM) {
                let copies_missing = self.look_at_stream(connection).await?;
                metrics.copies_missing.record(copies_missing, &metrics.labels);
                self.serve_replays(connection).await?;
                looked_at = Some(tokio::time::Instant::now());
            }
            match self.publish_batch(connection).await? {
                0 => pause(IDLE, cancel).await,
                events => metrics.published.add(events, &metrics.labels),
            }
        }
        Ok(())
    }

    /// The lock lives on this connection: whoever loses the connection loses the lead, and cannot write a batch row either.
    async fn lead(&self, connection: &mut PgConnection) -> Result<bool, RelayError> {
        let leading =
            sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock(hashtextextended('messaging.relay', 0)) AS "leading!""#)
                .fetch_one(connection)
                .await?;
        Ok(leading)
    }

    async fn stop_leading(&self, mut connection: PoolConnection<Postgres>) {
        let released =
            sqlx::query_scalar!(r#"SELECT pg_advisory_unlock(hashtextextended('messaging.relay', 0)) AS "released!""#)
                .fetch_one(&mut *connection)
                .await;
        if released.is_err() {
            // A connection that may still hold the lock must not go back to the pool.
            drop(connection.detach());
        }
    }

    /// Publishes the whole journal again when the stream is not the one that it was published into.
    ///
    /// Returns how many copies the stream has too few.
    async fn look_at_stream(&self, connection: &mut PgConnection) -> Result<u64, RelayError> {
        let Stream { incarnation, copies_missing } = self.broker.ensure_stream(self.service).await?;
        let stream = subjects::stream(self.broker.prefix(), self.service);
        let known = sqlx::query_scalar!("SELECT incarnation FROM messaging.transports WHERE stream = $1", stream)
            .fetch_optional(&mut *connection)
            .await?;
        if known.as_deref() == Some(incarnation.as_str()) {
            return Ok(copies_missing);
        }
        let published = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM messaging.batches) AS "any!""#)
            .fetch_one(&mut *connection)
            .await?;
        if published {
            let events = self.republish(connection, 0, "").await?;
            tracing::warn!(
                service = self.service,
                stream,
                events,
                "the broker's stream is a new one: the journal was published again"
            );
        }
        sqlx::query!(
            "INSERT INTO messaging.transports (stream, incarnation) VALUES ($1, $2)
             ON CONFLICT (stream) DO UPDATE SET incarnation = excluded.incarnation, seen_at = clock_timestamp()",
            stream,
            incarnation
        )
        .execute(connection)
        .await?;
        Ok(copies_missing)
    }

    async fn serve_replays(&self, connection: &mut PgConnection) -> Result<(), RelayError> {
        for request in replay::open_requests(connection).await? {
            // The broker would take the same message id for a duplicate of the last two minutes, so a replay has its own.
            let suffix = format!(":{}", request.replay_id);
            let events = self.republish(connection, request.from_position, &suffix).await?;
            replay::finish(connection, request.replay_id, events).await?;
            tracing::info!(service = self.service, events, "a requested replay is done");
        }
        Ok(())
    }

    /// Publishes again what earlier batches published, from `from_position` on. Writes nothing.
    async fn republish(
        &self,
        connection: &mut PgConnection,
        from_position: i64,
        suffix: &str,
    ) -> Result<u64, RelayError> {
        let batches = sqlx::query_as!(
            Range,
            "SELECT epoch, from_tx, below_tx, after_position, to_position FROM messaging.batches
             WHERE to_position >= $1 ORDER BY batch",
            from_position
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut events = 0;
        for range in batches {
            let rows = read(connection, range, None).await?;
            self.publish(&rows, suffix).await?;
            events += rows.len() as u64;
        }
        Ok(events)
    }

    /// Publishes the next batch and records it. Returns the number of events, 0 when nothing is there.
    async fn publish_batch(&self, connection: &mut PgConnection) -> Result<u64, RelayError> {
        let place = place(connection).await?;
        let Some(range) = next_range(connection, place.range).await? else { return Ok(0) };
        let rows = read(connection, range, Some(BATCH)).await?;
        let Some(last) = rows.last() else { return Ok(0) };
        self.publish(&rows, "").await?;

        let leaves: Vec<Hash> = rows.iter().map(|row| row.leaf).collect();
        let content = BatchContent {
            batch: place.batch + 1,
            epoch: range.epoch,
            from_tx: range.from_tx,
            below_tx: range.below_tx,
            after_position: range.after_position,
            to_position: last.position,
            events: i32::try_from(rows.len()).unwrap_or(i32::MAX),
            root: merkle::root(&leaves),
        };
        let link = merkle::link(&place.link, &content);
        // Should the lead have been lost meanwhile, the other relay wrote this batch number and this statement fails:
        // the events then were published twice, which the inboxes absorb.
        sqlx::query!(
            "INSERT INTO messaging.batches
                 (batch, epoch, from_tx, below_tx, after_position, to_position, events, root, link, key_id, signature)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            content.batch,
            content.epoch,
            content.from_tx,
            content.below_tx,
            content.after_position,
            content.to_position,
            content.events,
            &content.root[..],
            &link[..],
            self.key.id(),
            &self.key.sign(&link),
        )
        .execute(connection)
        .await?;
        Ok(rows.len() as u64)
    }

    /// Publishes rows in order, all acknowledgements awaited together.
    async fn publish(&self, rows: &[Row], suffix: &str) -> Result<(), RelayError> {
        let stream = subjects::stream(self.broker.prefix(), self.service);
        let mut acknowledgements = Vec::with_capacity(rows.len());
        for row in rows {
            let body = serde_json::to_vec(&row.envelope)
                .map_err(|source| RelayError::Row { position: row.position, source })?;
            let mut message = PublishMessage::build()
                .message_id(format!("{}{suffix}", row.envelope.event_id))
                .expected_stream(&stream)
                .payload(body.into());
            if let Some(traceparent) = &row.envelope.traceparent {
                message = message.header("traceparent", traceparent.as_str());
            }
            let subject = subjects::subject(self.broker.prefix(), &row.envelope.event_type);
            let acknowledgement = self
                .broker
                .context()
                .send_publish(subject, message)
                .await
                .map_err(|error| BrokerError::refused("take an event", error))?;
            acknowledgements.push(acknowledgement);
        }
        for acknowledgement in acknowledgements {
            acknowledgement.await.map_err(|error| BrokerError::refused("acknowledge an event", error))?;
        }
        Ok(())
    }
}

async fn place(connection: &mut PgConnection) -> Result<Place, RelayError> {
    let newest = sqlx::query!(
        "SELECT batch, epoch, from_tx, below_tx, to_position, link FROM messaging.batches ORDER BY batch DESC LIMIT 1"
    )
    .fetch_optional(connection)
    .await?;
    Ok(match newest {
        None => Place {
            batch: 0,
            link: [0; 32],
            range: Range { epoch: 1, from_tx: 0, below_tx: 0, after_position: 0, to_position: 0 },
        },
        Some(row) => Place {
            batch: row.batch,
            link: row
                .link
                .try_into()
                .map_err(|_| sqlx::Error::Decode("messaging.batches.link has not 32 bytes".into()))?,
            range: Range {
                epoch: row.epoch,
                from_tx: row.from_tx,
                below_tx: row.below_tx,
                after_position: row.to_position,
                to_position: i64::MAX,
            },
        },
    })
}

/// The rest of the present range, or the next range that has rows.
async fn next_range(connection: &mut PgConnection, present: Range) -> Result<Option<Range>, RelayError> {
    let rest = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM messaging.journal
               WHERE epoch = $1 AND tx >= $2 AND tx < $3 AND position > $4) AS "any!""#,
        present.epoch,
        present.from_tx,
        present.below_tx,
        present.after_position
    )
    .fetch_one(&mut *connection)
    .await?;
    if rest {
        return Ok(Some(present));
    }
    let now = sqlx::query!(
        r#"SELECT messaging.current_epoch() AS "epoch!", pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS "settled!""#
    )
    .fetch_one(&mut *connection)
    .await?;
    let (mut epoch, mut from_tx) = (present.epoch, present.below_tx);
    loop {
        // Everything of an earlier epoch is settled: its server is gone.
        let below_tx = if epoch < now.epoch { i64::MAX } else { now.settled };
        let bounds = sqlx::query!(
            "SELECT min(position) AS first, max(position) AS last FROM messaging.journal
             WHERE epoch = $1 AND tx >= $2 AND tx < $3",
            epoch,
            from_tx,
            below_tx
        )
        .fetch_one(&mut *connection)
        .await?;
        if let (Some(first), Some(last)) = (bounds.first, bounds.last) {
            return Ok(Some(Range { epoch, from_tx, below_tx, after_position: first - 1, to_position: last }));
        }
        if epoch >= now.epoch {
            return Ok(None);
        }
        (epoch, from_tx) = (epoch + 1, 0);
    }
}

/// Reads the rows of a range in order.
pub(crate) async fn read(
    connection: &mut PgConnection,
    range: Range,
    limit: Option<i64>,
) -> Result<Vec<Row>, RelayError> {
    let rows = sqlx::query!(
        r#"SELECT position, event_id, event_type, aggregate_id, aggregate_version,
                  occurred_at, actor::text AS "actor!", traceparent, payload::text AS "payload!"
           FROM messaging.journal
           WHERE epoch = $1 AND tx >= $2 AND tx < $3 AND position > $4 AND position <= $5
           ORDER BY position LIMIT $6"#,
        range.epoch,
        range.from_tx,
        range.below_tx,
        range.after_position,
        range.to_position,
        limit
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let position = row.position;
            let unreadable = |source| RelayError::Row { position, source };
            // The leaf covers the stored texts too: the envelope alone would not show a changed blank.
            let stored = (position, row.actor, row.payload.clone());
            let envelope = Envelope {
                event_id: row.event_id.into(),
                event_type: row.event_type,
                aggregate_id: row.aggregate_id,
                aggregate_version: row.aggregate_version,
                occurred_at: row.occurred_at.to_jiff(),
                actor: serde_json::from_str::<Actor>(&stored.1).map_err(unreadable)?,
                traceparent: row.traceparent,
                payload: RawValue::from_string(row.payload).map_err(unreadable)?,
            };
            let leaf_content = serde_json::to_vec(&(&stored, &envelope)).map_err(unreadable)?;
            Ok(Row { position, leaf: merkle::leaf_hash(&leaf_content), envelope })
        })
        .collect()
}

/// What the relay has not published yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// Committed events.
    pub events: u64,
    /// Age of the oldest of them in seconds, by the legal clock; 0 when there is none.
    pub oldest_seconds: f64,
}

/// Committed events that the relay has not published yet.
pub async fn lag(database: &Database) -> Result<u64, sqlx::Error> {
    Ok(backlog(database).await?.events)
}

/// How far the relay is behind, told by the database alone.
pub async fn backlog(database: &Database) -> Result<Backlog, sqlx::Error> {
    let waiting = sqlx::query!(
        r#"SELECT count(*) AS "events!",
                  coalesce(extract(epoch FROM messaging.legal_now() - min(j.occurred_at)), 0)::float8 AS "oldest!"
           FROM messaging.journal j
           WHERE (j.epoch, j.tx) >= (coalesce((SELECT epoch FROM messaging.batches ORDER BY batch DESC LIMIT 1), 0),
                                     coalesce((SELECT from_tx FROM messaging.batches ORDER BY batch DESC LIMIT 1), 0))
             AND NOT EXISTS (SELECT 1 FROM (SELECT epoch, below_tx, to_position FROM messaging.batches ORDER BY batch DESC LIMIT 1) p
                             WHERE j.epoch = p.epoch AND j.tx < p.below_tx AND j.position <= p.to_position)"#
    )
    .fetch_one(database.pool())
    .await?;
    Ok(Backlog { events: waiting.events.try_into().unwrap_or(0), oldest_seconds: waiting.oldest.max(0.0) })
}

/// By how many seconds the newest event is later than legal time, 0 when it is not: then the database's clock has gone back.
pub async fn ahead_of_clock(database: &Database) -> Result<f64, sqlx::Error> {
    let ahead = sqlx::query_scalar!(
        r#"SELECT extract(epoch FROM occurred_at - messaging.legal_now())::float8 AS "ahead!"
           FROM messaging.journal ORDER BY position DESC LIMIT 1"#
    )
    .fetch_optional(database.pool())
    .await?;
    Ok(ahead.unwrap_or_default().max(0.0))
}

async fn pause(length: Duration, cancel: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = cancel.cancelled() => {}
    }
}

#[derive(Debug)]
struct Metrics {
    published: Counter<u64>,
    failures: Counter<u64>,
    copies_missing: Gauge<u64>,
    labels: [KeyValue; 1],
}

impl Metrics {
    fn new(service: &'static str) -> Self {
        let meter = opentelemetry::global::meter("messaging");
        Self {
            published: meter
                .u64_counter("dudao_journal_published")
                .with_description("Events taken by the broker")
                .build(),
            failures: meter
                .u64_counter("dudao_relay_failures")
                .with_description("Rounds of the relay that failed")
                .build(),
            copies_missing: meter
                .u64_gauge("dudao_stream_copies_missing")
                .with_description("Copies that the stream has fewer than broker.replicas asks for")
                .build(),
            labels: [KeyValue::new("service", service)],
        }
    }
}

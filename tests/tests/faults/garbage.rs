//! Every stream is fed with duplicates under other message ids, with versions that are older than the known ones, and with
//! garbage: the garbage becomes dead letters with a cause, and nothing else changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use async_nats::HeaderMap;
use async_nats::jetstream::{self, consumer::PullConsumer};
use contracts::deadlines::{RectificationOpened, ReminderDue};
use contracts::notifications::ReceiptSigned;
use contracts::registry::{AccountRecorded, AreaRecorded, UnitRecorded};
use contracts::{Actor, Envelope, Event, subjects};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use service_kit::ids::{Ids as _, SystemIds};
use sqlx::AssertSqlSafe;
use tests::world::World;
use uuid::Uuid;

use tests::lives::flow::{self, CONSUMERS, JOURNALS};
use tests::lives::{Lives, people};
use tests::say::Say;

/// Messages from each end of each stream that are published again.
const DUPLICATES: u64 = 250;
/// Kinds of garbage on each subject.
const GARBAGE: usize = 3;
const LIMIT: Duration = Duration::from_mins(3);
/// Tables that a clock writes, whatever is heard: the sweep over deliveries and the nightly proof.
const CLOCKED: [&str; 2] = ["notifications.sweeps", "deadlines.proofs"];
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Feeds and checks.
pub async fn feed_and_check(world: &World, lives: &Lives<'_>, say: &Say) -> anyhow::Result<()> {
    let before = digests(world).await?;
    let broker = world.jetstream().await?;
    let duplicates = publish_duplicates(&broker).await?;
    let old = publish_old_versions(world, &broker, lives).await?;
    publish_garbage(&broker).await?;
    say.it(&format!("published {duplicates} duplicates, {} old versions and garbage on every subject", old.len()));
    settle(world, &broker).await?;

    let after = digests(world).await?;
    for (table, digest) in before.iter().filter(|(table, _)| !CLOCKED.contains(&table.as_str())) {
        ensure!(after.get(table) == Some(digest), "{table} has changed");
    }
    ensure!(before.keys().eq(after.keys()), "tables came or went");
    ensure!(CLOCKED.iter().all(|table| before.contains_key(*table)), "a clocked table has another name");
    let events = flow::journalled(world).await?;
    for consumer in CONSUMERS {
        let mut expected = consumer.wanted(&events);
        expected.extend(old.iter().filter(|(event_type, _)| consumer.wants.contains(event_type)).map(|(_, id)| *id));
        let applied = consumer.applied(world).await?;
        ensure!(
            applied == expected,
            "{}: its inbox has {} events, expected {}",
            consumer.name,
            applied.len(),
            expected.len()
        );
        let letters =
            "SELECT subject, cause, encode(body, 'escape') AS body FROM messaging.dead_letters WHERE consumer = $1";
        let letters = world.db.rows(consumer.service, letters, &[consumer.name]).await?;
        let mut by_subject: BTreeMap<&str, usize> = BTreeMap::new();
        for letter in &letters {
            ensure!(letter["cause"].as_str().is_some_and(|cause| cause.len() > 10), "no cause: {letter}");
            ensure!(
                letter["body"].as_str().is_some_and(|body| body.contains("faults-garbage")),
                "not our garbage: {letter}"
            );
            *by_subject.entry(letter["subject"].as_str().unwrap_or_default()).or_default() += 1;
        }
        let expected: BTreeMap<&str, usize> = consumer.wants.iter().map(|subject| (*subject, GARBAGE)).collect();
        ensure!(by_subject == expected, "dead letters of {}: {by_subject:?}", consumer.name);
    }
    Ok(())
}

/// A digest of every table of every service, and of the number of its journal rows.
async fn digests(world: &World) -> anyhow::Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for service in JOURNALS {
        let database = people::connect(world, service).await?;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
                .fetch_all(database.pool())
                .await?;
        for table in tables {
            let query = format!(
                "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM public.\"{table}\" t"
            );
            let digest: String = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(database.pool()).await?;
            digests.insert(format!("{service}.{table}"), digest);
        }
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM messaging.journal").fetch_one(database.pool()).await?;
        digests.insert(format!("{service}'s journal"), rows.to_string());
        database.pool().close().await;
    }
    Ok(digests)
}

async fn publish(broker: &jetstream::Context, subject: String, body: Vec<u8>) -> anyhow::Result<()> {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", SystemIds.new_id().to_string());
    broker.publish_with_headers(subject, headers, body.into()).await?.await?;
    Ok(())
}

/// The oldest and the newest messages of every stream once more, each under a message id that the broker does not know.
async fn publish_duplicates(broker: &jetstream::Context) -> anyhow::Result<u64> {
    let mut count = 0;
    for service in JOURNALS {
        let mut stream = broker.get_stream(subjects::stream("", service)).await?;
        let state = stream.info().await?.state.clone();
        if state.messages == 0 {
            continue;
        }
        let (first, last) = (state.first_sequence, state.last_sequence);
        let mut places: BTreeSet<u64> = (first..=last).take(usize::try_from(DUPLICATES)?).collect();
        places.extend(last.saturating_sub(DUPLICATES).max(first)..=last);
        for place in places {
            let message = stream.get_raw_message(place).await?;
            publish(broker, message.subject.to_string(), message.payload.to_vec()).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// Versions older than the known ones, in envelopes that nobody has seen. Returns their types and identifiers.
async fn publish_old_versions(
    world: &World,
    broker: &jetstream::Context,
    lives: &Lives<'_>,
) -> anyhow::Result<Vec<(&'static str, Uuid)>> {
    let mut sent = Vec::new();
    let mut unit: UnitRecorded = first(world, "registry", None).await?;
    (unit.version, unit.name) = (0, "旧名称".to_owned());
    sent.push(send(broker, &unit).await?);
    let mut account: AccountRecorded = first(world, "registry", None).await?;
    (account.version, account.active) = (0, false);
    sent.push(send(broker, &account).await?);
    let mut area: AreaRecorded = first(world, "registry", None).await?;
    (area.version, area.name) = (0, "旧名称".to_owned());
    sent.push(send(broker, &area).await?);
    // A second receipt of a letter, a day later: the first one started the clocks.
    let mut receipt: ReceiptSigned = first(world, "notifications", None).await?;
    receipt.signed_at += SignedDuration::from_hours(24);
    sent.push(send(broker, &receipt).await?);
    // A reminder of long ago for a rectification that is closed by now.
    let closed = lives.all.iter().find(|life| life.closes).context("a closed one")?.rectification_id();
    let opened: RectificationOpened = first(world, "deadlines", Some(closed.as_uuid())).await?;
    let rectification = opened.rectification;
    let reminder = ReminderDue {
        item_ids: rectification.items.iter().map(|item| item.item_id).collect(),
        due_on: rectification.items[0].due_on,
        working_days_left: 1,
        rectification,
    };
    sent.push(send(broker, &reminder).await?);
    Ok(sent)
}

/// The first event of its type in a journal, of one aggregate if it is named.
async fn first<E: Event + DeserializeOwned>(
    world: &World,
    service: &str,
    aggregate: Option<Uuid>,
) -> anyhow::Result<E> {
    let database = people::connect(world, service).await?;
    let payload: String = sqlx::query_scalar(
        "SELECT payload::text FROM messaging.journal WHERE event_type = $1 AND ($2::uuid IS NULL OR aggregate_id = $2)
         ORDER BY position LIMIT 1",
    )
    .bind(E::TYPE)
    .bind(aggregate)
    .fetch_one(database.pool())
    .await?;
    Ok(serde_json::from_str(&payload)?)
}

async fn send<E: Event>(broker: &jetstream::Context, event: &E) -> anyhow::Result<(&'static str, Uuid)> {
    let event_id = SystemIds.new_id();
    let envelope = Envelope {
        event_id: event_id.into(),
        event_type: E::TYPE.to_owned(),
        aggregate_id: event.aggregate_id(),
        aggregate_version: event.aggregate_version(),
        occurred_at: Timestamp::UNIX_EPOCH,
        actor: Actor::system("faults"),
        traceparent: None,
        payload: RawValue::from_string(serde_json::to_string(event)?)?,
    };
    publish(broker, subjects::subject("", E::TYPE), serde_json::to_vec(&envelope)?).await?;
    Ok((E::TYPE, event_id))
}

/// On every subject that somebody listens to: bytes that are no text, JSON that is no envelope, and an envelope whose
/// payload is something else.
async fn publish_garbage(broker: &jetstream::Context) -> anyhow::Result<()> {
    let wanted: BTreeSet<&str> = CONSUMERS.iter().flat_map(|consumer| consumer.wants).copied().collect();
    for event_type in wanted {
        let subject = subjects::subject("", event_type);
        let mut bytes = vec![0xff, 0x00, 0xfe];
        bytes.extend(format!("faults-garbage {event_type}").into_bytes());
        publish(broker, subject.clone(), bytes).await?;
        publish(broker, subject.clone(), format!("{{\"faults-garbage\": \"{event_type}\"}}").into_bytes()).await?;
        let envelope = serde_json::json!({
            "event_id": SystemIds.new_id(),
            "event_type": event_type,
            "aggregate_id": SystemIds.new_id(),
            "aggregate_version": 1,
            "occurred_at": "2026-02-10T01:00:00Z",
            "actor": {"kind": "system", "worker": "faults"},
            "payload": {"faults-garbage": true},
        });
        publish(broker, subject, envelope.to_string().into_bytes()).await?;
    }
    Ok(())
}

/// Waits until every durable consumer has taken and acknowledged everything.
async fn settle(world: &World, broker: &jetstream::Context) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let mut waiting = Vec::new();
        for consumer in CONSUMERS {
            let owners: BTreeSet<&str> = consumer.wants.iter().map(|event_type| subjects::owner(event_type)).collect();
            for owner in owners {
                let stream = broker.get_stream(subjects::stream("", owner)).await?;
                let mut durable: PullConsumer = stream
                    .get_consumer(consumer.name)
                    .await
                    .map_err(|error| anyhow::anyhow!("{} on {owner}: {error}", consumer.name))?;
                let info = durable.info().await?;
                if info.num_pending > 0 || info.num_ack_pending > 0 {
                    waiting.push(format!("{}: {} + {}", consumer.name, info.num_pending, info.num_ack_pending));
                }
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        if began.elapsed() > LIMIT {
            let failures =
                world.db.rows("tasks", "SELECT consumer, attempts, cause FROM messaging.failures", &[]).await?;
            bail!("consumers have not taken everything: {waiting:?} {failures:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

//! Events per second from the journal through JetStream to a consumer's committed effect, one replica each.
//!
//! Prints figures, asserts none. Run by `make bench`, with durable servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::cast_precision_loss,
    dead_code,
    reason = "a benchmark: figures for people, and more in the shared support than it needs"
)]

#[path = "../tests/it/support.rs"]
mod support;

use std::time::{Duration, Instant};

use contracts::{Actor, Envelope, Event};
use messaging::{ApplyError, Batch, Handler};
use postgres::Tx;
use serde::{Deserialize, Serialize};
use support::{Counted, database, relay, run, run_consumer, run_relay, wait_for_applied};
use testkit::bench::{Goal, Results};
use uuid::Uuid;

const EVENTS: usize = 50_000;
const PER_TRANSACTION: usize = 1_000;

#[tokio::main]
async fn main() {
    let mut results = Results::open("throughput");
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let started = Instant::now();
    journal(&database).await;
    report(&mut results, "journal-append-rate", Goal::None("events committed"), started);

    let relay = relay(&database, &broker, &key);
    let started = Instant::now();
    relay.drain().await.unwrap();
    report(&mut results, "relay-rate", Goal::None("journal to acknowledged in JetStream"), started);

    let started = Instant::now();
    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, i64::try_from(EVENTS).unwrap()).await;
    report(
        &mut results,
        "consumer-rate-one-by-one",
        Goal::None("JetStream to committed effect, a statement each"),
        started,
    );
    consumer.stop().await;

    journal(&database).await;
    let started = Instant::now();
    let running = [run_relay(relay.clone()), run_consumer(database.handle(), &broker)];
    wait_for_applied(&database, i64::try_from(2 * EVENTS).unwrap()).await;
    report(&mut results, "journal-to-effect-rate-one-by-one", Goal::None("both at once, a statement each"), started);
    for part in running {
        part.stop().await;
    }

    // As services do that keep copies: events of the size of a rectification's, a few statements for a batch.
    sqlx::query("CREATE TABLE copies (id uuid PRIMARY KEY, version bigint NOT NULL, content jsonb NOT NULL)")
        .execute(database.pool())
        .await
        .unwrap();
    let text = "整改".repeat(350);
    for _ in 0..EVENTS / PER_TRANSACTION {
        let events: Vec<Noted> =
            (0..PER_TRANSACTION).map(|_| Noted { id: Uuid::now_v7(), version: 1, text: text.clone() }).collect();
        let mut tx = database.begin().await.unwrap();
        messaging::append_all(&mut tx, &Actor::system("bench"), &events).await.unwrap();
        tx.commit().await.unwrap();
    }
    let started = Instant::now();
    let running = [run_relay(relay), run(database.handle(), &broker, "test-copier", Copier)];
    let copied =
        || async { sqlx::query_scalar::<_, i64>("SELECT count(*) FROM copies").fetch_one(database.pool()).await };
    while copied().await.unwrap() < i64::try_from(EVENTS).unwrap() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    report(&mut results, "journal-to-effect-rate", Goal::AtLeast(15_000.0), started);
    for part in running {
        part.stop().await;
    }
    results.print();
}

/// An event as big as a rectification's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    id: Uuid,
    version: i64,
    text: String,
}

impl Event for Noted {
    const TYPE: &'static str = "tasks.note.noted.v1";
    fn aggregate_id(&self) -> Uuid {
        self.id
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// Keeps the newest version of everything.
#[derive(Debug)]
struct Copier;

impl Handler for Copier {
    fn event_types(&self) -> Vec<&'static str> {
        vec![Noted::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        copy(tx, &[event]).await
    }

    async fn apply_all(&self, tx: &mut Tx, batch: &Batch<'_>) -> Result<(), ApplyError> {
        copy(tx, batch.events()).await
    }
}

async fn copy(tx: &mut Tx, events: &[&Envelope]) -> Result<(), ApplyError> {
    let noted: Vec<Noted> = events.iter().map(|event| event.read()).collect::<Result<_, _>>()?;
    let ids: Vec<Uuid> = noted.iter().map(|noted| noted.id).collect();
    let versions: Vec<i64> = noted.iter().map(|noted| noted.version).collect();
    let contents: Vec<String> = noted.iter().map(|noted| serde_json::to_string(noted).unwrap()).collect();
    sqlx::query(
        "INSERT INTO copies SELECT id, version, content::jsonb FROM unnest($1::uuid[], $2::bigint[], $3::text[])
             AS c(id, version, content)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, content = excluded.content
         WHERE copies.version < excluded.version",
    )
    .bind(ids)
    .bind(versions)
    .bind(contents)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn journal(database: &testkit::Database) {
    for _ in 0..EVENTS / PER_TRANSACTION {
        let events: Vec<Counted> =
            (0..PER_TRANSACTION).map(|_| Counted { counter_id: Uuid::now_v7(), version: 1, trouble: None }).collect();
        let mut tx = database.begin().await.unwrap();
        messaging::append_all(&mut tx, &Actor::system("bench"), &events).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn report(results: &mut Results, name: &str, goal: Goal, started: Instant) {
    results.add(name, EVENTS as f64 / started.elapsed().as_secs_f64(), "events/s", goal);
}

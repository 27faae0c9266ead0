//! A counter aggregate, an event for it, and a consumer that records what it applied.

use std::{sync::Arc, time::Duration};

use contracts::{Actor, Envelope, Event};
use messaging::{ApplyError, Batch, Broker, Consumer, Handler, JournalKey, Relay};
use postgres::Tx;
use serde::{Deserialize, Serialize};
use testkit::Database;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub counter_id: Uuid,
    pub version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// What the consumer shall do with the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Refuse it for good.
    Refuse,
    /// Say "not yet" until table `ready` has a row.
    NotYet,
}

impl Event for Counted {
    const TYPE: &'static str = "tasks.counter.counted.v1";
    fn aggregate_id(&self) -> Uuid {
        self.counter_id
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// A service's database with the tables of both sides of the test.
pub async fn database() -> Database {
    let database = Database::new(&[&messaging::MIGRATOR]).await;
    for statement in [
        "CREATE TABLE counters (counter_id uuid PRIMARY KEY, version bigint NOT NULL)",
        "CREATE TABLE applied (n bigint GENERATED ALWAYS AS IDENTITY, counter_id uuid NOT NULL, version bigint NOT NULL,
                               together integer NOT NULL DEFAULT 1)",
        "CREATE TABLE ready (ok boolean)",
    ] {
        sqlx::query(statement).execute(database.pool()).await.unwrap();
    }
    database
}

/// The use case: counts up under the row lock and journals it. `trouble` goes into the event.
pub async fn count(tx: &mut Tx, counter_id: Uuid, trouble: Option<Trouble>) -> i64 {
    let version: i64 = sqlx::query_scalar(
        "INSERT INTO counters VALUES ($1, 1) ON CONFLICT (counter_id) DO UPDATE SET version = counters.version + 1 RETURNING version",
    )
    .bind(counter_id)
    .fetch_one(&mut **tx)
    .await
    .unwrap();
    messaging::append(tx, &Actor::system("test"), &Counted { counter_id, version, trouble }).await.unwrap();
    version
}

pub async fn count_once(database: &postgres::Database, counter_id: Uuid) -> i64 {
    let mut tx = database.begin().await.unwrap();
    let version = count(&mut tx, counter_id, None).await;
    tx.commit().await.unwrap();
    version
}

#[derive(Debug)]
pub struct Recorder;

impl Handler for Recorder {
    fn event_types(&self) -> Vec<&'static str> {
        vec![Counted::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        let counted: Counted = event.read()?;
        match counted.trouble {
            Some(Trouble::Refuse) => return Err(ApplyError::Refused("this counter may not count".to_owned())),
            Some(Trouble::NotYet) => {
                let ready: bool =
                    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM ready)").fetch_one(&mut **tx).await?;
                if !ready {
                    return Err(ApplyError::NotYet("the counter is not ready".to_owned()));
                }
            }
            None => {}
        }
        sqlx::query("INSERT INTO applied (counter_id, version) VALUES ($1, $2)")
            .bind(counted.counter_id)
            .bind(counted.version)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// Records a whole batch with one statement, and refuses the batch when one event asks for it.
#[derive(Debug)]
pub struct SetRecorder;

impl Handler for SetRecorder {
    fn event_types(&self) -> Vec<&'static str> {
        vec![Counted::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        record(tx, &[event]).await
    }

    async fn apply_all(&self, tx: &mut Tx, batch: &Batch<'_>) -> Result<(), ApplyError> {
        record(tx, batch.events()).await
    }
}

/// Writes before it looks for trouble: what a refused batch wrote must not stand.
async fn record(tx: &mut Tx, events: &[&Envelope]) -> Result<(), ApplyError> {
    let counted: Vec<Counted> = events.iter().map(|event| event.read()).collect::<Result<_, _>>()?;
    sqlx::query(
        "INSERT INTO applied (counter_id, version, together)
         SELECT *, $3 FROM unnest($1::uuid[], $2::bigint[])",
    )
    .bind(counted.iter().map(|counted| counted.counter_id).collect::<Vec<_>>())
    .bind(counted.iter().map(|counted| counted.version).collect::<Vec<_>>())
    .bind(i32::try_from(counted.len()).unwrap())
    .execute(&mut **tx)
    .await?;
    if counted.iter().any(|counted| counted.trouble == Some(Trouble::Refuse)) {
        return Err(ApplyError::Refused("this counter may not count".to_owned()));
    }
    Ok(())
}

/// Something that runs until it is stopped.
pub struct Running {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("it stops within its limit").unwrap();
    }
}

pub fn relay(database: &Database, broker: &Broker, key: &Arc<JournalKey>) -> Relay {
    Relay::new(database.handle(), broker.clone(), "tasks", Arc::clone(key))
}

pub fn run_relay(relay: Relay) -> Running {
    let cancel = CancellationToken::new();
    Running { task: tokio::spawn(relay.run(cancel.clone())), cancel }
}

pub fn run_consumer(database: postgres::Database, broker: &Broker) -> Running {
    run(database, broker, "test-recorder", Recorder)
}

pub fn run(database: postgres::Database, broker: &Broker, name: &'static str, handler: impl Handler) -> Running {
    let cancel = CancellationToken::new();
    let consumer = Consumer::new(database, broker.clone(), name, handler);
    Running { task: tokio::spawn(consumer.run(cancel.clone())), cancel }
}

pub async fn applied(database: &Database) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM applied").fetch_one(database.pool()).await.unwrap()
}

/// Every version of every counter was applied exactly once: the sum of what should be is the sum of what is.
pub async fn assert_exactly_once(database: &Database) {
    let wrong: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "SELECT c.counter_id, c.version, count(a.version)
         FROM counters c LEFT JOIN applied a USING (counter_id)
         GROUP BY c.counter_id, c.version
         HAVING count(a.version) <> c.version OR count(DISTINCT a.version) <> c.version OR max(a.version) <> c.version",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    assert!(wrong.is_empty(), "counters with missing or doubled versions (id, version, applied): {wrong:?}");
}

/// Versions of one counter were applied in their order.
pub async fn assert_in_order(database: &Database) {
    let inversions: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT version, lag(version) OVER (PARTITION BY counter_id ORDER BY n) AS before FROM applied) x
         WHERE before >= version",
    )
    .fetch_one(database.pool())
    .await
    .unwrap();
    assert_eq!(inversions, 0);
}

pub async fn wait_for_applied(database: &Database, expected: i64) {
    testkit::wait_until(&format!("{expected} applied events"), || async { applied(database).await >= expected }).await;
}

/// Publishes exactly `events` events. Other tests' transactions on the same server may hold the mark back for a moment.
pub async fn publish(relay: &Relay, events: u64) {
    let mut published = relay.drain().await.unwrap();
    let limit = tokio::time::Instant::now() + Duration::from_secs(20);
    while published < events {
        assert!(tokio::time::Instant::now() < limit, "{published} of {events} events published");
        published += relay.drain().await.unwrap();
    }
    assert_eq!(published, events);
}

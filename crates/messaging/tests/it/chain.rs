//! The audit chain: any changed byte of the journal or of a batch row is found.

use std::time::{Duration, Instant};

use messaging::verify::Watch;
use uuid::Uuid;

use crate::support::{count_once, database, publish, relay};

/// Changes one thing behind the triggers' back, as somebody with the administrator's rights could.
async fn tamper(database: &testkit::Database, statement: &'static str) {
    let mut tx = database.pool().begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
    let done = sqlx::query(statement).execute(&mut *tx).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{statement}");
    tx.commit().await.unwrap();
}

/// The same with a value.
async fn tamper_with(database: &testkit::Database, statement: &'static str, value: &str) {
    let mut tx = database.pool().begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
    assert_eq!(sqlx::query(statement).bind(value).execute(&mut *tx).await.unwrap().rows_affected(), 1);
    tx.commit().await.unwrap();
}

/// One statement for every column, and for rows taken out or slipped in. Each hits the third of five events or the second batch.
const TAMPERINGS: [&str; 22] = [
    "UPDATE messaging.journal SET event_id = gen_random_uuid() WHERE position = 3",
    "UPDATE messaging.journal SET event_type = 'tasks.counter.counted.v2' WHERE position = 3",
    "UPDATE messaging.journal SET aggregate_id = gen_random_uuid() WHERE position = 3",
    "UPDATE messaging.journal SET aggregate_version = 99 WHERE position = 3",
    "UPDATE messaging.journal SET occurred_at = occurred_at - interval '1 microsecond' WHERE position = 3",
    "UPDATE messaging.journal SET actor = '{\"kind\":\"system\",\"worker\":\"tesu\"}' WHERE position = 3",
    "UPDATE messaging.journal SET traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' WHERE position = 3",
    "UPDATE messaging.journal SET payload = payload || ' ' WHERE position = 3",
    "UPDATE messaging.journal SET position = DEFAULT WHERE position = 3",
    "UPDATE messaging.journal SET epoch = 2 WHERE position = 3",
    "UPDATE messaging.journal SET tx = 1 WHERE position = 3",
    "DELETE FROM messaging.journal WHERE position = 3",
    "INSERT INTO messaging.journal (tx, event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, payload)
     SELECT 1, gen_random_uuid(), event_type, aggregate_id, aggregate_version, occurred_at, actor, payload FROM messaging.journal WHERE position = 3",
    "UPDATE messaging.batches SET events = events + 1 WHERE batch = 2",
    "UPDATE messaging.batches SET root = sha256(root) WHERE batch = 2",
    "UPDATE messaging.batches SET link = sha256(link) WHERE batch = 2",
    "UPDATE messaging.batches SET signature = signature || '\\x00' WHERE batch = 2",
    "UPDATE messaging.batches SET key_id = 'somebody else' WHERE batch = 2",
    "UPDATE messaging.batches SET from_tx = from_tx - 1 WHERE batch = 2",
    "UPDATE messaging.batches SET below_tx = below_tx + 1 WHERE batch = 2",
    "UPDATE messaging.batches SET after_position = after_position - 1 WHERE batch = 2",
    "DELETE FROM messaging.batches WHERE batch = 2",
];

#[tokio::test]
async fn every_tampering_is_found() {
    let broker = testkit::broker().await;
    for statement in TAMPERINGS {
        let (database, key) = (database().await, testkit::journal_key());
        for _ in 0..5 {
            count_once(&database, Uuid::now_v7()).await;
            publish(&relay(&database, &broker, &key), 1).await;
        }
        let trusted = [key.public()];
        let before = messaging::verify::chain(&database, &trusted).await.unwrap();
        assert_eq!((before.batches, before.events, before.faults), (5, 5, Vec::new()));

        // The steady look, too, though not before the next day's round.
        let (mut watch, now) = (Watch::default(), Instant::now());
        assert_eq!(watch.look(&database, &trusted, now).await.unwrap(), Vec::<String>::new());

        tamper(&database, statement).await;
        let found = watch.look(&database, &trusted, now + Duration::from_hours(24)).await.unwrap();
        assert_ne!((found.len(), watch.faults()), (0, 0), "not found by the steady look: {statement}");
        let after = messaging::verify::chain(&database, &trusted).await.unwrap();
        assert_ne!(after.faults, Vec::<String>::new(), "not found: {statement}");
    }
}

#[tokio::test]
async fn the_steady_look_goes_on_with_what_is_new_and_keeps_a_fault_until_a_round_without() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let (trusted, now, day) = ([key.public()], Instant::now(), Duration::from_hours(24));
    let mut watch = Watch::default();
    for _ in 0..3 {
        count_once(&database, Uuid::now_v7()).await;
        publish(&relay(&database, &broker, &key), 1).await;
        assert_eq!(watch.look(&database, &trusted, now).await.unwrap(), Vec::<String>::new());
        assert_eq!((watch.faults(), watch.behind()), (0, 0));
    }
    tamper(&database, "UPDATE messaging.batches SET key_id = 'somebody else' WHERE batch = 2").await;
    assert_eq!(watch.look(&database, &trusted, now).await.unwrap(), Vec::<String>::new(), "seen already today");
    for _ in 0..2 {
        watch.look(&database, &trusted, now + day).await.unwrap();
        assert_eq!(watch.faults(), 1, "said once a round");
    }
    tamper_with(&database, "UPDATE messaging.batches SET key_id = $1 WHERE batch = 2", key.public().id()).await;
    watch.look(&database, &trusted, now + day * 2).await.unwrap();
    assert_eq!(watch.faults(), 0);
}

#[tokio::test]
async fn the_journal_refuses_to_be_changed() {
    let database = database().await;
    count_once(&database, Uuid::now_v7()).await;
    for statement in
        ["UPDATE messaging.journal SET event_type = 'x'", "DELETE FROM messaging.journal", "TRUNCATE messaging.journal"]
    {
        let error = sqlx::query(statement).execute(database.pool()).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn a_chain_signed_by_a_stranger_is_not_accepted() {
    let (database, broker) = (database().await, testkit::broker().await);
    count_once(&database, Uuid::now_v7()).await;
    publish(&relay(&database, &broker, &testkit::journal_key()), 1).await;
    let report = messaging::verify::chain(&database, &[testkit::journal_key().public()]).await.unwrap();
    assert_eq!(report.faults.len(), 1);
    assert!(report.faults[0].contains("not trusted"), "{:?}", report.faults);
}

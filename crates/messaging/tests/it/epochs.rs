//! A backup restored into a new server, whose transaction numbers start anew.

use uuid::Uuid;

use crate::support::{assert_exactly_once, count_once, database, publish, relay, run_consumer, wait_for_applied};

#[tokio::test]
async fn after_a_restore_into_a_younger_server_nothing_is_skipped() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let (published, waiting, new) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let relay = relay(&database, &broker, &key);

    count_once(&database, published).await;
    publish(&relay, 1).await;
    count_once(&database, waiting).await;
    // The old server was far ahead: lift what it wrote above every number of this one.
    let mut tx = database.pool().begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *tx).await.unwrap();
    sqlx::query("UPDATE messaging.journal SET tx = tx + 1000000000").execute(&mut *tx).await.unwrap();
    sqlx::query("DELETE FROM messaging.batches").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();

    assert_eq!(messaging::ensure_epoch(&database).await.unwrap(), 2);
    assert_eq!(messaging::ensure_epoch(&database).await.unwrap(), 2, "once is enough");
    count_once(&database, new).await;
    publish(&relay, 3).await;

    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, 3).await;
    assert_exactly_once(&database).await;
    consumer.stop().await;
    let report = messaging::verify::chain(&database, &[key.public()]).await.unwrap();
    assert_eq!((report.events, report.faults), (3, Vec::new()));
}

#[tokio::test]
async fn a_server_that_goes_on_keeps_its_epoch() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    count_once(&database, Uuid::now_v7()).await;
    publish(&relay(&database, &broker, &key), 1).await;
    assert_eq!(messaging::ensure_epoch(&database).await.unwrap(), 1);
}

//! The relay: settled order, late commits, lost leads, a wiped broker, replays.

use std::sync::Arc;

use async_nats::jetstream;
use contracts::subjects;
use jiff::SignedDuration;
use messaging::{Backlog, Broker};
use uuid::Uuid;

use crate::support::{
    assert_exactly_once, assert_in_order, count, count_once, database, publish, relay, run_consumer, run_relay,
    wait_for_applied,
};

async fn jetstream() -> jetstream::Context {
    jetstream::new(async_nats::connect(testkit::broker_options().url).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_arrives_once_and_in_order_while_many_write_at_once() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let running = [run_relay(relay(&database, &broker, &key)), run_consumer(database.handle(), &broker)];
    let counters: Arc<Vec<Uuid>> = Arc::new((0..7).map(|_| Uuid::now_v7()).collect());

    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8_usize {
        let (database, counters) = (database.handle(), Arc::clone(&counters));
        writers.spawn(async move {
            let mut committed = 0;
            for round in 0..60_usize {
                let mut tx = database.begin().await.unwrap();
                // An early write gives the transaction its number long before it touches the counter.
                sqlx::query("CREATE TEMP TABLE IF NOT EXISTS scratch (n int)").execute(&mut *tx).await.unwrap();
                if round % 3 == 0 {
                    tokio::task::yield_now().await;
                }
                count(&mut tx, counters[(writer * 5 + round) % counters.len()], None).await;
                if (writer + round) % 10 == 0 {
                    tx.rollback().await.unwrap();
                } else {
                    tx.commit().await.unwrap();
                    committed += 1;
                }
            }
            committed
        });
    }
    let committed: i64 = writers.join_all().await.into_iter().sum();

    wait_for_applied(&database, committed).await;
    assert_exactly_once(&database).await;
    assert_in_order(&database).await;
    for part in running {
        part.stop().await;
    }
    let report = messaging::verify::chain(&database, &[key.public()]).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(i64::try_from(report.events).unwrap(), committed);
    assert_eq!(messaging::lag(&database).await.unwrap(), 0);
}

#[tokio::test]
async fn an_event_committed_late_is_not_skipped_although_younger_ones_are_visible() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let relay = relay(&database, &broker, &key);
    let (late, early) = (Uuid::now_v7(), Uuid::now_v7());

    let mut slow = database.begin().await.unwrap();
    count(&mut slow, late, None).await;
    count_once(&database, early).await;

    // The slow transaction holds the mark back: the younger event waits with it, rather than overtaking it.
    assert_eq!(relay.drain().await.unwrap(), 0);
    slow.commit().await.unwrap();
    publish(&relay, 2).await;

    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, 2).await;
    assert_exactly_once(&database).await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_rolled_back_change_is_never_published() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let mut tx = database.begin().await.unwrap();
    count(&mut tx, Uuid::now_v7(), None).await;
    tx.rollback().await.unwrap();
    assert_eq!(relay(&database, &broker, &key).drain().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_relay_leads_and_another_takes_over_when_its_connection_dies() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let relays = [run_relay(relay(&database, &broker, &key)), run_relay(relay(&database, &broker, &key))];
    let consumer = run_consumer(database.handle(), &broker);
    let counter = Uuid::now_v7();
    for round in 0..40 {
        count_once(&database, counter).await;
        if round % 8 == 0 {
            // Ends the connection that holds the relay's lock, wherever it is in its work.
            sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_locks
                 WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .execute(database.pool())
            .await
            .unwrap();
        }
    }
    wait_for_applied(&database, 40).await;
    assert_exactly_once(&database).await;
    for part in relays {
        part.stop().await;
    }
    consumer.stop().await;
    let report = messaging::verify::chain(&database, &[key.public()]).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(report.events, 40);
}

#[tokio::test]
async fn a_backlog_has_an_age_and_a_lack_of_copies_stops_nothing() {
    let (database, key) = (database().await, testkit::journal_key());
    let mut options = testkit::broker_options();
    let broker = Broker::connect(&options).await.unwrap();
    let nothing = Backlog { events: 0, oldest_seconds: 0.0 };
    assert_eq!(messaging::backlog(&database).await.unwrap(), nothing);

    count_once(&database, Uuid::now_v7()).await;
    database.move_clock(SignedDuration::from_mins(10)).await;
    count_once(&database, Uuid::now_v7()).await;
    let backlog = messaging::backlog(&database).await.unwrap();
    assert_eq!(backlog.events, 2);
    assert!((600.0..660.0).contains(&backlog.oldest_seconds), "{backlog:?}");
    relay(&database, &broker, &key).drain().await.unwrap();
    assert_eq!(messaging::backlog(&database).await.unwrap(), nothing);

    // The stream has one copy, and this broker is one server: three cannot be had.
    options.replicas = 3;
    let asks_for_three = Broker::connect(&options).await.unwrap();
    count_once(&database, Uuid::now_v7()).await;
    assert_eq!(relay(&database, &asks_for_three, &key).drain().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_vanishes_with_everything_in_it_is_filled_again_and_nothing_happens_twice() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let counter = Uuid::now_v7();
    for _ in 0..30 {
        count_once(&database, counter).await;
    }
    let first = run_relay(relay(&database, &broker, &key));
    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, 30).await;
    consumer.stop().await;
    // These reach the broker, but nobody has read them when it loses everything.
    for _ in 0..30 {
        count_once(&database, counter).await;
    }
    testkit::wait_until("an empty journal", || async { messaging::lag(&database).await.unwrap() == 0 }).await;
    jetstream().await.delete_stream(subjects::stream(broker.prefix(), "tasks")).await.unwrap();

    let consumer = run_consumer(database.handle(), &broker);
    for _ in 0..5 {
        count_once(&database, counter).await;
    }
    wait_for_applied(&database, 65).await;
    assert_exactly_once(&database).await;
    consumer.stop().await;
    first.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_reaches_a_consumer_that_lost_its_effects_and_leaves_others_alone() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let counter = Uuid::now_v7();
    for _ in 0..12 {
        count_once(&database, counter).await;
    }
    let running = [run_relay(relay(&database, &broker, &key)), run_consumer(database.handle(), &broker)];
    wait_for_applied(&database, 12).await;

    // As after restoring the consumer's database from a backup that is older than the last five events.
    sqlx::query("DELETE FROM messaging.inbox WHERE event_id IN (SELECT event_id FROM messaging.journal ORDER BY position DESC LIMIT 5)")
        .execute(database.pool())
        .await
        .unwrap();
    sqlx::query("DELETE FROM applied WHERE version > 7").execute(database.pool()).await.unwrap();

    let replay_id = Uuid::now_v7();
    messaging::replay::request(&database, replay_id, "test", 0).await.unwrap();
    wait_for_applied(&database, 12).await;
    testkit::wait_until("the end of the replay", || async {
        messaging::replay::outcome(&database, replay_id).await.unwrap() == Some(12)
    })
    .await;
    assert_exactly_once(&database).await;
    for part in running {
        part.stop().await;
    }
}

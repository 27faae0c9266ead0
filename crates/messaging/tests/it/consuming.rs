//! The consumer: duplicates, garbage, refusals, waiting, redriving, replicas.

use async_nats::jetstream;
use contracts::{Event, subjects};
use uuid::Uuid;

use crate::support::{
    Counted, SetRecorder, Trouble, applied, assert_exactly_once, count, count_once, database, publish, relay, run,
    run_consumer, run_relay, wait_for_applied,
};

async fn send(broker: &messaging::Broker, body: Vec<u8>) {
    let client = async_nats::connect(testkit::broker_options().url).await.unwrap();
    let subject = subjects::subject(broker.prefix(), Counted::TYPE);
    jetstream::new(client).publish(subject, body.into()).await.unwrap().await.unwrap();
}

async fn waiting_letters(database: &testkit::Database) -> Vec<messaging::dead_letters::DeadLetter> {
    messaging::dead_letters::list(database, 100).await.unwrap()
}

#[tokio::test]
async fn the_same_event_delivered_again_and_again_has_one_effect() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let counter = Uuid::now_v7();
    count_once(&database, counter).await;
    publish(&relay(&database, &broker, &key), 1).await;
    let envelope = serde_json::to_vec(&testkit::events(&database).await[0]).unwrap();
    for _ in 0..20 {
        send(&broker, envelope.clone()).await;
    }
    count_once(&database, counter).await;
    publish(&relay(&database, &broker, &key), 1).await;

    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, 2).await;
    assert_exactly_once(&database).await;
    consumer.stop().await;
    assert_eq!(applied(&database).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_share_the_work_and_do_nothing_twice() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let counters: Vec<Uuid> = (0..20).map(|_| Uuid::now_v7()).collect();
    let mut tx = database.begin().await.unwrap();
    for round in 0..1_000_usize {
        count(&mut tx, counters[round % counters.len()], None).await;
    }
    tx.commit().await.unwrap();
    let relay = run_relay(relay(&database, &broker, &key));
    let replicas =
        [run_consumer(database.another_pool().await, &broker), run_consumer(database.another_pool().await, &broker)];
    wait_for_applied(&database, 1_000).await;
    assert_exactly_once(&database).await;
    for part in replicas {
        part.stop().await;
    }
    relay.stop().await;
    assert_eq!(applied(&database).await, 1_000);
}

#[tokio::test]
async fn garbage_becomes_one_dead_letter_with_its_cause_and_stops_nobody() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let relay = relay(&database, &broker, &key);
    publish(&relay, 0).await;
    send(&broker, b"\xff\xfe not json".to_vec()).await;
    send(&broker, b"\xff\xfe not json".to_vec()).await;
    send(&broker, b"{\"event_id\":\"no uuid\"}".to_vec()).await;
    count_once(&database, Uuid::now_v7()).await;
    publish(&relay, 1).await;

    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, 1).await;
    testkit::wait_until("two dead letters", || async { waiting_letters(&database).await.len() == 2 }).await;
    for letter in waiting_letters(&database).await {
        assert!(letter.cause.starts_with("not an event envelope: "), "{}", letter.cause);
        assert_eq!(letter.consumer, "test-recorder");
    }
    consumer.stop().await;
}

#[tokio::test]
async fn a_payload_of_another_shape_is_a_dead_letter_and_can_be_mended_and_sent_again() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let counter = Uuid::now_v7();
    count_once(&database, counter).await;
    publish(&relay(&database, &broker, &key), 1).await;
    let right = serde_json::to_string(&testkit::events(&database).await[0]).unwrap();
    let wrong = right
        .replace("\"version\":1", "\"version\":\"eins\"")
        .replace(&testkit::events(&database).await[0].event_id.to_string(), &Uuid::now_v7().to_string());
    send(&broker, wrong.clone().into_bytes()).await;

    let consumer = run_consumer(database.handle(), &broker);
    testkit::wait_until("the dead letter", || async { waiting_letters(&database).await.len() == 1 }).await;
    let letter = waiting_letters(&database).await.remove(0);
    assert!(letter.cause.contains("version"), "the cause names the field: {}", letter.cause);
    assert_eq!(letter.body, wrong);

    // Sent again as it is, it fails again; mended, it is applied.
    assert!(messaging::dead_letters::redrive(&database, letter.dead_letter_id, None, "测试员").await.unwrap());
    testkit::wait_until("the letter to come back", || async {
        waiting_letters(&database).await.first().is_some_and(|again| again.state == "waiting")
    })
    .await;
    let mended = wrong.replace("\"version\":\"eins\"", "\"version\":2");
    assert!(messaging::dead_letters::redrive(&database, letter.dead_letter_id, Some(&mended), "测试员").await.unwrap());
    wait_for_applied(&database, 2).await;
    testkit::wait_until("no letter", || async { waiting_letters(&database).await.is_empty() }).await;
    assert!(!messaging::dead_letters::redrive(&database, letter.dead_letter_id, None, "测试员").await.unwrap());
    consumer.stop().await;
}

#[tokio::test]
async fn a_refused_event_is_buried_at_once_and_its_neighbours_in_the_batch_pass() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let mut tx = database.begin().await.unwrap();
    for round in 0..9 {
        count(&mut tx, Uuid::now_v7(), (round == 4).then_some(Trouble::Refuse)).await;
    }
    tx.commit().await.unwrap();
    publish(&relay(&database, &broker, &key), 9).await;
    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, 8).await;
    testkit::wait_until("the dead letter", || async { waiting_letters(&database).await.len() == 1 }).await;
    assert!(waiting_letters(&database).await[0].cause.contains("this counter may not count"));
    consumer.stop().await;
    assert_eq!(applied(&database).await, 8);
}

#[tokio::test]
async fn a_batch_is_applied_together_and_one_by_one_when_one_event_spoils_it() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let relay = relay(&database, &broker, &key);
    let mut tx = database.begin().await.unwrap();
    for _ in 0..200 {
        count(&mut tx, Uuid::now_v7(), None).await;
    }
    tx.commit().await.unwrap();
    publish(&relay, 200).await;
    let consumer = run(database.handle(), &broker, "test-set-recorder", SetRecorder);
    wait_for_applied(&database, 200).await;
    let largest = "SELECT max(together) FROM applied";
    assert!(sqlx::query_scalar::<_, i32>(largest).fetch_one(database.pool()).await.unwrap() > 1);
    assert_exactly_once(&database).await;

    sqlx::query("DELETE FROM applied").execute(database.pool()).await.unwrap();
    let mut tx = database.begin().await.unwrap();
    for round in 0..9 {
        count(&mut tx, Uuid::now_v7(), (round == 4).then_some(Trouble::Refuse)).await;
    }
    tx.commit().await.unwrap();
    publish(&relay, 9).await;
    wait_for_applied(&database, 8).await;
    testkit::wait_until("the dead letter", || async { waiting_letters(&database).await.len() == 1 }).await;
    consumer.stop().await;
    assert_eq!(applied(&database).await, 8);
}

#[tokio::test]
async fn what_is_not_yet_possible_is_tried_until_it_is() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let mut tx = database.begin().await.unwrap();
    count(&mut tx, Uuid::now_v7(), Some(Trouble::NotYet)).await;
    tx.commit().await.unwrap();
    publish(&relay(&database, &broker, &key), 1).await;
    let consumer = run_consumer(database.handle(), &broker);
    testkit::wait_until("two failed attempts", || async {
        let attempts: Option<i32> = sqlx::query_scalar("SELECT max(attempts) FROM messaging.failures")
            .fetch_one(database.pool())
            .await
            .unwrap();
        attempts.is_some_and(|attempts| attempts >= 2)
    })
    .await;
    assert_eq!(applied(&database).await, 0);
    sqlx::query("INSERT INTO ready VALUES (true)").execute(database.pool()).await.unwrap();
    wait_for_applied(&database, 1).await;
    assert!(waiting_letters(&database).await.is_empty());
    consumer.stop().await;
}

#[tokio::test]
async fn nothing_is_lost_while_the_consumers_database_throws_it_out() {
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let counter = Uuid::now_v7();
    let relay = run_relay(relay(&database, &broker, &key));
    let consumer = run_consumer(database.another_pool().await, &broker);
    for round in 0..60 {
        count_once(&database, counter).await;
        if round % 15 == 7 {
            sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'active'",
            )
            .execute(database.pool())
            .await
            .unwrap();
        }
    }
    wait_for_applied(&database, 60).await;
    assert_exactly_once(&database).await;
    assert!(waiting_letters(&database).await.is_empty(), "a lost connection is nobody's dead letter");
    consumer.stop().await;
    relay.stop().await;
}

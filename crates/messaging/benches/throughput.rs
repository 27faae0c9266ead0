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

use std::time::Instant;

use contracts::Actor;
use support::{Counted, database, relay, run_consumer, run_relay, wait_for_applied};
use testkit::bench::{Goal, Results};
use uuid::Uuid;

const EVENTS: usize = 50_000;
const PER_TRANSACTION: usize = 1_000;

#[tokio::main]
async fn main() {
    let mut results = Results::open("throughput");
    let (database, broker, key) = (database().await, testkit::broker().await, testkit::journal_key());
    let started = Instant::now();
    for _ in 0..EVENTS / PER_TRANSACTION {
        let events: Vec<Counted> =
            (0..PER_TRANSACTION).map(|_| Counted { counter_id: Uuid::now_v7(), version: 1, trouble: None }).collect();
        let mut tx = database.begin().await.unwrap();
        messaging::append_all(&mut tx, &Actor::system("bench"), &events).await.unwrap();
        tx.commit().await.unwrap();
    }
    report(&mut results, "journal-append-rate", Goal::None("events committed"), started);

    let relay = relay(&database, &broker, &key);
    let started = Instant::now();
    relay.drain().await.unwrap();
    report(&mut results, "relay-rate", Goal::None("journal to acknowledged in JetStream"), started);

    let started = Instant::now();
    let consumer = run_consumer(database.handle(), &broker);
    wait_for_applied(&database, i64::try_from(EVENTS).unwrap()).await;
    report(&mut results, "consumer-rate", Goal::None("JetStream to committed effect, one row each"), started);
    consumer.stop().await;

    for _ in 0..EVENTS / PER_TRANSACTION {
        let events: Vec<Counted> =
            (0..PER_TRANSACTION).map(|_| Counted { counter_id: Uuid::now_v7(), version: 1, trouble: None }).collect();
        let mut tx = database.begin().await.unwrap();
        messaging::append_all(&mut tx, &Actor::system("bench"), &events).await.unwrap();
        tx.commit().await.unwrap();
    }
    let started = Instant::now();
    let running = [run_relay(relay), run_consumer(database.handle(), &broker)];
    wait_for_applied(&database, i64::try_from(2 * EVENTS).unwrap()).await;
    report(&mut results, "journal-to-effect-rate", Goal::AtLeast(15_000.0), started);
    for part in running {
        part.stop().await;
    }
    results.print();
}

fn report(results: &mut Results, name: &str, goal: Goal, started: Instant) {
    results.add(name, EVENTS as f64 / started.elapsed().as_secs_f64(), "events/s", goal);
}

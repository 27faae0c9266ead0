//! Exactly once, whatever the platform does and whoever dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;

use crate::facts::{CaseFacts, TRACEPARENT};
use crate::national_platform::Mode;
use crate::support::{
    Replica, Signing, apply, assert_journal_agrees, assert_once_and_in_order, database, section, serve, states,
    wait_for_accepted,
};

async fn cases(database: &postgres::Database, count: u32, orders: u32) -> usize {
    let mut messages = 0;
    for number in 1..=count {
        let case = CaseFacts::new(number, orders);
        apply(database, &case.envelopes()).await;
        messages += case.messages();
    }
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mode_of_the_platform_ends_with_every_message_there_once_and_in_order() {
    let (signing, database) = (Signing::new(), database().await);
    // The rehearsal clock is far away: pauses do not depend on it.
    database.set_clock("2027-03-01T00:00:00Z".parse().unwrap()).await;
    let platform = signing.platform();
    let address = serve(platform.router()).await;
    let mut section = section(address, &signing.key_file());
    section.longest_delay_seconds = 1;
    let messages = cases(&database, 8, 2).await;
    let replica = Replica::start(database.handle(), &section).await;
    let mut accepted = 0;
    for (mode, count) in [
        (Mode::Error500, 6),
        (Mode::Reset, 6),
        (Mode::RateLimited, 2),
        (Mode::Slow, 3),
        (Mode::Hang, 2),
        (Mode::Reset, 3),
    ] {
        let before = platform.statistics().requests;
        platform.set_mode(mode, Some(count));
        testkit::wait_until(&format!("{mode:?} is over"), || async {
            platform.statistics().requests >= before + u64::from(count)
        })
        .await;
        let now = platform.received().len();
        assert!(now >= accepted, "nothing is forgotten");
        accepted = now;
    }
    wait_for_accepted(&database, messages).await;
    let received = platform.received();
    assert_once_and_in_order(&received, messages);
    assert_journal_agrees(&database, &received).await;
    let statistics = platform.statistics();
    assert!(statistics.repeated > 0, "the broken connections made nobody ask again: {statistics:?}");
    assert_eq!(statistics.refused, 0, "{statistics:?}");
    assert!(received.iter().all(|message| message.keyid == signing.key.id()));
    let trace: Vec<&str> = TRACEPARENT.split('-').collect();
    for message in &received {
        let traceparent = message.traceparent.as_deref().unwrap();
        assert!(traceparent.contains(trace[1]), "{traceparent}");
    }
    let outcomes: Vec<(String,)> = sqlx::query_as("SELECT DISTINCT outcome FROM attempts ORDER BY outcome")
        .fetch_all(database.pool())
        .await
        .unwrap();
    let outcomes: Vec<&str> = outcomes.iter().map(|one| one.0.as_str()).collect();
    assert_eq!(outcomes, ["accepted", "server_error", "throttled", "timed_out", "unreachable"]);
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_send_nothing_twice() {
    let (signing, database) = (Signing::new(), database().await);
    let platform = signing.platform();
    let address = serve(platform.router()).await;
    let section = section(address, &signing.key_file());
    let messages = cases(&database, 25, 1).await;
    platform.set_mode(Mode::Slow, Some(6));
    let replicas = [
        Replica::start(database.another_pool().await, &section).await,
        Replica::start(database.another_pool().await, &section).await,
    ];
    wait_for_accepted(&database, messages).await;
    assert_once_and_in_order(&platform.received(), messages);
    assert_eq!(platform.statistics().requests, u64::try_from(messages).unwrap());
    for replica in replicas {
        replica.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_sending_and_committing_it_sends_again_and_gets_the_same_receipt() {
    let (signing, database) = (Signing::new(), database().await);
    let platform = signing.platform();
    let router = platform.router();
    // Takes the message, then keeps the answer back until the sender is dead.
    let held = Router::new().route(
        "/v1/messages",
        post(move |request: axum::extract::Request| {
            let router = router.clone();
            async move {
                use tower::ServiceExt as _;
                let _ = router.oneshot(request).await;
                std::future::pending::<StatusCode>().await
            }
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, held).await.unwrap() });
    let section = section(address, &signing.key_file());
    let messages = cases(&database, 1, 0).await;
    let first = Replica::start(database.another_pool().await, &section).await;
    testkit::wait_until("the platform has the letter", || async { platform.received().len() == 1 }).await;
    // While the platform thinks, no transaction is open that the relays of the server would wait for.
    let (writing,): (i64,) = sqlx::query_as(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL",
    )
    .fetch_one(database.pool())
    .await
    .unwrap();
    assert_eq!(writing, 0);
    first.kill().await;
    serving.abort();
    let _ = serving.await;
    assert_eq!(states(&database).await["ready"], 1, "nothing was committed");

    let listener = TcpListener::bind(address).await.unwrap();
    let router = platform.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let second = Replica::start(database.another_pool().await, &section).await;
    wait_for_accepted(&database, messages).await;
    let received = platform.received();
    assert_once_and_in_order(&received, messages);
    assert_eq!(platform.statistics().repeated, 1);
    assert_journal_agrees(&database, &received).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_platform_is_not_hammered_and_pauses_are_machine_time() {
    let (signing, database) = (Signing::new(), database().await);
    database.move_clock(SignedDuration::from_hours(24 * 300)).await;
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let router = Router::new().route(
        "/v1/messages",
        post(move || {
            count.fetch_add(1, Ordering::SeqCst);
            async { StatusCode::SERVICE_UNAVAILABLE }
        }),
    );
    let address = serve(router).await;
    let mut section = section(address, &signing.key_file());
    section.first_delay_milliseconds = 200;
    section.longest_delay_seconds = 30;
    cases(&database, 30, 0).await;
    let began = Instant::now();
    let replica = Replica::start(database.handle(), &section).await;
    // The third failure opens the breaker while the other three lanes may have one on its way; then one at a time,
    // after 0.2, 0.4 and 0.8 seconds.
    testkit::wait_until("three probes after the first failures", || async {
        requests.load(Ordering::SeqCst) >= 3 + 3 + 3
    })
    .await;
    assert!(began.elapsed() >= Duration::from_millis(1_300), "{:?}", began.elapsed());
    assert_eq!(states(&database).await["ready"], 30);
    let (latest,): (jiff_sqlx::Timestamp,) =
        sqlx::query_as("SELECT max(next_attempt_at) FROM messages").fetch_one(database.pool()).await.unwrap();
    assert!(latest.to_jiff() < Timestamp::now() + SignedDuration::from_mins(1));
    replica.stop().await;
}

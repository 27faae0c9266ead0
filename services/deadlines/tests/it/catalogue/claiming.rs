//! Taking what is due: once, by whoever lives, whatever the clock does.

use contracts::deadlines::{ReminderDue, UrgingOrderIssued};
use domain::severity::Severity;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use testkit::Call;
use uuid::Uuid;

use super::{
    OVERDUE, RECEIVED, StandingRound, URGED, assert_proved, count, due_cases, fire_all, orders, replica, told,
};
use crate::support::{World, at};

/// A backlog of unpublished work made the same timer be queued again at every tick. Here nothing is published at all, and
/// many ticks of several workers leave one notice for each case: the state that says "fired" is written by the round itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogue_01_a_backlog_makes_no_timer_fire_again() {
    let world = World::new().await;
    due_cases(&world, 1_200).await;
    world.database.set_clock(at(URGED)).await;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let firing = world.firing();
        workers.spawn(async move {
            let mut taken = 0;
            for _ in 0..20 {
                taken += firing.fire_batch().await.unwrap();
            }
            taken
        });
    }
    assert_eq!(workers.join_all().await.into_iter().sum::<usize>(), 1_200);
    assert_eq!((orders(&world).await, told(&world).await), (1_200, 1_200));
    assert!(messaging::lag(&world.database).await.unwrap() >= 1_200, "nobody has published anything");
    assert_eq!(fire_all(&world, "2026-03-07T16:00:00Z").await, 0, "a day of ticks later");
    assert_eq!(told(&world).await, 1_200);
}

/// A storm of due timers blocked every other command. A round takes at most 500 cases; while it stands in its transaction,
/// people read lists and act on every case that it has not taken, the due ones included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogue_02_a_storm_blocks_nobody_elses_act() {
    let world = World::new().await;
    due_cases(&world, 600).await;
    let quiet = world.open(2, &[Severity::Serious], "2026-03-01T02:00:00Z").await;
    world.database.set_clock(at(URGED)).await;
    let round = StandingRound::of(&world, world.firing()).await;

    Call::get("/v1/rectifications?limit=20").by(&world.admin).send(&world.router).await.expect(StatusCode::OK);
    world.report(quiet, 0).await;
    let free: Uuid = sqlx::query_scalar(
        "SELECT rectification_id FROM rectifications WHERE next_timer_at <= messaging.legal_now()
         FOR UPDATE SKIP LOCKED LIMIT 1",
    )
    .fetch_one(world.database.pool())
    .await
    .unwrap();
    let view = world.report(free.into(), 0).await;
    assert_eq!(view["rectification"]["items"][0]["late"], true);

    assert_eq!(round.goes_on().await, 500);
    assert_eq!(fire_all(&world, URGED).await, 99, "one of them has reported meanwhile");
    assert_eq!(orders(&world).await, 599);
}

/// The lease on taken work ran out while its worker was merely slow, and another did it again. There is no lease: a round
/// keeps its cases however long it stands, even while legal time moves on by a day. Were it taken twice all the same, the
/// identity of the order and the version of the row refuse the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogue_03_a_slow_round_keeps_what_it_has_taken() {
    let world = World::new().await;
    due_cases(&world, 30).await;
    world.database.set_clock(at(URGED)).await;
    let round = StandingRound::of(&world, world.firing()).await;
    world.database.set_clock(at("2026-03-07T16:00:00Z")).await;
    let other = replica(&world).await;
    for _ in 0..3 {
        assert_eq!(other.fire_batch().await.unwrap(), 0);
    }
    assert_eq!(round.goes_on().await, 30);
    assert_eq!(other.fire_batch().await.unwrap(), 0);
    assert_eq!((orders(&world).await, told(&world).await), (30, 30));

    let again = sqlx::query("INSERT INTO urging_orders SELECT * FROM urging_orders LIMIT 1")
        .execute(world.database.pool())
        .await
        .unwrap_err();
    assert!(again.as_database_error().unwrap().is_unique_violation(), "{again}");
}

/// A worker crashed, and its work stayed locked for hours. The lock is a row lock of its connection: when that dies, the very
/// next round of anybody takes everything, without any wait on the clock, and nothing of the half-done round is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catalogue_04_a_crash_leaves_nothing_locked_and_nothing_half_done() {
    let world = World::new().await;
    due_cases(&world, 30).await;
    world.freeze(at(URGED)).await;
    let before = count(&world, "SELECT sum(version)::bigint FROM rectifications").await;
    StandingRound::of(&world, replica(&world).await).await.dies(&world).await;
    assert_eq!((orders(&world).await, told(&world).await), (0, 0));
    assert_eq!(count(&world, "SELECT sum(version)::bigint FROM rectifications").await, before);

    assert_eq!(replica(&world).await.fire_batch().await.unwrap(), 30);
    assert_eq!((orders(&world).await, told(&world).await), (30, 30));
    assert_eq!(count(&world, "SELECT max(serial)::bigint FROM urging_orders").await, 30, "its numbers came back too");
}

/// The schedule lived in memory and was lost by a restart. Here every instant is fired by a replica that has just begun, and
/// none of them has seen the case before.
#[tokio::test]
async fn catalogue_05_the_schedule_outlives_every_process() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    for instant in ["2026-03-02T00:30:00Z", "2026-03-04T00:30:00Z", OVERDUE, URGED, "2026-03-13T16:00:00Z"] {
        world.database.set_clock(at(instant)).await;
        assert_eq!(replica(&world).await.fire_batch().await.unwrap(), 1, "at {instant}");
    }
    let kinds: Vec<String> = testkit::events(&world.database)
        .await
        .into_iter()
        .filter(|event| event.aggregate_id == Uuid::from(id))
        .map(|event| event.event_type)
        .collect();
    assert_eq!(
        kinds,
        [
            "deadlines.rectification.opened.v1",
            "deadlines.reminder.due.v1",
            "deadlines.reminder.due.v1",
            "deadlines.item.overdue.v1",
            "deadlines.urging_order.issued.v1",
            "deadlines.step.proposed.v1",
        ]
    );
}

/// The clock moved back and timers were dropped. The clock is the database's; stepped an hour back and forth around every
/// instant, it gives the very same history as one that never stepped: nothing twice, nothing dropped, nothing undone.
#[tokio::test]
async fn catalogue_06_a_clock_that_steps_drops_nothing_and_repeats_nothing() {
    let instants = [
        "2026-03-02T00:30:00Z",
        "2026-03-04T00:30:00Z",
        OVERDUE,
        URGED,
        "2026-03-10T00:30:00Z",
        "2026-03-12T00:30:00Z",
        "2026-03-13T16:00:00Z",
    ];
    let hour = SignedDuration::from_hours(1);
    let mut histories = Vec::new();
    for steps in [false, true] {
        let world = World::new().await;
        world.open(1, &[Severity::Minor], RECEIVED).await;
        for instant in instants {
            let at = at(instant);
            if !steps {
                assert_eq!(world.fire_at(instant).await, 1);
                continue;
            }
            for (moment, fires) in
                [(at - hour, 0), (at, 1), (at - hour, 0), (at, 0), (at + hour, 0), (at - hour, 0), (at, 0)]
            {
                assert_eq!(world.fire_at(&moment.to_string()).await, fires, "{moment} around {instant}");
            }
        }
        assert_proved(&world).await;
        let versions: Vec<(String, i64)> = testkit::events(&world.database)
            .await
            .into_iter()
            .map(|event| (event.event_type, event.aggregate_version))
            .collect();
        histories.push(versions);
    }
    assert_eq!(histories[0], histories[1]);
}

/// Fail-over added minutes. Replicas have no leader that would have to be replaced: one dies a second before the instant with
/// all its connections, and the round of another at the instant itself fires everything, no second late.
#[tokio::test]
async fn catalogue_07_the_death_of_a_replica_delays_nothing() {
    let world = World::new().await;
    due_cases(&world, 30).await;
    let instant = at(URGED);
    let (dies, lives) = (world.database.another_pool().await, replica(&world).await);
    world.freeze(instant - SignedDuration::from_secs(1)).await;
    let dying = deadlines::firing::Firing::new(dies.clone(), std::sync::Arc::clone(&world.rules));
    assert_eq!(dying.fire_batch().await.unwrap(), 0, "a second early");
    dies.pool().close().await;
    dying.fire_batch().await.unwrap_err();

    world.freeze(instant).await;
    assert_eq!(lives.fire_batch().await.unwrap(), 30);
    let late: Vec<i64> = testkit::events_of::<UrgingOrderIssued>(&world.database)
        .await
        .iter()
        .map(|event| event.order().unwrap().lateness_seconds)
        .collect();
    assert_eq!(late, [0; 30]);
}

/// A scheduler gave up after a hundred missed runs. However long the outage, everything overdue fires at the first chance, the
/// longest overdue first, each order says by how much it is late, and what comes next is armed.
#[tokio::test]
async fn catalogue_16_after_an_outage_of_a_year_everything_fires_in_due_order() {
    let world = World::new().await;
    // Not in the order of their limits.
    for (serial, received) in (1..).zip(["2026-02-06T02:00:00Z", "2026-01-12T02:00:00Z", "2026-03-09T02:00:00Z"]) {
        world.open(serial, &[Severity::Minor], received).await;
    }
    let due: Vec<(Uuid, jiff_sqlx::Timestamp)> =
        sqlx::query_as("SELECT rectification_id, due_at FROM timers WHERE kind = 'urge' ORDER BY due_at")
            .fetch_all(world.database.pool())
            .await
            .unwrap();
    world.freeze(at("2027-06-01T02:00:00Z")).await;
    assert_eq!(world.firing().fire_batch().await.unwrap(), 3);
    let orders: Vec<UrgingOrderIssued> = testkit::events_of(&world.database).await;
    let now: Timestamp = at("2027-06-01T02:00:00Z");
    let expected: Vec<(Uuid, i64)> =
        due.into_iter().map(|(id, due_at)| (id, now.duration_since(due_at.to_jiff()).as_secs())).collect();
    let issued: Vec<(Uuid, i64)> = orders
        .iter()
        .map(|event| (event.rectification.rectification_id.into(), event.order().unwrap().lateness_seconds))
        .collect();
    assert_eq!(issued, expected);
    let numbers: Vec<&str> = orders.iter().map(|event| event.order().unwrap().document.doc_no.as_str()).collect();
    assert_eq!(numbers, ["海口教督委督〔2027〕1号", "海口教督委督〔2027〕2号", "海口教督委督〔2027〕3号"]);
    assert_proved(&world).await;
}

/// A digest or a filter for duplicates swallowed a message that only looked like another. One row is one transition: two
/// letters with the same text to one school, with items due on two days, give each its own reminders and its own order; and
/// no row can be written over another.
#[tokio::test]
async fn catalogue_19_nothing_that_looks_alike_is_swallowed() {
    let world = World::new().await;
    let mut cases = Vec::new();
    for _ in 0..2 {
        // The same number too: only the identifiers tell the letters apart.
        cases.push(world.open(1, &[Severity::Minor, Severity::Minor, Severity::Major], RECEIVED).await);
    }
    world.fire_at("2026-03-03T00:00:00Z").await;
    let before = testkit::events_of::<ReminderDue>(&world.database).await.len();
    // One working day before the 5th, three before the 9th.
    assert_eq!(world.fire_at("2026-03-04T00:30:00Z").await, 2);
    let reminders = testkit::events_of::<ReminderDue>(&world.database).await.split_off(before);
    for case in &cases {
        let days: Vec<(String, usize)> = reminders
            .iter()
            .filter(|event| event.rectification.rectification_id == *case)
            .map(|event| (event.due_on.to_string(), event.item_ids.len()))
            .collect();
        assert_eq!(days, [("2026-03-05".to_owned(), 2), ("2026-03-09".to_owned(), 1)]);
    }
    fire_all(&world, URGED).await;
    let orders: Vec<UrgingOrderIssued> = testkit::events_of(&world.database).await;
    let issued: Vec<_> = orders.iter().map(|event| event.rectification.rectification_id).collect();
    assert!(issued.len() == 2 && cases.iter().all(|case| issued.contains(case)), "{issued:?}");

    let twice = sqlx::query(
        "INSERT INTO messaging.journal (event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, payload)
         SELECT event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, payload
         FROM messaging.journal LIMIT 1",
    )
    .execute(world.database.pool())
    .await
    .unwrap_err();
    assert!(twice.as_database_error().unwrap().is_unique_violation(), "{twice}");
    for change in ["UPDATE messaging.journal SET payload = '{}'", "DELETE FROM messaging.journal"] {
        let refused = sqlx::query(change).execute(world.database.pool()).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

//! What the clock does alone: exactly once, whoever fires, whenever.

use std::collections::BTreeSet;

use contracts::deadlines::UrgingOrderIssued;
use domain::severity::Severity;
use http::StatusCode;
use testkit::Call;

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

#[tokio::test]
async fn reminders_then_overdue_then_one_numbered_order_then_the_next_step() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor, Severity::Minor, Severity::Major], RECEIVED).await;
    // Due 5 March (two items) and 9 March. Reminders at 8.30 local, three working days and one before.
    world.fire_at("2026-03-02T00:00:00Z").await; // The third item's own reminder, seven working days before the 9th.
    assert_eq!(world.fire_at("2026-03-02T00:29:30Z").await, 0, "half a minute early, nothing");
    assert_eq!(world.fire_at("2026-03-02T00:30:00Z").await, 1);
    assert_eq!(world.fire_at("2026-03-02T00:30:01Z").await, 0, "once is enough");
    // The last day ends: late from 00:00 on.
    assert_eq!(world.fire_at("2026-03-05T16:00:00Z").await, 1);
    // One working day later, at its end, the order: it lists the two, and not the one that is due on the 9th.
    world.fire_at("2026-03-06T15:59:30Z").await; // Another reminder of the third item, and nothing else.
    assert!(testkit::events_of::<UrgingOrderIssued>(&world.database).await.is_empty());
    assert_eq!(world.fire_at("2026-03-06T16:00:00Z").await, 1);

    let orders = testkit::events_of::<UrgingOrderIssued>(&world.database).await;
    assert_eq!(orders.len(), 1);
    let order = &orders[0];
    assert_eq!(order.order().unwrap().document.doc_no, "海口教督委督〔2026〕1号");
    assert_eq!(order.order().unwrap().items.iter().map(|item| item.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(order.order().unwrap().copy_to.as_deref(), Some("海口市教育局"));
    assert_eq!(order.next_step.level, 2);
    assert!(order.order().unwrap().lateness_seconds < 5, "{}", order.order().unwrap().lateness_seconds);
    // Five working days from Saturday 7 March.
    assert!(order.order().unwrap().items.iter().all(|item| item.due_on.to_string() == "2026-03-13"));

    let shown = Call::get(&format!("/v1/urging-orders/{}", order.order().unwrap().urging_order_id))
        .by(&world.principal)
        .send(&world.router)
        .await;
    let shown = shown.expect(StatusCode::OK).json;
    assert_eq!(shown["content"]["body"]["urging_order"]["late_items"].as_array().unwrap().len(), 2);
    assert_eq!(shown["content"]["head"]["copies"][0], "海口市教育局");

    let view = world.view(id).await;
    assert_eq!(view["rectification"]["items"][0]["late"], true);
    assert_eq!(view["rectification"]["items"][0]["urging_order_no"], "海口教督委督〔2026〕1号");
    assert_eq!(view["rectification"]["items"][2]["late"], false);

    // Under an order an item stays late for everyone, although the order's limit still runs.
    let list = Call::get("/v1/rectifications?state=late")
        .by(&world.principal)
        .send(&world.router)
        .await
        .expect(StatusCode::OK)
        .json;
    assert_eq!(list["items"][0]["late_items"], 2, "{list}");

    // The order's own limit passes: an interview is proposed, nothing more happens by itself.
    world.fire_at("2026-03-13T16:00:00Z").await;
    let types = world.types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "deadlines.step.proposed.v1").count(), 1);
}

#[tokio::test]
async fn a_late_report_before_the_order_is_marked_late_and_stops_the_order() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.database.set_clock("2026-03-06T02:00:00Z".parse().unwrap()).await;
    let view = world.report(id, 0).await;
    assert_eq!(view["rectification"]["items"][0]["late"], true);
    world.fire_at("2026-03-20T00:00:00Z").await;
    assert!(testkit::events_of::<UrgingOrderIssued>(&world.database).await.is_empty());
}

#[tokio::test]
async fn after_a_long_outage_everything_overdue_fires_and_says_how_late_it_is() {
    let world = World::new().await;
    world.open(1, &[Severity::Minor], RECEIVED).await;
    world.fire_at("2026-03-20T16:00:00Z").await;
    let orders = testkit::events_of::<UrgingOrderIssued>(&world.database).await;
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].order().unwrap().lateness_seconds / 86_400, 14);
    // A power cut forgives nothing and adds nothing: the new limit counts from the order.
    assert!(orders[0].order().unwrap().items[0].due_on.to_string().as_str() > "2026-03-20");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_at_once_fire_a_storm_exactly_once_and_number_it_without_gaps() {
    let world = World::new().await;
    for serial in 1..=600 {
        world.open(serial, &[Severity::Minor, Severity::Minor], RECEIVED).await;
    }
    world.database.set_clock("2026-03-06T16:00:00Z".parse().unwrap()).await;
    let mut replicas = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let firing = world.firing();
        replicas.spawn(async move {
            let mut taken = 0;
            loop {
                match firing.fire_batch().await.unwrap() {
                    0 => return taken,
                    more => taken += more,
                }
            }
        });
    }
    assert_eq!(replicas.join_all().await.into_iter().sum::<usize>(), 600);

    let orders = testkit::events_of::<UrgingOrderIssued>(&world.database).await;
    assert_eq!(orders.len(), 600);
    let numbers: BTreeSet<i32> = sqlx::query_scalar("SELECT serial FROM urging_orders")
        .fetch_all(world.database.pool())
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(numbers, (1..=600).collect());
    // Both items of each letter stand on exactly one order.
    let (items, once): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(*) FILTER (WHERE urging_orders = 1) FROM items")
            .fetch_one(world.database.pool())
            .await
            .unwrap();
    assert_eq!((items, once), (1200, 1200));
    // Every open rectification has its next step armed.
    let unarmed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM rectifications WHERE closed_at IS NULL AND next_timer_at IS NULL")
            .fetch_one(world.database.pool())
            .await
            .unwrap();
    assert_eq!(unarmed, 0);
}

#[tokio::test]
async fn one_case_that_cannot_be_decided_is_set_aside_and_the_others_fire() {
    let world = World::new().await;
    let bad = world.open(1, &[Severity::Minor], RECEIVED).await;
    for serial in 2..=4 {
        world.open(serial, &[Severity::Minor], RECEIVED).await;
    }
    sqlx::query(
        "UPDATE rectifications SET state = replace(state, '\"hainan-2021.1\"', '\"gone\"') WHERE rectification_id = $1",
    )
    .bind(uuid::Uuid::from(bad))
    .execute(world.database.pool())
    .await
    .unwrap();
    assert_eq!(world.fire_at("2026-03-06T16:00:00Z").await, 4);
    assert_eq!(testkit::events_of::<UrgingOrderIssued>(&world.database).await.len(), 3);
    let cause: String = sqlx::query_scalar("SELECT stuck_cause FROM rectifications WHERE stuck_at IS NOT NULL")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    assert!(cause.contains("rulebook version gone"), "{cause}");
    assert_eq!(world.firing().fire_batch().await.unwrap(), 0, "it is not tried again at once");

    // Mended, it fires after its minute, with its order.
    sqlx::query(
        "UPDATE rectifications SET state = replace(state, '\"gone\"', '\"hainan-2021.1\"') WHERE rectification_id = $1",
    )
    .bind(uuid::Uuid::from(bad))
    .execute(world.database.pool())
    .await
    .unwrap();
    assert_eq!(world.fire_at("2026-03-06T16:02:00Z").await, 1);
    assert_eq!(testkit::events_of::<UrgingOrderIssued>(&world.database).await.len(), 4);
}

#[tokio::test]
async fn a_roll_back_takes_the_number_back() {
    let world = World::new().await;
    world.open(1, &[Severity::Minor], RECEIVED).await;
    world.database.set_clock("2026-03-06T16:00:00Z".parse().unwrap()).await;
    // The journal refuses: the whole round fails.
    sqlx::query(
        "ALTER TABLE messaging.journal ADD CONSTRAINT no CHECK (event_type <> 'deadlines.urging_order.issued.v1')",
    )
    .execute(world.database.pool())
    .await
    .unwrap();
    world.firing().fire_batch().await.unwrap_err();
    let orders: i64 =
        sqlx::query_scalar("SELECT count(*) FROM urging_orders").fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(orders, 0);
    sqlx::query("ALTER TABLE messaging.journal DROP CONSTRAINT no").execute(world.database.pool()).await.unwrap();
    assert_eq!(world.firing().fire_batch().await.unwrap(), 1);
    assert_eq!(
        testkit::events_of::<UrgingOrderIssued>(&world.database).await[0].order().unwrap().document.doc_no,
        "海口教督委督〔2026〕1号"
    );
}

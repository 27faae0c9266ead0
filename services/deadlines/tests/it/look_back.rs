//! Look-backs (回头看, measure 11): due by the clock, done by an inspector, and a problem that is back begins anew.

use contracts::deadlines::UrgingOrderIssued;
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

/// A major finding, closed on 10 February: its look-back is due in three months.
async fn closed() -> (World, domain::ids::RectificationId) {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Major], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    world.verified_by(&world.principal, id, 0).await;
    let view = world.does(&world.admin, id, 0, "close-out", &json!({})).await.expect(StatusCode::OK).json;
    assert!(view["rectification"]["closed_at"].is_string());
    assert_eq!(view["detail"][0]["look_backs"][0]["state"], "armed");
    (world, id)
}

fn found(solved: bool) -> Value {
    json!({"decision": if solved { "accept" } else { "return" }, "note": if solved { "未反弹" } else { "通道再次堵塞" }})
}

#[tokio::test]
async fn a_look_back_comes_due_and_finds_the_problem_solved() {
    let (world, id) = closed().await;
    let early = world.does(&world.inspector, id, 0, "look-back", &found(true)).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(early["current_state"], "no_look_back");
    assert!(early["detail"].as_str().unwrap().contains("2026年5月"), "{early}");
    world.fire_at("2026-05-11T16:00:00Z").await;
    let view = world.view(id).await;
    assert_eq!(view["detail"][0]["look_backs"][0]["state"], "due");
    assert_eq!(view["rectification"]["items"][0]["phase"], "lookback_due");
    assert!(view["rectification"]["closed_at"].is_string(), "a case that is looked back at stays closed");
    for who in [&world.admin, &world.principal, &world.desk] {
        world.does(who, id, 0, "look-back", &found(true)).await.expect(StatusCode::FORBIDDEN);
    }
    // An inspector of the school itself, and the head of the school as an inspector.
    let mut colleague = world.inspector.clone();
    colleague.unit_id = Some(world.school);
    let mut head = world.principal.clone();
    head.grants.extend(world.inspector.grants.clone());
    for who in [&colleague, &head] {
        let own = world.does(who, id, 0, "look-back", &found(true)).await.expect(StatusCode::CONFLICT);
        assert!(own.json["type"].as_str().unwrap().ends_with("/separation-of-duties"));
    }
    for _ in 0..2 {
        let view = world.does(&world.inspector, id, 0, "look-back", &found(true)).await.expect(StatusCode::OK).json;
        assert_eq!(view["detail"][0]["look_backs"][0]["state"], "passed");
        assert_eq!(view["detail"][0]["look_backs"][0]["finding"]["by"], world.inspector.display_name.as_str());
    }
    assert_eq!(world.changes(id).await, ["look_back_due", "look_back_passed"]);
    assert_eq!(world.armed(id).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_problem_that_is_back_opens_the_item_anew_up_to_a_new_order() {
    let (world, id) = closed().await;
    world.fire_at("2026-05-11T16:00:00Z").await;
    let view = world.does(&world.inspector, id, 0, "look-back", &found(false)).await.expect(StatusCode::OK).json;
    let item = &view["rectification"]["items"][0];
    assert_eq!((&item["state"], &item["reopened"], &item["late"]), (&json!("in_progress"), &json!(1), &json!(false)));
    assert_eq!(view["rectification"]["closed_at"], Value::Null, "the case is open again");
    assert_eq!(view["detail"][0]["limits"].as_array().unwrap().last().unwrap()["basis"], "reopened");
    assert_eq!(view["detail"][0]["look_backs"][0]["state"], "failed");
    // The same again is the same.
    world.does(&world.inspector, id, 0, "look-back", &found(false)).await.expect(StatusCode::OK);
    assert_eq!(world.changes(id).await, ["look_back_due", "item_reopened"]);

    let due_at: jiff::Timestamp = item["due_at"].as_str().unwrap().parse().unwrap();
    world.fire_at(&due_at.to_string()).await;
    assert_eq!(world.count("deadlines.item.overdue.v1").await, 1);
    assert_eq!(world.view(id).await["rectification"]["items"][0]["late"], true);
    world.fire_at(&(due_at + jiff::SignedDuration::from_hours(24 * 5)).to_string()).await;
    let orders = testkit::events_of::<UrgingOrderIssued>(&world.database).await;
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].rectification.items[0].reopened, 1);
    // It ends as it ended before, with a closing of its own and a look-back of its own.
    world.verified_by(&world.principal, id, 0).await;
    let view = world.does(&world.admin, id, 0, "close-out", &json!({})).await.expect(StatusCode::OK).json;
    assert!(view["rectification"]["closed_at"].is_string());
    assert_eq!(view["detail"][0]["look_backs"].as_array().unwrap().len(), 2);
    assert_eq!(world.count("deadlines.rectification.closed.v1").await, 2);
}

#[tokio::test]
async fn a_visit_that_is_not_made_is_called_to_mind() {
    let (world, id) = closed().await;
    world.fire_at("2026-05-11T16:00:00Z").await;
    world.fire_at("2026-06-30T16:00:00Z").await;
    world.fire_at("2026-07-31T16:00:00Z").await;
    assert_eq!(world.changes(id).await, ["look_back_due", "duty_overdue", "duty_overdue"]);
}

//! The ladder above the urging order (约谈、通报、问责): the clock proposes, people decide, the clock goes on.

use contracts::deadlines::StepProposed;
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

async fn takes(
    world: &World,
    who: &access::Caller,
    id: domain::ids::RectificationId,
    proposal: &str,
) -> testkit::Answer {
    world.does_to_case(who, id, &format!("steps/{proposal}/decision"), &json!({"note": "已约谈主要负责人"})).await
}

fn newest(view: &Value) -> (i64, String) {
    let step = view["rectification"]["steps"].as_array().unwrap().last().unwrap();
    (step["level"].as_i64().unwrap(), step["proposal_id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_step_taken_gives_a_new_limit_and_then_the_next_step_up_to_the_chair() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let interview = world.at_level_two(id).await;
    world.database.set_clock("2026-03-16T02:00:00Z".parse().unwrap()).await;
    for who in [&world.desk, &world.inspector, &world.principal] {
        takes(&world, who, id, &interview).await.expect(StatusCode::FORBIDDEN);
    }
    let stale = World::act_on_case(
        id,
        &json!({"rectification": {"version": 99}}),
        &format!("steps/{interview}/decision"),
        &json!({"note": "已约谈"}),
    );
    stale.by(&world.admin).send(&world.router).await.expect(StatusCode::PRECONDITION_FAILED);
    let view = takes(&world, &world.admin, id, &interview).await.expect(StatusCode::OK).json;
    let step = &view["rectification"]["steps"][0];
    assert_eq!((&step["state"], &step["note"]), (&json!("taken"), &json!("已约谈主要负责人")));
    // Ten working days from Tuesday the 17th.
    assert_eq!(view["rectification"]["items"][0]["due_on"], "2026-03-30");
    assert_eq!(view["detail"][0]["limits"].as_array().unwrap().last().unwrap()["basis"], "step");
    // The same again is the same; by another it has been decided.
    takes(&world, &world.admin, id, &interview).await.expect(StatusCode::OK);
    let decided = takes(&world, &world.second_admin, id, &interview).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(decided["current_state"], "decided");
    takes(&world, &world.admin, id, &uuid::Uuid::now_v7().to_string()).await.expect(StatusCode::NOT_FOUND);

    let version = view["rectification"]["version"].clone();
    // The limit has passed, its reminders come too late: they tell nobody anything, and there is no version to wait for.
    world.fire_at("2026-03-30T16:00:00Z").await;
    let view = world.view(id).await;
    assert_eq!(newest(&view).0, 2, "one working day of grace");
    assert_eq!(view["rectification"]["version"], version);
    assert!(!world.armed(id).await.iter().any(|timer| timer.starts_with("reminder@")));
    world.fire_at("2026-03-31T16:00:00Z").await;
    let (level, circular) = newest(&world.view(id).await);
    assert_eq!(level, 3);
    let view = takes(&world, &world.admin, id, &circular).await.expect(StatusCode::OK).json;
    let due_at: jiff::Timestamp = view["rectification"]["items"][0]["due_at"].as_str().unwrap().parse().unwrap();
    world.fire_at(&(due_at + jiff::SignedDuration::from_hours(24 * 8)).to_string()).await;
    let (level, accountability) = newest(&world.view(id).await);
    assert_eq!(level, 4);
    let not_his = takes(&world, &world.admin, id, &accountability).await.expect(StatusCode::FORBIDDEN).json;
    assert!(not_his["detail"].as_str().unwrap().contains("督导委员会主任"), "{not_his}");
    // A chair of another county who is an admin here has no chair's vote here.
    let mut elsewhere = world.admin.clone();
    elsewhere.grants.push(access::Grant {
        role: access::Role::CommitteeChair,
        area_id: Some(uuid::Uuid::now_v7().into()),
        unit_id: None,
    });
    takes(&world, &elsewhere, id, &accountability).await.expect(StatusCode::FORBIDDEN);
    takes(&world, &world.chair, id, &accountability).await.expect(StatusCode::OK);
    // The department's own case climbs a ladder of its own.
    let proposed = testkit::events_of::<StepProposed>(&world.database).await;
    let own = proposed.iter().filter(|event| event.rectification.rectification_id == id);
    let levels: Vec<i16> = own.map(|event| event.level).collect();
    assert_eq!(levels, [2, 3, 4]);
}

#[tokio::test]
async fn a_step_lifted_is_proposed_again_when_its_limit_passes() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let interview = world.at_level_two(id).await;
    let lift = json!({"subject": "lift", "proposal_id": interview, "reason": "校长已调离，新任校长正在整改"});
    let (view, request) = world.asks(&world.principal, id, &lift).await;
    assert_eq!(view["rectification"]["requests"][0]["wish"], "解除约谈");
    let view = world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK).json;
    assert_eq!(view["rectification"]["steps"][0]["state"], "lifted");
    assert_eq!(view["detail"][0]["limits"].as_array().unwrap().last().unwrap()["basis"], "lifted");
    let taken = takes(&world, &world.admin, id, &interview).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(taken["current_state"], "decided");
    let again = world.does_to_case(&world.principal, id, "requests", &lift).await.expect(StatusCode::CONFLICT);
    assert_eq!(again.json["current_state"], "decided");
    let due_at = view["rectification"]["items"][0]["due_at"].as_str().unwrap().to_owned();
    world.fire_at(&due_at).await;
    let (level, proposal) = newest(&world.view(id).await);
    assert_eq!(level, 2);
    assert_ne!(proposal, interview);
    assert!(world.changes(id).await.contains(&"step_lifted"));
}

#[tokio::test]
async fn an_undecided_step_is_called_to_mind() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let interview = world.at_level_two(id).await;
    // Ten working days from Saturday the 14th.
    world.fire_at("2026-03-27T16:00:00Z").await;
    assert!(world.changes(id).await.contains(&"duty_overdue"));
    takes(&world, &world.chair, id, &interview).await.expect(StatusCode::OK);
    assert!(!world.armed(id).await.iter().any(|timer| timer.starts_with("step_decision@")));
}

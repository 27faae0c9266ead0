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

/// The ladder says who decides a step (measure 15); lifting it and refusing to lift it ask for the same standing.
#[tokio::test]
async fn what_only_the_chair_decides_only_the_chair_lifts() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.at_level_two(id).await;
    for level in [2, 3] {
        let (proposed, proposal) = newest(&world.view(id).await);
        assert_eq!(proposed, level);
        let view = takes(&world, &world.admin, id, &proposal).await.expect(StatusCode::OK).json;
        let due_at: jiff::Timestamp = view["rectification"]["items"][0]["due_at"].as_str().unwrap().parse().unwrap();
        world.fire_at(&(due_at + jiff::SignedDuration::from_hours(24 * 8)).to_string()).await;
    }
    let (level, accountability) = newest(&world.view(id).await);
    assert_eq!(level, 4);
    let lift = json!({"subject": "lift", "proposal_id": accountability, "reason": "已有实质进展"});
    let (_, request) = world.asks(&world.principal, id, &lift).await;
    for granted in [true, false] {
        let refused = world.decides(&world.admin, id, &request, granted).await.expect(StatusCode::FORBIDDEN).json;
        assert!(refused["detail"].as_str().unwrap().contains("解除申请"), "{refused}");
    }
    // Every other request is the office's, and not the chair's.
    let item_id = world.view(id).await["rectification"]["items"][0]["item_id"].clone();
    let waiver = json!({"subject": "waiver", "item_id": item_id, "reason": "校区已撤并"});
    let (_, other) = world.asks(&world.principal, id, &waiver).await;
    let not_his = world.decides(&world.chair, id, &other, true).await.expect(StatusCode::FORBIDDEN).json;
    assert!(not_his["detail"].as_str().unwrap().contains("由督导机构审批"), "{not_his}");
    world.decides(&world.admin, id, &other, false).await.expect(StatusCode::OK);
    let view = world.decides(&world.chair, id, &request, true).await.expect(StatusCode::OK).json;
    assert_eq!(view["rectification"]["steps"].as_array().unwrap().last().unwrap()["state"], "lifted");
}

/// Closed before anybody decided: the step ends, the request to lift it too, and no clock of them is left.
#[tokio::test]
async fn a_step_and_a_request_end_with_the_item_that_they_are_about() {
    let world = World::new().await;
    let mut letter = world.letter(1, &[Severity::Minor, Severity::Serious]);
    (letter.unit.competent_unit_id, letter.unit.competent_unit_name) = (None, None);
    world.hear(&letter).await.unwrap();
    world.hear(&world.receipt(&letter, RECEIVED.parse().unwrap())).await.unwrap();
    let id = domain::rectification::Rectification::id_of(letter.letter_id);
    let interview = world.at_level_two(id).await;
    let lift = json!({"subject": "lift", "proposal_id": interview, "reason": "正在整改"});
    world.asks(&world.principal, id, &lift).await;
    world.verified_by(&world.principal, id, 0).await;
    let close = json!({"opinion": "同意销号"});
    let view = world.does(&world.admin, id, 0, "close-out", &close).await.expect(StatusCode::OK).json;
    let step = &view["rectification"]["steps"][0];
    assert_eq!((&step["state"], &step["note"]), (&json!("moot"), &Value::Null));
    assert!(step["decided_at"].is_string(), "{step}");
    assert!(view["rectification"]["requests"].as_array().is_none_or(Vec::is_empty), "{view}");
    assert_eq!(view["rectification"]["closed_at"], Value::Null, "the other item goes on");
    let waits = |timer: &String| timer.starts_with("step_decision@") || timer.starts_with("request_decision@");
    assert!(!world.armed(id).await.iter().any(waits));
    assert!(world.changes(id).await.ends_with(&["step_moot", "request_moot"]));
    let taken = takes(&world, &world.admin, id, &interview).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(taken["current_state"], "moot");
    let mut tx = world.database.begin().await.unwrap();
    let now = tx.at();
    let proof = clockwork::invariants::prove(&mut tx, now).await.unwrap();
    assert!(proof.holds(), "{proof:?}");
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

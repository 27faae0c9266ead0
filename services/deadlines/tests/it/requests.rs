//! Requests (申请): one asks, another decides, and the clocks follow.

use access::Role;
use contracts::deadlines::{RectificationClosed, ReminderDue, UrgingOrderIssued};
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Call;

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

fn item(view: &Value, index: usize) -> &str {
    view["rectification"]["items"][index]["item_id"].as_str().unwrap()
}

fn extension(view: &Value, working_days: u16) -> Value {
    json!({"subject": "extension", "item_id": item(view, 0), "period": {"working_days": working_days}, "reason": "设备采购需要时间"})
}

#[tokio::test]
async fn an_extension_moves_the_day_with_a_new_proof_sheet_and_new_reminders() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let before = world.view(id).await;
    assert_eq!(before["rectification"]["items"][0]["due_on"], "2026-03-05");
    let (view, request) = world.asks(&world.principal, id, &extension(&before, 5)).await;
    let asked = &view["rectification"]["requests"][0];
    assert_eq!((&asked["subject"], &asked["wish"]), (&json!("extension"), &json!("延长5个工作日")), "{asked}");
    assert_eq!(asked["requested_by"], world.principal.display_name.as_str());
    assert_eq!(view["rectification"]["items"][0]["due_on"], "2026-03-05", "asked is not granted");

    // The same again is the same; another one on the same item waits its turn.
    let (again, _) = world.asks(&world.principal, id, &extension(&before, 5)).await;
    assert_eq!(again["rectification"]["version"], view["rectification"]["version"]);
    let second = world.does_to_case(&world.desk, id, "requests", &extension(&before, 3)).await;
    let pending = second.expect(StatusCode::CONFLICT).json;
    assert_eq!(
        (&pending["current_state"], &pending["pending_requests"]),
        (&json!("request_pending"), &json!([request]))
    );

    // Nobody who may not decide, and not with an old version.
    for who in [&world.principal, &world.desk, &world.inspector] {
        world.decides(who, id, &request, true).await.expect(StatusCode::FORBIDDEN);
    }
    let path = format!("requests/{request}/decision");
    let stale = World::act_on_case(id, &before, &path, &json!({"granted": true})).by(&world.admin);
    stale.send(&world.router).await.expect(StatusCode::PRECONDITION_FAILED);

    let key = "granted-once-and-for-all";
    let call = || {
        World::act_on_case(id, &again, &path, &json!({"granted": true}))
            .header("Idempotency-Key", key)
            .by(&world.admin)
            .send(&world.router)
    };
    let first = call().await.expect(StatusCode::OK);
    let replayed = call().await.expect(StatusCode::OK);
    assert_eq!(first.bytes, replayed.bytes);
    let view = first.json;
    let extended = &view["rectification"]["items"][0];
    assert_eq!((&extended["due_on"], &extended["extensions"]), (&json!("2026-03-12"), &json!(1)));
    assert_eq!(extended["first_due_on"], "2026-03-05");
    assert_ne!(extended["deadline_id"], before["rectification"]["items"][0]["deadline_id"]);
    let bases: Vec<_> = view["detail"][0]["limits"].as_array().unwrap().iter().map(|limit| &limit["basis"]).collect();
    assert_eq!(bases, ["letter", "extended"]);
    let deadline = format!("/v1/deadlines/{}", extended["deadline_id"].as_str().unwrap());
    let proof = Call::get(&deadline).by(&world.principal).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((&proof["basis"], &proof["due_on"]), (&json!("extended"), &json!("2026-03-12")));
    let decided = world.decides(&world.second_admin, id, &request, false).await;
    decided.expect(StatusCode::NOT_FOUND);

    // Nothing of the old day acts any more; the new day has its own reminders.
    world.fire_at("2026-03-06T16:00:00Z").await;
    assert!(testkit::events_of::<ReminderDue>(&world.database).await.is_empty());
    assert!(testkit::events_of::<UrgingOrderIssued>(&world.database).await.is_empty());
    assert_eq!(world.fire_at("2026-03-09T00:30:00Z").await, 1);
    let reminders = testkit::events_of::<ReminderDue>(&world.database).await;
    assert_eq!(reminders[0].due_on.to_string(), "2026-03-12");
    assert_eq!(world.fire_at("2026-03-12T16:00:00Z").await, 1);
    assert_eq!(world.count("deadlines.item.overdue.v1").await, 1);
    assert_eq!(world.changes(id).await, ["request_made", "request_decided", "item_extended"]);
}

#[tokio::test]
async fn nobody_decides_his_own_request() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let view = world.view(id).await;
    let (_, request) = world.asks(&world.admin, id, &extension(&view, 5)).await;
    let own = world.decides(&world.admin, id, &request, true).await.expect(StatusCode::CONFLICT).json;
    assert!(own["type"].as_str().unwrap().ends_with("/separation-of-duties"), "{own}");
    assert!(own["detail"].as_str().unwrap().contains("申请人不得审批自己的申请"), "{own}");
    // Nor what his own school asks for.
    let mut colleague = world.second_admin.clone();
    colleague.unit_id = Some(world.school);
    world.decides(&colleague, id, &request, true).await.expect(StatusCode::CONFLICT);
    let silent = json!({"granted": false});
    let unsaid = world.does_to_case(&world.second_admin, id, &format!("requests/{request}/decision"), &silent).await;
    assert_eq!(unsaid.expect(StatusCode::UNPROCESSABLE_ENTITY).json["errors"][0]["pointer"], "/note");
    world.decides(&world.second_admin, id, &request, false).await.expect(StatusCode::OK);
    assert_eq!(world.view(id).await["rectification"]["items"][0]["due_on"], "2026-03-05");
}

#[tokio::test]
async fn an_extension_is_refused_too_long_too_often_and_too_late() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor, Severity::Minor], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let view = world.view(id).await;
    let refused = async |body: &Value, status: StatusCode| {
        world.does_to_case(&world.principal, id, "requests", body).await.expect(status).json
    };
    let long = refused(&extension(&view, 90), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(long["errors"][0]["pointer"], "/period");
    assert!(long["errors"][0]["detail"].as_str().unwrap().contains("30日"), "{long}");
    for (body, pointer) in [
        (json!({"subject": "waiver", "item_id": item(&view, 0), "reason": "  "}), "/reason"),
        (json!({"subject": "waiver", "item_id": item(&view, 0), "reason": ""}), "/reason"),
        (json!({"subject": "pause", "pause": "school_holiday", "until": "2026-12-31", "reason": "放假"}), "/until"),
        (json!({"subject": "pause", "pause": "school_holiday", "until": "2026-02-09", "reason": "放假"}), "/until"),
    ] {
        let problem = refused(&body, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    for nonsense in [
        json!({"subject": "holiday", "reason": "放假"}),
        json!({"subject": "extension", "item_id": item(&view, 0), "reason": "没有期间"}),
        json!({"subject": "resume", "reason": "多余", "until": "2026-03-01"}),
    ] {
        refused(&nonsense, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let unknown = json!({"subject": "waiver", "item_id": uuid::Uuid::now_v7(), "reason": "无"});
    refused(&unknown, StatusCode::NOT_FOUND).await;
    refused(&json!({"subject": "lift", "proposal_id": uuid::Uuid::now_v7(), "reason": "无"}), StatusCode::NOT_FOUND)
        .await;
    assert_eq!(
        refused(&json!({"subject": "resume", "reason": "无"}), StatusCode::CONFLICT).await["current_state"],
        "not_paused"
    );

    let (_, request) = world.asks(&world.principal, id, &extension(&view, 5)).await;
    world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK);
    let often = refused(&extension(&view, 5), StatusCode::CONFLICT).await;
    assert_eq!(often["current_state"], "no_more_extensions");

    // Asked in time for the second item, and not decided in time: it can only be refused.
    let second =
        json!({"subject": "extension", "item_id": item(&view, 1), "period": {"working_days": 5}, "reason": "需要时间"});
    let (_, request) = world.asks(&world.principal, id, &second).await;
    world.database.set_clock("2026-03-05T16:00:01Z".parse().unwrap()).await;
    let late = world.decides(&world.admin, id, &request, true).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(late["current_state"], "limit_passed");
    assert!(late["detail"].as_str().unwrap().contains("不予批准"), "{late}");
    world.decides(&world.admin, id, &request, false).await.expect(StatusCode::OK);
    let passed = refused(&second, StatusCode::CONFLICT).await;
    assert!(passed["detail"].as_str().unwrap().contains("免于整改"), "names the remedy: {passed}");
}

#[tokio::test]
async fn a_pause_stops_the_clock_and_ends_by_itself() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    // Two working days are left after Tuesday the 3rd: the 4th and the 5th.
    world.database.set_clock("2026-03-03T02:00:00Z".parse().unwrap()).await;
    let pause = json!({"subject": "pause", "pause": "disaster", "until": "2026-03-13", "reason": "台风"});
    let (_, request) = world.asks(&world.desk, id, &pause).await;
    let view = world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK).json;
    assert_eq!(view["rectification"]["paused_until"], "2026-03-13T16:00:00Z");
    assert_eq!(view["rectification"]["items"][0]["phase"], "paused");
    let stop = &view["suspensions"][0];
    assert_eq!((&stop["reason_zh"], &stop["note"]), (&json!("自然灾害等不可抗力"), &json!("台风")));
    assert_eq!(stop["requested_by"], world.desk.display_name.as_str());
    assert_eq!(stop["approved_by"], world.admin.display_name.as_str());
    assert_eq!(world.armed(id).await, ["resume@2026-03-13T16:00:00Z"]);

    let twice = world.does_to_case(&world.principal, id, "requests", &pause).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(twice["current_state"], "paused");
    let extension = world.does_to_case(&world.principal, id, "requests", &extension(&view, 5)).await;
    assert_eq!(extension.expect(StatusCode::CONFLICT).json["current_state"], "paused");

    assert_eq!(world.fire_at("2026-03-10T16:00:00Z").await, 0, "the old day passes and nothing happens");
    assert_eq!(world.fire_at("2026-03-13T16:00:00Z").await, 1);
    let view = world.view(id).await;
    assert_eq!(view["rectification"]["paused_until"], Value::Null);
    assert_eq!(view["suspensions"][0]["ended_at"], "2026-03-13T16:00:00Z");
    let due_on = view["rectification"]["items"][0]["due_on"].as_str().unwrap();
    assert!(due_on > "2026-03-13", "{due_on}");
    assert_eq!(view["detail"][0]["limits"][1]["adjusted"], "resumed");
    let due_at = view["rectification"]["items"][0]["due_at"].as_str().unwrap().to_owned();
    world.fire_at(&due_at).await;
    assert_eq!(world.count("deadlines.item.overdue.v1").await, 1);
    assert_eq!(world.changes(id).await, ["request_made", "request_decided", "paused", "resumed"]);
}

#[tokio::test]
async fn a_pause_ends_early_by_a_request_of_its_own() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.database.set_clock("2026-03-03T02:00:00Z".parse().unwrap()).await;
    let pause =
        json!({"subject": "pause", "pause": "other_office", "until": "2026-04-30", "reason": "等待规划部门批复"});
    let (_, request) = world.asks(&world.principal, id, &pause).await;
    world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK);
    world.database.set_clock("2026-03-10T02:00:00Z".parse().unwrap()).await;
    let resume = json!({"subject": "resume", "reason": "批复已下达"});
    let (_, request) = world.asks(&world.principal, id, &resume).await;
    let view = world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK).json;
    assert_eq!(view["rectification"]["paused_until"], Value::Null);
    let due_on = view["rectification"]["items"][0]["due_on"].as_str().unwrap();
    assert!(("2026-03-11".."2026-03-16").contains(&due_on), "about a week later: {due_on}");
    assert_eq!(world.armed(id).await.iter().filter(|timer| timer.starts_with("resume@")).count(), 0);
}

#[tokio::test]
async fn a_waiver_of_the_last_item_completes_the_case() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor, Severity::Major], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let view = world.view(id).await;
    for index in [0, 1] {
        let waiver = json!({"subject": "waiver", "item_id": item(&view, index), "reason": "校舍已停用"});
        let (_, request) = world.asks(&world.principal, id, &waiver).await;
        let view = world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK).json;
        assert_eq!(view["rectification"]["items"][index]["state"], "waived");
        assert_eq!(view["detail"][index]["waiver"]["requested_by"], world.principal.display_name.as_str());
        assert_eq!(view["detail"][index]["waiver"]["approved_by"], world.admin.display_name.as_str());
        assert_eq!(view["rectification"]["closed_at"].is_string(), index == 1);
    }
    assert_eq!(testkit::events_of::<RectificationClosed>(&world.database).await.len(), 1);
    assert_eq!(world.armed(id).await, Vec::<String>::new());
    world.fire_at("2026-12-01T00:00:00Z").await;
    assert!(testkit::events_of::<UrgingOrderIssued>(&world.database).await.is_empty());
}

#[tokio::test]
async fn an_undecided_request_is_called_to_mind_until_somebody_decides() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Serious], RECEIVED).await;
    world.database.set_clock("2026-03-02T02:00:00Z".parse().unwrap()).await;
    let view = world.view(id).await;
    let (view, request) = world.asks(&world.principal, id, &extension(&view, 5)).await;
    // Three working days.
    assert_eq!(view["rectification"]["requests"][0]["decide_by"], "2026-03-05T16:00:00Z");
    world.fire_at("2026-03-05T16:00:00Z").await;
    world.fire_at("2026-03-13T16:00:00Z").await;
    let overdue = |changes: Vec<&str>| changes.iter().filter(|kind| **kind == "duty_overdue").count();
    assert_eq!(overdue(world.changes(id).await), 2);
    world.decides(&world.admin, id, &request, false).await.expect(StatusCode::OK);
    world.fire_at("2026-03-31T16:00:00Z").await;
    assert_eq!(overdue(world.changes(id).await), 2);
}

#[tokio::test]
async fn a_request_is_for_ones_own_unit_and_within_ones_own_area() {
    let world = World::new().await;
    let mut letter = world.letter(1, &[Severity::Minor, Severity::Minor]);
    // The second finding is another unit's to solve.
    let logistics: domain::ids::UnitId = uuid::Uuid::now_v7().into();
    letter.findings[1].responsible_unit_id = logistics;
    world.hear(&letter).await.unwrap();
    world.hear(&world.receipt(&letter, RECEIVED.parse().unwrap())).await.unwrap();
    let id = domain::rectification::Rectification::id_of(letter.letter_id);
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let view = world.view(id).await;
    let waiver = |index| json!({"subject": "waiver", "item_id": item(&view, index), "reason": "无"});
    let pause = json!({"subject": "pause", "pause": "disaster", "until": "2026-02-20", "reason": "台风"});
    let responsible = testkit::caller(Role::UnitPrincipal, None, Some(logistics));
    for body in [&waiver(0), &pause] {
        world.does_to_case(&responsible, id, "requests", body).await.expect(StatusCode::FORBIDDEN);
    }
    world.does_to_case(&responsible, id, "requests", &waiver(1)).await.expect(StatusCode::OK);
    let elsewhere = testkit::caller(Role::CountyOfficeAdmin, Some(uuid::Uuid::now_v7().into()), None);
    let department = &world.department;
    for who in [&elsewhere, department, &world.inspector, &world.chair] {
        world.does_to_case(who, id, "requests", &waiver(0)).await.expect(StatusCode::FORBIDDEN);
    }
}

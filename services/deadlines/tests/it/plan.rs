//! Plans and progress (整改方案、整改进展): the unit writes, another person judges, the clock watches both.

use access::Role;
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

fn plan(text: &str) -> Value {
    json!({"text": text, "measures": [
        {"what": "更换灭火器", "responsible": "总务处", "until": "2026-02-20", "standard": "全部在有效期内"}
    ]})
}

#[tokio::test]
async fn a_plan_is_handed_in_returned_bettered_and_accepted() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Major], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let view = world.view(id).await;
    assert_eq!(view["detail"][0]["plan"]["state"], "asked");
    // Ten working days from the 6th, with the Spring Festival between.
    assert_eq!(view["detail"][0]["plan"]["due_on"], "2026-02-27");

    let view = world.does(&world.principal, id, 0, "plan", &plan("先清理，后排查")).await.expect(StatusCode::OK).json;
    let shown = &view["detail"][0]["plan"];
    assert_eq!((&shown["state"], &shown["late"]), (&json!("submitted"), &json!(false)), "{shown}");
    assert_eq!(shown["submission"]["by"], world.principal.display_name.as_str());
    assert_eq!(shown["measures"][0]["responsible"], "总务处");
    assert_eq!(view["rectification"]["items"][0]["phase"], "plan_submitted");
    assert!(world.armed(id).await.iter().any(|timer| timer.starts_with("plan_acceptance@")));

    // The same again changes nothing, whatever version it names; another one waits for the judgement.
    let again = World::act(id, &world.view(id).await, 0, "plan", &plan("先清理，后排查"))
        .header("If-Match", "\"1\"")
        .by(&world.principal)
        .send(&world.router)
        .await
        .expect(StatusCode::OK)
        .json;
    assert_eq!(again["rectification"]["version"], view["rectification"]["version"]);
    let other = world.does(&world.principal, id, 0, "plan", &plan("另一个方案")).await.expect(StatusCode::CONFLICT);
    assert_eq!(other.json["current_state"], "submitted");

    let back = json!({"decision": "return", "note": "缺少长效措施"});
    let view = world.does(&world.inspector, id, 0, "plan/judgement", &back).await.expect(StatusCode::OK).json;
    assert_eq!(view["detail"][0]["plan"]["state"], "returned");
    assert_eq!(view["detail"][0]["plan"]["judgement"]["text"], "缺少长效措施");
    assert_eq!(view["detail"][0]["plan"]["judgement"]["by"], world.inspector.display_name.as_str());
    let early = world.does(&world.admin, id, 0, "plan/judgement", &back).await.expect(StatusCode::CONFLICT);
    assert_eq!(early.json["current_state"], "returned");

    world.does(&world.principal, id, 0, "plan", &plan("先清理，后排查，建立台账")).await.expect(StatusCode::OK);
    let accept = json!({"decision": "accept", "note": "同意"});
    for _ in 0..2 {
        let view = world.does(&world.admin, id, 0, "plan/judgement", &accept).await.expect(StatusCode::OK).json;
        assert_eq!(view["detail"][0]["plan"]["state"], "accepted");
    }
    assert_eq!(world.changes(id).await, ["plan_submitted", "plan_judged", "plan_submitted", "plan_judged"]);
    assert!(!world.armed(id).await.iter().any(|timer| timer.starts_with("plan")), "nobody owes a plan any more");
}

#[tokio::test]
async fn who_hands_in_a_plan_does_not_judge_it() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Major], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    world.does(&world.principal, id, 0, "plan", &plan("先清理")).await.expect(StatusCode::OK);
    let accept = json!({"decision": "accept", "note": "同意"});
    let missing = world.does(&world.principal, id, 0, "plan/judgement", &accept).await.expect(StatusCode::FORBIDDEN);
    assert_eq!(missing.json["permission"], "deadlines.plan.judge");
    world.does(&world.desk, id, 0, "plan/judgement", &accept).await.expect(StatusCode::FORBIDDEN);
    // Whoever has both roles is still of the unit; and so is a colleague of the school with an inspector's appointment.
    let mut both = world.principal.clone();
    both.grants.extend(world.inspector.grants.clone());
    let mut colleague = world.inspector.clone();
    colleague.unit_id = Some(world.school);
    for who in [&both, &colleague] {
        let refused = world.does(who, id, 0, "plan/judgement", &accept).await.expect(StatusCode::CONFLICT);
        assert!(refused.json["type"].as_str().unwrap().ends_with("/separation-of-duties"), "{}", refused.json);
    }
}

#[tokio::test]
async fn a_plan_is_refused_where_it_says_too_little_or_none_is_asked_for() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor, Severity::Major], RECEIVED).await;
    let none = world.does(&world.principal, id, 0, "plan", &plan("方案")).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(none["current_state"], "no_plan_asked");
    assert!(none["detail"].as_str().unwrap().contains("直接报告整改结果"), "{none}");

    let measure =
        |what: &str, responsible: &str| json!({"what": what, "responsible": responsible, "until": "2026-02-20"});
    let cases = [
        (json!({"text": "方案", "measures": []}), "/measures"),
        (json!({"text": "", "measures": [measure("清理", "总务处")]}), "/text"),
        (json!({"text": "  ", "measures": [measure("清理", "总务处")]}), "/text"),
        (json!({"text": "方案", "measures": [measure("清理", "")]}), "/measures/0/responsible"),
        (json!({"text": "方案", "measures": [measure("清理", " ")]}), "/measures"),
        (
            json!({"text": "方案", "measures": [{"what": "清理", "responsible": "总务处", "until": "尽快"}]}),
            "/measures/0/until",
        ),
    ];
    for (body, pointer) in cases {
        let answer = world.does(&world.principal, id, 1, "plan", &body).await;
        let problem = answer.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let view = world.view(id).await;
    let stale = World::act(id, &view, 1, "plan", &plan("方案")).header("If-Match", "\"9\"").by(&world.principal);
    stale.send(&world.router).await.expect(StatusCode::PRECONDITION_FAILED);
    let other = testkit::caller(Role::UnitPrincipal, None, Some(world.bureau));
    world.does(&other, id, 1, "plan", &plan("方案")).await.expect(StatusCode::FORBIDDEN);
    assert_eq!(world.changes(id).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_late_plan_is_called_late_and_taken_and_a_late_judgement_is_called_to_mind() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Major], RECEIVED).await;
    world.fire_at("2026-02-27T15:59:30Z").await;
    assert!(!world.changes(id).await.contains(&"plan_overdue"));
    assert_eq!(world.fire_at("2026-02-27T16:00:00Z").await, 1);
    assert_eq!(world.changes(id).await, ["plan_overdue"]);
    let view = world.does(&world.principal, id, 0, "plan", &plan("迟到的方案")).await.expect(StatusCode::OK).json;
    assert_eq!(view["detail"][0]["plan"]["late"], true);
    // Five working days from Saturday the 28th, which is a working day: the agency is late, and told so again and again.
    world.fire_at("2026-03-12T16:00:00Z").await;
    assert!(world.changes(id).await.contains(&"duty_overdue"));
}

#[tokio::test]
async fn progress_is_noted_until_the_report() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let contact = testkit::caller(Role::UnitContact, None, Some(world.school));
    let note = json!({"text": "已完成一半"});
    for _ in 0..2 {
        let view = world.does(&contact, id, 0, "progress", &note).await.expect(StatusCode::OK).json;
        assert_eq!(view["detail"][0]["progress"]["text"], "已完成一半");
        assert_eq!(view["detail"][0]["progress"]["by"], contact.display_name.as_str());
        assert_eq!(view["rectification"]["version"], 2, "the same note again changes nothing");
    }
    let blank = world.does(&contact, id, 0, "progress", &json!({"text": " \n"})).await;
    assert_eq!(blank.expect(StatusCode::UNPROCESSABLE_ENTITY).json["errors"][0]["pointer"], "/text");
    world.does(&world.admin, id, 0, "progress", &note).await.expect(StatusCode::FORBIDDEN);
    world.report(id, 0).await;
    let late = world.does(&contact, id, 0, "progress", &json!({"text": "还有"})).await.expect(StatusCode::CONFLICT);
    assert_eq!(late.json["current_state"], "reported");
}

//! What people do: report, verify by another person, close out; and what is refused.

use access::Role;
use domain::severity::Severity;
use http::StatusCode;
use serde_json::json;
use testkit::Call;

use crate::support::World;

#[tokio::test]
async fn an_item_lives_from_report_to_close_out_and_the_last_one_closes_the_rectification() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor, Severity::Minor], "2026-02-06T02:00:00Z").await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    for item in 0..2 {
        let view = world.report(id, item).await;
        assert_eq!(view["rectification"]["items"][item]["state"], "reported");
        assert_eq!(view["rectification"]["items"][item]["late"], false);
        let accept = json!({"decision": "accept", "note": "现场核查属实"});
        let view = World::act(id, &view, item, "verify", &accept)
            .by(&world.inspector)
            .send(&world.router)
            .await
            .expect(StatusCode::OK)
            .json;
        assert_eq!(view["rectification"]["items"][item]["verified_by"], world.inspector.display_name.as_str());
        let view = World::act(id, &view, item, "close-out", &json!({}))
            .by(&world.admin)
            .send(&world.router)
            .await
            .expect(StatusCode::OK)
            .json;
        assert_eq!(view["rectification"]["items"][item]["state"], "closed");
    }
    let view = world.view(id).await;
    assert!(view["rectification"]["closed_at"].is_string());
    assert_eq!(view["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(
        world.types().await[1..],
        [
            "deadlines.item.reported.v1",
            "deadlines.item.verified.v1",
            // The approval of the closing.
            "deadlines.document.issued.v1",
            "deadlines.item.closed.v1",
            "deadlines.item.reported.v1",
            "deadlines.item.verified.v1",
            // The second approval, and the opinion on all.
            "deadlines.document.issued.v1",
            "deadlines.document.issued.v1",
            "deadlines.item.closed.v1",
            "deadlines.rectification.closed.v1"
        ]
    );
    // A look-back may have been drawn; nothing else is armed.
    let timers: i64 = sqlx::query_scalar("SELECT count(*) FROM timers WHERE kind <> 'look_back'")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    assert_eq!(timers, 0, "nothing is armed for a closed rectification");
    world.fire_at("2026-12-01T00:00:00Z").await;
    assert!(testkit::events_of::<contracts::deadlines::UrgingOrderIssued>(&world.database).await.is_empty());
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer_and_has_no_second_effect() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], "2026-02-06T02:00:00Z").await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let evidence = world.evidence(id).await;
    let view = world.view(id).await;
    let body = json!({"text": "已完成整改", "evidence": [evidence]});
    let call = || {
        World::act(id, &view, 0, "report", &body).header("Idempotency-Key", "the-same-key-twice").by(&world.principal)
    };
    let first = call().send(&world.router).await.expect(StatusCode::OK);
    let second = call().send(&world.router).await.expect(StatusCode::OK);
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(world.types().await.len(), 2);
}

#[tokio::test]
async fn refusals_say_why() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], "2026-02-06T02:00:00Z").await;
    let evidence = world.evidence(id).await;
    let view = world.view(id).await;
    let report = json!({"text": "已完成整改", "evidence": [evidence]});

    // Without evidence, with foreign evidence, with an empty text, with an old version, without a version.
    let cases = [
        (json!({"text": "已完成整改", "evidence": []}), "/evidence"),
        (json!({"text": "已完成整改", "evidence": [uuid::Uuid::now_v7()]}), "/evidence/0"),
        (json!({"text": "", "evidence": [evidence]}), "/text"),
    ];
    for (body, pointer) in cases {
        let answer = World::act(id, &view, 0, "report", &body).by(&world.principal).send(&world.router).await;
        let problem = answer.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let stale = World::act(id, &view, 0, "report", &report)
        .header("If-Match", "\"7\"")
        .by(&world.principal)
        .send(&world.router)
        .await;
    stale.expect(StatusCode::PRECONDITION_FAILED);

    // Not the unit's: another school, and the office for the unit.
    let other = testkit::caller(Role::UnitPrincipal, None, Some(world.bureau));
    World::act(id, &view, 0, "report", &report).by(&other).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    World::act(id, &view, 0, "report", &report)
        .by(&world.admin)
        .send(&world.router)
        .await
        .expect(StatusCode::FORBIDDEN);

    // Verifying what was not reported; then by a person who is no inspector, then by the reporter himself.
    let accept = json!({"decision": "accept", "note": "属实"});
    let early = World::act(id, &view, 0, "verify", &accept).by(&world.inspector).send(&world.router).await;
    assert_eq!(early.expect(StatusCode::CONFLICT).json["current_state"], "in_progress");
    let view = World::act(id, &view, 0, "report", &report)
        .by(&world.principal)
        .send(&world.router)
        .await
        .expect(StatusCode::OK)
        .json;
    let no_inspector = World::act(id, &view, 0, "verify", &accept)
        .by(&world.admin)
        .send(&world.router)
        .await
        .expect(StatusCode::CONFLICT);
    assert!(no_inspector.json["type"].as_str().unwrap().ends_with("/separation-of-duties"));
    let mut both = world.principal.clone();
    both.grants.extend(world.inspector.grants.clone());
    World::act(id, &view, 0, "verify", &accept).by(&both).send(&world.router).await.expect(StatusCode::CONFLICT);

    // Returned with a reason, the item is the unit's again, with a limit that is not earlier than the first.
    let back = json!({"decision": "return", "note": "照片不清晰"});
    let view = World::act(id, &view, 0, "verify", &back)
        .by(&world.inspector)
        .send(&world.router)
        .await
        .expect(StatusCode::OK)
        .json;
    assert_eq!(view["rectification"]["items"][0]["state"], "in_progress");
    assert_eq!(view["rectification"]["items"][0]["returned"], 1);
    assert!(view["rectification"]["items"][0]["due_on"].as_str().unwrap() >= "2026-03-05");
}

#[tokio::test]
async fn others_do_not_learn_that_it_exists() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], "2026-02-06T02:00:00Z").await;
    let elsewhere = testkit::caller(Role::CountyOfficeAdmin, Some(uuid::Uuid::now_v7().into()), None);
    Call::get(&format!("/v1/rectifications/{id}"))
        .by(&elsewhere)
        .send(&world.router)
        .await
        .expect(StatusCode::NOT_FOUND);
    let list = |who: &access::Caller| Call::get("/v1/rectifications").by(who);
    assert_eq!(list(&elsewhere).send(&world.router).await.json["items"].as_array().unwrap().len(), 0);
    let department = testkit::caller(Role::CompetentDepartmentOfficer, None, Some(world.bureau));
    for who in [&world.admin, &world.principal, &world.inspector, &department] {
        let rows = list(who).send(&world.router).await.expect(StatusCode::OK).json;
        assert_eq!(rows["items"][0]["letter_no"], "海口教督委意〔2026〕1号", "{rows}");
    }
}

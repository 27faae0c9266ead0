//! Close-out by several, its refusal, and help asked of another office.

use domain::severity::Severity;
use http::StatusCode;
use serde_json::json;

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";
const CLOSED: &str = "deadlines.rectification.closed.v1";

#[tokio::test]
async fn a_serious_finding_is_closed_by_two_people_and_shows_how_many_are_wanted() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Serious], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let view = world.verified_by(&world.principal, id, 0).await;
    assert_eq!(view["detail"][0]["approvals_wanted"], 2);
    let opinion = json!({"opinion": "同意销号"});
    for _ in 0..2 {
        let view = world.does(&world.admin, id, 0, "close-out", &opinion).await.expect(StatusCode::OK).json;
        assert_eq!(view["rectification"]["items"][0]["state"], "verified", "one person is one approval");
        assert_eq!(view["detail"][0]["approvals"].as_array().unwrap().len(), 1);
        assert_eq!(view["detail"][0]["approvals"][0]["by"], world.admin.display_name.as_str());
        assert_eq!(view["detail"][0]["approvals"][0]["text"], "同意销号");
    }
    let view = world.does(&world.second_admin, id, 0, "close-out", &json!({})).await.expect(StatusCode::OK).json;
    assert_eq!(view["rectification"]["items"][0]["state"], "closed");
    assert_eq!(view["detail"][0]["look_backs"].as_array().unwrap().len(), 2);
    assert_eq!(world.changes(id).await, ["close_out_approved"]);
    assert_eq!(world.count(CLOSED).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_approve_at_the_same_moment_close_it_once() {
    for _ in 0..5 {
        let world = World::new().await;
        let id = world.open(1, &[Severity::Serious], RECEIVED).await;
        world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
        let view = world.verified_by(&world.principal, id, 0).await;
        let body = json!({"opinion": "同意"});
        let call = |who: &access::Caller| World::act(id, &view, 0, "close-out", &body).by(who).send(&world.router);
        let (first, second) = tokio::join!(call(&world.admin), call(&world.second_admin));
        let mut both = [first.status, second.status];
        both.sort_unstable();
        // The one who comes second decided on a version that is no longer: he reads again and approves.
        assert_eq!(both, [StatusCode::OK, StatusCode::PRECONDITION_FAILED]);
        let loser = if first.status == StatusCode::OK { &world.second_admin } else { &world.admin };
        let view = world.does(loser, id, 0, "close-out", &body).await.expect(StatusCode::OK).json;
        assert_eq!(view["rectification"]["items"][0]["state"], "closed");
        assert_eq!(world.count("deadlines.item.closed.v1").await, 1);
        assert_eq!(world.count(CLOSED).await, 1);
    }
}

#[tokio::test]
async fn a_refused_close_out_goes_back_to_verification_and_not_by_who_verified() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Serious], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let why = json!({"reason": "现场照片与报告不符"});
    let early = world.does(&world.admin, id, 0, "close-out/refusal", &why).await.expect(StatusCode::CONFLICT);
    assert_eq!(early.json["current_state"], "in_progress");
    world.verified_by(&world.principal, id, 0).await;
    let mut verifier = world.inspector.clone();
    verifier.grants.extend(world.admin.grants.clone());
    let own = world.does(&verifier, id, 0, "close-out/refusal", &why).await.expect(StatusCode::CONFLICT);
    assert!(own.json["detail"].as_str().unwrap().contains("核查人"), "{}", own.json);
    world.does(&world.inspector, id, 0, "close-out/refusal", &why).await.expect(StatusCode::FORBIDDEN);
    let blank = world.does(&world.admin, id, 0, "close-out/refusal", &json!({"reason": "　"})).await;
    assert_eq!(blank.expect(StatusCode::UNPROCESSABLE_ENTITY).json["errors"][0]["pointer"], "/reason");

    world.does(&world.second_admin, id, 0, "close-out", &json!({})).await.expect(StatusCode::OK);
    let view = world.does(&world.admin, id, 0, "close-out/refusal", &why).await.expect(StatusCode::OK).json;
    assert_eq!(view["rectification"]["items"][0]["state"], "reported");
    assert_eq!(view["detail"][0]["approvals"], json!([]), "an approval given before counts no more");
    assert!(world.armed(id).await.iter().any(|timer| timer.starts_with("verification@")));
    assert_eq!(world.changes(id).await, ["close_out_approved", "close_out_refused"]);
}

#[tokio::test]
async fn another_office_is_asked_once_at_a_time_and_its_answer_has_a_clock() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.database.set_clock("2026-02-10T02:00:00Z".parse().unwrap()).await;
    let none = world.does(&world.desk, id, 0, "consultation/answer", &json!({"text": "同意"})).await;
    assert_eq!(none.expect(StatusCode::CONFLICT).json["current_state"], "no_consultation");
    let ask = json!({"office": "海口市消防救援支队", "question": "请提出改造意见"});
    for _ in 0..2 {
        let view = world.does(&world.desk, id, 0, "consultation", &ask).await.expect(StatusCode::OK).json;
        let asked = &view["detail"][0]["consultations"];
        assert_eq!(asked.as_array().unwrap().len(), 1);
        assert_eq!(asked[0]["office"], "海口市消防救援支队");
        assert_eq!(asked[0]["question"]["by"], world.desk.display_name.as_str());
        assert_eq!(view["rectification"]["items"][0]["phase"], "consulting");
    }
    let more = json!({"office": "海口市住建局", "question": "请协助"});
    let open = world.does(&world.desk, id, 0, "consultation", &more).await.expect(StatusCode::CONFLICT).json;
    assert!(open["detail"].as_str().unwrap().contains("海口市消防救援支队"), "{open}");
    world.does(&world.principal, id, 0, "consultation", &more).await.expect(StatusCode::FORBIDDEN);

    // The unit's clock goes on meanwhile; the office's runs out, is called to mind, and ends with the answer.
    let due = world.armed(id).await.into_iter().find(|timer| timer.starts_with("consultation_answer@")).unwrap();
    world.fire_at(due.split_once('@').unwrap().1).await;
    assert_eq!(world.changes(id).await, ["consultation_sent", "duty_overdue"]);
    let answer = json!({"text": "建议增设疏散通道"});
    let view = world.does(&world.admin, id, 0, "consultation/answer", &answer).await.expect(StatusCode::OK).json;
    assert_eq!(view["detail"][0]["consultations"][0]["answer"]["text"], "建议增设疏散通道");
    assert!(!world.armed(id).await.iter().any(|timer| timer.starts_with("consultation_answer@")));
    world.does(&world.admin, id, 0, "consultation/answer", &answer).await.expect(StatusCode::OK);
    assert_eq!(world.changes(id).await.last(), Some(&"consultation_answered"));
}

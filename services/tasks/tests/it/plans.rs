//! Annual plans (measures 3 and 7).

use contracts::tasks::PlanIssued;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Call;

use crate::world::World;

fn plan(unit: impl serde::Serialize) -> Value {
    json!({"year": 2026, "title": "2026年度教育督导工作计划", "items": [{
        "supervision_kind": "special", "matter": "校园安全", "target_unit_ids": [unit],
        "window_from": "2026-03-01", "window_to": "2026-06-30",
    }]})
}

#[tokio::test]
async fn a_plan_is_drafted_and_issued_once_with_a_number() {
    let world = World::new().await;
    let drafted = world.post("/v1/plans", &plan(world.school), &world.desk).await.expect(StatusCode::CREATED);
    assert_eq!(drafted.json["state"], "draft");
    assert_eq!(drafted.json["items"][0]["target_units"][0]["name"], "海口市第一小学");
    let path = format!("/v1/plans/{}", drafted.json["plan_id"].as_str().unwrap());
    let issue = |by: &::access::Caller, version: i64| {
        Call::post(&format!("{path}/issue"), &json!({}))
            .header("If-Match", &format!("\"{version}\""))
            .by(by)
            .send(&world.router)
    };
    // Drafting and issuing are two hands.
    issue(&world.desk, 1).await.expect(StatusCode::FORBIDDEN);
    issue(&world.sanya_admin, 1).await.expect(StatusCode::FORBIDDEN);
    issue(&world.county_admin, 2).await.expect(StatusCode::PRECONDITION_FAILED);
    let issued = issue(&world.county_admin, 1).await.expect(StatusCode::OK).json;
    assert_eq!(issued["document"]["doc_no"], "海口教督委〔2026〕1号");
    issue(&world.county_admin, 2).await.expect(StatusCode::CONFLICT);
    let events = testkit::events_of::<PlanIssued>(&world.database).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].document.doc_no, "海口教督委〔2026〕1号");

    let document = format!("/v1/documents/{}", events[0].document.document_id);
    let content = world.get(&document, &world.admin).await.expect(StatusCode::OK).json["content"].clone();
    let frozen = documents::Frozen::read(content.to_string().as_bytes()).unwrap();
    assert_eq!(frozen.content().kind(), documents::Kind::Plan);
    assert_eq!(content["body"]["plan"]["items"][0]["supervision_kind"], "专项督导");
    assert_eq!(content["body"]["plan"]["items"][0]["targets"], json!(["海口市第一小学"]));

    world.get(&path, &world.admin).await.expect(StatusCode::OK);
    world.get(&path, &world.sanya_admin).await.expect(StatusCode::NOT_FOUND);
    let listed = world.get("/v1/plans?year=2026", &world.admin).await.expect(StatusCode::OK);
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
    let listed = world.get("/v1/plans", &world.sanya_admin).await.expect(StatusCode::OK);
    assert!(listed.json["items"].as_array().unwrap().is_empty());

    let mut case = world.new_case(world.school);
    case["plan_id"] = drafted.json["plan_id"].clone();
    world.post("/v1/cases", &case, &world.county_admin).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn wrong_fields_are_named_all_at_once() {
    let world = World::new().await;
    let mut wrong = plan(world.haikou_government);
    wrong["title"] = json!("  ");
    wrong["items"][0]["window_to"] = json!("2025-12-31");
    wrong["items"][0]["target_unit_ids"] = json!([world.haikou_government, world.haikou]);
    let answer = world.post("/v1/plans", &wrong, &world.county_admin).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let mut pointers: Vec<&str> =
        answer.json["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/items/0/target_unit_ids/0",
            "/items/0/target_unit_ids/1",
            "/items/0/window_from",
            "/items/0/window_to",
            "/title"
        ]
    );
    let draft = world.post("/v1/plans", &plan(world.school), &world.county_admin).await.expect(StatusCode::CREATED);
    let mut case = world.new_case(world.school);
    case["plan_id"] = draft.json["plan_id"].clone();
    world.post("/v1/cases", &case, &world.county_admin).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn pages_join() {
    let world = World::new().await;
    for _ in 0..5 {
        world.post("/v1/plans", &plan(world.school), &world.county_admin).await.expect(StatusCode::CREATED);
        world.case().await;
    }
    for path in ["/v1/plans", "/v1/cases"] {
        let mut seen = std::collections::BTreeSet::new();
        let mut next = String::new();
        loop {
            let page =
                world.get(&format!("{path}?limit=2{next}"), &world.county_admin).await.expect(StatusCode::OK).json;
            for item in page["items"].as_array().unwrap() {
                let id = item.get("case_id").or_else(|| item.get("plan_id")).unwrap();
                assert!(seen.insert(id.as_str().unwrap().to_owned()));
            }
            match page.get("next").and_then(Value::as_str) {
                Some(cursor) => next = format!("&after={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 5, "{path}");
    }
}

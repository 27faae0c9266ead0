//! Document numbers without gap, and requests that come twice.

use http::StatusCode;
use serde_json::{Value, json};
use testkit::Call;

use crate::world::{World, letter};

#[tokio::test]
async fn twenty_notices_at_once_get_twenty_numbers_without_gap() {
    let world = World::new().await;
    let mut calls = Vec::new();
    for n in 0..24 {
        let case = world.case().await;
        // Every sixth has no team: a refusal between the others must leave no gap.
        if n % 6 != 0 {
            case.done("team", &world.team()).await;
        }
        let version = case.see().await["version"].as_i64().unwrap();
        let call = Call::post(&case.path("notify"), &json!({}))
            .header("If-Match", &format!("\"{version}\""))
            .by(&world.county_admin);
        let router = world.router.clone();
        calls.push(tokio::spawn(async move { call.send(&router).await }));
    }
    let mut serials = Vec::new();
    let mut refused = 0;
    for call in calls {
        let answer = call.await.unwrap();
        if answer.status == StatusCode::CONFLICT {
            refused += 1;
            continue;
        }
        let answer = answer.expect(StatusCode::OK);
        let number = answer.json["notification"]["document"]["doc_no"].as_str().unwrap();
        let serial = number.strip_prefix("海口教督委〔2026〕").unwrap().strip_suffix('号').unwrap();
        serials.push(serial.parse::<u32>().unwrap());
    }
    serials.sort_unstable();
    assert_eq!(refused, 4);
    assert_eq!(serials, (1..=20).collect::<Vec<_>>());
    // Each with its own event, and with one for the register.
    assert_eq!(testkit::events(&world.database).await.len(), 40);
    let entries = testkit::events_of::<contracts::tasks::DocumentIssued>(&world.database).await;
    assert_eq!(entries.len(), 20);
}

/// The same key: the same answer, one effect; another body: refused; the same step with a new key: refused by the version.
#[tokio::test]
async fn a_request_sent_twice_has_one_effect() {
    let world = World::new().await;
    let body = world.new_case(world.school);
    let send = |body: Value| {
        Call::post("/v1/cases", &body)
            .header("Idempotency-Key", "case-0001")
            .by(&world.county_admin)
            .send(&world.router)
    };
    let first = send(body.clone()).await.expect(StatusCode::CREATED);
    let second = send(body.clone()).await.expect(StatusCode::CREATED);
    assert_eq!(first.json, second.json);
    assert_eq!(second.headers["idempotency-replayed"], "true");
    let mut other = body;
    other["title"] = json!("另一项督导");
    send(other).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let cases: i64 = sqlx::query_scalar("SELECT count(*) FROM cases").fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(cases, 1);
}

#[tokio::test]
async fn a_letter_sent_twice_at_once_is_issued_once() {
    let world = World::new().await;
    let case = world.case().await;
    case.until_pleading().await;
    case.step("plea", &json!({"waived": true}), &world.principal).await.expect(StatusCode::OK);
    let version = case.see().await["version"].as_i64().unwrap();
    let mut calls = Vec::new();
    for key in ["letter-0001", "letter-0001", "letter-0002", "letter-0003"] {
        let call = Call::post(&case.path("letter"), &letter())
            .header("Idempotency-Key", key)
            .header("If-Match", &format!("\"{version}\""))
            .by(&world.county_admin);
        let router = world.router.clone();
        calls.push(tokio::spawn(async move { call.send(&router).await.status }));
    }
    let mut issued = 0;
    for call in calls {
        match call.await.unwrap() {
            StatusCode::OK => issued += 1,
            StatusCode::PRECONDITION_FAILED => {}
            other => panic!("unexpected {other}"),
        }
    }
    assert!((1..=2).contains(&issued), "the key that won twice, or one of the others once: {issued}");
    assert_eq!(testkit::events_of::<contracts::tasks::LetterIssued>(&world.database).await.len(), 1);
}

#[tokio::test]
async fn key_and_version_are_required() {
    let world = World::new().await;
    let case = world.case().await;
    let path = case.path("team");
    Call::post(&path, &world.team())
        .by(&world.county_admin)
        .send(&world.router)
        .await
        .expect(StatusCode::PRECONDITION_REQUIRED);
    let stale =
        Call::post(&path, &world.team()).header("If-Match", "\"7\"").by(&world.county_admin).send(&world.router).await;
    assert_eq!(stale.expect(StatusCode::PRECONDITION_FAILED).json["current_version"], 1);
    let keyless =
        Call::new(http::Method::POST, &path).json(&world.team()).header("If-Match", "\"1\"").by(&world.county_admin);
    keyless.send(&world.router).await.expect(StatusCode::BAD_REQUEST);
}

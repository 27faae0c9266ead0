//! What people see and may do.

use std::fmt::Write as _;

use access::Role;
use axum::http::StatusCode;
use domain::ids::AreaId;
use messaging::{Handler as _, JournalKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::Call;

use crate::facts::{CaseFacts, envelope, province};
use crate::support::{Replica, Signing, apply, database, section, serve, states, wait_for_accepted};

fn admin() -> access::Caller {
    testkit::caller(Role::ProvinceOfficeAdmin, Some(province()), None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_without_a_code_is_seen_corrected_and_sent() {
    let (signing, database) = (Signing::new(), database().await);
    let platform = signing.platform();
    let address = serve(platform.router()).await;
    let mut case = CaseFacts::new(1, 0);
    case.unit.code = None;
    case.unit.county_code = Some("440100".to_owned());
    apply(&database, &[envelope(&case.letter(), "2026-11-23T08:00:00Z")]).await;
    case.unit.code = Some("2146000001".to_owned());
    case.unit.county_code = Some("460100".to_owned());
    apply(&database, &case.envelopes()[1..]).await;
    let replica = Replica::start(database.handle(), &section(address, &signing.key_file())).await;
    let (admin, router) = (admin(), replica.router.clone());

    let list = Call::get("/v1/messages?state=invalid").by(&admin).send(&router).await.expect(StatusCode::OK).json;
    let message = &list["items"][0];
    let fields: Vec<&Value> = message["faults"].as_array().unwrap().iter().map(|fault| &fault["field"]).collect();
    assert_eq!(fields, ["/unit/code", "/unit/county_code"]);
    assert!(message["faults"][0]["reason_zh"].as_str().unwrap().contains("学校（机构）标识码"));
    let path = format!("/v1/messages/{}/resend", message["message_id"].as_str().unwrap());
    let version = format!("\"{}\"", message["version"]);
    let correction = |changes: Value| json!({"reason": "名册已补登", "corrections": changes});
    let resend = async |body: Value, version: Option<&str>| {
        let mut call = Call::post(&path, &body).by(&admin);
        if let Some(version) = version {
            call = call.header("if-match", version);
        }
        call.send(&router).await
    };

    resend(correction(json!([])), None).await.expect(StatusCode::PRECONDITION_REQUIRED);
    resend(correction(json!([])), Some("\"99\"")).await.expect(StatusCode::PRECONDITION_FAILED);
    resend(json!({"reason": " "}), Some(&version)).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let refused = resend(correction(json!([])), Some(&version)).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json["errors"][0]["pointer"], "/payload/unit/code");
    for (field, value) in
        [("/case/sequence", json!(2)), ("/unit", json!({})), ("/unit/code", json!([1])), ("/nowhere", json!(1))]
    {
        let change = json!([{"field": field, "value": value}]);
        let refused = resend(correction(change), Some(&version)).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json["errors"][0]["pointer"], "/corrections/0/field", "{field}");
    }
    assert!(platform.received().is_empty());

    let changes = json!([
        {"field": "/unit/code", "value": "2146000001"},
        {"field": "/unit/county_code", "value": "460100"},
    ]);
    let call = || {
        Call::post(&path, &correction(changes.clone()))
            .by(&admin)
            .header("if-match", &version)
            .header("idempotency-key", "one-correction")
    };
    let answer = call().send(&router).await.expect(StatusCode::OK);
    assert_eq!(answer.json["state"], "ready");
    assert_eq!(answer.json["payload"]["unit"]["code"], "2146000001");
    assert_eq!(answer.json["corrections"][0]["sha256_before"], message["sha256"]);
    let again = call().send(&router).await.expect(StatusCode::OK);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    wait_for_accepted(&database, case.messages()).await;
    assert_eq!(platform.received()[0].payload["unit"]["code"], "2146000001");

    let now = Call::get(path.trim_end_matches("/resend")).by(&admin).send(&router).await.expect(StatusCode::OK);
    let etag = now.headers["etag"].to_str().unwrap().to_owned();
    let refused = resend(correction(json!([])), Some(&etag)).await.expect(StatusCode::CONFLICT);
    assert_eq!(refused.json["current_state"], "accepted");
    replica.stop().await;
}

#[tokio::test]
async fn only_those_in_charge_see_and_only_the_province_sends_again() {
    let (signing, database) = (Signing::new(), database().await);
    let address = "127.0.0.1:9".parse().unwrap();
    apply(&database, &CaseFacts::new(1, 0).envelopes()).await;
    let replica = Replica::idle(database.handle(), &section(address, &signing.key_file())).await;
    let router = &replica.router;
    let list = Call::get("/v1/messages").by(&admin()).send(router).await.expect(StatusCode::OK).json;
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    let path = format!("/v1/messages/{}", list["items"][0]["message_id"].as_str().unwrap());

    let elsewhere = testkit::caller(Role::ProvinceOfficeAdmin, Some(AreaId::derived(&["440000"])), None);
    let auditor = testkit::caller(Role::Auditor, Some(province()), None);
    let county = testkit::caller(Role::CountyOfficeAdmin, Some(AreaId::derived(&["460100"])), None);
    let unit = testkit::caller(Role::UnitPrincipal, None, Some(domain::ids::UnitId::derived(&["x"])));
    Call::get(&path).send(router).await.expect(StatusCode::UNAUTHORIZED);
    Call::get(&path).by(&auditor).send(router).await.expect(StatusCode::OK);
    Call::get(&path).by(&elsewhere).send(router).await.expect(StatusCode::NOT_FOUND);
    let none = Call::get("/v1/messages").by(&elsewhere).send(router).await.expect(StatusCode::OK).json;
    assert_eq!(none["items"], json!([]));
    for caller in [&county, &unit] {
        Call::get(&path).by(caller).send(router).await.expect(StatusCode::FORBIDDEN);
        Call::get("/v1/reconciliation").by(caller).send(router).await.expect(StatusCode::FORBIDDEN);
    }
    let resend = || Call::post(&format!("{path}/resend"), &json!({"reason": "x"})).header("if-match", "\"1\"");
    resend().by(&auditor).send(router).await.expect(StatusCode::FORBIDDEN);
    resend().by(&elsewhere).send(router).await.expect(StatusCode::FORBIDDEN);
    let held = resend().by(&admin()).send(router).await.expect(StatusCode::CONFLICT);
    assert_eq!(held.json["current_state"], "held");

    for query in ["state=nothing", "limit=0", "after=x", "case_id=7", "kind=plan"] {
        let answer = Call::get(&format!("/v1/messages?{query}")).by(&admin()).send(router).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_reconciled_by_counts_pages_and_hash() {
    let (signing, database) = (Signing::new(), database().await);
    let platform = signing.platform();
    let address = serve(platform.router()).await;
    for number in 1..=3 {
        apply(&database, &CaseFacts::new(number, 0).envelopes()[..1]).await;
    }
    let mut unnamed = CaseFacts::new(4, 0);
    unnamed.unit.name = String::new();
    apply(&database, &unnamed.envelopes()[..1]).await;
    let replica = Replica::start(database.handle(), &section(address, &signing.key_file())).await;
    wait_for_accepted(&database, 3).await;

    let day = "/v1/reconciliation?on=2026-11-23";
    let answer = Call::get(day).by(&admin()).send(&replica.router).await.expect(StatusCode::OK).json;
    assert_eq!(
        answer["counts"],
        json!([
            {"kind": "opinion_letter", "state": "accepted", "messages": 3},
            {"kind": "opinion_letter", "state": "invalid", "messages": 1},
        ])
    );
    let mut received = platform.received();
    received.sort_by_key(|message| message.message_id);
    let mut lines = String::new();
    for message in &received {
        writeln!(lines, "{} {} {}", message.message_id, message.sha256, message.receipt_no).unwrap();
    }
    assert_eq!(answer["accepted_manifest_sha256"], hex::encode(Sha256::digest(lines)));
    let mut ids = Vec::new();
    let mut path = format!("{day}&limit=3");
    loop {
        let page = Call::get(&path).by(&admin()).send(&replica.router).await.expect(StatusCode::OK).json;
        ids.extend(page["messages"]["items"].as_array().unwrap().iter().map(|line| line["message_id"].to_string()));
        match page["messages"]["next"].as_str() {
            Some(next) => path = format!("{day}&limit=3&after={next}"),
            None => break,
        }
    }
    assert_eq!(ids.len(), 4);
    assert!(ids.is_sorted());
    let other = Call::get("/v1/reconciliation?on=2026-11-24").by(&admin()).send(&replica.router).await;
    assert_eq!(other.json["counts"], json!([]));
    assert_eq!(other.json["accepted_manifest_sha256"], hex::encode(Sha256::digest(b"")));
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_the_platform_does_not_know_harms_no_message() {
    let (signing, database) = (Signing::new(), database().await);
    let platform = signing.platform();
    let address = serve(platform.router()).await;
    let case = CaseFacts::new(1, 0);
    apply(&database, &case.envelopes()).await;
    let wrong = signing.folder.join("wrong");
    std::fs::write(&wrong, JournalKey::generate().unwrap()).unwrap();
    let replica = Replica::start(database.another_pool().await, &section(address, &wrong)).await;
    testkit::wait_until("it was turned away", || async { platform.statistics().refused > 0 }).await;
    replica.stop().await;
    assert_eq!(states(&database).await["ready"], 1);
    let replica = Replica::start(database.handle(), &section(address, &signing.key_file())).await;
    wait_for_accepted(&database, case.messages()).await;
    replica.stop().await;
}

#[test]
fn it_listens_to_four_facts_and_to_mergers() {
    let facts = exchange::consume::Facts { sender: "460000".to_owned(), papers: crate::support::papers() };
    assert_eq!(
        facts.event_types(),
        [
            "tasks.letter.issued.v1",
            "deadlines.rectification.opened.v1",
            "deadlines.urging_order.issued.v1",
            "deadlines.rectification.closed.v1",
            "registry.area.merged.v1",
        ]
    );
}

//! Voiding and replacing documents (作废、替换): history kept, numbers kept, no clock moved by way of a paper.

use ::access::{Caller, Role};
use contracts::shared::VoidCause;
use contracts::tasks::{DocumentIssued, DocumentVoided};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Answer, Call};

use crate::world::{CaseHandle, World, letter};

/// A colleague of the office who has issued nothing.
fn colleague(world: &World) -> Caller {
    testkit::caller(Role::CountyOfficeAdmin, Some(world.haikou), Some(world.haikou_office))
}

fn path(document: &Value) -> String {
    format!("/v1/documents/{}", document["document_id"].as_str().unwrap())
}

async fn void(world: &World, document: &Value, body: &Value, by: &Caller) -> Answer {
    Call::post(&format!("{}/void", path(document)), body).by(by).send(&world.router).await
}

async fn lettered(case: &CaseHandle<'_>) -> Value {
    case.until_pleading().await;
    case.step("plea", &json!({"waived": true}), &case.world.principal.clone()).await.expect(StatusCode::OK);
    case.done("letter", &letter()).await["letter"]["document"].clone()
}

async fn plan(world: &World) -> Value {
    let body = json!({"year": 2026, "title": "2026年度督导计划", "items": [{"supervision_kind": "special", "matter": "校园安全",
        "target_unit_ids": [world.school], "window_from": "2026-03-01", "window_to": "2026-04-30"}]});
    let plan = world.post("/v1/plans", &body, &world.county_admin).await.expect(StatusCode::CREATED).json;
    let issued = Call::post(&format!("/v1/plans/{}/issue", plan["plan_id"].as_str().unwrap()), &json!({}))
        .header("If-Match", "\"1\"")
        .by(&world.county_admin)
        .send(&world.router)
        .await;
    issued.expect(StatusCode::OK).json["document"].clone()
}

fn correction() -> Value {
    json!({"cause": "wrong_content", "reason": "总体评价有错字", "corrections": [{"field": "evaluation", "text": "总体较好，安全管理须加强。"}]})
}

#[tokio::test]
async fn a_letter_is_only_replaced_and_the_case_goes_on_as_it_stood() {
    let world = World::new().await;
    let case = world.case().await;
    let first = lettered(&case).await;
    let colleague = colleague(&world);
    let before = world.get(&path(&first), &colleague).await.expect(StatusCode::OK).json;
    assert_eq!(before["carries_a_clock"], true);
    let stands = case.see().await;

    let bare = json!({"cause": "issued_in_error", "reason": "误发"});
    let refused = void(&world, &first, &bare, &colleague).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(refused["guard"], "clock_runs_from_it");
    let words = refused["detail"].as_str().unwrap();
    assert!(words.contains("更正") && words.contains("免于整改"), "{words}");

    let answer = void(&world, &first, &correction(), &colleague).await.expect(StatusCode::OK).json;
    let second = answer["voided"]["replaced_by"].clone();
    assert_eq!(answer["voided"]["cause"], "wrong_content");
    assert_ne!(second["doc_no"], first["doc_no"]);
    assert_eq!((&answer["content"], &answer["sha256"]), (&before["content"], &before["sha256"]), "frozen is frozen");
    let now = world.get(&path(&second), &colleague).await.expect(StatusCode::OK).json;
    assert_eq!(now["content"]["body"]["opinion_letter"]["evaluation"], "总体较好，安全管理须加强。");
    assert_eq!(
        now["content"]["body"]["opinion_letter"]["findings"],
        before["content"]["body"]["opinion_letter"]["findings"]
    );
    assert_eq!(now["content"]["head"]["doc_no"], second["doc_no"]);
    assert_eq!(now["sha256"], second["content_sha256"]);
    assert!(now.get("voided").is_none());
    // The unit reads both, and sees which one holds.
    let seen = world.get(&path(&first), &world.principal).await.expect(StatusCode::OK).json;
    assert_eq!(seen["voided"]["replaced_by"]["doc_no"], second["doc_no"]);
    world.get(&path(&second), &world.principal).await.expect(StatusCode::OK);
    assert_eq!(case.see().await, stands, "no step, no day and no version of the case has changed");

    // The replaced one is done with; the one in its place may be replaced in turn.
    let again = void(&world, &first, &correction(), &colleague).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(again["current_state"], "replaced");
    assert!(again["detail"].as_str().unwrap().contains(second["doc_no"].as_str().unwrap()));
    let own = void(&world, &second, &correction(), &colleague).await.expect(StatusCode::CONFLICT).json;
    assert!(own["type"].as_str().unwrap().ends_with("separation-of-duties"), "{own}");
    let third = json!({"cause": "wrong_content", "reason": "再次更正", "corrections": [{"field": "evaluation", "text": "总体良好。"}]});
    void(&world, &second, &third, &world.county_admin).await.expect(StatusCode::OK);

    // The register hears each: issued before voided, whole entries, numbers in a row.
    let issued = testkit::events_of::<DocumentIssued>(&world.database).await;
    let voided = testkit::events_of::<DocumentVoided>(&world.database).await;
    assert_eq!((issued.len(), voided.len()), (5, 2), "notice, preliminary opinion, three letters");
    let letters: Vec<&str> = issued[2..].iter().map(|event| event.0.document.doc_no.as_str()).collect();
    assert_eq!(letters, ["海口教督委意〔2026〕1号", "海口教督委意〔2026〕2号", "海口教督委意〔2026〕3号"]);
    let entry = &voided[0].0;
    assert_eq!((entry.version, json!(entry.document)), (2, first));
    assert_eq!(entry.area_path, [world.province, world.haikou]);
    let told = entry.voided.as_ref().unwrap();
    assert_eq!((told.cause, json!(told.replaced_by)), (VoidCause::WrongContent, second));
}

#[tokio::test]
async fn a_plan_is_voided_by_another_person_and_its_number_is_not_used_again() {
    let world = World::new().await;
    let first = plan(&world).await;
    let body = json!({"cause": "issued_in_error", "reason": "重复印发"});
    let own = void(&world, &first, &body, &world.county_admin).await.expect(StatusCode::CONFLICT).json;
    assert!(own["type"].as_str().unwrap().ends_with("separation-of-duties"), "{own}");
    for (who, status) in [
        (&world.desk, StatusCode::FORBIDDEN),
        (&world.inspector, StatusCode::FORBIDDEN),
        (&world.principal, StatusCode::FORBIDDEN),
        (&world.sanya_admin, StatusCode::NOT_FOUND),
    ] {
        void(&world, &first, &body, who).await.expect(status);
    }
    let blank = json!({"cause": "issued_in_error", "reason": "　"});
    let colleague = colleague(&world);
    let refused = void(&world, &first, &blank, &colleague).await.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
    assert_eq!(refused["errors"][0]["pointer"], "/reason");

    // The same request twice: one effect, the same answer.
    let send = || {
        Call::post(&format!("{}/void", path(&first)), &body)
            .header("Idempotency-Key", "void-0001")
            .by(&colleague)
            .send(&world.router)
    };
    let done = send().await.expect(StatusCode::OK);
    assert_eq!(send().await.expect(StatusCode::OK).bytes, done.bytes);
    assert_eq!(done.json["voided"]["reason"], "重复印发");
    assert!(done.json["voided"].get("replaced_by").is_none());
    let again = void(&world, &first, &body, &colleague).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(again["current_state"], "void");
    let second = plan(&world).await;
    assert_eq!(
        (&first["doc_no"], &second["doc_no"]),
        (&json!("海口教督委〔2026〕1号"), &json!("海口教督委〔2026〕2号"))
    );
    // What was decided is final, and so is the paper.
    for statement in ["DELETE FROM document_voids", "UPDATE document_voids SET reason = 'x'", "DELETE FROM documents"] {
        assert!(sqlx::query(statement).execute(world.database.pool()).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn corrections_are_words_and_a_refused_one_takes_no_number() {
    let world = World::new().await;
    let case = world.case().await;
    let first = lettered(&case).await;
    let colleague = colleague(&world);
    for (field, text, member) in [
        ("findings", "无", "field"),
        ("issued_on", "2026-01-01", "field"),
        ("doc_no", "琼教督委意〔2026〕1号", "field"),
        ("evaluation", " ", "text"),
    ] {
        let body = json!({"cause": "wrong_content", "reason": "更正", "corrections": [
            {"field": "title", "text": "关于海口市第一小学的督导意见书（更正）"}, {"field": field, "text": text}]});
        let refused = void(&world, &first, &body, &colleague).await.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
        assert_eq!(refused["errors"][0]["pointer"], format!("/corrections/1/{member}"), "{refused}");
    }
    let done = void(&world, &first, &correction(), &colleague).await.expect(StatusCode::OK).json;
    assert_eq!(done["voided"]["replaced_by"]["doc_no"], "海口教督委意〔2026〕2号");
}

/// Two who decide at the same moment: one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_void_a_document_once() {
    let world = World::new().await;
    let first = plan(&world).await;
    let body = json!({"cause": "issued_in_error", "reason": "重复印发"});
    let (one, other) = (colleague(&world), colleague(&world));
    let (one, other) = tokio::join!(void(&world, &first, &body, &one), void(&world, &first, &body, &other));
    let mut both = [one.status, other.status];
    both.sort_unstable();
    assert_eq!(both, [StatusCode::OK, StatusCode::CONFLICT]);
    assert_eq!(testkit::events_of::<DocumentVoided>(&world.database).await.len(), 1);
}

/// The province reads a county's papers and does not void them in its place; the province's own papers are no county's.
#[tokio::test]
async fn only_the_office_that_issued_decides() {
    let world = World::new().await;
    let case = world.case_of(&world.admin, world.new_case(world.haikou_government)).await;
    case.done("team", &world.team()).await;
    let notice = case.done("notify", &json!({})).await["notification"]["document"].clone();
    let body = json!({"cause": "wrong_content", "reason": "更正", "corrections": [{"field": "title", "text": "督导通知书（更正）"}]});
    let refused = void(&world, &notice, &body, &colleague(&world)).await;
    assert!([StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&refused.status), "{}", refused.status);
    let other = testkit::caller(Role::ProvinceOfficeAdmin, Some(world.province), Some(world.office));
    void(&world, &notice, &body, &other).await.expect(StatusCode::OK);
}

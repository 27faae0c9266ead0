//! The papers at the end of a rectification: the approval of each closing, the acceptance of the whole.

use contracts::deadlines::{ItemClosed, RectificationClosed};
use contracts::shared::DocumentKind;
use contracts::tasks::SupervisionKind;
use domain::ids::RectificationId;
use domain::rectification::Rectification;
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Call;

use crate::support::{World, at};

const RECEIVED: &str = "2026-02-06T02:00:00Z";

async fn at_work(severities: &[Severity]) -> (World, RectificationId) {
    let world = World::new().await;
    let id = world.open(1, severities, RECEIVED).await;
    world.database.set_clock(at("2026-02-10T02:00:00Z")).await;
    (world, id)
}

async fn close(world: &World, id: RectificationId, item: usize) -> Value {
    world.verified_by(&world.principal, id, item).await;
    let body = json!({"opinion": "同意销号"});
    world.does(&world.admin, id, item, "close-out", &body).await.expect(StatusCode::OK).json
}

async fn paper(world: &World, document: &Value, by: &access::Caller) -> testkit::Answer {
    Call::get(&format!("/v1/documents/{}", document["document_id"].as_str().unwrap())).by(by).send(&world.router).await
}

/// The frozen content makes a paper that bears its number, and its hash is its own.
fn composed(answer: &Value) -> String {
    let content = documents::Content::from_json(answer["content"].to_string().as_bytes()).unwrap();
    let frozen = content.clone().freeze();
    assert_eq!(answer["content_sha256"], frozen.sha256());
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook/documents");
    let templates = documents::Templates::load(&folder).unwrap();
    let template = templates.version(&content.template).unwrap();
    template.compose(&frozen, documents::PaperState::Genuine, None).unwrap().to_text()
}

#[tokio::test]
async fn every_closing_has_its_form_and_the_last_one_the_acceptance_opinion() {
    let (world, id) = at_work(&[Severity::Minor, Severity::Minor]).await;
    let view = close(&world, id, 0).await;
    let [form] = view["documents"].as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(form["document"]["doc_no"], "海口教督委结〔2026〕1号");
    assert_eq!(form["item_id"], view["rectification"]["items"][0]["item_id"]);
    let shown = paper(&world, &form["document"], &world.admin).await.expect(StatusCode::OK).json;
    let body = &shown["content"]["body"]["closing_approval"];
    assert_eq!(body["closing_no"], "海口教督委结〔2026〕1号");
    assert_eq!(body["conditions"].as_array().unwrap().len(), 5);
    assert!(body["conditions"].as_array().unwrap().iter().all(|condition| condition["met"] == true), "{body}");
    assert_eq!(body["evidence"], json!(["整改后.png"]));
    assert_eq!(
        (&body["approvals"][0]["role"], &body["approvals"][0]["result"]),
        (&json!("核查督学"), &json!("核查通过"))
    );
    assert_eq!(body["approvals"][1]["name"], world.admin.display_name.as_str());
    assert_eq!(body["approvals"][1]["opinion"], "同意销号");
    assert!(composed(&shown).contains("海口教督委结〔2026〕1号"));

    let view = close(&world, id, 1).await;
    let kinds: Vec<&str> =
        view["documents"].as_array().unwrap().iter().filter_map(|paper| paper["document"]["kind"].as_str()).collect();
    assert_eq!(kinds, ["closing_approval", "closing_approval", "acceptance_opinion"]);
    let acceptance = &view["documents"][2]["document"];
    assert_eq!(acceptance["doc_no"], "海口教督委验〔2026〕1号");
    let shown = paper(&world, acceptance, &world.principal).await.expect(StatusCode::OK).json;
    let body = &shown["content"]["body"]["acceptance_opinion"];
    assert_eq!((&body["total"], &body["closed"], &body["completion_rate"]), (&json!(2), &json!(2), &json!("100%")));
    assert_eq!(
        (&body["items"][0]["result"], &body["items"][0]["opinion"]),
        (&json!("现场核查属实"), &json!("同意销号"))
    );
    let text = composed(&shown);
    assert!(
        text.contains("海口市测试小学：") && text.contains("海口教督委意〔2026〕1号") && text.contains("回头看"),
        "{text}"
    );

    // The events of the closings tell of their papers, and nothing else does.
    let closed = testkit::events_of::<ItemClosed>(&world.database).await;
    let told: Vec<_> =
        closed.iter().filter_map(|event| event.approval.as_ref()).map(|paper| paper.doc_no.as_str()).collect();
    assert_eq!(told, ["海口教督委结〔2026〕1号", "海口教督委结〔2026〕2号"]);
    let [completed] = testkit::events_of::<RectificationClosed>(&world.database).await.try_into().unwrap();
    assert_eq!(completed.acceptance.map(|paper| paper.kind), Some(DocumentKind::AcceptanceOpinion));
}

#[tokio::test]
async fn the_form_stays_with_the_offices_and_the_opinion_goes_to_the_unit() {
    let (world, id) = at_work(&[Severity::Minor]).await;
    let view = close(&world, id, 0).await;
    let (form, acceptance) = (&view["documents"][0]["document"], &view["documents"][1]["document"]);
    assert_eq!(form["kind"], "closing_approval");
    let other = testkit::caller(access::Role::CountyOfficeAdmin, Some(uuid::Uuid::now_v7().into()), None);
    for (by, of_form, of_opinion) in [
        (&world.admin, StatusCode::OK, StatusCode::OK),
        (&world.inspector, StatusCode::OK, StatusCode::OK),
        (&world.principal, StatusCode::NOT_FOUND, StatusCode::OK),
        (&world.department, StatusCode::NOT_FOUND, StatusCode::OK),
        (&other, StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
    ] {
        paper(&world, form, by).await.expect(of_form);
        paper(&world, acceptance, by).await.expect(of_opinion);
    }
    let path = format!("/v1/rectifications/{id}");
    let own = Call::get(&path).by(&world.principal).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(own["documents"].as_array().unwrap().len(), 1, "the unit's list has what it may read");
    let nothing = json!({"document_id": uuid::Uuid::nil()});
    paper(&world, &nothing, &world.admin).await.expect(StatusCode::NOT_FOUND);
}

/// Twice the same act is one paper; an act that is refused takes no number.
#[tokio::test]
async fn a_closing_that_is_repeated_or_refused_takes_no_number() {
    let (world, id) = at_work(&[Severity::Serious]).await;
    let early = world.does(&world.admin, id, 0, "close-out", &json!({})).await.expect(StatusCode::CONFLICT);
    assert_eq!(early.json["current_state"], "in_progress");
    let view = world.verified_by(&world.principal, id, 0).await;
    assert_eq!(view["documents"], json!([]));
    let view = world.does(&world.admin, id, 0, "close-out", &json!({})).await.expect(StatusCode::OK).json;
    assert_eq!(view["documents"], json!([]), "the first of two approvals closes nothing");
    for _ in 0..2 {
        let view = world.does(&world.second_admin, id, 0, "close-out", &json!({})).await.expect(StatusCode::OK).json;
        assert_eq!(view["documents"].as_array().unwrap().len(), 2);
    }
    let approvals = paper(&world, &world.view(id).await["documents"][0]["document"], &world.admin).await.json;
    let roles: Vec<&str> = approvals["content"]["body"]["closing_approval"]["approvals"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["role"].as_str())
        .collect();
    assert_eq!(roles, ["核查督学", "督导机构审核", "督导机构审批"]);
    let last: Vec<(String, i32)> = sqlx::query_as("SELECT kind_word, last FROM number_series ORDER BY kind_word")
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    assert_eq!(last, [("结".to_owned(), 1), ("验".to_owned(), 1)]);
    // Frozen, whoever tries.
    let changed = sqlx::query("UPDATE documents SET title = '他'").execute(world.database.pool()).await;
    assert!(changed.is_err_and(|error| error.to_string().contains("frozen")));
}

/// A waiver ends the case as well: nothing was closed, but what became of each item is told.
#[tokio::test]
async fn a_case_that_ends_with_a_waiver_has_an_acceptance_without_a_rate() {
    let (world, id) = at_work(&[Severity::Minor]).await;
    let item_id = world.view(id).await["rectification"]["items"][0]["item_id"].clone();
    let wish = json!({"subject": "waiver", "item_id": item_id, "reason": "校区已经撤并"});
    let (_, request) = world.asks(&world.principal, id, &wish).await;
    let view = world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK).json;
    let [acceptance] = view["documents"].as_array().unwrap().clone().try_into().unwrap();
    let shown = paper(&world, &acceptance["document"], &world.principal).await.expect(StatusCode::OK).json;
    let body = &shown["content"]["body"]["acceptance_opinion"];
    assert_eq!((&body["items"][0]["opinion"], &body["closed"]), (&json!("免于整改"), &json!(0)));
    assert!(body.get("completion_rate").is_none() && body.get("look_back").is_none(), "{body}");
    composed(&shown);
}

/// A problem that comes back is closed anew, with papers of its own.
#[tokio::test]
async fn what_was_opened_anew_is_closed_with_new_papers() {
    let (world, id) = at_work(&[Severity::Major]).await;
    close(&world, id, 0).await;
    let due = world.armed(id).await.into_iter().find(|timer| timer.starts_with("look_back@")).unwrap();
    world.fire_at(due.split_once('@').unwrap().1).await;
    let back = json!({"decision": "return", "note": "问题反弹"});
    world.does(&world.inspector, id, 0, "look-back", &back).await.expect(StatusCode::OK);
    let view = close(&world, id, 0).await;
    let numbers: Vec<&str> =
        view["documents"].as_array().unwrap().iter().filter_map(|paper| paper["document"]["doc_no"].as_str()).collect();
    assert_eq!(
        numbers,
        ["海口教督委结〔2026〕1号", "海口教督委验〔2026〕1号", "海口教督委结〔2026〕2号", "海口教督委验〔2026〕2号"]
    );
}

/// The receipt of a rectification notice starts the clocks like that of an opinion letter.
#[tokio::test]
async fn a_rectification_notice_opens_a_rectification() {
    let world = World::new().await;
    let mut letter = world.letter(1, &[Severity::Minor]);
    letter.document.kind = DocumentKind::RectificationNotice;
    letter.document.doc_no = "海口教督委整〔2026〕1号".to_owned();
    letter.supervision_kind = SupervisionKind::Regular;
    world.hear(&letter).await.unwrap();
    let mut receipt = world.receipt(&letter, at(RECEIVED));
    receipt.document_kind = DocumentKind::RectificationNotice;
    world.hear(&receipt).await.unwrap();
    let view = world.view(Rectification::id_of(letter.letter_id)).await;
    assert_eq!(view["rectification"]["letter"]["kind"], "rectification_notice");
    assert_eq!(view["rectification"]["items"][0]["due_on"], "2026-03-05");
    // The receipts of other papers open nothing.
    let mut other = world.receipt(&letter, at(RECEIVED));
    other.document_id = uuid::Uuid::now_v7().into();
    other.document_kind = DocumentKind::AcceptanceOpinion;
    world.hear(&other).await.unwrap();
}

//! The whole way of a case, and exactly the events that it emits.

use contracts::tasks::{LetterIssued, NotificationIssued, PreliminaryOpinionIssued};
use contracts::{Actor, Event as _};
use http::StatusCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::world::{World, letter};

/// Regulation art. 16 to 21, with a plea that is answered.
#[tokio::test]
async fn a_case_runs_from_notice_to_letter_and_emits_three_events() {
    let world = World::new().await;
    let case = world.case().await;
    case.until_pleading().await;

    let seen = case.see().await;
    assert_eq!(seen["state"], "pleading");
    // Received on 10 March 2026; ten working days, Qingming lies later: the 24th.
    assert_eq!(seen["preliminary_opinion"]["plea_due_on"], "2026-03-24");
    assert!(seen["preliminary_opinion"]["plea_due_explained"].as_str().unwrap().contains("10个工作日"));

    let answer = case
        .step("plea", &json!({"text": "出口因施工临时堵塞，已清理。"}), &world.principal)
        .await
        .expect(StatusCode::OK);
    assert_eq!(answer.json["plea"]["waived"], false);
    case.done("plea-decision", &json!({"treatment": "部分采纳：情况属实，但未设置警示。"})).await;
    let done = case.done("letter", &letter()).await;
    assert_eq!(done["state"], "lettered");
    assert_eq!(done["letter"]["document"]["doc_no"], "海口教督委意〔2026〕1号");
    assert_eq!(done["letter"]["plea_treatment"], "部分采纳：情况属实，但未设置警示。");
    world.sign(&done["letter"]["document"], world.school).await.unwrap();
    assert!(case.see().await["letter"]["received_at"].is_string());

    let (register, events): (Vec<_>, Vec<_>) = testkit::events(&world.database)
        .await
        .into_iter()
        .partition(contracts::Envelope::is::<contracts::tasks::DocumentIssued>);
    assert_eq!(register.len(), 3, "each document is told to the register as well");
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, [NotificationIssued::TYPE, PreliminaryOpinionIssued::TYPE, LetterIssued::TYPE]);
    assert!(events.iter().all(
        |event| matches!(&event.actor, Actor::Person { account_id, .. } if *account_id == world.county_admin.account_id)
    ));

    let notice: NotificationIssued = events[0].read().unwrap();
    assert_eq!(notice.document.doc_no, "海口教督委〔2026〕1号");
    assert_eq!(notice.team.len(), 3);
    assert_eq!(notice.unit.competent_unit_id, Some(world.haikou_bureau));
    let opinion: PreliminaryOpinionIssued = events[1].read().unwrap();
    assert!(notice.version < opinion.version);
    let issued: LetterIssued = events[2].read().unwrap();
    assert_eq!(issued.letter_id.as_uuid(), issued.document.document_id.as_uuid());
    assert_eq!(issued.visited_on.to_string(), "2026-03-10");
    assert_eq!(issued.unit.code.as_deref(), Some("2146000001"));
    assert_eq!(issued.findings.len(), 1);
    assert_eq!(issued.findings[0].number, 1);
    assert_eq!(issued.findings[0].responsible_unit_name, "海口市第一小学");
    assert_eq!(issued.document.issuing_unit_id, world.haikou_office);

    // The frozen text carries its own hash.
    let path = format!("/v1/documents/{}", issued.document.document_id);
    let document = world.get(&path, &world.principal).await.expect(StatusCode::OK);
    let text = String::from_utf8(document.bytes.clone()).unwrap();
    let content = text.split_once("\"content\":").unwrap().1;
    let content = content.split_once(",\"code\"").unwrap().0;
    assert_eq!(document.json["sha256"], hex::encode(Sha256::digest(content.as_bytes())));
    let frozen = documents::Frozen::read(content.as_bytes()).expect("canonical bytes");
    assert_eq!(document.json["sha256"], frozen.sha256());
    let head = &document.json["content"]["head"];
    assert_eq!(head["doc_no"], "海口教督委意〔2026〕1号");
    assert_eq!(head["legal_basis"], json!(["《教育督导条例》第二十一条", "第二十二条"]));
    assert_eq!(head["finding_ids"], json!([issued.findings[0].finding_id]));
    let body = &document.json["content"]["body"]["opinion_letter"];
    assert_eq!(body["findings"][0]["demand"], "立即清理并建立巡查制度");
    assert_eq!(body["findings"][0]["responsible_unit"], "海口市第一小学");
    assert!(body["findings"][0]["limit"].as_str().unwrap().starts_with("自签收之日起"));
    assert!(body["plea"].as_str().unwrap().starts_with("出口因施工临时堵塞，已清理。（"));
    assert_eq!(body["plea_treatment"], "部分采纳：情况属实，但未设置警示。");
    assert_eq!(body["team"].as_array().unwrap().iter().filter(|member| member["duty"] == "组长").count(), 1);
    assert_eq!(body["visits"].as_array().unwrap().len(), 1);
    every_document_makes_a_paper(&world, &[&notice.document, &opinion.document, &issued.document]).await;
}

/// What is frozen is a content that the templates in force have words for, number and addressee on it.
async fn every_document_makes_a_paper(world: &World, issued: &[&contracts::shared::DocumentRef]) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook/documents");
    let templates = documents::Templates::load(&folder).unwrap();
    for document in issued {
        let path = format!("/v1/documents/{}", document.document_id);
        let answer = world.get(&path, &world.principal).await.expect(StatusCode::OK);
        let content = documents::Content::from_json(answer.json["content"].to_string().as_bytes()).unwrap();
        let template = templates.version(&content.template).unwrap();
        let text = template.compose(&content.freeze(), documents::PaperState::Genuine, None).unwrap().to_text();
        assert!(text.contains(&document.doc_no) && text.contains("海口市第一小学："), "{text}");
        assert!(text.contains("《教育督导条例》第"), "{text}");
    }
}

/// The plea window passed unused: the letter may go out; and a written waiver opens it at once.
#[tokio::test]
async fn silence_until_the_window_has_passed_or_a_waiver_opens_the_letter() {
    let world = World::new().await;
    let case = world.case().await;
    case.until_pleading().await;
    case.refused("letter", &letter(), "plea_open").await;
    // Ten working days from Tuesday 10 March end with Tuesday 24 March.
    world.days_later(14).await;
    case.refused("letter", &letter(), "plea_open").await;
    world.days_later(1).await;
    let late = case.step("plea", &json!({"text": "晚了"}), &world.principal).await.expect(StatusCode::CONFLICT);
    assert_eq!(late.json["guard"], "plea_too_late");
    case.done("letter", &letter()).await;

    let other = World::new().await;
    let case = other.case().await;
    case.until_pleading().await;
    case.step("plea", &json!({"waived": true}), &other.principal).await.expect(StatusCode::OK);
    case.done("letter", &letter()).await;
}

/// Regular supervision needs neither notice nor hearings; the unit hears of it with the preliminary opinion.
#[tokio::test]
async fn regular_supervision_goes_without_notice() {
    let world = World::new().await;
    let mut body = world.new_case(world.school);
    body["supervision_kind"] = json!("regular");
    let case = world.case_of(&world.county_admin, body).await;
    let one = json!({"members": [{"person_id": world.inspectors[0], "leader": true, "recusals": []}]});
    case.done("team", &one).await;
    world.days_later(1).await;
    let visit = case.visit_body().await;
    case.step("visit-records", &visit, &world.inspector).await.expect(StatusCode::CREATED);
    case.done("findings", &world.finding()).await;
    case.get(&world.principal).await.expect(StatusCode::NOT_FOUND);
    case.done("feedback", &crate::world::opinion()).await;
    case.get(&world.principal).await.expect(StatusCode::OK);
}

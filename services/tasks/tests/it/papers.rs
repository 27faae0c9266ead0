//! The papers beyond the opinion letter: rectification notice, interview notice, circular, supervision report; each once, with a
//! number of its series, by who may, for what still stands.

use ::access::{Caller, Role};
use contracts::deadlines::{RectificationSnapshot, StepState};
use contracts::shared::DocumentKind;
use contracts::tasks::{CircularIssued, InterviewNotified, LetterIssued, ReportIssued};
use domain::ids::{CaseId, ProposalId};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Answer, Call};

use crate::assignments::{changed, hear, proposed, rectification, with_steps, wrapped};
use crate::world::{CaseHandle, World, letter, with_grant};

/// A case of the Haikou office up to its letter.
async fn lettered(world: &World) -> CaseHandle<'_> {
    let case = world.case().await;
    case.until_pleading().await;
    case.step("plea", &json!({"waived": true}), &world.principal).await.expect(StatusCode::OK);
    case.done("letter", &letter()).await;
    case
}

/// The rectification of the case's letter with steps in these states.
fn of_case(world: &World, case: &CaseHandle<'_>, version: i64, states: &[StepState]) -> RectificationSnapshot {
    let mut snapshot = with_steps(world, &case.id, version, states);
    snapshot.case_id = case.id.parse::<uuid::Uuid>().map(CaseId::from).unwrap();
    snapshot
}

async fn assignment(world: &World, kind: &str) -> Value {
    let path = format!("/v1/assignments?kind={kind}");
    let list = world.get(&path, &world.county_admin).await.expect(StatusCode::OK).json;
    let id = list["items"][0]["assignment_id"].as_str().expect("an assignment").to_owned();
    world.get(&format!("/v1/assignments/{id}"), &world.county_admin).await.expect(StatusCode::OK).json
}

fn interview() -> Value {
    json!({
        // Monday 2 March is the start, the visit was on the 10th; the 17th is three working days and more ahead.
        "at": "2026-03-17T01:30:00Z", "place": "第一会议室",
        "hosts": [{"duty": "主谈", "name": "市督导委员会办公室主任"}, {"name": "市教育局分管负责人", "post": "海口市教育局"}],
        "interviewees": [{"name": "校长", "post": "海口市第一小学"}],
        "materials": ["整改情况说明"], "contact": "督导科", "phone": "0898-68700000",
    })
}

fn circular() -> Value {
    json!({
        "facts": "逾期未完成整改。", "rectification_state": "1项未完成。", "result": "予以通报。",
        "demands": ["限期整改"],
    })
}

async fn issue(world: &World, assignment: &Value, verb: &str, body: &Value, by: &Caller) -> Answer {
    world.post(&format!("/v1/assignments/{}/{verb}", assignment["assignment_id"].as_str().unwrap()), body, by).await
}

async fn content(world: &World, document: &Value, by: &Caller) -> Value {
    let path = format!("/v1/documents/{}", document["document_id"].as_str().unwrap());
    let answer = world.get(&path, by).await.expect(StatusCode::OK).json;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook/documents");
    let templates = documents::Templates::load(&folder).unwrap();
    let content = documents::Content::from_json(answer["content"].to_string().as_bytes()).unwrap();
    let frozen = content.clone().freeze();
    assert_eq!(answer["sha256"], frozen.sha256());
    let template = templates.version(&content.template).unwrap();
    let text = template.compose(&frozen, documents::PaperState::Genuine, None).unwrap().to_text();
    assert!(text.contains(document["doc_no"].as_str().unwrap()), "{text}");
    answer["content"].clone()
}

/// Measure 13: with a number, served on the unit, filed with the bodies named; once, whoever asks again.
#[tokio::test]
async fn an_interview_notice_goes_out_once_for_a_proposed_step() {
    let world = World::new().await;
    let case = lettered(&world).await;
    hear(&world, &[&wrapped(&proposed(of_case(&world, &case, 5, &[StepState::Proposed])))]).await;
    let step = assignment(&world, "interview").await;
    assert!(step.get("paper").is_none());
    let path = format!("/v1/assignments/{}/interview-notice", step["assignment_id"].as_str().unwrap());
    let send = || {
        Call::post(&path, &interview())
            .header("Idempotency-Key", "interview-0001")
            .by(&world.county_admin)
            .send(&world.router)
    };
    let first = send().await.expect(StatusCode::CREATED).json;
    assert_eq!(send().await.expect(StatusCode::CREATED).json, first, "the same request has one effect");
    let again = issue(&world, &step, "interview-notice", &interview(), &world.county_admin).await;
    assert_eq!(again.expect(StatusCode::CONFLICT).json["guard"], "paper_issued");
    let document = &first["paper"];
    assert_eq!(document["doc_no"], "海口教督委约〔2026〕1号");
    assert_eq!(document["kind"], "interview_notice");

    let [event] = testkit::events_of::<InterviewNotified>(&world.database).await.try_into().unwrap();
    assert_eq!(event.document.kind, DocumentKind::InterviewNotice);
    assert_eq!((event.step.unit.unit_id, event.step.unit.competent_unit_id), (world.school, Some(world.haikou_bureau)));
    assert_eq!(event.reason, format!("海口教督委意〔2026〕{}号所列问题第1项经督办仍未按期完成整改", case.id));

    let frozen = content(&world, document, &world.principal).await;
    assert_eq!(frozen["head"]["addressee"], "海口市第一小学");
    assert_eq!(frozen["head"]["copies"], json!(["中共海口市委员会", "海口市人民政府", "海口市教育局"]));
    assert_eq!(frozen["head"]["phone"], "0898-68700000");
    assert_eq!(frozen["body"]["interview_notice"]["hosts"][0]["duty"], "主谈");
    // The department reads along; inspectors of the area, who work in its schools, do not, unless they are of the group.
    content(&world, document, &world.bureau_officer).await;
    let address = format!("/v1/documents/{}", document["document_id"].as_str().unwrap());
    world.get(&address, &world.stranger).await.expect(StatusCode::NOT_FOUND);
    world.get(&address, &world.sanya_admin).await.expect(StatusCode::NOT_FOUND);

    // The unit signs for it, and nobody else does.
    assert!(world.sign(document, world.sanya_school).await.is_err());
    world.sign(document, world.school).await.unwrap();
    let read = world.get(&address, &world.principal).await.json;
    assert_eq!(read["received_by"], "海口市第一小学负责人");
}

#[tokio::test]
async fn an_interview_too_soon_or_with_nobody_is_refused_and_takes_no_number() {
    let world = World::new().await;
    let case = lettered(&world).await;
    hear(&world, &[&wrapped(&proposed(of_case(&world, &case, 5, &[StepState::Proposed])))]).await;
    let step = assignment(&world, "interview").await;
    let admin = &world.county_admin;
    let mut body = interview();
    // Tuesday 10 March; three working days end on Friday the 13th.
    body["at"] = json!("2026-03-12T01:30:00Z");
    let soon = issue(&world, &step, "interview-notice", &body, admin).await.expect(StatusCode::CONFLICT).json;
    assert_eq!((&soon["guard"], &soon["earliest_on"]), (&json!("interview_too_soon"), &json!("2026-03-13")));
    assert!(soon["detail"].as_str().unwrap().contains("3个工作日"), "{soon}");
    body["at"] = json!("2026-03-13T01:30:00Z");
    body["hosts"] = json!([]);
    body["interviewees"][0]["name"] = json!(" ");
    let wrong = issue(&world, &step, "interview-notice", &body, admin).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<&str> =
        wrong.json["errors"].as_array().unwrap().iter().filter_map(|error| error["pointer"].as_str()).collect();
    assert_eq!(pointers, ["/hosts", "/interviewees/0/name"]);
    body["hosts"] = interview()["hosts"].clone();
    body["interviewees"] = interview()["interviewees"].clone();
    let issued = issue(&world, &step, "interview-notice", &body, admin).await.expect(StatusCode::CREATED).json;
    assert_eq!(issued["paper"]["doc_no"], "海口教督委约〔2026〕1号");
}

/// Who is not of the office that issued the letter issues nothing for its steps, and who is of the unit neither.
#[tokio::test]
async fn papers_of_steps_need_the_right_hand() {
    let world = World::new().await;
    let case = lettered(&world).await;
    hear(&world, &[&wrapped(&proposed(of_case(&world, &case, 5, &[StepState::Proposed])))]).await;
    let step = assignment(&world, "interview").await;
    for (by, status) in [
        (&world.desk, StatusCode::FORBIDDEN),
        (&world.inspector, StatusCode::FORBIDDEN),
        (&world.principal, StatusCode::FORBIDDEN),
        (&world.bureau_officer, StatusCode::FORBIDDEN),
        (&world.auditor, StatusCode::FORBIDDEN),
        (&world.sanya_admin, StatusCode::NOT_FOUND),
    ] {
        issue(&world, &step, "interview-notice", &interview(), by).await.expect(status);
        issue(&world, &step, "circular", &circular(), by).await.expect(status);
    }
    let own = with_grant(world.county_admin.clone(), Role::UnitContact, None, Some(world.school));
    let refused = issue(&world, &step, "interview-notice", &interview(), &own).await.expect(StatusCode::CONFLICT);
    assert!(refused.json["type"].as_str().unwrap().ends_with("separation-of-duties"), "{}", refused.json);
    let other = issue(&world, &step, "circular", &circular(), &world.county_admin).await;
    assert_eq!(other.expect(StatusCode::CONFLICT).json["guard"], "other_step");
    assert!(testkit::events_of::<InterviewNotified>(&world.database).await.is_empty());
}

/// A step that was lifted or ended meanwhile gets no paper; one that was taken still does.
#[tokio::test]
async fn what_is_no_longer_pursued_gets_no_paper() {
    for (state, guard) in
        [(StepState::Lifted, Some("step_lifted")), (StepState::Moot, Some("step_moot")), (StepState::Taken, None)]
    {
        let world = World::new().await;
        let case = lettered(&world).await;
        hear(&world, &[&wrapped(&proposed(of_case(&world, &case, 5, &[StepState::Proposed])))]).await;
        let step = assignment(&world, "interview").await;
        let proposal_id: ProposalId = serde_json::from_value(step["proposal_id"].clone()).unwrap();
        let change = contracts::deadlines::Change::StepMoot { proposal_id, level: 2 };
        hear(&world, &[&changed(of_case(&world, &case, 6, &[state]), change)]).await;
        let answer = issue(&world, &step, "interview-notice", &interview(), &world.county_admin).await;
        match guard {
            Some(guard) => assert_eq!(answer.expect(StatusCode::CONFLICT).json["guard"], guard, "{state:?}"),
            None => assert_eq!(answer.expect(StatusCode::CREATED).json["state"], "done"),
        }
    }
}

/// Measure 14: to the Party committee and government of the place; bars no shorter than the rules say.
#[tokio::test]
async fn a_circular_names_addressees_and_bars() {
    let world = World::new().await;
    let case = lettered(&world).await;
    let states = [StepState::Taken, StepState::Proposed];
    hear(&world, &[&wrapped(&proposed(of_case(&world, &case, 8, &states)))]).await;
    let step = assignment(&world, "circular").await;
    let mut short = circular();
    short["bars"] = json!([{"measure": "取消评优资格", "until": "2027-03-09"}]);
    let wrong = issue(&world, &step, "circular", &short, &world.county_admin).await;
    let wrong = wrong.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
    assert_eq!(wrong["errors"][0]["pointer"], "/bars/0/until", "{wrong}");
    let issued = issue(&world, &step, "circular", &circular(), &world.county_admin).await;
    let issued = issued.expect(StatusCode::CREATED).json;
    // A circular shares the agency's main series with its notice of supervision.
    assert_eq!(issued["paper"]["doc_no"], "海口教督委〔2026〕2号");
    let frozen = content(&world, &issued["paper"], &world.principal).await;
    assert_eq!(frozen["head"]["addressee"], "中共海口市委员会，海口市人民政府");
    assert_eq!(frozen["head"]["copies"], json!(["中共海口市委员会组织部", "海口市教育局", "海口市第一小学"]));
    assert_eq!(frozen["head"]["publication"], "on_request");
    let bars = &frozen["body"]["circular"]["bars"];
    assert_eq!(
        bars,
        &json!([{"measure": "不得评优评先、提拔使用或者转任重要职务", "unit": "海口市第一小学领导班子成员", "until": "2027-03-10"}])
    );
    let [event] = testkit::events_of::<CircularIssued>(&world.database).await.try_into().unwrap();
    assert_eq!(event.barred_until.map(|day| day.to_string()).as_deref(), Some("2027-03-10"));
    let path = format!("/v1/assignments/{}", step["assignment_id"].as_str().unwrap());
    assert_eq!(world.get(&path, &world.county_admin).await.json["paper"], issued["paper"]);
}

/// A look-back has no paper of the ladder, and what is not known stays unknown.
#[tokio::test]
async fn a_step_of_a_case_that_is_not_here_gets_no_paper() {
    let world = World::new().await;
    hear(&world, &[&wrapped(&proposed(with_steps(&world, "1", 5, &[StepState::Proposed])))]).await;
    let step = assignment(&world, "interview").await;
    issue(&world, &step, "interview-notice", &interview(), &world.county_admin).await.expect(StatusCode::NOT_FOUND);
    let nobody = json!({"assignment_id": rectification(&world, "x", 1).case_id});
    issue(&world, &nobody, "circular", &circular(), &world.county_admin).await.expect(StatusCode::NOT_FOUND);
}

/// Regulation art. 15: after a regular visit the office issues what the inspector proposed, with the letter's consequences.
#[tokio::test]
async fn a_regular_supervision_ends_with_a_rectification_notice() {
    let world = World::new().await;
    let mut body = world.new_case(world.school);
    (body["supervision_kind"], body["title"]) = (json!("regular"), json!("三月份经常性督导"));
    let case = world.case_of(&world.county_admin, body).await;
    let one = json!({"members": [{"person_id": world.inspectors[0], "leader": true, "recusals": []}]});
    case.done("team", &one).await;
    world.days_later(1).await;
    let visit = case.visit_body().await;
    case.step("visit-records", &visit, &world.inspector).await.expect(StatusCode::CREATED);
    case.step("findings", &world.finding(), &world.inspector).await.expect(StatusCode::CREATED);
    let fed_back = case.done("feedback", &crate::world::opinion()).await;
    world.sign(&fed_back["preliminary_opinion"]["document"], world.school).await.unwrap();
    case.step("plea", &json!({"waived": true}), &world.principal).await.expect(StatusCode::OK);
    let steps = case.see().await["next_steps"].clone();
    assert!(steps.as_array().unwrap().iter().any(|step| step["title"] == "印发整改通知书"), "{steps}");
    // The inspector proposes, the office issues.
    case.step("letter", &letter(), &world.inspector).await.expect(StatusCode::FORBIDDEN);
    let done = case.done("letter", &letter()).await;
    let document = &done["letter"]["document"];
    assert_eq!(
        (&document["kind"], &document["doc_no"]),
        (&json!("rectification_notice"), &json!("海口教督委整〔2026〕1号"))
    );
    assert_eq!(done["state_zh"], "整改通知书已下达");
    let [event] = testkit::events_of::<LetterIssued>(&world.database).await.try_into().unwrap();
    assert_eq!((event.document.kind, event.findings.len()), (DocumentKind::RectificationNotice, 1));
    let frozen = content(&world, document, &world.principal).await;
    let notice = &frozen["body"]["rectification_notice"];
    assert_eq!(notice["problems"][0]["limit"], "自签收之日起30日", "{notice}");
    assert_eq!((&notice["inspector"], &notice["source"]), (&json!("责任督学督学0001"), &json!("经常性督导")));
    assert_eq!(notice["report_to"], "海口市人民政府教育督导委员会办公室");
    assert_eq!(frozen["head"]["legal_basis"], json!(["《教育督导条例》第十五条", "第二十二条"]));
    world.sign(document, world.school).await.unwrap();
    assert!(case.see().await["letter"]["received_at"].is_string());
}

fn report() -> Value {
    json!({
        "situation": "基本情况。", "results": [{"title": "重视安全", "text": "制度健全。"}],
        "problems": [{"title": "安全管理", "text": "安全出口堵塞。"}], "demands": ["限期整改"], "signer": "市政府总督学",
        "scores": [{"indicator": "校园安全", "full": "100", "score": "86"}],
    })
}

/// Regulation art. 23: to the agency's own government, filed with the agency above, once, after the letter.
#[tokio::test]
async fn a_report_is_drafted_from_the_case_and_issued_once() {
    let world = World::new().await;
    let early = world.case().await;
    early.refused("report", &report(), "no_letter").await;
    let case = lettered(&world).await;
    let begun = world.get(&case.path("report-draft"), &world.county_admin).await.expect(StatusCode::OK).json;
    assert_eq!(begun["addressee"], "海口市人民政府");
    assert_eq!(begun["copies"], json!(["海南省人民政府教育督导委员会办公室"]));
    // The visit ended on 10 March; thirty days later is a Thursday.
    assert_eq!((&begun["due_on"], &begun["late"]), (&json!("2026-04-09"), &json!(false)));
    let draft = &begun["draft"];
    assert!(draft["situation"].as_str().unwrap().contains("座谈24人，回收问卷90份"), "{draft}");
    assert_eq!(draft["problems"][0]["text"], "教学楼东侧安全出口堵塞");
    world.get(&case.path("report-draft"), &world.principal).await.expect(StatusCode::FORBIDDEN);
    world.get(&case.path("report-draft"), &world.sanya_admin).await.expect(StatusCode::NOT_FOUND);

    case.step("report", &report(), &world.desk).await.expect(StatusCode::FORBIDDEN);
    let mut body = report();
    (body["signer"], body["problems"]) = (json!(""), json!([]));
    let wrong = case.step("report", &body, &world.county_admin).await.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 2, "{wrong}");
    let stale = Call::post(&case.path("report"), &report())
        .header("If-Match", "\"1\"")
        .by(&world.county_admin)
        .send(&world.router)
        .await;
    stale.expect(StatusCode::PRECONDITION_FAILED);
    let done = case.done("report", &report()).await;
    assert_eq!(done["report"]["doc_no"], "海口教督委〔2026〕2号", "the main series, after the notice of supervision");
    case.refused("report", &report(), "reported").await;
    let frozen = content(&world, &done["report"], &world.county_admin).await;
    assert_eq!((&frozen["head"]["signer"], &frozen["head"]["publication"]), (&json!("市政府总督学"), &json!("open")));
    let report = &frozen["body"]["supervision_report"];
    assert_eq!((report["scores"].as_array().unwrap().len(), report["findings"].as_array().unwrap().len()), (1, 1));
    let [event] = testkit::events_of::<ReportIssued>(&world.database).await.try_into().unwrap();
    assert_eq!(event.addressee, "海口市人民政府");
    assert_eq!(event.letter_id.as_uuid().to_string(), done["letter"]["document"]["document_id"].as_str().unwrap());
}

/// Numbers stay without gap when several people issue at once and some are refused.
#[tokio::test]
async fn two_at_once_issue_one_paper_and_one_number() {
    let world = World::new().await;
    let case = lettered(&world).await;
    hear(&world, &[&wrapped(&proposed(of_case(&world, &case, 5, &[StepState::Proposed])))]).await;
    let step = assignment(&world, "interview").await;
    let path = format!("/v1/assignments/{}/interview-notice", step["assignment_id"].as_str().unwrap());
    let mut calls = Vec::new();
    for n in 0..4 {
        let call = Call::post(&path, &interview())
            .header("Idempotency-Key", &format!("interview-{n:04}"))
            .by(&world.county_admin);
        let router = world.router.clone();
        calls.push(tokio::spawn(async move { call.send(&router).await.status }));
    }
    let mut created = 0;
    for call in calls {
        match call.await.unwrap() {
            StatusCode::CREATED => created += 1,
            StatusCode::CONFLICT => {}
            other => panic!("unexpected {other}"),
        }
    }
    assert_eq!(created, 1);
    let last: i32 = sqlx::query_scalar("SELECT last FROM document_serials WHERE kind_word = '约'")
        .fetch_one(world.database.pool())
        .await
        .unwrap();
    assert_eq!(last, 1);
}

//! People decide: who may, on which version, in which words, once.

use access::Role;
use contracts::publication::PagePublished;
use contracts::{Actor, Event as _};
use domain::ids::UnitId;
use http::StatusCode;
use serde_json::json;
use testkit::Call;
use uuid::Uuid;

use crate::support::{App, county, office, path_of, public_path_of, rectification, urged};

const HOSTILE: &str = "学生张三（身份证460106201203041234）在宿舍受伤，家长电话13800138000。";

#[tokio::test]
async fn the_proposal_is_masked_and_the_approver_sees_what_was_masked() {
    let app = App::new().await;
    let snapshot = rectification("甲", &[HOSTILE]);
    app.feed(&snapshot).await;
    let draft = app.draft(&snapshot).await;
    let finding = &draft["findings"][0];
    assert_eq!(finding["original"], HOSTILE);
    assert_eq!(finding["marks"].as_array().unwrap().len(), 3);
    assert_eq!(draft["marks"], 3);
    let approved = app.approve(&snapshot).await;
    assert_eq!(approved["state"], "published");
    let page = app.browse(&public_path_of(&snapshot)).await.expect(StatusCode::OK);
    let text = String::from_utf8(page.bytes).unwrap();
    for secret in ["张三", "460106201203041234", "13800138000"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains("［姓名已隐去］"));
}

#[tokio::test]
async fn the_approver_words_a_finding_in_another_way_and_is_recorded() {
    let app = App::new().await;
    let snapshot = rectification("甲", &[HOSTILE, "消防通道堵塞"]);
    app.feed(&snapshot).await;
    let caller = testkit::caller(Role::PublicityOfficer, Some(county("460100")), None);
    let body = json!({"findings": [{"number": 1, "text": "一名学生在宿舍受伤，学校未及时处置。"}]});
    let answer = app.decide(&snapshot, "approve", &body, &caller).await.expect(StatusCode::OK);
    assert_eq!(answer.headers["etag"], format!("\"{}\"", answer.json["version"]));
    assert_eq!(answer.json["approval"]["by"], caller.display_name);
    assert_eq!(answer.json["findings"][0]["edited"], true);
    assert_eq!(answer.json["findings"][1]["edited"], false);
    assert_eq!(answer.json["preview"]["findings"][0]["text"], "一名学生在宿舍受伤，学校未及时处置。");
    let event = testkit::events(&app.database).await.pop().unwrap();
    assert_eq!(event.event_type, PagePublished::TYPE);
    assert!(matches!(&event.actor, Actor::Person { account_id, .. } if *account_id == caller.account_id));
    // The words stay when the status changes, and approving once more changes nothing.
    app.feed(&urged(&snapshot)).await;
    let again = app.approve(&snapshot).await;
    assert_eq!(again["findings"][0]["text"], "一名学生在宿舍受伤，学校未及时处置。");
    assert_eq!(again["approval"]["by"], caller.display_name);
    assert_eq!(testkit::events(&app.database).await.len(), 2);
}

#[tokio::test]
async fn words_with_personal_data_are_refused_field_by_field() {
    let app = App::new().await;
    let snapshot = rectification("甲", &["问题一", "问题二"]);
    app.feed(&snapshot).await;
    let body = json!({"findings": [
        {"number": 1, "text": "请致电13800138000"},
        {"number": 2, "text": "学生王小明受伤"},
        {"number": 9, "text": "没有这一项"},
        {"number": 1, "text": "   "},
    ]});
    let answer = app.decide(&snapshot, "approve", &body, &office()).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<_> =
        answer.json["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/findings/0/text", "/findings/1/text", "/findings/2/number", "/findings/3/text"]);
    assert_eq!(app.draft(&snapshot).await["state"], "draft");
    // A person may say that it is no name; of numbers nobody may say so.
    let body = json!({"findings": [{"number": 2, "text": "学生王府井校区受伤", "names_checked": true}]});
    app.decide(&snapshot, "approve", &body, &office()).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn decisions_need_the_right_person_version_and_key_and_happen_once() {
    let app = App::new().await;
    let snapshot = rectification("甲", &["消防通道堵塞"]);
    app.feed(&snapshot).await;
    let path = format!("{}/approve", path_of(&snapshot));
    let call = || Call::post(&path, &json!({}));

    call().header("If-Match", "\"1\"").send(&app.router).await.expect(StatusCode::UNAUTHORIZED);
    for role in [Role::DeskOfficer, Role::CommitteeChair, Role::Inspector] {
        let caller = testkit::caller(role, Some(province()), None);
        call().header("If-Match", "\"1\"").by(&caller).send(&app.router).await.expect(StatusCode::FORBIDDEN);
    }
    let school = testkit::caller(Role::UnitPrincipal, None, Some(UnitId::derived(&["unit", "甲"])));
    call().header("If-Match", "\"1\"").by(&school).send(&app.router).await.expect(StatusCode::FORBIDDEN);
    // Another county: may not act, and may not even know.
    let sanya = testkit::caller(Role::CountyOfficeAdmin, Some(county("460200")), None);
    call().header("If-Match", "\"1\"").by(&sanya).send(&app.router).await.expect(StatusCode::FORBIDDEN);
    app.get(&path_of(&snapshot), &sanya).await.expect(StatusCode::NOT_FOUND);
    let list = app.get("/v1/drafts", &sanya).await.expect(StatusCode::OK);
    assert!(list.json["items"].as_array().unwrap().is_empty());

    let haikou = testkit::caller(Role::CountyOfficeAdmin, Some(county("460100")), None);
    call().by(&haikou).send(&app.router).await.expect(StatusCode::PRECONDITION_REQUIRED);
    let stale = call().header("If-Match", "\"7\"").by(&haikou).send(&app.router).await;
    assert_eq!(stale.expect(StatusCode::PRECONDITION_FAILED).json["current_version"], 1);
    let unknown = Call::post(&format!("/v1/drafts/{}/approve", Uuid::now_v7()), &json!({}));
    unknown.header("If-Match", "\"1\"").by(&haikou).send(&app.router).await.expect(StatusCode::NOT_FOUND);

    let key = Uuid::now_v7().to_string();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer =
            call().header("If-Match", "\"1\"").header("Idempotency-Key", &key).by(&haikou).send(&app.router).await;
        answers.push(answer.expect(StatusCode::OK).bytes);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(testkit::events(&app.database).await.len(), 1);
}

fn province() -> domain::ids::AreaId {
    crate::support::province()
}

#[tokio::test]
async fn withdrawing_needs_a_reason_happens_once_and_can_be_undone_by_a_new_approval() {
    let app = App::new().await;
    let snapshot = rectification("甲", &["消防通道堵塞"]);
    app.feed(&snapshot).await;
    app.decide(&snapshot, "withdraw", &json!({"reason": " "}), &office())
        .await
        .expect(StatusCode::UNPROCESSABLE_ENTITY);
    let body = json!({"findings": [{"number": 1, "text": "东侧消防通道堵塞"}]});
    app.decide(&snapshot, "approve", &body, &office()).await.expect(StatusCode::OK);
    let reason = json!({"reason": "涉及未决诉讼"});
    let answer = app.decide(&snapshot, "withdraw", &reason, &office()).await.expect(StatusCode::OK);
    assert_eq!(answer.json["withdrawal"]["reason"], "涉及未决诉讼");
    assert_eq!(answer.json["path"], serde_json::Value::Null);
    let again = app.decide(&snapshot, "withdraw", &reason, &office()).await.expect(StatusCode::CONFLICT);
    assert_eq!(again.json["current_state"], "withdrawn");
    // The words of before are proposed again.
    let answer = app.decide(&snapshot, "approve", &json!({}), &office()).await.expect(StatusCode::OK);
    assert_eq!(answer.json["preview"]["findings"][0]["text"], "东侧消防通道堵塞");
    assert_eq!(answer.json["history"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_draft_past_its_day_is_shown_as_overdue_and_the_list_is_paged_by_that_day() {
    let app = App::new().await;
    for n in 0..5 {
        let mut snapshot = rectification(&format!("校{n}"), &["问题"]);
        snapshot.letter.issued_at = format!("2026-09-0{}T01:00:00Z", 5 - n).parse().unwrap();
        app.feed(&snapshot).await;
    }
    app.database.set_clock("2026-09-28T16:00:00Z".parse().unwrap()).await;
    let (mut seen, mut path) = (Vec::new(), "/v1/drafts?limit=2".to_owned());
    loop {
        let answer = app.get(&path, &office()).await.expect(StatusCode::OK);
        seen.extend(answer.json["items"].as_array().unwrap().clone());
        match answer.json["next"].as_str() {
            Some(next) => path = format!("/v1/drafts?limit=2&after={next}"),
            None => break,
        }
    }
    let days: Vec<_> = seen.iter().map(|line| line["due_on"].as_str().unwrap()).collect();
    assert_eq!(seen.len(), 5);
    assert!(days.is_sorted(), "{days:?}");
    for line in &seen {
        assert_eq!(line["overdue"], line["due_on"].as_str().unwrap() <= "2026-09-28", "{line}");
    }
    app.get("/v1/drafts?state=lost", &office()).await.expect(StatusCode::BAD_REQUEST);
}

//! What events of a rectification do to its publication.

use contracts::deadlines::{Change, ItemReported, ItemState, RectificationChanged};
use contracts::publication::PagePublished;
use contracts::shared::{DocumentKind, DocumentRef};
use contracts::tasks::ReportIssued;
use domain::ids::ItemId;
use http::StatusCode;
use messaging::{ApplyError, Handler as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::{App, closed, id_of, office, public_path_of, rectification, reported, urged};

#[tokio::test]
async fn a_draft_follows_the_newest_version_and_is_due_after_twenty_working_days() {
    let app = App::new().await;
    let first = rectification("甲", &["消防通道堵塞"]);
    let second = reported(&first);
    for snapshot in [&second, &first, &second] {
        app.feed(snapshot).await;
    }
    let draft = app.draft(&first).await;
    assert_eq!(draft["state"], "draft");
    assert_eq!(draft["needs_approval"], true);
    assert_eq!(draft["findings"][0]["state"], "reported");
    // 1 September 2026; 20 September is a working Sunday, 25 September the mid-autumn holiday.
    assert_eq!(draft["due_on"], "2026-09-29");
    assert_eq!(draft["due_proof"]["rule"]["rule_id"], "procedure.publication");
    let list = app.get("/v1/drafts?state=needs_approval", &office()).await.expect(StatusCode::OK);
    assert_eq!(list.json["items"].as_array().unwrap().len(), 1);
    assert!(testkit::events(&app.database).await.is_empty(), "a draft is nobody else's business");
}

/// Regulation art. 23: the report is what must be made public; the term runs from its issue, whichever comes first here.
#[tokio::test]
async fn the_term_runs_from_the_supervision_report_and_never_moves_earlier() {
    let first = rectification("甲", &["消防通道堵塞"]);
    let report = ReportIssued {
        version: 1,
        document: DocumentRef {
            kind: DocumentKind::SupervisionReport,
            doc_no: "海口教督委〔2026〕9号".to_owned(),
            // A week after the letter.
            issued_at: "2026-09-08T01:00:00Z".parse().unwrap(),
            ..first.letter.clone()
        },
        case_id: first.case_id,
        case_title: first.case_title.clone(),
        supervision_kind: first.supervision_kind,
        unit: first.unit.clone(),
        letter_id: first.letter_id,
        addressee: "海口市人民政府".to_owned(),
        copies: Vec::new(),
    };
    for report_first in [false, true] {
        let app = App::new().await;
        if !report_first {
            app.feed(&first).await;
            assert_eq!(app.draft(&first).await["due_on"], "2026-09-29");
        }
        for _ in 0..2 {
            app.hear(&report).await;
        }
        app.feed(&first).await;
        let draft = app.draft(&first).await;
        assert_eq!(draft["report"]["doc_no"], "海口教督委〔2026〕9号");
        // Twenty working days from 8 September: the mid-autumn holiday and the National Day week lie between.
        assert_eq!(draft["due_on"], "2026-10-12", "{draft}");
        let mut early = report.clone();
        early.document.issued_at = "2026-08-03T01:00:00Z".parse().unwrap();
        app.hear(&early).await;
        assert_eq!(app.draft(&first).await["due_on"], "2026-10-12");
    }
}

#[tokio::test]
async fn a_new_status_of_an_approved_page_shows_by_itself_with_its_history() {
    let app = App::new().await;
    let first = rectification("甲", &["消防通道堵塞", "食堂陪餐制度未落实"]);
    app.feed(&first).await;
    app.approve(&first).await;
    let second = urged(&first);
    app.feed(&second).await;
    let page = app.browse(&public_path_of(&first)).await.expect(StatusCode::OK);
    let text = String::from_utf8(page.bytes).unwrap();
    assert!(
        text.contains("督办中") && text.contains("琼教督委督〔2026〕1号") && text.contains("2026年9月25日"),
        "{text}"
    );
    let third = closed(&second);
    app.feed(&third).await;
    // A reminder brings the same facts under a new version: nothing is published for it.
    let mut fourth = third.clone();
    fourth.version += 1;
    app.feed(&fourth).await;
    app.feed(&second).await;

    let draft = app.draft(&first).await;
    assert_eq!(draft["preview"]["status"], "closed");
    let causes: Vec<_> = draft["history"].as_array().unwrap().iter().map(|v| v["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["status", "status", "approved"]);

    let events = testkit::events_of::<PagePublished>(&app.database).await;
    assert_eq!(events.len(), 3);
    assert!(events.windows(2).all(|pair| pair[0].version < pair[1].version));
    assert_eq!(events[2].path, public_path_of(&first));
    // The hash of the event is the hash of the bytes that anyone may download.
    let raw = app.browse(&format!("{}.json", public_path_of(&first))).await.expect(StatusCode::OK);
    let digest = hex::encode(Sha256::digest(&raw.bytes));
    assert_eq!(events[2].content_sha256, digest);
    assert_eq!(raw.json["findings"][1]["state"], "closed");
}

#[tokio::test]
async fn a_changed_wording_waits_for_a_person_and_the_approved_one_stays() {
    let app = App::new().await;
    let first = rectification("甲", &["消防通道堵塞"]);
    app.feed(&first).await;
    app.approve(&first).await;
    let mut second = urged(&first);
    second.items[0].description = "新的说法：东侧消防通道堵塞".to_owned();
    app.feed(&second).await;
    assert_eq!(app.draft(&first).await["needs_approval"], true, "other words need a person");
    second.version += 1;
    let mut extra = second.items[0].clone();
    extra.item_id = ItemId::derived(&["extra"]);
    extra.number = 2;
    extra.description = "从未批准的问题".to_owned();
    second.items.push(extra);
    app.feed(&second).await;
    let raw = app.browse(&format!("{}.json", public_path_of(&first))).await.expect(StatusCode::OK);
    assert_eq!(raw.json["status"], "urged");
    assert_eq!(raw.json["findings"].as_array().unwrap().len(), 1);
    assert_eq!(raw.json["findings"][0]["text"], "消防通道堵塞");
    assert!(!String::from_utf8(raw.bytes).unwrap().contains("从未批准"));
    let waiting = app.get("/v1/drafts?state=needs_approval", &office()).await.expect(StatusCode::OK);
    assert_eq!(waiting.json["items"][0]["publication_id"], id_of(&first));

    app.approve(&first).await;
    assert_eq!(app.draft(&first).await["needs_approval"], false);
    let replica = crate::support::router(app.database.another_pool().await).await;
    let raw = testkit::Call::get(&format!("{}.json", public_path_of(&first))).send(&replica).await;
    assert_eq!(raw.json["findings"][0]["text"], "新的说法：东侧消防通道堵塞");
    assert_eq!(raw.json["findings"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_unreadable_event_is_refused_and_one_without_rules_waits() {
    let app = App::new().await;
    let event = ItemReported { rectification: rectification("甲", &["问题"]), item_id: ItemId::derived(&["x"]) };
    let mut tx = app.database.begin().await.unwrap();
    let mut envelope = testkit::envelope(&event, tx.at());
    envelope.payload = serde_json::value::RawValue::from_string(json!({"rectification": {}}).to_string()).unwrap();
    let error = app.consumer.apply(&mut tx, &envelope).await.unwrap_err();
    assert!(matches!(error, ApplyError::Unreadable(_)), "{error:?}");
    let mut ancient = rectification("乙", &["问题"]);
    ancient.letter.issued_at = "1990-01-01T00:00:00Z".parse().unwrap();
    let event = ItemReported { rectification: ancient, item_id: ItemId::derived(&["x"]) };
    let envelope = testkit::envelope(&event, tx.at());
    let error = app.consumer.apply(&mut tx, &envelope).await.unwrap_err();
    assert!(matches!(error, ApplyError::NotYet(_)), "{error:?}");
}

#[tokio::test]
async fn a_withdrawn_page_stays_away_whatever_happens_to_the_rectification() {
    let app = App::new().await;
    let first = rectification("甲", &["消防通道堵塞"]);
    app.feed(&first).await;
    app.approve(&first).await;
    app.decide(&first, "withdraw", &json!({"reason": "涉及未决诉讼"}), &office()).await.expect(StatusCode::OK);
    app.feed(&closed(&first)).await;
    let draft = app.draft(&first).await;
    assert_eq!(draft["state"], "withdrawn");
    assert_eq!(draft["findings"][0]["state"], serde_json::to_value(ItemState::Closed).unwrap());
    assert_eq!(testkit::events_of::<PagePublished>(&app.database).await.len(), 1);
}

#[tokio::test]
async fn a_waiver_a_pause_and_a_return_of_the_problem_show_by_themselves() {
    let app = App::new().await;
    let first = rectification("甲", &["消防通道堵塞", "食堂陪餐制度未落实"]);
    app.feed(&first).await;
    app.approve(&first).await;
    let mut second = first.clone();
    second.version += 1;
    second.items[0].state = ItemState::Waived;
    second.items[0].closed_at = Some("2026-09-15T03:00:00Z".parse().unwrap());
    // Ends with the 30th.
    second.paused_until = Some("2026-09-30T16:00:00Z".parse().unwrap());
    let event = RectificationChanged {
        change: Change::ItemWaived { item_id: second.items[0].item_id, reason: "内部理由".to_owned() },
        rectification: second.clone(),
    };
    let mut tx = app.database.begin().await.unwrap();
    let envelope = testkit::envelope(&event, tx.at());
    app.consumer.apply(&mut tx, &envelope).await.unwrap();
    tx.commit().await.unwrap();
    let page = app.browse(&public_path_of(&first)).await.expect(StatusCode::OK);
    let text = String::from_utf8(page.bytes).unwrap();
    for shown in ["免于整改", "期限中止", "经批准中止至2026年9月30日", "第1项经批准免于整改", "免于整改 1 项"]
    {
        assert!(text.contains(shown), "{shown} is missing in {text}");
    }
    assert!(!text.contains("内部理由"), "reasons are nobody's business");
    let raw = app.browse(&format!("{}.json", public_path_of(&first))).await.expect(StatusCode::OK);
    assert_eq!((raw.json["status"].as_str(), raw.json["paused_through"].as_str()), (Some("open"), Some("2026-09-30")));

    let mut third = closed(&second);
    third.paused_until = None;
    third.items[1].state = ItemState::InProgress;
    third.items[1].reopened = 1;
    third.closed_at = None;
    app.feed(&third).await;
    let replica = crate::support::router(app.database.another_pool().await).await;
    let page = testkit::Call::get(&public_path_of(&first)).header("accept", "text/html").send(&replica).await;
    let text = String::from_utf8(page.bytes).unwrap();
    assert!(text.contains("发现问题反弹，重新整改 1 次") && !text.contains("期限中止"), "{text}");
}

#[tokio::test]
async fn the_departments_case_says_why_it_exists() {
    let app = App::new().await;
    let mut department = rectification("甲", &["所属学校逾期未完成整改"]);
    department.liable_for = Some(domain::ids::RectificationId::derived(&["学校"]));
    department.received_at = "2026-10-12T01:00:00Z".parse().unwrap();
    app.feed(&department).await;
    // It has no letter: twenty working days from its opening.
    assert_eq!(app.draft(&department).await["due_on"], "2026-11-09");
    app.approve(&department).await;
    let page = app.browse(&public_path_of(&department)).await.expect(StatusCode::OK);
    let text = String::from_utf8(page.bytes).unwrap();
    assert!(text.contains("承担连带责任") && !text.contains("签收"), "{text}");
}

//! Who is told, once, and what happens to those who cannot be.

use contracts::{
    deadlines::{
        CHANGE_KINDS, Change, ItemClosed, ItemReported, ItemState, RectificationChanged, RectificationOpened,
        ReminderDue, RequestFact, StepFact, StepState, VerificationOverdue,
    },
    registry::AccountRecorded,
    shared::UnitRef,
    tasks::LetterIssued,
};
use domain::{
    ids::{AreaId, ItemId, ProposalId, RectificationId, RequestId},
    rectification::{RecountEffect, Recounted},
    rulebook::{Duty, PauseReason},
};
use http::StatusCode;
use jiff::civil::date;
use testkit::Call;

use crate::world::*;

fn row(name: &str, template: &str, capacity: &str) -> (String, String, String) {
    (name.to_owned(), template.to_owned(), capacity.to_owned())
}

#[tokio::test]
async fn an_event_heard_twice_tells_everyone_once() {
    let world = World::with_people().await;
    world.hear(&notified()).await;
    let letter = world.hear(&lettered()).await;
    world.hear_again(&letter).await;
    let told: Vec<_> = world.told().await.into_iter().filter(|row| row.1 == "opinion_letter").collect();
    assert_eq!(
        told,
        [
            row("教育局", "opinion_letter", "copy"),
            row("校长", "opinion_letter", "to"),
            row("海口办", "opinion_letter", "inform"),
            row("督学0001", "opinion_letter", "inform"),
            row("联络员", "opinion_letter", "to"),
        ]
    );
    world.send_all().await;
    let letters = world.sink.mails().into_iter().filter(|mail| mail.subject.contains("督导意见书")).count();
    assert_eq!(letters, 3, "the unit's two and the department's; the office reads it in the console");
}

#[tokio::test]
async fn the_newest_version_of_an_account_decides() {
    let world = World::new().await;
    let mut left = principal();
    left.version = 5;
    left.active = false;
    world.hear(&left).await;
    world.hear(&principal()).await;
    for account in people().iter().skip(1) {
        world.hear(account).await;
    }
    world.hear(&reminder()).await;
    let names: Vec<_> = world.told().await.into_iter().map(|row| row.0).collect();
    assert!(!names.contains(&"校长".to_owned()), "{names:?}");
    assert!(names.contains(&"联络员".to_owned()), "{names:?}");
}

#[tokio::test]
async fn a_unit_without_accounts_is_reported_and_told_when_it_gets_one() {
    let world = World::new().await;
    let office =
        people().into_iter().filter(|account| account.display_name != "校长" && account.display_name != "联络员");
    let office: Vec<AccountRecorded> = office.collect();
    for account in &office {
        world.hear(account).await;
    }
    world.hear(&lettered()).await;
    let told = world.told().await;
    assert_eq!(
        told,
        [row("教育局", "opinion_letter", "fallback"), row("海口办", "opinion_letter", "fallback")],
        "the department and the office instead"
    );
    let admin = caller(office.iter().find(|account| account.display_name == "海口办").unwrap());
    let path = format!("/v1/deliveries?document_id={LETTER}");
    let answer = Call::get(&path).by(&admin).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(answer["counts"]["no_recipient"], 1, "{answer}");
    let missing = answer["items"].as_array().unwrap().iter().find(|item| item["state"] == "no_recipient").unwrap();
    assert_eq!(missing["recipient"], "海口市第一中学");

    assert_eq!(notifications::catch_up(&world.db, &world.telling).await.unwrap(), 0, "there is still nobody");
    for account in people().iter().take(2) {
        world.hear(account).await;
    }
    assert_eq!(notifications::catch_up(&world.db, &world.telling).await.unwrap(), 1);
    assert_eq!(notifications::catch_up(&world.db, &world.telling).await.unwrap(), 0);
    let told = world.told().await;
    for name in ["校长", "联络员"] {
        assert!(told.contains(&row(name, "opinion_letter", "to")), "{told:?}");
    }
    let answer = Call::get(&path).by(&admin).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(answer["counts"]["no_recipient"], 0, "{answer}");
}

#[tokio::test]
async fn a_department_without_accounts_is_reported_too() {
    let world = World::new().await;
    let office = account(4, "海口办", "county_office_admin", Some(HAIKOU), None);
    for account in [&principal(), &office] {
        world.hear(account).await;
    }
    world.hear(&urged()).await;
    let path = format!("/v1/deliveries?rectification_id={RECTIFICATION}");
    let answer = Call::get(&path).by(&caller(&office)).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(answer["counts"]["no_recipient"], 1, "{answer}");
    let missing = answer["items"].as_array().unwrap().iter().find(|item| item["state"] == "no_recipient").unwrap();
    assert_eq!((missing["recipient"].as_str(), missing["capacity"].as_str()), (Some("海口市教育局"), Some("copy")));

    world.hear(&account(3, "教育局", "competent_department_officer", None, Some(BUREAU))).await;
    assert_eq!(notifications::catch_up(&world.db, &world.telling).await.unwrap(), 1);
    assert!(world.told().await.contains(&row("教育局", "urging_order", "copy")));
}

#[tokio::test]
async fn a_unit_without_a_department_falls_back_on_the_nearest_office() {
    let world = World::new().await;
    let mut letter: LetterIssued = lettered();
    letter.unit = UnitRef { competent_unit_id: None, competent_unit_name: None, ..school() };
    letter.document.issuing_unit_id = OTHER_SCHOOL;
    world.hear(&account(7, "省办", "province_office_admin", Some(PROVINCE), None)).await;
    world.hear(&letter).await;
    assert_eq!(world.told().await, [row("省办", "opinion_letter", "fallback")]);
}

#[tokio::test]
async fn a_reminder_overtaken_by_the_closure_is_passed_over() {
    let world = World::with_people().await;
    let closed = rectification(6, ItemState::Closed);
    world.hear(&ItemClosed { item_id: closed.items[0].item_id, rectification: closed, approval: None }).await;
    let late: ReminderDue = reminder();
    world.hear(&late).await;
    let told = world.told().await;
    assert!(told.iter().all(|row| row.1 == "item_closed"), "{told:?}");
    assert!(!told.is_empty());
}

#[tokio::test]
async fn the_group_of_the_notice_is_told_of_reports() {
    let world = World::with_people().await;
    world.hear(&notified()).await;
    let mut reported = rectification(3, ItemState::Reported);
    reported.items[0].report = Some("杂物已清理".to_owned());
    world.hear(&ItemReported { item_id: reported.items[0].item_id, rectification: reported }).await;
    let told: Vec<_> = world.told().await.into_iter().filter(|row| row.1 == "item_reported").collect();
    assert_eq!(told, [row("海口办", "item_reported", "to"), row("督学0001", "item_reported", "to")]);
}

#[tokio::test]
async fn only_what_has_no_legal_effect_can_be_switched_off() {
    let world = World::with_people().await;
    let head = caller(&principal());
    let put = |body: serde_json::Value| Call::new(http::Method::PUT, "/v1/preferences").json(&body).by(&head);
    let first = Call::get("/v1/preferences").by(&head).send(&world.router).await.expect(StatusCode::OK);
    assert_eq!(first.headers["etag"], "\"0\"");
    let legal = serde_json::json!({ "mail_off": ["item_closed", "urging_order"] });
    let answer = put(legal).header("If-Match", "\"0\"").send(&world.router).await;
    let answer = answer.expect(StatusCode::UNPROCESSABLE_ENTITY).json;
    assert_eq!(answer["errors"][0]["pointer"], "/mail_off/1");
    let off = || serde_json::json!({ "mail_off": ["item_closed"] });
    put(off()).send(&world.router).await.expect(StatusCode::PRECONDITION_REQUIRED);
    put(off()).header("If-Match", "\"0\"").send(&world.router).await.expect(StatusCode::OK);
    put(off()).header("If-Match", "\"0\"").send(&world.router).await.expect(StatusCode::PRECONDITION_FAILED);

    let closed = rectification(6, ItemState::Closed);
    world.hear(&ItemClosed { item_id: closed.items[0].item_id, rectification: closed, approval: None }).await;
    world.send_all().await;
    let to: Vec<_> = world.sink.mails().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(to, ["user2@school.example"], "the contact still gets the mail, the head only the inbox");
}

fn proposal() -> ProposalId {
    ProposalId::new(uuid::Uuid::from_u128(0xF6))
}

fn recounted(item_id: ItemId, effect: RecountEffect) -> Change {
    let due_on = if effect == RecountEffect::Later { date(2026, 10, 30) } else { date(2026, 10, 28) };
    let moved = Recounted { item_id, number: 1, was_due_on: date(2026, 10, 28), counted_on: due_on, due_on, effect };
    Change::Recounted { items: vec![moved] }
}

/// One of each kind, in the order of the keys.
fn changes(item_id: ItemId) -> Vec<Change> {
    let request = RequestFact {
        request_id: RequestId::new(uuid::Uuid::from_u128(0xF7)),
        subject: "extension".to_owned(),
        item_id: Some(item_id),
        wish: "延长10个工作日".to_owned(),
        reason: "消防改造须待假期施工".to_owned(),
        requested_by: Some("校长".to_owned()),
        requested_at: at("2026-10-20T02:00:00Z"),
        decide_by: at("2026-10-23T16:00:00Z"),
    };
    vec![
        Change::PlanSubmitted { item_id, late: true },
        Change::PlanJudged { item_id, accepted: false, due_on: Some(date(2026, 10, 20)) },
        Change::PlanOverdue { item_id, due_on: date(2026, 10, 15) },
        Change::ProgressNoted { item_id, text: "已完成一半".to_owned() },
        Change::ItemExtended { item_id, due_on: date(2026, 11, 11) },
        Change::RequestMade { request: request.clone() },
        Change::RequestDecided { request: request.clone(), granted: false, note: "理由不充分".to_owned() },
        Change::Paused { reason: PauseReason::Disaster, until: at("2026-11-30T16:00:00Z") },
        Change::Resumed { since: at("2026-11-30T16:00:00Z") },
        recounted(item_id, RecountEffect::Later),
        Change::StepTaken { proposal_id: proposal(), level: 2, note: "已约谈主要负责人".to_owned() },
        Change::StepLifted { proposal_id: proposal(), level: 2, reason: "已有实质进展".to_owned() },
        Change::StepMoot { proposal_id: proposal(), level: 2 },
        Change::RequestMoot { request },
        Change::ConsultationSent {
            item_id,
            office: "海口市消防救援支队".to_owned(),
            due_at: at("2026-11-10T16:00:00Z"),
        },
        Change::ConsultationAnswered { item_id },
        Change::ItemWaived { item_id, reason: "校区已撤并".to_owned() },
        Change::CloseOutApproved { item_id, given: 1 },
        Change::CloseOutRefused { item_id, reason: "佐证不足".to_owned() },
        Change::LookBackDue { item_id, visit_by: at("2027-02-10T16:00:00Z") },
        Change::LookBackPassed { item_id },
        Change::ItemReopened { item_id, reason: "通道再次堵塞".to_owned(), due_on: date(2027, 3, 31) },
        Change::DutyOverdue {
            duty: Duty::CloseOut,
            item_id: Some(item_id),
            due_at: at("2026-11-20T16:00:00Z"),
            times: 3,
        },
        Change::HandedOver {
            county: "儋州市".to_owned(),
            agency: "儋州市人民政府教育督导委员会办公室".to_owned(),
            since: date(2027, 1, 1),
        },
    ]
}

fn changed(version: i64, change: Change) -> RectificationChanged {
    let mut rectification = rectification(version, ItemState::InProgress);
    rectification.steps.push(StepFact {
        proposal_id: proposal(),
        level: 2,
        items: vec![1],
        proposed_at: at("2026-11-20T16:00:00Z"),
        decide_by: at("2026-11-27T16:00:00Z"),
        state: StepState::Taken,
        decided_at: None,
        note: None,
    });
    RectificationChanged { rectification, change }
}

#[tokio::test]
async fn every_kind_of_change_that_has_a_rule_is_told_in_official_words() {
    let world = World::with_people().await;
    let item_id = rectification(1, ItemState::InProgress).items[0].item_id;
    let kinds: Vec<_> = changes(item_id).iter().map(Change::key).collect();
    assert_eq!(kinds, CHANGE_KINDS);
    for (version, change) in (10..).zip(changes(item_id)) {
        world.hear(&changed(version, change)).await;
    }
    let told: std::collections::BTreeSet<String> = world.told().await.into_iter().map(|row| row.1).collect();
    let silent: Vec<_> = kinds.into_iter().filter(|kind| !told.contains(*kind)).collect();
    assert_eq!(silent, ["progress_noted", "step_moot", "request_moot", "consultation_answered", "look_back_passed"]);
    let mut texts: std::collections::BTreeMap<String, (String, String)> = std::collections::BTreeMap::new();
    for (template, capacity, subject, text) in world.inboxes().await {
        if capacity == "to" {
            texts.entry(template).or_insert((subject, text));
        }
    }
    let texts: Vec<String> = texts
        .values()
        .map(|(subject, body)| format!("{subject}\n\n{}\n======\n", body.split("\n————").next().unwrap_or_default()))
        .collect();
    let sheet = texts.concat();
    insta::assert_snapshot!("changes", sheet);
}

#[tokio::test]
async fn a_recount_that_moves_no_day_is_told_to_nobody() {
    let world = World::with_people().await;
    let item_id = rectification(1, ItemState::InProgress).items[0].item_id;
    for (version, effect) in (2..).zip([RecountEffect::Kept, RecountEffect::Provisional]) {
        world.hear(&changed(version, recounted(item_id, effect))).await;
    }
    world.hear(&changed(4, Change::Recounted { items: Vec::new() })).await;
    assert!(world.told().await.is_empty());
    world.hear(&changed(5, recounted(item_id, RecountEffect::Final))).await;
    assert!(world.told().await.contains(&row("校长", "recounted", "to")));
}

#[tokio::test]
async fn the_departments_case_is_told_to_its_officers_as_joint_liability() {
    let world = World::with_people().await;
    let mut opened = rectification(1, ItemState::InProgress);
    opened.liable_for = Some(opened.rectification_id);
    opened.rectification_id = RectificationId::new(uuid::Uuid::from_u128(0xF8));
    opened.unit = UnitRef {
        unit_id: BUREAU,
        name: "海口市教育局".to_owned(),
        competent_unit_id: None,
        competent_unit_name: None,
        ..school()
    };
    world.hear(&RectificationOpened { rectification: opened }).await;
    let told = world.told().await;
    assert!(told.contains(&row("教育局", "rectification_opened", "to")), "{told:?}");
    assert!(!told.iter().any(|row| row.0 == "校长"), "{told:?}");
    let body = world.inboxes().await.into_iter().find(|message| message.1 == "to").unwrap().3;
    assert!(body.contains("承担连带责任") && !body.contains("签收督导意见书"), "{body}");
}

#[tokio::test]
async fn an_overdue_verification_is_called_to_mind_from_the_first_time() {
    let world = World::with_people().await;
    let rectification = rectification(3, ItemState::Reported);
    let item_id = rectification.items[0].item_id;
    world.hear(&VerificationOverdue { rectification, item_id, due_at: at("2026-11-20T16:00:00Z") }).await;
    let told = world.told().await;
    assert_eq!(told, [row("海口办", "duty_overdue", "to")]);
}

#[tokio::test]
async fn what_is_told_after_a_merger_of_counties_lies_in_the_new_county() {
    let world = World::with_people().await;
    let danzhou = AreaId::derived(&["460400"]);
    let path = vec![PROVINCE, danzhou, HAIKOU];
    world.hear(&lettered()).await;
    world.hear(&testkit::merged(HAIKOU, path.clone())).await;
    // Issued before the merger, heard of later.
    world.hear(&notified()).await;
    let path: Vec<uuid::Uuid> = path.iter().map(AreaId::as_uuid).collect();
    for table in ["SELECT area_path FROM notices", "SELECT area_path FROM receipts"] {
        let paths: Vec<Vec<uuid::Uuid>> = sqlx::query_scalar(table).fetch_all(world.db.pool()).await.unwrap();
        assert_eq!(paths, [path.clone(), path.clone()], "{table}");
    }
}

//! Who is told, once, and what happens to those who cannot be.

use contracts::{
    deadlines::{ItemClosed, ItemReported, ItemState, ReminderDue},
    registry::AccountRecorded,
    shared::UnitRef,
    tasks::LetterIssued,
};
use http::StatusCode;
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

    assert_eq!(notifications::catch_up(&world.db).await.unwrap(), 0, "there is still nobody");
    for account in people().iter().take(2) {
        world.hear(account).await;
    }
    assert_eq!(notifications::catch_up(&world.db).await.unwrap(), 1);
    assert_eq!(notifications::catch_up(&world.db).await.unwrap(), 0);
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
    assert_eq!(notifications::catch_up(&world.db).await.unwrap(), 1);
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
    world.hear(&ItemClosed { item_id: closed.items[0].item_id, rectification: closed }).await;
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
    world.hear(&ItemClosed { item_id: closed.items[0].item_id, rectification: closed }).await;
    world.send_all().await;
    let to: Vec<_> = world.sink.mails().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(to, ["user2@school.example"], "the contact still gets the mail, the head only the inbox");
}

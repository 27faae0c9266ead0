//! What becomes of a delivery on its way: the next way, sending hours, digests; and the sweeper that names what is swallowed.

use contracts::deadlines::{ItemClosed, ItemState};
use domain::severity::Severity;
use http::StatusCode;
use jiff::SignedDuration;
use testkit::Call;
use uuid::Uuid;

use crate::{mail_sink::Mode, world::*};

/// 24:00 of a Thursday: when the orders of a day are issued.
const MIDNIGHT: &str = "2026-11-19T16:00:00Z";
const NOON: &str = "2026-11-20T04:00:00Z";

async fn at_time(time: &str) -> World {
    let world = World::new().await;
    world.db.set_clock(at(time)).await;
    world.hear(&principal()).await;
    world.give_phone(&principal(), "+8613800000000").await;
    world
}

#[tokio::test]
async fn when_mail_fails_for_good_the_telephone_rings() {
    let world = at_time(NOON).await;
    world.hear(&urged()).await;
    assert_eq!((world.count("mail", "queued").await, world.count("sms", "queued").await), (1, 0));
    world.sink.set_mode(Mode::RefuseForGood);
    world.send_all().await;
    assert_eq!((world.count("mail", "failed").await, world.count("sms", "queued").await), (1, 1));
    assert!(world.found().await.is_empty());
}

#[tokio::test]
async fn a_legal_notice_that_does_not_arrive_in_time_goes_by_the_next_way_and_is_tried_on() {
    let world = at_time(NOON).await;
    world.hear(&urged()).await;
    world.sink.set_mode(Mode::RefuseForNow);
    world.sender().round().await.unwrap();
    let slow = async || notifications::delivery::fall_back_slow(&world.db, &world.telling).await.unwrap();
    assert_eq!(slow().await, 0, "four hours have not passed");
    world.db.move_clock(SignedDuration::from_hours(5)).await;
    assert_eq!((slow().await, slow().await), (1, 0), "once");
    assert_eq!((world.count("mail", "queued").await, world.count("sms", "queued").await), (1, 1));
    world.sink.set_mode(Mode::Ok);
    world.send_all().await;
    assert_eq!(world.count("mail", "delivered").await, 1);
}

#[tokio::test]
async fn at_midnight_the_notice_is_issued_and_the_telephone_waits_for_the_morning() {
    let world = at_time(MIDNIGHT).await;
    let mut head = principal();
    head.version = 2;
    head.email = None;
    world.hear(&head).await;
    world.hear(&urged()).await;
    assert_eq!(world.count("sms", "held").await, 1);
    let created = world.text("SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM messages").await;
    assert_eq!(created, "2026-11-19 16:00", "the legal instant stays");
    let until =
        "SELECT to_char(not_before AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM deliveries WHERE channel = 'sms'";
    assert_eq!(world.text(until).await, "2026-11-20 00:00");
    let release = async || notifications::delivery::release_held(&world.db).await.unwrap();
    world.db.move_clock(SignedDuration::from_mins(7 * 60 + 58)).await;
    assert_eq!(release().await, 0);
    world.db.move_clock(SignedDuration::from_mins(3)).await;
    assert_eq!(release().await, 1);
    assert_eq!(world.count("sms", "queued").await, 1);
    assert!(world.found().await.is_empty());
}

#[tokio::test]
async fn a_danger_to_life_waits_for_nothing() {
    let world = at_time(MIDNIGHT).await;
    let mut head = principal();
    head.version = 2;
    head.email = None;
    world.hear(&head).await;
    let mut order = urged();
    order.rectification.items[0].severity = Severity::Immediate;
    world.hear(&order).await;
    assert_eq!((world.count("sms", "held").await, world.count("sms", "queued").await), (0, 1));
}

fn closed(version: i64) -> ItemClosed {
    let rectification = rectification(version, ItemState::Closed);
    ItemClosed { item_id: rectification.items[0].item_id, rectification, approval: None }
}

#[tokio::test]
async fn a_digest_takes_each_message_once_and_swallows_none() {
    let world = World::with_people().await;
    world.db.set_clock(at(NOON)).await;
    let head = caller(&principal());
    let wish = serde_json::json!({ "mail_off": [], "phone": "138 0000 0000", "daily_digest": true });
    let put = Call::new(http::Method::PUT, "/v1/preferences").json(&wish).by(&head).header("If-Match", "\"0\"");
    let kept = put.send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((kept["phone"].as_str(), kept["daily_digest"].as_bool()), (Some("+8613800000000"), Some(true)));

    world.hear(&closed(6)).await;
    world.hear(&closed(7)).await;
    world.hear(&urged()).await;
    let of_head =
        "SELECT count(*) FROM deliveries d JOIN messages m USING (message_id) JOIN accounts a USING (account_id)
                   WHERE a.display_name = '校长' AND d.channel = 'mail' AND d.state = 'held'";
    assert_eq!(world.number(of_head).await, 2, "what has legal effect is not collected");
    let collect = async || notifications::delivery::collect_due(&world.db, &world.telling).await.unwrap();
    assert_eq!(collect().await, 0, "not before half past eight");
    world.db.move_clock(SignedDuration::from_hours(21)).await;
    let again = world.db.another_pool().await;
    let (one, two) = tokio::join!(
        notifications::delivery::collect_due(&world.db, &world.telling),
        notifications::delivery::collect_due(&again, &world.telling)
    );
    assert_eq!(one.unwrap() + two.unwrap(), 2, "two replicas at once");
    assert_eq!(collect().await, 0);
    assert_eq!((world.count("mail", "digested").await, world.number("SELECT count(*) FROM digests").await), (2, 1));
    world.send_all().await;
    let digests: Vec<_> =
        world.sink.mails().into_iter().filter(|mail| mail.subject.contains("消息摘要（2条）")).collect();
    assert_eq!(digests.len(), 1);
    assert_eq!(digests[0].text.matches("【整改事项销号】").count(), 2, "{}", digests[0].text);
    assert_eq!(digests[0].to, ["user1@school.example"]);
    let inbox = Call::get("/v1/inbox").by(&head).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(inbox["items"].as_array().unwrap().len(), 3, "everything stays in the inbox");
    assert!(world.found().await.is_empty());
    // Whoever marks something as collected without a digest is refused by the table.
    let swallowed = sqlx::query("UPDATE deliveries SET state = 'digested' WHERE state = 'delivered'");
    assert!(swallowed.execute(world.db.pool()).await.is_err());
}

#[tokio::test]
async fn the_sweeper_names_what_was_swallowed() {
    let world = World::with_people().await;
    world.hear(&urged()).await;
    world.hear(&reminder()).await;
    assert!(world.found().await.is_empty());
    let run = async |statement: &'static str| {
        sqlx::raw_sql(statement).execute(world.db.pool()).await.unwrap();
        world.found().await
    };
    let reminder_id =
        Uuid::parse_str(&world.text("SELECT notice_id::text FROM notices WHERE template = 'reminder'").await);
    let found =
        run("DELETE FROM deliveries WHERE message_id IN (SELECT message_id FROM messages WHERE template = 'reminder');
                     DELETE FROM messages WHERE template = 'reminder'")
        .await;
    assert_eq!(found, [("told_to_nobody".to_owned(), vec![reminder_id.unwrap()])]);
    let names = |found: Vec<(String, Vec<Uuid>)>| found.into_iter().map(|found| found.0).collect::<Vec<_>>();
    let found = names(run("DELETE FROM deliveries WHERE channel = 'in_app'; DELETE FROM deliveries").await);
    assert_eq!(found, ["told_to_nobody", "without_delivery"]);
    let found = names(run("DELETE FROM receipts").await);
    assert_eq!(found, ["told_to_nobody", "without_delivery", "receipt_not_opened"]);

    let operator = testkit::caller(access::Role::Operator, None, None);
    let shown = Call::get("/v1/sweeps/latest").by(&operator).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(shown["holds"], false);
    assert_eq!(shown["findings"].as_array().unwrap().len(), notifications::delivery::sweep::RULES.len());
    Call::get("/v1/sweeps/latest").by(&caller(&principal())).send(&world.router).await.expect(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_notice_that_cannot_be_told_is_named_and_stops_nobody_else() {
    let world = World::with_people().await;
    let (bad, good) = (testkit::envelope(&reminder(), at(NOON)), testkit::envelope(&urged(), at(NOON)));
    let mut tx = world.db.begin().await.unwrap();
    for envelope in [&bad, &good] {
        use messaging::Handler as _;
        notifications::consume::Matters(world.telling.clone()).apply(&mut tx, envelope).await.unwrap();
    }
    let spoil = "UPDATE notices SET matter = '{' WHERE notice_id = $1";
    sqlx::query(spoil).bind(Uuid::from(bad.event_id)).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    world.tell().await;
    let told: std::collections::BTreeSet<_> = world.told().await.into_iter().map(|row| row.1).collect();
    assert_eq!(told.into_iter().collect::<Vec<_>>(), ["urging_order"]);
    assert_eq!(world.found().await, [("untold".to_owned(), vec![Uuid::from(bad.event_id)])]);
    assert_eq!(world.number("SELECT attempts::bigint FROM untold").await, 1);
    // Mended, it is told at its next turn.
    let facts = "UPDATE notices b SET matter = g.matter FROM notices g WHERE b.matter = '{' AND g.matter <> '{'";
    sqlx::raw_sql(facts).execute(world.db.pool()).await.unwrap();
    sqlx::raw_sql("UPDATE untold SET next_attempt_at = now()").execute(world.db.pool()).await.unwrap();
    world.tell().await;
    assert!(world.found().await.is_empty());
}

#[tokio::test]
async fn after_days_of_an_outage_everything_is_sent_again_at_once() {
    let world = World::with_people().await;
    for version in 0..5 {
        let mut reminder = reminder();
        reminder.rectification.version += version;
        world.hear(&reminder).await;
    }
    let given_up =
        "UPDATE deliveries SET state = 'failed', next_attempt_at = NULL, last_error = 'gone' WHERE channel = 'mail'";
    sqlx::raw_sql(given_up).execute(world.db.pool()).await.unwrap();
    let redrive = |body: serde_json::Value| Call::post("/v1/deliveries/redrive", &body);
    let mail = || serde_json::json!({ "channel": "mail" });
    let elsewhere = testkit::caller(access::Role::CountyOfficeAdmin, Some(SANYA), None);
    let none = redrive(mail()).by(&elsewhere).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(none["count"], 0);
    let office = testkit::caller(access::Role::CountyOfficeAdmin, Some(HAIKOU), None);
    let all = redrive(mail()).by(&office).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(all["count"], 15);
    world.send_all().await;
    assert_eq!(world.count("mail", "delivered").await, 15);
}

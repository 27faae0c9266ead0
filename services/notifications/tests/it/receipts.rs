//! Receipts by one-time link and on paper, and the chase of what nobody signs.

use access::Role;
use contracts::notifications::ReceiptSigned;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use testkit::Call;

use crate::world::*;

/// Issued on Thursday, 24 September 2026, 15:00; two working days and the Mid-Autumn holiday give the 29th.
const ISSUED: &str = "2026-09-24T07:00:00Z";

async fn lettered_world() -> World {
    let key = secret("a key for one-time links, long enough for it");
    let world = World::with(|config| config.receipts.link_key_file = Some(key)).await.peopled().await;
    world.db.set_clock(at(ISSUED)).await;
    world.hear(&lettered()).await;
    world
}

/// What the link in the mail of an account carries.
fn token(world: &World, account: u128) -> String {
    let address = format!("user{account}@school.example");
    let mails = world.sink.mails();
    let mail = mails.iter().find(|mail| mail.to == [address.clone()]).unwrap();
    let (_, rest) = mail.text.split_once("/receipts/link?code=").unwrap();
    rest.lines().next().unwrap().to_owned()
}

fn post(path: &str, token: &str) -> Call {
    // Nobody is signed in, and there is no idempotency key.
    Call::new(http::Method::POST, path).json(&serde_json::json!({ "token": token }))
}

#[tokio::test]
async fn a_link_signs_once_and_the_database_does_not_know_it() {
    let world = lettered_world().await;
    world.send_all().await;
    let (of_head, of_contact) = (token(&world, 1), token(&world, 2));
    assert_ne!(of_head, of_contact);
    let copy = world.sink.mails().into_iter().find(|mail| mail.to == ["user3@school.example"]).unwrap();
    assert!(!copy.text.contains("/receipts/link?code="), "whoever gets a copy does not sign");
    for table in [
        "SELECT count(*) FROM texts WHERE body LIKE '%' || $1 || '%'",
        "SELECT count(*) FROM receipt_links WHERE encode(token_sha256, 'escape') = $1",
    ] {
        let known: i64 = sqlx::query_scalar(table).bind(&of_head).fetch_one(world.db.pool()).await.unwrap();
        assert_eq!(known, 0);
    }
    for _ in 0..2 {
        let shown = post("/v1/receipt-links/show", &of_head).send(&world.router).await.expect(StatusCode::OK).json;
        assert_eq!((shown["usable"].as_bool(), shown["doc_no"].as_str()), (Some(true), Some("海口教督委〔2026〕12号")));
    }
    post("/v1/receipt-links/show", "guess").send(&world.router).await.expect(StatusCode::NOT_FOUND);

    let signed = post("/v1/receipt-links/sign", &of_head).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((signed["state"].as_str(), signed["signer_name"].as_str()), (Some("signed"), Some("校长")));
    post("/v1/receipt-links/sign", &of_head).send(&world.router).await.expect(StatusCode::CONFLICT);
    let late = post("/v1/receipt-links/sign", &of_contact).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(late["signer_name"], "校长", "the first signature stays");
    let events = testkit::events_of::<ReceiptSigned>(&world.db).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].signed_by, principal().account_id);
    assert_eq!(world.text("SELECT method FROM receipts").await, "link");
}

#[tokio::test]
async fn a_mail_that_is_sent_again_has_the_same_link() {
    let world = lettered_world().await;
    world.sink.set_mode(crate::mail_sink::Mode::LostReply);
    world.sender().round().await.unwrap();
    world.sink.set_mode(crate::mail_sink::Mode::Ok);
    world.send_all().await;
    let mails = world.sink.mails();
    let mut texts: Vec<_> =
        mails.iter().filter(|mail| mail.to == ["user1@school.example"]).map(|mail| &mail.text).collect();
    assert!(texts.len() > 1);
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert_eq!(world.number("SELECT count(*) FROM receipt_links").await, 2);
}

#[tokio::test]
async fn a_link_expires_and_dies_with_its_account() {
    let world = lettered_world().await;
    world.send_all().await;
    let (of_head, of_contact) = (token(&world, 1), token(&world, 2));
    let mut left = principal();
    left.version = 2;
    left.active = false;
    world.hear(&left).await;
    post("/v1/receipt-links/sign", &of_head).send(&world.router).await.expect(StatusCode::CONFLICT);
    world.db.move_clock(SignedDuration::from_hours(30 * 24 + 1)).await;
    let shown = post("/v1/receipt-links/show", &of_contact).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(shown["usable"], false);
    post("/v1/receipt-links/sign", &of_contact).send(&world.router).await.expect(StatusCode::CONFLICT);
    assert!(testkit::events_of::<ReceiptSigned>(&world.db).await.is_empty());
}

#[tokio::test]
async fn the_office_records_a_paper_and_the_clock_begins_with_it() {
    let world = lettered_world().await;
    world.db.move_clock(SignedDuration::from_hours(72)).await;
    let paper = |received: &str, name: &str| {
        let body =
            serde_json::json!({ "received_at": received, "signer_name": name, "note": "直接送达，回执存海口办" });
        Call::post(&format!("/v1/receipts/{LETTER}/paper"), &body)
    };
    let office = testkit::caller(Role::DeskOfficer, Some(HAIKOU), None);
    let received = "2026-09-25T02:00:00Z";
    for stranger in [caller(&principal()), testkit::caller(Role::CountyOfficeAdmin, Some(SANYA), None)] {
        paper(received, "校办").by(&stranger).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    }
    for (when, name, field) in [
        ("2026-09-24T06:59:59Z", "校办", "/received_at"),
        ("2026-09-30T00:00:00Z", "校办", "/received_at"),
        (received, " ", "/signer_name"),
    ] {
        let answer = paper(when, name).by(&office).send(&world.router).await;
        assert_eq!(answer.expect(StatusCode::UNPROCESSABLE_ENTITY).json["errors"][0]["pointer"], field);
    }
    let signed = paper(received, "校办主任").by(&office).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((signed["method"].as_str(), signed["signed_at"].as_str()), (Some("paper"), Some(received)));
    let again =
        paper("2026-09-26T02:00:00Z", "校办收发").by(&office).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(again, signed, "the first signature stays");
    let events = testkit::events_of::<ReceiptSigned>(&world.db).await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].signed_at, events[0].signer_name.as_str()), (at(received), "校办主任"));
    assert_eq!(events[0].signed_by, office.account_id, "who recorded it answers for it");
}

async fn due(world: &World) -> Timestamp {
    let at: jiff_sqlx::Timestamp =
        sqlx::query_scalar("SELECT next_chase_at FROM receipts").fetch_one(world.db.pool()).await.unwrap();
    at.to_jiff()
}

async fn chase(world: &World) -> usize {
    let chased = notifications::chase_due(&world.db, &world.telling).await.unwrap();
    world.tell().await;
    chased
}

#[tokio::test]
async fn what_nobody_signs_is_chased_until_somebody_does() {
    let world = lettered_world().await;
    assert_eq!(due(&world).await, at("2026-09-29T16:00:00Z"), "the limit itself");
    world.db.set_clock(at("2026-09-29T15:59:00Z")).await;
    assert_eq!(chase(&world).await, 0);
    world.db.set_clock(at("2026-09-29T16:00:30Z")).await;
    assert_eq!((chase(&world).await, chase(&world).await), (1, 0));
    let told = |template: &str, rows: Vec<(String, String, String)>| {
        let rows = rows.into_iter().filter(|row| row.1 == template).map(|row| (row.0, row.2));
        rows.collect::<Vec<_>>()
    };
    let pair = |name: &str, capacity: &str| (name.to_owned(), capacity.to_owned());
    assert_eq!(
        told("receipt_reminder", world.told().await),
        [pair("教育局", "copy"), pair("校长", "to"), pair("联络员", "to")]
    );
    let named = async || {
        let sweep = notifications::delivery::sweep::sweep(&world.db).await.unwrap();
        sweep.findings.iter().any(|finding| finding.name == "unsigned_unchased" && finding.count == 1)
    };
    // The reminder's own day, the 30th, is not counted; then comes the National Day holiday.
    assert_eq!(due(&world).await, at("2026-10-08T16:00:00Z"));
    assert!(!named().await);
    world.db.set_clock(at("2026-10-08T16:06:00Z")).await;
    assert!(named().await, "a chase that does not come is named");
    world.db.set_clock(at("2026-10-08T16:00:30Z")).await;
    assert_eq!(chase(&world).await, 1);
    assert_eq!(told("receipt_overdue", world.told().await), [pair("教育局", "copy"), pair("海口办", "to")]);
    assert_eq!(due(&world).await, at("2026-10-13T16:00:00Z"), "the make-up Saturday, 10 October, then 12 and 13");
    for times in 2..5 {
        world.db.set_clock(due(&world).await).await;
        assert_eq!(chase(&world).await, 1);
        let told = "SELECT count(*) FROM messages WHERE template = 'receipt_overdue' AND capacity = 'to'";
        assert_eq!(world.number(told).await, times, "it does not fall silent");
    }
    let open = Call::get("/v1/receipts?state=open").by(&caller(&principal())).send(&world.router).await;
    assert_eq!(open.expect(StatusCode::OK).json["items"][0]["chases"], 5);
    let sign = Call::post(&format!("/v1/receipts/{LETTER}/sign"), &serde_json::json!({}));
    sign.by(&caller(&principal())).send(&world.router).await.expect(StatusCode::OK);
    world.db.move_clock(SignedDuration::from_hours(24 * 60)).await;
    assert_eq!(chase(&world).await, 0);
    // An unsigned receipt without a next instant is refused by the table.
    let silenced =
        sqlx::query("UPDATE receipts SET signed_at = NULL, signed_by = NULL, signer_name = NULL, method = NULL");
    assert!(silenced.execute(world.db.pool()).await.is_err());
    assert!(world.found().await.is_empty());
}

#[tokio::test]
async fn two_replicas_chase_once() {
    let world = lettered_world().await;
    world.db.set_clock(at("2026-09-29T16:00:30Z")).await;
    let other = world.db.another_pool().await;
    let (one, two) = tokio::join!(
        notifications::chase_due(&world.db, &world.telling),
        notifications::chase_due(&other, &world.telling)
    );
    assert_eq!(one.unwrap() + two.unwrap(), 1);
}

//! Mail: retries, limits, repetition with the same Message-ID, and the texts.

use std::collections::BTreeSet;

use crate::mail_sink::Mode;
use contracts::tasks::PreliminaryOpinionIssued;
use jiff::civil::date;
use notifications::config::{MailSection, MailTls, Relay};

use crate::world::*;

async fn with_one_mail() -> World {
    let world = World::new().await;
    world.hear(&principal()).await;
    world.hear(&reminder()).await;
    assert_eq!(world.mails_in("queued").await, 1);
    world
}

async fn last_error(world: &World) -> String {
    sqlx::query_scalar("SELECT coalesce(last_error, '') FROM deliveries WHERE channel = 'mail'")
        .fetch_one(world.db.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_relay_that_refuses_for_now_gets_it_later() {
    let world = with_one_mail().await;
    world.sink.set_mode(Mode::RefuseForNow);
    assert_eq!(world.sender().round().await.unwrap(), 1);
    assert_eq!(world.mails_in("queued").await, 1);
    assert!(last_error(&world).await.contains("451"), "{}", last_error(&world).await);
    world.sink.set_mode(Mode::Ok);
    world.send_all().await;
    assert_eq!(world.mails_in("delivered").await, 1);
    assert_eq!(world.sink.mails().len(), 1);
}

#[tokio::test]
async fn a_definite_refusal_is_final_after_three_until_the_address_changes() {
    let world = with_one_mail().await;
    world.sink.set_mode(Mode::RefuseForGood);
    world.send_all().await;
    assert_eq!(world.mails_in("failed").await, 1);
    assert!(last_error(&world).await.contains("550"));
    let attempts: i32 = sqlx::query_scalar("SELECT attempts FROM deliveries WHERE channel = 'mail'")
        .fetch_one(world.db.pool())
        .await
        .unwrap();
    assert_eq!(attempts, world.mail().refusals);

    world.sink.set_mode(Mode::Ok);
    let mut moved = principal();
    moved.version = 2;
    moved.email = Some("new@school.example".to_owned());
    world.hear(&moved).await;
    world.send_all().await;
    assert_eq!(world.sink.mails()[0].to, ["new@school.example"]);
}

#[tokio::test]
async fn a_silent_relay_is_left_after_the_limit_and_gets_it_later() {
    let world = with_one_mail().await;
    world.sink.set_mode(Mode::Hang);
    let sender = world.sender();
    assert_eq!(sender.round().await.unwrap(), 1);
    assert!(last_error(&world).await.contains("1 seconds"), "{}", last_error(&world).await);
    assert_eq!(world.mails_in("queued").await, 1);
    world.sink.set_mode(Mode::Ok);
    // The same sender, on a new connection.
    testkit::wait_until("the mail is sent", async || sender.round().await.unwrap() == 1).await;
    assert_eq!(world.mails_in("delivered").await, 1);
    assert_eq!(world.sink.mails().len(), 1);
}

#[tokio::test]
async fn a_sender_killed_between_sending_and_commit_repeats_the_same_message_id() {
    let world = with_one_mail().await;
    world.sink.set_mode(Mode::Slow);
    // Patient enough for the slow relay: this sender is not to give up by itself.
    let sender = world.sender_with(&MailSection { timeout_seconds: 60, ..world.mail().clone() });
    let doomed = tokio::spawn(async move { sender.round().await });
    testkit::wait_until("the relay has the mail", async || world.sink.mails().len() == 1).await;
    // The relay has it, its answer is still on the way: now the sender dies.
    doomed.abort();
    assert!(doomed.await.unwrap_err().is_cancelled());
    assert_eq!(world.mails_in("sending").await, 1, "everyone sees that it was on its way");
    world.sink.set_mode(Mode::Ok);
    world.send_all().await;
    let ids: Vec<_> = world.sink.mails().into_iter().map(|mail| mail.message_id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(world.mails_in("delivered").await, 1);
}

#[tokio::test]
async fn a_lost_answer_repeats_the_same_message_id() {
    let world = with_one_mail().await;
    world.sink.set_mode(Mode::LostReply);
    world.sender().round().await.unwrap();
    assert_eq!(world.mails_in("queued").await, 1);
    world.sink.set_mode(Mode::Ok);
    world.send_all().await;
    let ids: BTreeSet<_> = world.sink.mails().into_iter().map(|mail| mail.message_id).collect();
    assert_eq!((world.sink.mails().len(), ids.len()), (2, 1));
}

fn relay(port: u16) -> Relay {
    Relay { host: "127.0.0.1".to_owned(), port, tls: MailTls::None, user: None, password_file: None, per_minute: None }
}

#[tokio::test]
async fn a_second_relay_takes_over_from_one_that_is_away() {
    let world = with_one_mail().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mail = MailSection { port: gone, backups: vec![relay(world.mail().port)], ..world.mail().clone() };
    assert_eq!(world.sender_with(&mail).round().await.unwrap(), 1);
    assert_eq!((world.mails_in("delivered").await, world.sink.mails().len()), (1, 1));
}

#[tokio::test]
async fn what_the_first_relay_may_have_taken_is_not_given_to_the_second() {
    let world = with_one_mail().await;
    let (second, address) = crate::mail_sink::MailSink::start().await.unwrap();
    let mail = MailSection { backups: vec![relay(address.port())], ..world.mail().clone() };
    world.sink.set_mode(Mode::LostReply);
    world.sender_with(&mail).round().await.unwrap();
    assert_eq!((world.sink.mails().len(), second.mails().len()), (1, 0));
    assert_eq!(world.mails_in("queued").await, 1, "it comes again, with the same Message-ID");
}

#[tokio::test]
async fn nothing_goes_in_plain_to_a_relay_that_should_speak_tls() {
    let world = with_one_mail().await;
    for tls in [MailTls::Starttls, MailTls::Implicit] {
        let mail = MailSection { tls, ..world.mail().clone() };
        let sender = world.sender_with(&mail);
        testkit::wait_until("it is tried", async || sender.round().await.unwrap() == 1).await;
        assert_eq!((world.mails_in("queued").await, world.sink.mails().len()), (1, 0), "{tls:?}");
    }
    assert!(!last_error(&world).await.is_empty());
}

#[tokio::test]
async fn no_more_mails_leave_than_a_relay_takes() {
    let world = World::with_people().await;
    world.hear(&reminder()).await;
    let mail = MailSection { per_minute: Some(2), ..world.mail().clone() };
    let sender = world.sender_with(&mail);
    assert_eq!(sender.round().await.unwrap(), 3);
    assert_eq!(sender.round().await.unwrap(), 0, "the relay is full for now");
    assert_eq!((world.mails_in("delivered").await, world.mails_in("queued").await), (2, 1));
}

#[tokio::test]
async fn several_senders_send_each_mail_once() {
    let world = World::with_people().await;
    for version in 0..8 {
        let mut reminder = reminder();
        reminder.rectification.version += version;
        world.hear(&reminder).await;
    }
    let due = world.mails_in("queued").await;
    assert_eq!(due, 8 * 3);
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let sender = world.sender();
            tokio::spawn(async move { while sender.round().await.unwrap() > 0 {} })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let mails = world.sink.mails();
    let ids: BTreeSet<_> = mails.iter().map(|mail| &mail.message_id).collect();
    assert_eq!((mails.len(), ids.len()), (24, 24));
    assert_eq!(world.mails_in("delivered").await, due);
}

#[tokio::test]
async fn an_account_without_an_address_is_shown_as_not_delivered() {
    let world = World::new().await;
    let mut head = principal();
    head.email = None;
    world.hear(&head).await;
    world.hear(&reminder()).await;
    assert_eq!(world.mails_in("failed").await, 1);
    assert!(last_error(&world).await.contains("no mail address"));
}

#[tokio::test]
async fn the_texts_are_official_chinese() {
    let world = World::with_people().await;
    world.hear(&notified()).await;
    let opinion = PreliminaryOpinionIssued {
        case_id: CASE,
        version: 5,
        document: contracts::shared::DocumentRef {
            kind: contracts::shared::DocumentKind::PreliminaryOpinion,
            document_id: uuid::Uuid::from_u128(0xD5).into(),
            ..notified().document
        },
        case_title: notified().case_title,
        unit: school(),
        plea_due_on: date(2026, 9, 28),
    };
    world.hear(&opinion).await;
    world.hear(&lettered()).await;
    world.hear(&reminder()).await;
    world.hear(&urged()).await;
    world.send_all().await;
    let mut mails = world.sink.mails();
    mails.retain(|mail| ["user1@school.example", "user3@school.example"].contains(&mail.to[0].as_str()));
    mails.sort_by(|a, b| (&a.subject, &a.to).cmp(&(&b.subject, &b.to)));
    let texts: Vec<String> = mails
        .iter()
        .map(|mail| format!("收件人：{}\n主题：{}\n\n{}\n======\n", mail.to.join("、"), mail.subject, mail.text))
        .collect();
    insta::assert_snapshot!("mails", texts.concat());
}

//! Events twice, out of order, unreadable; the order of a case; a refusal stops one case only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_nats::jetstream;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use contracts::{Actor, Envelope, Event as _, subjects};
use domain::ids::AreaId;
use exchange::consume::{FACTS_CONSUMER, Facts};
use messaging::{ApplyError, Consumer, Handler as _, Relay};
use serde_json::{Value, json};
use testkit::{Call, Database};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::facts::{CaseFacts, province};
use crate::support::{
    Replica, Signing, apply, assert_journal_agrees, assert_once_and_in_order, database, section, serve, states,
    wait_for_accepted,
};

/// Publishes so many events; transactions of other tests on the server may keep some back for a moment.
async fn publish(relay: &Relay, events: u64) {
    let published = AtomicU64::new(relay.drain().await.unwrap());
    testkit::wait_until("the events are published", || async {
        published.fetch_add(relay.drain().await.unwrap(), Ordering::SeqCst);
        published.load(Ordering::SeqCst) == events
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_come_over_the_broker_once_and_leave_in_order() {
    let (signing, database) = (Signing::new(), database().await);
    let platform = signing.platform();
    let address = serve(platform.router()).await;
    let replica = Replica::start(database.handle(), &section(address, &signing.key_file())).await;
    let broker = replica.kit.broker.clone();

    // The two services that own the facts, each with its journal.
    let (tasks, deadlines) =
        (Database::new(&[&messaging::MIGRATOR]).await, Database::new(&[&messaging::MIGRATOR]).await);
    let case = CaseFacts::new(1, 2);
    let actor = Actor::system("test");
    let mut tx = deadlines.begin().await.unwrap();
    messaging::append(&mut tx, &actor, &case.closed()).await.unwrap();
    messaging::append(&mut tx, &actor, &case.urged(2)).await.unwrap();
    messaging::append(&mut tx, &actor, &case.opened()).await.unwrap();
    messaging::append(&mut tx, &actor, &case.urged(1)).await.unwrap();
    tx.commit().await.unwrap();
    let key = testkit::journal_key();
    let relay = Relay::new(deadlines.handle(), broker.clone(), "deadlines", Arc::clone(&key));
    publish(&relay, 4).await;
    let relay = Relay::new(tasks.handle(), broker.clone(), "tasks", key);
    publish(&relay, 0).await;

    let cancel = CancellationToken::new();
    let facts = Facts { sender: "460000".to_owned(), papers: crate::support::papers() };
    let consumer = Consumer::new(database.handle(), broker.clone(), FACTS_CONSUMER, facts);
    let consuming = tokio::spawn(consumer.run(cancel.clone()));
    testkit::wait_until("the later facts wait", || async { states(&database).await.get("held") == Some(&4) }).await;
    assert!(platform.received().is_empty());

    let mut tx = tasks.begin().await.unwrap();
    messaging::append(&mut tx, &actor, &case.letter()).await.unwrap();
    tx.commit().await.unwrap();
    publish(&relay, 1).await;
    wait_for_accepted(&database, 5).await;

    // Everything once more: the same events again, and what is no event of ours.
    let raw = testkit::events(&tasks).await.remove(0);
    let mut misshapen = serde_json::to_value(&raw).unwrap();
    misshapen["event_id"] = json!(uuid::Uuid::now_v7());
    misshapen["payload"] = json!({"letter_id": 7});
    let letter_subject = subjects::subject(broker.prefix(), contracts::tasks::LetterIssued::TYPE);
    let context = jetstream::new(async_nats::connect(testkit::broker_options().url).await.unwrap());
    for body in [serde_json::to_vec(&raw).unwrap(), serde_json::to_vec(&misshapen).unwrap(), b"garbage".to_vec()] {
        context.publish(letter_subject.clone(), body.into()).await.unwrap().await.unwrap();
    }
    testkit::wait_until("the unreadable ones are dead letters", || async {
        messaging::dead_letters::list(&database, 10).await.unwrap().len() == 2
    })
    .await;

    let received = platform.received();
    assert_once_and_in_order(&received, 5);
    let kinds: Vec<&str> = received.iter().map(|message| message.kind.as_str()).collect();
    assert_eq!(kinds, ["opinion_letter", "rectification", "urging_order", "urging_order", "closure"]);
    assert_eq!(platform.statistics().requests, 5);
    assert_journal_agrees(&database, &received).await;
    cancel.cancel();
    consuming.await.unwrap();
    replica.stop().await;
}

#[tokio::test]
async fn the_same_fact_under_another_event_id_changes_nothing_and_a_second_letter_is_refused() {
    let database = database().await;
    let case = CaseFacts::new(1, 1);
    let forwards = case.envelopes();
    let backwards: Vec<Envelope> = case.envelopes().into_iter().rev().collect();
    apply(&database, &backwards).await;
    apply(&database, &forwards).await;
    let rows: Vec<(i32, String, String)> =
        sqlx::query_as("SELECT sequence, kind, state FROM messages ORDER BY sequence")
            .fetch_all(database.pool())
            .await
            .unwrap();
    let row = |n: i32, kind: &str, state: &str| (n, kind.to_owned(), state.to_owned());
    assert_eq!(
        rows,
        [
            row(1, "opinion_letter", "ready"),
            row(2, "rectification", "held"),
            row(3, "urging_order", "held"),
            row(4, "closure", "held"),
        ]
    );

    let mut second = case.letter();
    second.letter_id = domain::ids::LetterId::new(uuid::Uuid::now_v7());
    let mut tx = database.begin().await.unwrap();
    let facts = Facts { sender: "460000".to_owned(), papers: crate::support::papers() };
    let refused = facts.apply(&mut tx, &crate::facts::envelope(&second, "2026-11-23T08:00:00Z")).await;
    assert!(matches!(refused, Err(ApplyError::Refused(reason)) if reason.contains("number 1 already")));

    let mut foreign = case.urged(1);
    foreign.rectification.urging_orders.clear();
    let refused = facts.apply(&mut tx, &crate::facts::envelope(&foreign, "2026-11-23T08:00:00Z")).await;
    assert!(matches!(refused, Err(ApplyError::Refused(reason)) if reason.contains("does not list")));
}

#[tokio::test]
async fn the_closure_is_the_last_word_and_the_departments_case_is_not_told() {
    let database = database().await;
    let case = CaseFacts::new(1, 2);
    let mut first = case.closed();
    first.rectification.urging_orders.truncate(1);
    let mut department = case.opened();
    department.rectification.liable_for = Some(department.rectification.rectification_id);
    department.rectification.rectification_id = domain::ids::RectificationId::new(uuid::Uuid::now_v7());
    let when = "2026-12-28T02:00:00Z";
    apply(
        &database,
        &[
            crate::facts::envelope(&case.letter(), when),
            crate::facts::envelope(&case.opened(), when),
            crate::facts::envelope(&department, when),
            crate::facts::envelope(&case.urged(1), when),
            crate::facts::envelope(&first, when),
            // A look-back found the problem back; the case goes through the ladder once more.
            crate::facts::envelope(&case.urged(2), "2027-03-28T02:00:00Z"),
            crate::facts::envelope(&case.closed(), "2027-04-28T02:00:00Z"),
        ],
    )
    .await;
    let rows: Vec<(i32, String)> = sqlx::query_as("SELECT sequence, kind FROM messages ORDER BY sequence")
        .fetch_all(database.pool())
        .await
        .unwrap();
    let kinds: Vec<(i32, &str)> = rows.iter().map(|(sequence, kind)| (*sequence, kind.as_str())).collect();
    assert_eq!(kinds, [(1, "opinion_letter"), (2, "rectification"), (3, "urging_order"), (4, "closure")]);
}

#[tokio::test]
async fn documents_go_with_their_text_and_nobodys_paper_goes_as_one() {
    let papers = crate::support::papers();
    let text_of = |event: &contracts::Envelope, kind: &str| {
        let message = exchange::national::compose(event, "460000", &papers).unwrap().unwrap().message;
        let sent = serde_json::to_value(&message).unwrap();
        exchange::national::Message::read(sent.to_string().as_bytes()).unwrap();
        let document = &sent["content"][kind]["document"];
        assert_eq!(document["kind"], kind);
        document["text"].as_str().map(str::to_owned)
    };
    let case = CaseFacts::new(7, 2);
    let issued = |letter: &contracts::tasks::LetterIssued| crate::facts::envelope(letter, "2026-11-23T08:00:00Z");
    let letter = text_of(&issued(&case.letter()), "opinion_letter").unwrap();
    assert!(letter.contains("琼教督委〔2026〕7号") && letter.contains("学校办学行为总体规范。"), "{letter}");
    assert!(letter.contains("https://portal.example/verify"), "{letter}");
    // The second order's text is formed again from the facts that its event has.
    let urged = crate::facts::envelope(&case.urged(2), "2026-12-20T01:00:00Z");
    let order = text_of(&urged, "urging_order").unwrap();
    for words in ["琼教督办〔2026〕72号", "海口市第7小学", "消防通道堆放杂物。", "2026年12月25日", "\t2天\t"]
    {
        assert!(order.contains(words), "{words}: {order}");
    }
    // Other words than the document's own are not sent as its text; the facts are.
    let mut letter = case.letter();
    letter.content = letter.content.replace("总体规范", "总体良好");
    assert_eq!(text_of(&issued(&letter), "opinion_letter"), None);
    letter.content = String::new();
    assert_eq!(text_of(&issued(&letter), "opinion_letter"), None);
    let mut urged = case.urged(1);
    urged.rectification.items[0].description = "另一个问题".to_owned();
    assert_eq!(text_of(&crate::facts::envelope(&urged, "2026-12-20T01:00:00Z"), "urging_order"), None);
}

#[tokio::test]
async fn a_waived_item_is_told_as_closed_and_satisfies_the_form() {
    let case = CaseFacts::new(1, 0);
    let mut closed = case.closed();
    let item = &mut closed.rectification.items[0];
    item.state = contracts::deadlines::ItemState::Waived;
    (item.reported_at, item.report, item.verified_at, item.verified_by) = (None, None, None, None);
    let event = crate::facts::envelope(&closed, "2026-12-28T02:00:00Z");
    let message = exchange::national::compose(&event, "460000", &crate::support::papers()).unwrap().unwrap().message;
    let sent = serde_json::to_value(&message).unwrap();
    let read = exchange::national::Message::read(sent.to_string().as_bytes()).unwrap();
    assert_eq!(read, message);
    let item = &sent["content"]["closure"]["items"][0];
    assert_eq!((item["closed_on"].as_str(), item["reported_on"].as_str()), (Some("2026-12-28"), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_stops_its_case_others_go_on_and_a_person_sends_again() {
    let (signing, database) = (Signing::new(), database().await);
    let (platform, strict) = (signing.platform(), Arc::new(AtomicBool::new(true)));
    let (stopped, free) = (CaseFacts::new(1, 1), CaseFacts::new(2, 1));
    // A platform that for a while does not like the second message of one case.
    let refused_case = stopped.case_id.to_string();
    let inner = platform.router();
    let switch = Arc::clone(&strict);
    let router = Router::new().route(
        "/v1/messages",
        post(move |headers: HeaderMap, body: axum::body::Bytes| {
            let (inner, switch, refused_case) = (inner.clone(), Arc::clone(&switch), refused_case.clone());
            async move {
                use axum::response::IntoResponse as _;
                let hit = headers["dudao-case"] == refused_case.as_str() && headers["dudao-sequence"] == "2";
                if hit && switch.load(Ordering::SeqCst) {
                    let refusal = json!({"code": "unit_unknown", "detail": "平台没有该单位"});
                    return (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(refusal)).into_response();
                }
                let mut request = axum::http::Request::post("/v1/messages").body(axum::body::Body::from(body)).unwrap();
                *request.headers_mut() = headers;
                oneshot(inner, request).await
            }
        }),
    );
    let address = serve(router).await;
    for case in [&stopped, &free] {
        apply(&database, &case.envelopes()).await;
    }
    let replica = Replica::start(database.handle(), &section(address, &signing.key_file())).await;
    wait_for_accepted(&database, free.messages() + 1).await;
    testkit::wait_until("the refusal is seen", || async { states(&database).await.get("rejected") == Some(&1) }).await;
    assert_eq!(states(&database).await["held"], 2);

    let admin = testkit::caller(access::Role::ProvinceOfficeAdmin, Some(province()), None);
    let list = Call::get("/v1/messages?state=rejected").by(&admin).send(&replica.router).await.expect(StatusCode::OK);
    let message = &list.json["items"][0];
    assert_eq!(message["reason"], "422 [unit_unknown] 平台没有该单位");
    assert_eq!(message["sequence"], 2);
    assert_eq!(message["state_zh"], "被退回");

    strict.store(false, Ordering::SeqCst);
    let path = format!("/v1/messages/{}/resend", message["message_id"].as_str().unwrap());
    let command = json!({"reason": "平台已补登该单位"});
    let answer = Call::post(&path, &command)
        .header("if-match", &format!("\"{}\"", message["version"]))
        .by(&admin)
        .send(&replica.router)
        .await
        .expect(StatusCode::OK);
    assert_eq!(answer.json["state"], "ready");
    wait_for_accepted(&database, free.messages() + stopped.messages()).await;
    assert_once_and_in_order(&platform.received(), free.messages() + stopped.messages());
    let path = format!("/v1/messages/{}", message["message_id"].as_str().unwrap());
    let view = Call::get(&path).by(&admin).send(&replica.router).await.expect(StatusCode::OK).json;
    let outcomes: Vec<&Value> = view["history"].as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(outcomes, ["rejected", "accepted"]);
    assert_eq!(view["corrections"][0]["reason"], "平台已补登该单位");
    replica.stop().await;
}

async fn oneshot(router: Router, request: axum::http::Request<axum::body::Body>) -> axum::response::Response {
    use tower::ServiceExt as _;
    router.oneshot(request).await.unwrap()
}

#[tokio::test]
async fn what_is_heard_of_after_a_merger_of_counties_lies_where_what_was_heard_before_does() {
    let database = database().await;
    let event = |letter: &contracts::tasks::LetterIssued| testkit::envelope(letter, letter.issued_at);
    let (first, second) = (CaseFacts::new(1, 0).letter(), CaseFacts::new(2, 0).letter());
    let (haikou, danzhou) = (AreaId::derived(&["460100"]), AreaId::derived(&["460400"]));
    let merged = testkit::merged(haikou, vec![province(), danzhou, haikou]);
    apply(&database, &[event(&first), testkit::envelope(&merged, second.issued_at), event(&second)]).await;
    // The county that takes over becomes a part of a third one.
    let third = AreaId::derived(&["469007"]);
    let again = testkit::merged(danzhou, vec![province(), third, danzhou]);
    let last = CaseFacts::new(3, 0).letter();
    apply(&database, &[testkit::envelope(&again, last.issued_at), event(&last)]).await;
    let paths: Vec<Vec<Uuid>> =
        sqlx::query_scalar("SELECT area_path FROM messages").fetch_all(database.pool()).await.unwrap();
    let path: Vec<Uuid> = [province(), third, danzhou, haikou].map(|area| area.as_uuid()).to_vec();
    assert_eq!(paths, [path.clone(), path.clone(), path]);
}

#[tokio::test]
async fn a_message_that_is_being_written_while_counties_merge_goes_over_as_well() {
    let database = database().await;
    let letter = CaseFacts::new(1, 0).letter();
    let haikou = AreaId::derived(&["460100"]);
    let path = vec![province(), AreaId::derived(&["460400"]), haikou];
    let merged = testkit::envelope(&testkit::merged(haikou, path.clone()), letter.issued_at);
    let facts = Facts { sender: "460000".to_owned(), papers: crate::support::papers() };
    let mut first = database.begin().await.unwrap();
    facts.apply(&mut first, &testkit::envelope(&letter, letter.issued_at)).await.unwrap();
    let mut second = database.begin().await.unwrap();
    let (done, ()) = tokio::join!(
        async {
            facts.apply(&mut second, &merged).await.unwrap();
            second.commit().await
        },
        async {
            testkit::wait_until("the merger waits for what is being written", || async {
                sqlx::query_scalar(
                    "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                     WHERE NOT l.granted AND d.datname = current_database())",
                )
                .fetch_one(database.pool())
                .await
                .unwrap()
            })
            .await;
            first.commit().await.unwrap();
        },
    );
    done.unwrap();
    let found: Vec<Uuid> =
        sqlx::query_scalar("SELECT area_path FROM messages").fetch_one(database.pool()).await.unwrap();
    assert_eq!(found, path.iter().map(AreaId::as_uuid).collect::<Vec<_>>());
}

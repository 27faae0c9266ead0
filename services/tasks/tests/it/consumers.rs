//! What other services say, twice, out of order, stale, unreadable.

use std::sync::Arc;

use contracts::notifications::ReceiptSigned;
use contracts::registry::{InspectorRecorded, UnitKind, UnitRecorded};
use contracts::{Actor, Envelope, Event as _};
use domain::ids::{DocumentId, UnitId};
use http::StatusCode;
use messaging::{ApplyError, Consumer, Handler as _, Relay};
use serde_json::json;
use tasks::consume::{RECEIPTS_CONSUMER, REGISTRY_CONSUMER, Receipts, RegistryCopies};
use testkit::envelope;
use tokio_util::sync::CancellationToken;

use crate::world::{World, inspector, letter, start, unit};

async fn unit_name(world: &World, id: UnitId) -> Option<(String, i64)> {
    sqlx::query_as("SELECT name, version FROM units WHERE unit_id = $1")
        .bind(id.as_uuid())
        .fetch_optional(world.database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_newest_version_wins_whatever_the_order() {
    let world = World::new().await;
    let path = [world.province, world.haikou];
    let named = |version: i64, name: &str| UnitRecorded {
        version,
        ..unit(world.school, "2146000001", name, UnitKind::School, &path, "460100")
    };
    for event in [named(3, "新名"), named(2, "旧名"), named(3, "新名"), named(1, "更旧")] {
        world.registry(&event).await;
    }
    assert_eq!(unit_name(&world, world.school).await, Some(("新名".to_owned(), 3)));
    let mut suspended = inspector(world.inspectors[0], 1, &path);
    (suspended.version, suspended.suspended) = (2, true);
    world.registry(&suspended).await;
    world.registry(&InspectorRecorded { version: 1, ..inspector(world.inspectors[0], 1, &path) }).await;
    let case = world.case().await;
    case.refused("team", &world.team(), "team").await;
}

#[tokio::test]
async fn an_unreadable_event_is_an_unreadable_event() {
    let world = World::new().await;
    let good = envelope(&unit(world.school, "k", "n", UnitKind::School, &[], "460100"), start());
    let bad =
        Envelope { payload: serde_json::value::RawValue::from_string("{\"unit_id\": 7}".to_owned()).unwrap(), ..good };
    let mut tx = world.database.begin().await.unwrap();
    let error = RegistryCopies.apply(&mut tx, &bad).await.unwrap_err();
    assert!(matches!(error, ApplyError::Unreadable(_)), "{error}");
    let error = Receipts { rules: Arc::clone(&world.rules) }
        .apply(&mut tx, &Envelope { event_type: ReceiptSigned::TYPE.to_owned(), ..bad })
        .await
        .unwrap_err();
    assert!(matches!(error, ApplyError::Unreadable(_)), "{error}");
}

/// The receipt starts the plea window, the first one stands, and only the unit's own counts.
#[tokio::test]
async fn receipts_mark_once_and_only_for_the_unit() {
    let world = World::new().await;
    let case = world.case().await;
    let seen = case.until_feedback().await;
    let opinion = seen["preliminary_opinion"]["document"].clone();
    let error = world.sign(&opinion, world.sanya_school).await.unwrap_err();
    assert!(matches!(error, ApplyError::Refused(_)), "{error}");
    assert_eq!(case.see().await["state"], "feedback");

    world.sign(&opinion, world.school).await.unwrap();
    let first = case.see().await;
    world.days_later(3).await;
    world.sign(&opinion, world.school).await.unwrap();
    assert_eq!(case.see().await, first);
    // The notice's receipt may come after the opinion's.
    world.sign(&seen["notification"]["document"], world.school).await.unwrap();
    assert!(case.see().await["notification"]["received_at"].is_string());

    let unknown = json!({"document_id": DocumentId::derived(&["none"]), "kind": "opinion_letter"});
    let error = world.sign(&unknown, world.school).await.unwrap_err();
    assert!(matches!(error, ApplyError::NotYet(_)), "{error}");
    let urging = json!({"document_id": DocumentId::derived(&["none"]), "kind": "urging_order"});
    world.sign(&urging, world.school).await.unwrap();
}

/// Another service's database with one event in its journal.
async fn journalled<E: contracts::Event>(event: &E) -> testkit::Database {
    let database = testkit::Database::new(&[&messaging::MIGRATOR]).await;
    let mut tx = database.begin().await.unwrap();
    messaging::append(&mut tx, &Actor::system("test"), event).await.unwrap();
    tx.commit().await.unwrap();
    database
}

/// Through journal, relay, broker and consumer, as in production, with two replicas.
#[tokio::test]
async fn events_arrive_through_the_broker() {
    let world = World::new().await;
    let case = world.case().await;
    case.until_pleading().await;
    case.step("plea", &json!({"waived": true}), &world.principal).await.expect(StatusCode::OK);
    let done = case.done("letter", &letter()).await;

    let signed = world.signature(&done["letter"]["document"], world.school, world.now().await);
    let renamed = UnitRecorded {
        version: 9,
        ..unit(world.school, "2146000001", "改名后的学校", UnitKind::School, &[world.province, world.haikou], "460100")
    };
    let notifications = journalled(&signed).await;
    let registry = journalled(&renamed).await;

    let stop = CancellationToken::new();
    let kit = &world.kit;
    let receipts = Receipts { rules: Arc::clone(&world.rules) };
    let tasks = [
        tokio::spawn(
            Consumer::new(kit.database.clone(), kit.broker.clone(), RECEIPTS_CONSUMER, receipts.clone())
                .run(stop.clone()),
        ),
        tokio::spawn(
            Consumer::new(kit.database.clone(), kit.broker.clone(), RECEIPTS_CONSUMER, receipts).run(stop.clone()),
        ),
        tokio::spawn(
            Consumer::new(kit.database.clone(), kit.broker.clone(), REGISTRY_CONSUMER, RegistryCopies)
                .run(stop.clone()),
        ),
    ];
    for (service, database) in [("notifications", notifications), ("registry", registry)] {
        let relay = Relay::new(database.handle(), kit.broker.clone(), service, testkit::journal_key());
        testkit::publish(&relay, &database).await;
    }
    testkit::wait_until("the letter's receipt", async || case.see().await["letter"]["received_at"].is_string()).await;
    testkit::wait_until("the new name", async || {
        unit_name(&world, world.school).await.is_some_and(|(name, _)| name == "改名后的学校")
    })
    .await;
    stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    let receipts: i64 =
        sqlx::query_scalar("SELECT count(*) FROM receipts").fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(receipts, 2);
}

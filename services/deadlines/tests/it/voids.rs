//! Voiding urging orders (作废督办单): never while a clock rests on one, and with the number kept.

use access::Role;
use contracts::deadlines::{DocumentVoided, UrgingOrderIssued};
use contracts::shared::VoidCause;
use domain::ids::{RectificationId, UrgingOrderId};
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::{Answer, Call};

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

async fn urged(world: &World) -> (RectificationId, UrgingOrderId) {
    let id = world.open(1, &[Severity::Minor, Severity::Minor], RECEIVED).await;
    world.fire_at("2026-03-05T16:00:00Z").await;
    world.fire_at("2026-03-06T16:00:00Z").await;
    let order = testkit::events_of::<UrgingOrderIssued>(&world.database).await.remove(0).urging_order_id;
    (id, order)
}

fn reason() -> Value {
    json!({"cause": "circumstances_changed", "reason": "事项已经免于整改"})
}

async fn void(world: &World, order: UrgingOrderId, by: &access::Caller, body: &Value) -> Answer {
    Call::post(&format!("/v1/urging-orders/{order}/void"), body).by(by).send(&world.router).await
}

async fn waive(world: &World, id: RectificationId, item: usize) {
    let view = world.view(id).await;
    let wish = json!({"subject": "waiver", "item_id": view["rectification"]["items"][item]["item_id"], "reason": "校区已撤并"});
    let (_, request) = world.asks(&world.desk, id, &wish).await;
    world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn an_order_that_a_clock_rests_on_is_not_voided_and_the_refusal_says_what_to_do() {
    let world = World::new().await;
    let (id, order) = urged(&world).await;
    let (before, armed) = (world.view(id).await, world.armed(id).await);
    let refused = void(&world, order, &world.admin, &reason()).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(refused["guard"], "clock_runs_from_it");
    let words = refused["detail"].as_str().unwrap();
    for remedy in ["第1、2项", "延期", "免于整改", "解除升级措施"] {
        assert!(words.contains(remedy), "{words}");
    }
    waive(&world, id, 0).await;
    let refused = void(&world, order, &world.admin, &reason()).await.expect(StatusCode::CONFLICT).json;
    assert!(refused["detail"].as_str().unwrap().contains("第2项"), "{refused}");
    // Nothing of the second item's clock has moved.
    let after = world.view(id).await;
    let due = |view: &Value| view["rectification"]["items"][1]["due_at"].clone();
    assert_eq!(due(&after), due(&before));
    let still = world.armed(id).await;
    assert!(armed.iter().any(|timer| timer.starts_with("escalate@")), "{armed:?}");
    assert!(still.iter().any(|timer| timer.starts_with("escalate@")), "{still:?}");
    assert!(testkit::events_of::<DocumentVoided>(&world.database).await.is_empty());
}

#[tokio::test]
async fn an_order_whose_items_are_done_is_voided_once_with_number_and_content_kept() {
    let world = World::new().await;
    let (id, order) = urged(&world).await;
    waive(&world, id, 0).await;
    waive(&world, id, 1).await;
    let path = format!("/v1/urging-orders/{order}");
    let before = Call::get(&path).by(&world.admin).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!((&before["resting"], before.get("voided")), (&json!([]), None));
    // Who may not, and whose area it is not.
    for who in [&world.desk, &world.inspector, &world.principal] {
        void(&world, order, who, &reason()).await.expect(StatusCode::FORBIDDEN);
    }
    let elsewhere = testkit::caller(Role::CountyOfficeAdmin, Some(domain::ids::AreaId::derived(&["elsewhere"])), None);
    void(&world, order, &elsewhere, &reason()).await.expect(StatusCode::NOT_FOUND);
    let blank = void(&world, order, &world.admin, &json!({"cause": "wrong_content", "reason": ""})).await;
    blank.expect(StatusCode::UNPROCESSABLE_ENTITY);

    let after = void(&world, order, &world.admin, &reason()).await.expect(StatusCode::OK).json;
    assert_eq!(after["voided"]["cause"], "circumstances_changed");
    assert_eq!(after["voided"]["by"], world.admin.display_name.as_str());
    for kept in ["content", "content_sha256", "code", "order"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    let again = void(&world, order, &world.second_admin, &reason()).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(again["current_state"], "void");
    let events = testkit::events_of::<DocumentVoided>(&world.database).await;
    assert_eq!(events.len(), 1);
    let entry = &events[0].0;
    assert_eq!((entry.version, entry.kept_as), (2, order.into()));
    assert_eq!(json!(entry.document), before["order"]["document"]);
    assert_eq!(entry.document.content_sha256, before["content_sha256"]);
    assert_eq!(entry.voided.as_ref().unwrap().cause, VoidCause::CircumstancesChanged);

    // The number is not used again.
    let next = world.open(2, &[Severity::Minor], "2026-03-06T02:00:00Z").await;
    world.fire_at("2026-04-30T16:00:00Z").await;
    while world.firing().fire_batch().await.unwrap() > 0 {}
    let view = world.view(next).await;
    let number = view["rectification"]["urging_orders"][0]["document"]["doc_no"].as_str().unwrap().to_owned();
    assert!(number.ends_with("〕2号"), "{number}");
}

//! A county becomes a part of another one: its cases go on under the other's office, and no day that was told moves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::Role;
use contracts::deadlines::{Change, RectificationChanged, UrgingOrderIssued};
use contracts::registry::{AreaMerged, Succession};
use deadlines::config::RulebookSection;
use domain::ids::{AreaId, RectificationId, UnitId};
use domain::severity::Severity;
use http::StatusCode;
use serde_json::json;
use service_kit::clock::{Clock as _, ManualClock, SystemClock};
use testkit::Call;
use uuid::Uuid;

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";
const NEW_OFFICE: &str = "儋州市人民政府教育督导委员会办公室";

fn merged(world: &World) -> AreaMerged {
    let other = AreaId::new(Uuid::now_v7());
    let succession = |from: UnitId, key: &str, name: &str| Succession {
        from,
        to: UnitId::new(Uuid::now_v7()),
        to_key: key.to_owned(),
        to_name: name.to_owned(),
    };
    AreaMerged {
        merger_id: Uuid::now_v7(),
        version: 2,
        area_id: world.county,
        code: "460100".to_owned(),
        path: vec![world.province, other, world.county],
        county_code: "460400".to_owned(),
        county_name: "儋州市".to_owned(),
        agency: succession(world.office, "office-460400", NEW_OFFICE),
        bureau: succession(world.bureau, "edu-460400", "儋州市教育局"),
        effective_on: "2026-02-20".parse().unwrap(),
    }
}

async fn limits(world: &World, id: RectificationId) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT due_at::text, sheet_id::text FROM deadlines WHERE rectification_id = $1 ORDER BY item_id, round",
    )
    .bind(Uuid::from(id))
    .fetch_all(world.database.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn an_open_case_goes_on_under_the_new_office_with_its_days_and_its_numbers() {
    let world = World::new().await;
    // The first order is the former office's: the next one continues another series.
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let (told, armed) = (limits(&world, id).await, world.armed(id).await);
    let merged = merged(&world);
    world.database.set_clock("2026-02-19T16:00:01Z".parse().unwrap()).await;
    let before = world.view(id).await;
    world.hear(&merged).await.unwrap();

    assert_eq!((limits(&world, id).await, world.armed(id).await), (told, armed));
    let change = testkit::events_of::<RectificationChanged>(&world.database).await.pop().unwrap();
    let Change::HandedOver { agency, county, .. } = &change.change else { panic!("{:?}", change.change) };
    assert_eq!((agency.as_str(), county.as_str()), (NEW_OFFICE, "儋州市"));
    let unit = &change.rectification.unit;
    assert_eq!((unit.area_path.clone(), unit.county_code.as_deref()), (merged.path.clone(), Some("460400")));
    assert_eq!(unit.competent_unit_id, Some(merged.bureau.to));
    assert_eq!(change.rectification.letter.doc_no, before["rectification"]["letter"]["doc_no"].as_str().unwrap());
    assert_eq!(change.rectification.letter.issuing_unit_id, world.office, "the letter stays whose it is");

    // The office that ended may not act, nor read; the new one may. A form that the unit had open is not stale.
    let path = format!("/v1/rectifications/{id}");
    // Its area is a district now: grants over it were taken away by the register. Another county never had any.
    let stranger = testkit::caller(Role::CountyOfficeAdmin, Some(AreaId::new(Uuid::now_v7())), None);
    let danzhou = testkit::caller(Role::CountyOfficeAdmin, merged.path.get(1).copied(), None);
    let department = testkit::caller(Role::CompetentDepartmentOfficer, None, Some(merged.bureau.to));
    for (caller, status) in [
        (&danzhou, StatusCode::OK),
        (&department, StatusCode::OK),
        (&stranger, StatusCode::NOT_FOUND),
        (&world.department, StatusCode::NOT_FOUND),
        (&world.principal, StatusCode::OK),
    ] {
        Call::get(&path).by(caller).send(&world.router).await.expect(status);
    }
    let evidence = world.evidence(id).await;
    let body = json!({"text": "已完成整改", "evidence": [evidence]});
    World::act(id, &before, 0, "report", &body).by(&world.principal).send(&world.router).await.expect(StatusCode::OK);
    let back = json!({"decision": "return", "note": "照片不清晰"});
    let inspector = testkit::caller(Role::Inspector, merged.path.get(1).copied(), None);
    let view = Call::get(&path).by(&danzhou).send(&world.router).await.expect(StatusCode::OK).json;
    World::act(id, &view, 0, "verify", &back).by(&inspector).send(&world.router).await.expect(StatusCode::OK);

    // What falls due is issued once, by the new office, with a number of its own.
    world.fire_at("2026-03-05T16:00:00Z").await;
    world.fire_at("2026-03-06T16:00:00Z").await;
    let orders = testkit::events_of::<UrgingOrderIssued>(&world.database).await;
    let [order] = orders.as_slice() else { panic!("one order: {orders:?}") };
    let document = &order.order().unwrap().document;
    assert!(document.doc_no.ends_with("〔2026〕1号") && !document.doc_no.starts_with("海口"), "{}", document.doc_no);
    assert_eq!((document.issuing_unit_id, document.issuing_unit_name.as_str()), (merged.agency.to, NEW_OFFICE));
    assert_eq!(order.order().unwrap().copy_to.as_deref(), Some("儋州市教育局"));
    // Read back it is the same.
    let view = Call::get(&path).by(&danzhou).send(&world.router).await.expect(StatusCode::OK).json;
    assert_eq!(view["rectification"]["urging_orders"][0]["document"], json!(document));

    // Heard twice is once.
    let count = world.types().await.len();
    world.hear(&merged).await.unwrap();
    assert_eq!(world.types().await.len(), count);
}

#[tokio::test]
async fn an_order_of_before_stays_the_former_offices() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.fire_at("2026-03-05T16:00:00Z").await;
    world.fire_at("2026-03-06T16:00:00Z").await;
    let merged = merged(&world);
    world.hear(&merged).await.unwrap();
    let change = testkit::events_of::<RectificationChanged>(&world.database).await.pop().unwrap();
    let document = &change.rectification.urging_orders[0].document;
    assert_eq!((document.doc_no.as_str(), document.issuing_unit_id), ("海口教督委督〔2026〕1号", world.office));
    assert_eq!((change.rectification.rectification_id, world.count("deadlines.urging_order.issued.v1").await), (id, 1));
}

#[tokio::test]
async fn a_letter_of_before_that_is_signed_after_opens_with_the_new_office() {
    let world = World::new().await;
    world.database.set_clock(RECEIVED.parse().unwrap()).await;
    let letter = world.letter(1, &[Severity::Minor]);
    world.hear(&letter).await.unwrap();
    let merged = merged(&world);
    world.hear(&merged).await.unwrap();
    world.hear(&world.receipt(&letter, RECEIVED.parse().unwrap())).await.unwrap();
    world.fire_at("2026-03-05T16:00:00Z").await;
    world.fire_at("2026-03-06T16:00:00Z").await;
    let order = testkit::events_of::<UrgingOrderIssued>(&world.database).await.pop().unwrap();
    assert_eq!(order.order().unwrap().document.issuing_unit_id, merged.agency.to);
    assert_eq!(order.rectification.unit.county_code.as_deref(), Some("460400"));
}

#[tokio::test]
async fn nothing_fires_while_this_machine_and_the_database_disagree_about_the_time() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rulebook");
    let section = RulebookSection { folder, policy: "hainan-2021".to_owned() };
    world.database.set_clock("2026-03-05T16:00:00Z".parse().unwrap()).await;
    let due = async |ahead: i64| {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        clock.set(SystemClock.now() + jiff::SignedDuration::from_secs(ahead));
        let kit = service_kit::Kit { clock, ..testkit::kit("deadlines", &world.database).await };
        let assembled = deadlines::build(&section, &kit).unwrap();
        for worker in assembled.workers().iter().filter(|worker| worker.name().starts_with("deadlines-fire")) {
            worker.run_once().await.unwrap();
        }
        world.armed(id).await
    };
    let armed = world.armed(id).await;
    assert_eq!(due(3_600).await, armed);
    assert_eq!(due(-3_600).await, armed);
    tokio::time::timeout(Duration::from_secs(30), async {
        // The clock that is set stands still; it is near enough for as long as a round takes.
        while due(0).await == armed {}
    })
    .await
    .unwrap();
}

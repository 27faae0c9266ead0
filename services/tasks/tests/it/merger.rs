//! A county becomes a part of another one: the other's office goes on with its supervisions.

use contracts::registry::{AreaMerged, Succession};
use contracts::tasks::LetterIssued;
use domain::ids::UnitId;
use http::StatusCode;
use serde_json::json;
use testkit::events_of;
use uuid::Uuid;

use crate::world::{World, letter};

fn merged(world: &World) -> AreaMerged {
    let succession =
        |from, to, key: &str, name: &str| Succession { from, to, to_key: key.to_owned(), to_name: name.to_owned() };
    let office = "三亚市人民政府教育督导委员会办公室";
    AreaMerged {
        merger_id: Uuid::from_u128(1),
        version: 2,
        area_id: world.haikou,
        code: "460100".to_owned(),
        path: vec![world.province, world.sanya, world.haikou],
        county_code: "460200".to_owned(),
        county_name: "三亚市".to_owned(),
        agency: succession(world.haikou_office, world.sanya_office, "office-460200", office),
        bureau: succession(world.haikou_bureau, UnitId::new(Uuid::from_u128(2)), "edu-460200", "三亚市教育局"),
        effective_on: "2026-03-11".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_supervision_goes_on_under_the_office_that_takes_over() {
    let world = World::new().await;
    let case = world.case().await;
    case.until_pleading().await;
    let before = case.see().await;
    case.get(&world.sanya_admin).await.expect(StatusCode::NOT_FOUND);

    world.registry(&merged(&world)).await;
    let after = case.get(&world.sanya_admin).await.expect(StatusCode::OK).json;
    assert_eq!(after["agency"]["unit_id"], json!(world.sanya_office));
    assert_eq!(after["unit"]["county_code"], "460200");
    // What was issued, and the days that were told, stay.
    for kept in ["notification", "preliminary_opinion", "findings", "team", "state"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    let office = &world.sanya_admin;
    case.step("plea", &json!({"waived": true}), &world.principal).await.expect(StatusCode::OK);
    let done = case.step("letter", &letter(), office).await.expect(StatusCode::OK).json;
    assert_eq!(done["letter"]["document"]["doc_no"], "三亚教督委意〔2026〕1号");
    let issued = events_of::<LetterIssued>(&world.database).await.pop().unwrap();
    assert_eq!(issued.document.issuing_unit_id, world.sanya_office);
    assert_eq!(issued.unit.area_path, merged(&world).path);
    assert_eq!(issued.unit.competent_unit_name.as_deref(), Some("三亚市教育局"));

    // Heard again, it changes nothing.
    let version = case.get(office).await.expect(StatusCode::OK).json["version"].clone();
    world.registry(&merged(&world)).await;
    assert_eq!(case.get(office).await.expect(StatusCode::OK).json["version"], version);
}

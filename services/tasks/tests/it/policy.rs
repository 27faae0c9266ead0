//! The implementation plan itself: 22 measures, two requirements, every unit's duties.

use http::StatusCode;
use serde_json::Value;

use crate::world::{World, rulebook};

#[tokio::test]
async fn the_plan_is_loaded_once_and_read_by_the_offices() {
    let world = World::new().await;
    let plan = world.get("/v1/implementation-plan", &world.principal).await.expect(StatusCode::OK).json;
    assert_eq!(plan["number"], "琼办发〔2021〕13号");
    let keys: Vec<&str> = plan["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap()).collect();
    let mut expected: Vec<String> = (1..=22).map(|no| no.to_string()).collect();
    expected.extend(["W1".to_owned(), "W2".to_owned()]);
    assert_eq!(keys, expected);
    assert!(plan["items"].as_array().unwrap().iter().all(|item| !item["units"].as_array().unwrap().is_empty()));
    let known = plan["items"].as_array().unwrap().iter().flat_map(|item| item["units"].as_array().unwrap());
    assert!(
        known
            .clone()
            .any(|unit| unit["unit_key"] == "gov-460100" && unit["unit_id"] == world.haikou_government.to_string())
    );

    // A second start changes nothing.
    let loaded = || async {
        let row: (String, i64) =
            sqlx::query_as("SELECT loaded_at::text, (SELECT count(*) FROM duties) FROM implementation_plans")
                .fetch_one(world.database.pool())
                .await
                .unwrap();
        row
    };
    let before = loaded().await;
    tasks::build(&rulebook(), world.kit.clone()).await.unwrap();
    assert_eq!(loaded().await, before);
}

/// 各市县 binds government, supervision agency and education bureau of every county unit alike.
#[tokio::test]
async fn a_county_units_bodies_share_its_duties() {
    let world = World::new().await;
    let duties = |answer: testkit::Answer| -> Vec<String> {
        let json: Value = answer.expect(StatusCode::OK).json;
        json["duties"].as_array().unwrap().iter().map(|duty| duty["key"].as_str().unwrap().to_owned()).collect()
    };
    let government = duties(world.get(&format!("/v1/duties?unit_id={}", world.haikou_government), &world.admin).await);
    assert!(government.contains(&"21".to_owned()) && government.contains(&"W1".to_owned()), "{government:?}");
    // Without a unit: the caller's own.
    let office = duties(world.get("/v1/duties", &world.county_admin).await);
    let bureau = duties(world.get("/v1/duties", &world.bureau_officer).await);
    assert_eq!(office, government);
    assert_eq!(bureau, government);
    assert!(duties(world.get("/v1/duties", &world.principal).await).is_empty());
    world
        .get(&format!("/v1/duties?unit_id={}", world.haikou_government), &world.sanya_admin)
        .await
        .expect(StatusCode::FORBIDDEN);
}

//! Watching the clocks: what is armed, due, late and set aside, for whom it concerns.

use access::{Caller, Role};
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Call;

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";

async fn timers(world: &World, who: &Caller, query: &str) -> Value {
    Call::get(&format!("/v1/timers{query}")).by(who).send(&world.router).await.expect(StatusCode::OK).json
}

fn states(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_console_shows_what_is_armed_due_late_and_stuck() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let auditor = testkit::caller(Role::Auditor, Some(world.county), None);
    world.database.set_clock("2026-03-01T00:00:00Z".parse().unwrap()).await;
    let page = timers(&world, &auditor, "").await;
    let kinds: Vec<_> = page["items"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reminder", "reminder", "due", "urge"], "{page}");
    let due = &page["items"][2];
    assert_eq!(
        (&due["kind_zh"], &due["number"], &due["due_at"]),
        (&json!("整改到期"), &json!(1), &json!("2026-03-05T16:00:00Z"))
    );
    assert_eq!((&due["unit_name"], &due["letter_no"]), (&json!("海口市测试小学"), &json!("海口教督委意〔2026〕1号")));
    assert_eq!(
        (&due["state"], &due["late_seconds"], &due["rectification_id"]),
        (&json!("armed"), &json!(0), &json!(id.to_string()))
    );
    assert_eq!(page["stuck"], json!([]));

    // The firing stands still: half a minute behind something is due, an hour behind it is late.
    world.database.set_clock("2026-03-05T16:00:30Z".parse().unwrap()).await;
    assert_eq!(states(&timers(&world, &auditor, "?from=2026-03-05T00:00:00Z").await), ["due", "armed"]);
    world.database.set_clock("2026-03-05T17:00:00Z".parse().unwrap()).await;
    let late = timers(&world, &auditor, "?kind=due&state=late").await;
    assert!(late["items"][0]["late_seconds"].as_i64().unwrap() >= 3_600, "{late}");
    for (query, count) in [
        ("?state=armed", 1),
        ("?state=late", 3),
        ("?state=due", 0),
        ("?state=stuck", 0),
        ("?kind=reminder", 2),
        ("?to=2026-03-05T16:00:00Z", 2),
        ("?to=2026-03-05T16:00:00.000001Z", 3),
        ("?county=460100", 4),
        ("?county=460200", 0),
    ] {
        assert_eq!(states(&timers(&world, &auditor, query).await).len(), count, "{query}");
    }

    // Set aside with its cause.
    sqlx::query("UPDATE rectifications SET state = replace(state, '\"hainan-2021.1\"', '\"gone\"')")
        .execute(world.database.pool())
        .await
        .unwrap();
    world.firing().fire_batch().await.unwrap();
    let page = timers(&world, &auditor, "?state=stuck").await;
    assert_eq!(states(&page).len(), 3, "{page}");
    let stuck = &page["stuck"][0];
    assert_eq!((&stuck["rectification_id"], &stuck["unit_name"]), (&json!(id.to_string()), &json!("海口市测试小学")));
    assert!(stuck["cause"].as_str().unwrap().contains("rulebook version gone"), "{stuck}");
    assert!(stuck["late_seconds"].as_i64().unwrap() > 3_600, "{stuck}");
    // The case itself can still be read; how many approvals its rules want is not known.
    assert_eq!(world.view(id).await["detail"][0]["approvals_wanted"], Value::Null);
    let evidence = world.evidence(id).await;
    let body = json!({"text": "已完成", "evidence": [evidence]});
    world.does(&world.principal, id, 0, "report", &body).await.expect(StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn pages_join_without_gap_and_without_repeat() {
    let world = World::new().await;
    for serial in 1..=4 {
        world.open(serial, &[Severity::Major, Severity::Minor], RECEIVED).await;
    }
    let auditor = testkit::caller(Role::Auditor, Some(world.province), None);
    let all = timers(&world, &auditor, "?limit=200").await;
    let all = all["items"].as_array().unwrap();
    let mut joined: Vec<Value> = Vec::new();
    let mut query = "?limit=7".to_owned();
    loop {
        let page = timers(&world, &auditor, &query).await;
        joined.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=7&after={next}"),
            None => break,
        }
    }
    assert!(all.len() > 20, "{}", all.len());
    // How late a timer is grows from one question to the next.
    let timeless = |rows: &[Value]| {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            row.as_object_mut().unwrap().remove("late_seconds");
        }
        rows
    };
    assert_eq!(timeless(&joined), timeless(all));
}

#[tokio::test]
async fn everyone_sees_the_clocks_of_his_scope_and_an_operator_no_names() {
    let world = World::new().await;
    world.open(1, &[Severity::Minor], RECEIVED).await;
    let elsewhere = testkit::caller(Role::Auditor, Some(uuid::Uuid::now_v7().into()), None);
    assert_eq!(timers(&world, &elsewhere, "").await["items"], json!([]));
    for who in [&world.admin, &testkit::caller(Role::ProvinceOfficeAdmin, Some(world.province), None)] {
        assert_eq!(states(&timers(&world, who, "").await).len(), 4);
    }
    for who in [&world.principal, &world.inspector, &world.desk, &world.chair, &world.department] {
        Call::get("/v1/timers").by(who).send(&world.router).await.expect(StatusCode::FORBIDDEN);
    }
    let operator = testkit::caller(Role::Operator, None, None);
    let page = timers(&world, &operator, "").await;
    assert_eq!(states(&page).len(), 4);
    let text = page.to_string();
    assert!(!text.contains("海口") && !text.contains(&world.school.to_string()), "{text}");
    assert_eq!(page["items"][0]["county_code"], "460100");
    let wrong = Call::get("/v1/timers?kind=nonsense").by(&operator).send(&world.router).await;
    wrong.expect(StatusCode::BAD_REQUEST);
}

//! The due instant itself: legal time of the transaction decides, whoever gets the row first.

use domain::severity::Severity;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{Answer, wait_until};

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";
const OVERDUE: &str = "deadlines.item.overdue.v1";

fn due() -> Timestamp {
    "2026-03-05T16:00:00Z".parse().unwrap()
}

fn just_before() -> Timestamp {
    due() - SignedDuration::from_micros(1)
}

async fn report(world: &World, id: domain::ids::RectificationId, view: &Value, evidence: &str) -> Answer {
    let body = json!({"text": "已完成整改", "evidence": [evidence]});
    World::act(id, view, 0, "report", &body).by(&world.principal).send(&world.router).await
}

fn standing(view: &Value) -> (&Value, &Value) {
    (&view["detail"][0]["report"]["timeliness"], &view["rectification"]["items"][0]["late"])
}

#[tokio::test]
async fn a_microsecond_decides_in_either_order() {
    for (at, firing_first, timeliness, late) in
        [(just_before(), false, "in_time", false), (due(), false, "late", true), (due(), true, "late", true)]
    {
        let world = World::new().await;
        let id = world.open(1, &[Severity::Minor], RECEIVED).await;
        // The reminders are past.
        world.fire_at("2026-03-05T02:00:00Z").await;
        let evidence = world.evidence(id).await;
        if firing_first {
            world.freeze(due()).await;
            assert_eq!(world.firing().fire_batch().await.unwrap(), 1);
        }
        world.freeze(at).await;
        let view = world.view(id).await;
        let view = report(&world, id, &view, &evidence).await.expect(StatusCode::OK).json;
        world.freeze(due()).await;
        assert_eq!(world.firing().fire_batch().await.unwrap(), 0, "a report takes the unit's clock away");
        assert_eq!(standing(&view), (&json!(timeliness), &json!(late)), "at {at}, firing first: {firing_first}");
        assert_eq!(world.count(OVERDUE).await, usize::from(late), "counted once, by whoever came first");
    }
}

/// The report reads its time a microsecond before the due instant and comes to the row after the firing of that instant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_began_in_time_is_in_time_even_behind_the_firing() {
    const KEY: &str = "a-microsecond-before";
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.fire_at("2026-03-05T02:00:00Z").await;
    let evidence = world.evidence(id).await;
    let view = world.view(id).await;
    // The report's key is in another's hands, so that it waits between its beginning and the row.
    let mut holder = world.database.pool().begin().await.unwrap();
    sqlx::query(
        "INSERT INTO messaging.idempotency_keys (account_id, key, route, body_sha256) VALUES ($1, $2, 'held', '\\x00')",
    )
    .bind(uuid::Uuid::from(world.principal.account_id))
    .bind(KEY)
    .execute(&mut *holder)
    .await
    .unwrap();
    world.freeze(just_before()).await;
    let body = json!({"text": "已完成整改", "evidence": [evidence]});
    let call = World::act(id, &view, 0, "report", &body).header("Idempotency-Key", KEY).by(&world.principal);
    let firing = async {
        wait_until("the report has begun and waits", || async {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
            )
            .fetch_one(world.database.pool())
            .await
            .unwrap();
            waiting > 0
        })
        .await;
        world.freeze(due()).await;
        assert_eq!(world.firing().fire_batch().await.unwrap(), 1);
        assert_eq!(world.view(id).await["rectification"]["items"][0]["late"], true);
        holder.rollback().await.unwrap();
    };
    let (answer, ()) = tokio::join!(call.send(&world.router), firing);
    let view = answer.expect(StatusCode::OK).json;
    assert_eq!(standing(&view), (&json!("in_time"), &json!(false)), "the firing's mark is taken back");
    assert_eq!(world.firing().fire_batch().await.unwrap(), 0);
}

/// What the clock did since the form was read is no reason to refuse it; what people did is.
#[tokio::test]
async fn a_form_that_was_open_when_the_clock_struck_is_taken() {
    let world = World::new().await;
    let id = world.open(1, &[Severity::Minor], RECEIVED).await;
    let evidence = world.evidence(id).await;
    let before_the_reminder = world.view(id).await;
    assert_eq!(world.fire_at("2026-03-02T00:30:00Z").await, 1);
    let note = json!({"text": "已完成一半"});
    let noted = World::act(id, &before_the_reminder, 0, "progress", &note).by(&world.principal);
    noted.send(&world.router).await.expect(StatusCode::OK);
    // Now a person has changed it.
    let stale = report(&world, id, &before_the_reminder, &evidence).await.expect(StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.json["current_version"], 3);
    let fresh = world.view(id).await;
    report(&world, id, &fresh, &evidence).await.expect(StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_reports_against_the_firing_of_the_same_instant_loses_nothing() {
    let world = World::new().await;
    let mut cases = Vec::new();
    for serial in 1..=20 {
        let id = world.open(serial, &[Severity::Minor], RECEIVED).await;
        cases.push(id);
    }
    world.fire_at("2026-03-05T02:00:00Z").await;
    let mut ready = Vec::new();
    for id in cases {
        ready.push((id, world.view(id).await, world.evidence(id).await));
    }
    world.freeze(due()).await;
    let reports = async {
        let mut late = 0;
        for (id, view, evidence) in &ready {
            // The firing may have moved the version on: nobody is sent back for that.
            let view = report(&world, *id, view, evidence).await.expect(StatusCode::OK).json;
            assert_eq!(standing(&view), (&json!("late"), &json!(true)));
            late += 1;
        }
        late
    };
    let fired = async {
        for _ in 0..10 {
            world.firing().fire_batch().await.unwrap();
        }
    };
    let (late, ()) = tokio::join!(reports, fired);
    assert_eq!(late, 20);
    assert_eq!(world.count(OVERDUE).await, 20, "each marked once, by the report or by the firing");
}

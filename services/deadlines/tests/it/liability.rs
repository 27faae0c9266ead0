//! Joint liability (连带责任, measure 10): the competent department gets a case of its own, and both close together.

use access::Caller;
use contracts::deadlines::{RectificationClosed, RectificationOpened, UrgingOrderIssued};
use domain::ids::RectificationId;
use domain::severity::Severity;
use http::StatusCode;
use serde_json::{Value, json};
use testkit::Call;

use crate::support::World;

const RECEIVED: &str = "2026-02-06T02:00:00Z";
const CLOSED: &str = "deadlines.rectification.closed.v1";

/// A school's case at the second level, and its department's.
async fn both() -> (World, RectificationId, RectificationId) {
    let world = World::new().await;
    let school = world.open(1, &[Severity::Minor], RECEIVED).await;
    world.at_level_two(school).await;
    let view = world.view(school).await;
    let department = view["rectification"]["department_case"].as_str().unwrap();
    let department = RectificationId::from(department.parse::<uuid::Uuid>().unwrap());
    (world, school, department)
}

async fn close(world: &World, who: &Caller, id: RectificationId) -> testkit::Answer {
    world.does(who, id, 0, "close-out", &json!({"opinion": "同意"})).await
}

#[tokio::test]
async fn the_second_level_opens_the_departments_case_with_an_order_of_its_own() {
    let (world, school, department) = both().await;
    let view = world.view(department).await;
    let case = &view["rectification"];
    assert_eq!(case["liable_for"], school.to_string());
    assert_eq!(
        (&case["unit"]["name"], &case["letter"]["doc_no"]),
        (&json!("海口市教育局"), &json!("海口教督委意〔2026〕1号"))
    );
    assert_eq!(
        (&case["items"][0]["category"], &case["items"][0]["due_on"]),
        (&json!("连带责任"), &json!("2026-03-27"))
    );
    assert_eq!(view["detail"][0]["limits"][0]["basis"], "joint_liability");
    assert_eq!(testkit::events_of::<RectificationOpened>(&world.database).await.len(), 2);

    // The department sees both, the school and other departments only what is theirs.
    let sees = async |who: &Caller, id: RectificationId| {
        Call::get(&format!("/v1/rectifications/{id}")).by(who).send(&world.router).await.status
    };
    let other = testkit::caller(access::Role::CompetentDepartmentOfficer, None, Some(uuid::Uuid::now_v7().into()));
    assert_eq!(sees(&world.department, department).await, StatusCode::OK);
    assert_eq!(sees(&world.department, school).await, StatusCode::OK);
    assert_eq!(sees(&world.principal, department).await, StatusCode::NOT_FOUND);
    assert_eq!(sees(&other, department).await, StatusCode::NOT_FOUND);
    let list = Call::get("/v1/rectifications").by(&world.department).send(&world.router).await.json;
    let liable: Vec<_> = list["items"].as_array().unwrap().iter().map(|row| row["liable"].as_bool().unwrap()).collect();
    assert_eq!(liable.iter().filter(|liable| **liable).count(), 1);
    assert_eq!(liable.len(), 2);

    // One working day after its own limit its own order, with the next number; no second department's case.
    world.fire_at("2026-03-27T16:00:00Z").await;
    world.fire_at("2026-03-30T16:00:00Z").await;
    let orders = testkit::events_of::<UrgingOrderIssued>(&world.database).await;
    let order = orders.last().unwrap();
    assert_eq!(order.rectification.rectification_id, department);
    assert_eq!(order.order().unwrap().document.doc_no, "海口教督委督〔2026〕2号");
    assert_eq!(order.rectification.unit.name, "海口市教育局");
    world.fire_at("2026-05-29T16:00:00Z").await;
    assert_eq!(testkit::events_of::<RectificationOpened>(&world.database).await.len(), 2);
}

#[tokio::test]
async fn the_department_acts_in_its_own_case_and_not_in_the_schools() {
    let (world, school, department) = both().await;
    let view = world.report_by(&world.department, department, 0).await;
    assert_eq!(view["rectification"]["items"][0]["state"], "reported");
    assert_eq!(view["detail"][0]["report"]["by"], world.department.display_name.as_str());
    let report = json!({"text": "已督促", "evidence": [uuid::Uuid::now_v7()]});
    world.does(&world.department, school, 0, "report", &report).await.expect(StatusCode::FORBIDDEN);
    world.does(&world.principal, department, 0, "report", &report).await.expect(StatusCode::FORBIDDEN);
    let waiver = |view: &Value| json!({"subject": "waiver", "item_id": view["rectification"]["items"][0]["item_id"], "reason": "无"});
    let own = waiver(&view);
    world.does_to_case(&world.department, department, "requests", &own).await.expect(StatusCode::OK);
    let others = waiver(&world.view(school).await);
    world.does_to_case(&world.department, school, "requests", &others).await.expect(StatusCode::FORBIDDEN);
    // Four eyes hold here too: who belongs to the department verifies nothing of it.
    let mut colleague = world.inspector.clone();
    colleague.unit_id = Some(world.bureau);
    let accept = json!({"decision": "accept", "note": "属实"});
    world.does(&colleague, department, 0, "verify", &accept).await.expect(StatusCode::CONFLICT);
    world.does(&world.inspector, department, 0, "verify", &accept).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn neither_closes_without_the_other_and_both_close_at_one_instant() {
    for department_first in [false, true] {
        let (world, school, department) = both().await;
        let (first, second) = if department_first { (department, school) } else { (school, department) };
        let hand = |id: RectificationId| if id == school { &world.principal } else { &world.department };
        world.verified_by(hand(first), first, 0).await;
        let open = close(&world, &world.admin, first).await.expect(StatusCode::CONFLICT).json;
        assert_eq!(
            (&open["current_state"], &open["counterpart"]),
            (&json!("counterpart_open"), &json!(second.to_string()))
        );
        world.report_by(hand(second), second, 0).await;
        close(&world, &world.admin, first).await.expect(StatusCode::CONFLICT);
        let accept = json!({"decision": "accept", "note": "属实"});
        world.does(&world.inspector, second, 0, "verify", &accept).await.expect(StatusCode::OK);

        // Now the first may be closed, and waits for the second with a clock of its own.
        let view = close(&world, &world.admin, first).await.expect(StatusCode::OK).json;
        assert_eq!(view["rectification"]["items"][0]["state"], "closed");
        assert_eq!(view["rectification"]["closed_at"], Value::Null);
        assert_eq!(world.count(CLOSED).await, 0);
        assert!(world.armed(first).await.iter().any(|timer| timer.starts_with("close_out@")));
        close(&world, &world.admin, first).await.expect(StatusCode::OK);

        close(&world, &world.second_admin, second).await.expect(StatusCode::OK);
        let (one, other) = (world.view(first).await, world.view(second).await);
        assert!(one["rectification"]["closed_at"].is_string());
        assert_eq!(one["rectification"]["closed_at"], other["rectification"]["closed_at"]);
        let mut closed: Vec<_> = testkit::events_of::<RectificationClosed>(&world.database)
            .await
            .iter()
            .map(|event| event.rectification.rectification_id)
            .collect();
        closed.sort_unstable();
        let mut expected = [school, department];
        expected.sort_unstable();
        assert_eq!(closed, expected, "exactly one each");
        for id in [school, department] {
            let armed = world.armed(id).await;
            // The interview that was proposed has ended by itself; nothing but look-backs is owed.
            assert!(armed.iter().all(|timer| timer.starts_with("look_back@")), "{armed:?}");
        }
    }
}

#[tokio::test]
async fn a_waiver_does_not_get_around_the_counterpart() {
    let (world, school, department) = both().await;
    let view = world.view(school).await;
    let waiver =
        json!({"subject": "waiver", "item_id": view["rectification"]["items"][0]["item_id"], "reason": "校舍已停用"});
    let (_, request) = world.asks(&world.principal, school, &waiver).await;
    let open = world.decides(&world.admin, school, &request, true).await.expect(StatusCode::CONFLICT).json;
    assert_eq!(open["counterpart"], department.to_string());
    world.verified_by(&world.department, department, 0).await;
    world.decides(&world.admin, school, &request, true).await.expect(StatusCode::OK);
    assert_eq!(world.count(CLOSED).await, 0);
    close(&world, &world.admin, department).await.expect(StatusCode::OK);
    assert_eq!(world.count(CLOSED).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_close_both_at_the_same_moment_close_each_once() {
    for _ in 0..5 {
        let (world, school, department) = both().await;
        world.verified_by(&world.principal, school, 0).await;
        world.verified_by(&world.department, department, 0).await;
        let (first, second) =
            tokio::join!(close(&world, &world.admin, school), close(&world, &world.second_admin, department));
        // Whoever comes second completes both; nobody is refused, nobody locks up.
        first.expect(StatusCode::OK);
        second.expect(StatusCode::OK);
        assert_eq!(world.count(CLOSED).await, 2);
        let (one, other) = (world.view(school).await, world.view(department).await);
        assert!(one["rectification"]["closed_at"].is_string());
        assert_eq!(one["rectification"]["closed_at"], other["rectification"]["closed_at"]);
    }
}

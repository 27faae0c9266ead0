//! A calendar changes while a case lives: what follows a limit moves with it, later only.

use domain::rectification::{Rectification, RectificationEvent, TimerKind};
use domain::severity::Severity;
use jiff::Timestamp;

use crate::support::{World, at};

/// New Year's Day and the weekend after it.
const NOTICE: &str = r#"
id = "national-2027"
level = "national"
year = 2027
status = "published"
source = "国办发明电〔2026〕9号（测试）"

[[day]]
from = "2027-01-01"
to = "2027-01-03"
kind = "rest"
name = "元旦"
"#;

fn armed(case: &Rectification, kind: TimerKind) -> Timestamp {
    case.timers.iter().find(|timer| timer.kind == kind).unwrap().due_at
}

#[test]
fn the_urging_order_waits_for_the_first_working_day_although_the_told_day_stays() {
    let (before, after) = (World::new(), World::with_2027(NOTICE));
    let case = before.open(1, &[Severity::Minor], "2026-12-10T02:00:00Z");
    let told = case.items[0].limit().unwrap().clone();
    assert_eq!((told.due_on().to_string().as_str(), told.provisional), ("2026-12-31", false));
    assert_eq!(armed(&case, TimerKind::Urge), at("2027-01-01T16:00:00Z"), "a Friday, as far as one knows");
    let (case, events) = case.recount(at("2026-12-20T02:00:00Z"), after.rules()).unwrap().into_parts();
    assert_eq!(case.items[0].limit(), Some(&told));
    assert_eq!(armed(&case, TimerKind::Urge), at("2027-01-04T16:00:00Z"));
    assert!(matches!(&events[..], [RectificationEvent::Recounted { items, .. }] if items.is_empty()));
    // Back again nothing moves earlier, and nothing is said.
    let back = case.clone().recount(at("2026-12-21T02:00:00Z"), before.rules()).unwrap().into_parts();
    assert_eq!(back, (case, Vec::new()));
}

#[test]
fn an_owed_plan_moves_later_with_the_calendar() {
    let (before, after) = (World::new(), World::with_2027(NOTICE));
    let case = before.open(1, &[Severity::Major], "2026-12-21T02:00:00Z");
    let due_on = |case: &Rectification| case.items[0].plan.as_ref().unwrap().due_on.to_string();
    assert_eq!(due_on(&case), "2027-01-04");
    let case = case.recount(at("2026-12-22T02:00:00Z"), after.rules()).unwrap().into_state();
    assert_eq!((due_on(&case).as_str(), armed(&case, TimerKind::PlanDue)), ("2027-01-05", at("2027-01-05T16:00:00Z")));
    let case = case.recount(at("2026-12-23T02:00:00Z"), before.rules()).unwrap().into_state();
    assert_eq!(due_on(&case), "2027-01-05");
}

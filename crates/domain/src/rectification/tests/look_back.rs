//! Looking back after the close-out (回头看), and what happens when the problem is back.

use super::*;
use crate::rulebook::Duty;

fn look(state: &Rectification, decision: &Decision, at: Timestamp, world: &World) -> Tried {
    let id = item_id(state, 0);
    state.clone().look_back(id, inspector(INSPECTOR), decision, at, world.rules())
}

/// Closed on 12 March 2026.
fn closed_item(severity: Severity, world: &World) -> Rectification {
    finished(opened(world, &[severity], received()), 0, morning(date(2026, 3, 12)), world)
}

/// Closed, and its first look-back due.
fn due_item(severity: Severity, world: &World) -> (Rectification, Timestamp) {
    let state = closed_item(severity, world);
    let at = state.items[0].look_backs[0].due_at;
    (fired(state, at, world).0, at)
}

#[test]
fn the_close_out_arms_the_look_backs_of_the_severity() {
    let world = World::new();
    let dues = |severity| -> Vec<Timestamp> {
        let state = closed_item(severity, &world);
        let armed: Vec<Timestamp> = state.timers.iter().map(|timer| timer.due_at).collect();
        assert!(state.timers.iter().all(|timer| timer.kind == TimerKind::LookBack));
        let looks: Vec<Timestamp> = state.items[0].look_backs.iter().map(|look| look.due_at).collect();
        assert_eq!(armed, looks);
        looks
    };
    assert_eq!(dues(Severity::Major), [midnight(date(2026, 6, 13))]);
    // Twelve months after: 12 March 2027.
    assert_eq!(dues(Severity::Serious), [midnight(date(2026, 6, 13)), midnight(date(2027, 3, 13))]);
    // 12 April is a Sunday, 12 September a Saturday.
    assert_eq!(dues(Severity::Immediate), [midnight(date(2026, 4, 14)), midnight(date(2026, 9, 15))]);
}

#[test]
fn of_minor_items_a_fifth_is_drawn_and_anyone_can_repeat_the_draw() {
    let world = World::new();
    let at = morning(date(2026, 3, 12));
    let drawn = |number: u128| {
        let mut facts = letter(&[Severity::Minor]);
        facts.letter_id = LetterId::new(Uuid::from_u128(1000 + number));
        let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
        let state = finished(state, 0, at, &world);
        let looks = state.items[0].look_backs.len();
        assert_eq!(looks, state.timers.len());
        looks
    };
    let sample: usize = (0..1000).map(drawn).sum();
    // Four standard deviations around 200.
    assert!((150..=250).contains(&sample), "{sample} of 1000");
    assert_eq!((0..50).map(drawn).collect::<Vec<_>>(), (0..50).map(drawn).collect::<Vec<_>>());
}

#[test]
fn a_look_back_that_is_due_is_owed_and_called_to_mind_until_somebody_looks() {
    let world = World::new();
    let state = closed_item(Severity::Major, &world);
    let due_at = state.items[0].look_backs[0].due_at;
    assert_eq!(look(&state, &accept(), due_at, &world), Err(RectificationRefusal::NoLookBack));
    assert_eq!(fired(state.clone(), due_at - MICRO, &world), (state.clone(), vec![]));
    let (due, events) = fired(state, due_at, &world);
    let [RectificationEvent::LookBackDue { visit_by, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(due.phase(&due.items[0]), Phase::LookBackDue);
    assert!(due.is_complete(), "a look-back opens nothing by itself");
    let (due, events) = fired(due, *visit_by, &world);
    let [RectificationEvent::DutyOverdue { duty: Duty::LookBackVisit, times: 1, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    let (due, events) = fired(due.clone(), due.next_timer_at().unwrap(), &world);
    assert!(matches!(events.as_slice(), [RectificationEvent::DutyOverdue { times: 2, .. }]));

    let id = item_id(&due, 0);
    let at = morning(date(2026, 8, 3));
    let with = |verifier, decision: &Decision| due.clone().look_back(id, verifier, decision, at, world.rules());
    assert_eq!(with(inspector(REPORTER), &accept()), Err(RectificationRefusal::SamePerson));
    let clerk = Verifier { is_inspector: false, ..inspector(OFFICER) };
    assert_eq!(with(clerk, &accept()), Err(RectificationRefusal::NotInspector));
    let colleague = Verifier { unit: Some(UNIT), ..inspector(OFFICER) };
    assert_eq!(with(colleague, &accept()), Err(RectificationRefusal::OwnUnit));
    let silent = Decision::Return { reason: " ".to_owned() };
    assert_eq!(with(inspector(INSPECTOR), &silent), Err(RectificationRefusal::EmptyText));
    let (passed, events) = with(inspector(INSPECTOR), &accept()).unwrap().into_parts();
    assert_eq!(keys(&events), ["look_back_passed"]);
    assert!(passed.timers.is_empty());
    assert_eq!(passed.phase(&passed.items[0]), Phase::Closed);
    assert_eq!(look(&passed, &accept(), at, &world), Ok(Outcome::Unchanged(passed.clone())));
    assert_eq!(look(&passed, &send_back(), at, &world), Err(RectificationRefusal::NoLookBack));
}

#[test]
fn after_the_first_look_back_the_second_comes() {
    let world = World::new();
    let (state, at) = due_item(Severity::Serious, &world);
    let state = look(&state, &accept(), at, &world).unwrap().into_state();
    let second = state.items[0].look_backs[1].due_at;
    assert_eq!(state.next_timer_at(), Some(second));
    let (state, events) = fired(state, second, &world);
    assert_eq!(keys(&events), ["look_back_due"]);
    let state = look(&state, &send_back(), second, &world).unwrap().into_state();
    assert_eq!(state.items[0].reopened, 1);
}

#[test]
fn a_failed_look_back_opens_the_item_anew_with_its_history_and_a_new_limit() {
    let world = World::new();
    let (before, at) = due_item(Severity::Serious, &world);
    let (state, events) = look(&before, &send_back(), at, &world).unwrap().into_parts();
    let [RectificationEvent::ItemReopened { reopened: 1, limit, .. }] = events.as_slice() else { panic!("{events:?}") };
    let item = &state.items[0];
    assert_eq!((item.state.key(), item.reopened, item.plan.as_ref()), ("in_progress", 1, None));
    assert!(item.limits.starts_with(&before.items[0].limits) && item.limits.len() == 2);
    assert_eq!((item.limit(), limit.basis, limit.round), (Some(limit), LimitBasis::Reopened, 1));
    assert!(matches!(item.look_backs[0].state, LookBackState::Failed { .. }));
    assert_eq!(item.look_backs[1].state, LookBackState::Dropped, "the later look-back is needless now");
    assert!(!state.is_complete() && !has_timer(&state, TimerKind::LookBack));
    assert!(has_timer(&state, TimerKind::Due) && has_timer(&state, TimerKind::Urge));
    assert_eq!(look(&state, &send_back(), at, &world), Ok(Outcome::Unchanged(state.clone())));
    // Closed again, it is looked at again, and completes again.
    let again = verified(reported(state, 0, at, &world), 0, at, &world);
    let (again, events) = closed(again, 0, at, &world);
    assert_eq!(keys(&events), ["close_out_approved", "item_closed_out", "completed"]);
    assert_eq!(again.items[0].look_backs.len(), 4);
    let armed: Vec<u32> = again.timers.iter().map(|timer| timer.round).collect();
    assert_eq!(armed, [2, 3], "each timer names its own look-back");
}

#[test]
fn in_the_new_round_the_item_is_overdue_and_urged_again_by_a_new_order() {
    let world = World::new();
    let state = opened(&world, &[Severity::Major], received());
    // Late and urged in the first round, up to the interview.
    let (state, _) = fired(state, morning(date(2026, 4, 10)), &world);
    let (state, _) = fired(state, morning(date(2026, 4, 28)), &world);
    assert_eq!((state.urging_orders, state.items[0].ladder_level), (1, 2));
    let department = state.link.unwrap().rectification_id();
    let at = morning(date(2026, 4, 28));
    let state = verified(reported(state, 0, at, &world), 0, at, &world);
    let mut other = opened(&world, &[Severity::Minor], received());
    other = verified(reported(other, 0, at, &world), 0, at, &world);
    other.rectification_id = department;
    let id = item_id(&state, 0);
    let state = state.close_out(id, approval(OFFICER, at), Some(&other), world.rules()).unwrap().into_state();
    let first_overdue = state.items[0].overdue_at;
    let at = state.items[0].look_backs[0].due_at;
    let (state, _) = fired(state, at, &world);
    let state = look(&state, &send_back(), at, &world).unwrap().into_state();
    let due_at = state.items[0].limit().unwrap().due_at();
    // Late before any order of the new round: late, not late after urging.
    let late = reported(state.clone(), 0, due_at, &world);
    assert_eq!(late.items[0].state.report().unwrap().timeliness, Timeliness::Late);
    let in_time = reported(state.clone(), 0, due_at - MICRO, &world);
    assert_eq!(in_time.items[0].state.report().unwrap().timeliness, Timeliness::InTime);
    let (state, events) = fired(state, due_at, &world);
    assert!(keys(&events).contains(&"item_overdue"), "{events:?}");
    assert_eq!(state.items[0].overdue_at, first_overdue, "the first lateness stays for good");
    let urge_at = state.timers.iter().find(|timer| timer.kind == TimerKind::Urge).unwrap().due_at;
    let (state, events) = fired(state, urge_at, &world);
    let Some(RectificationEvent::UrgingOrderIssued { order }) =
        events.iter().find(|event| event.key() == "urging_order_issued")
    else {
        panic!("no order in {events:?}")
    };
    assert_eq!(order.sequence, 2);
    assert_ne!(state.items[0].urged[0].order_id, state.items[0].urged[1].order_id);
    let (state, events) = fired(state, order.next_level_at, &world);
    assert!(keys(&events).contains(&"escalation_proposed"));
    assert!(!keys(&events).contains(&"department_held_liable"), "the department is liable already");
    let RectificationEvent::EscalationProposed { proposal } =
        events.iter().find(|event| event.key() == "escalation_proposed").unwrap()
    else {
        panic!("no proposal")
    };
    assert_eq!((proposal.level, proposal.items[0].reopened), (2, 1));
    assert_eq!(state.steps.len(), 2);
}

#[test]
fn an_office_that_was_consulted_still_owes_its_answer_when_the_item_is_opened_anew() {
    let world = World::new();
    let state = opened(&world, &[Severity::Major], received());
    let id = item_id(&state, 0);
    let at = morning(date(2026, 3, 10));
    let question = ("消防救援支队".to_owned(), "请出具意见".to_owned());
    let state = state.consult(id, question, OFFICER, at, world.rules()).unwrap().into_state();
    let state = finished(state, 0, at, &world);
    let due_at = state.items[0].look_backs[0].due_at;
    let (state, _) = fired(state, due_at, &world);
    let state = look(&state, &send_back(), due_at, &world).unwrap().into_state();
    assert!(has_timer(&state, TimerKind::ConsultationAnswer));
}

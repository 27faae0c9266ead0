//! Joint liability (连带责任): a case of its own for the competent department, and neither closes without the other.

use super::*;

/// The unit's case at level 2 and the department's case that opened by it.
fn both(world: &World) -> (Rectification, Rectification) {
    let state = opened(world, &[Severity::Minor, Severity::Minor], received());
    let (state, events) = fired(state, midnight(date(2026, 4, 1)), world);
    assert!(!keys(&events).contains(&"department_held_liable"), "an urging order alone makes nobody liable");
    let (state, events) = fired(state, midnight(date(2026, 4, 10)), world);
    let cases: Vec<_> = events
        .into_iter()
        .filter_map(|event| {
            let RectificationEvent::DepartmentHeldLiable { department_case, opened } = event else { return None };
            Some((*department_case, opened))
        })
        .collect();
    let [(department, opened)] = cases.as_slice() else { panic!("{cases:?}") };
    assert_eq!(opened.limit, department.items[0].limits[0]);
    (state, department.clone())
}

fn close(
    state: &Rectification,
    index: usize,
    counterpart: Option<&Rectification>,
    at: Timestamp,
    world: &World,
) -> Tried {
    let id = item_id(state, index);
    state.clone().close_out(id, approval(OFFICER, at), counterpart, world.rules())
}

#[test]
fn the_department_has_one_case_with_its_own_clock_linked_both_ways() {
    let world = World::new();
    let (unit, department) = both(&world);
    assert_eq!(unit.link, Some(Link::Department { rectification_id: department.rectification_id }));
    assert_eq!(department.link, Some(Link::Unit { rectification_id: unit.rectification_id }));
    assert_eq!(department.rectification_id, unit.department_case_id());
    assert_ne!(department.rectification_id, unit.rectification_id);
    assert_eq!((department.letter.supervised_unit, department.letter.competent_department), (DEPARTMENT, None));
    let [item] = department.items.as_slice() else { panic!("{:?}", department.items) };
    assert_eq!((item.responsible_unit, item.severity), (DEPARTMENT, Severity::Minor));
    assert_eq!(item.limits[0].basis, LimitBasis::JointLiability);
    // Ten working days from 10 April.
    assert_eq!(item.limits[0].due_on(), date(2026, 4, 24));
    crate::proof::recompute(&world.proof(&item.limits[0]), &world.unit).unwrap();
    let names: Vec<_> = department.timers.iter().map(|timer| timer.kind.key()).collect();
    assert_eq!(names, ["reminder", "reminder", "due", "urge"]);
}

#[test]
fn the_department_is_urged_and_climbs_by_itself_but_drags_nobody_along() {
    let world = World::new();
    let (_, department) = both(&world);
    let (department, events) = fired(department, midnight(date(2026, 4, 28)), &world);
    assert_eq!(keys(&events), ["item_overdue", "urging_order_issued"]);
    let RectificationEvent::UrgingOrderIssued { order } = &events[1] else { panic!("{events:?}") };
    assert_eq!((order.sequence, order.rectification_id), (1, department.rectification_id));
    let (department, events) = fired(department, order.next_level_at, &world);
    assert_eq!(keys(&events), ["escalation_proposed"]);
    assert!(matches!(department.link, Some(Link::Unit { .. })));
}

#[test]
fn a_higher_level_opens_no_second_case() {
    let world = World::new();
    let (unit, _) = both(&world);
    let proposal_id = unit.steps[0].proposal_id;
    let decider = Decider { account: OFFICER, is_leader: false };
    let at = morning(date(2026, 4, 13));
    let unit = unit.take_step(proposal_id, decider, "约谈".to_owned(), at, world.rules()).unwrap().into_state();
    let (unit, events) = fired(unit, morning(date(2026, 6, 1)), &world);
    assert!(keys(&events).contains(&"escalation_proposed"));
    assert!(!keys(&events).contains(&"department_held_liable"));
    assert_eq!(unit.steps.len(), 2);
}

#[test]
fn nobody_is_liable_where_there_is_no_department_or_it_is_the_unit_itself() {
    let world = World::new();
    for department in [None, Some(UNIT)] {
        let mut facts = letter(&[Severity::Minor]);
        facts.competent_department = department;
        let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
        let (state, _) = fired(state, midnight(date(2026, 4, 1)), &world);
        let (state, events) = fired(state, midnight(date(2026, 4, 10)), &world);
        assert_eq!(keys(&events), ["escalation_proposed"]);
        assert_eq!(state.link, None);
        // And such a case closes alone.
        let at = morning(date(2026, 4, 13));
        let state = verified(reported(state, 0, at, &world), 0, at, &world);
        let closed = close(&state, 0, None, at, &world).unwrap();
        assert_eq!(keys(closed.events()), ["item_closed_out", "step_moot", "completed"]);
    }
}

#[test]
fn neither_closes_without_the_other_and_both_are_completed_once() {
    let world = World::new();
    let (unit, department) = both(&world);
    let at = morning(date(2026, 4, 13));
    let open = RectificationRefusal::CounterpartOpen;
    let department_open = department.clone();
    let unit = verified(reported(unit, 0, at, &world), 0, at, &world);
    // An item that is not the last closes by itself.
    let (unit, events) = close(&unit, 0, None, at, &world).unwrap().into_parts();
    assert_eq!(keys(&events), ["item_closed_out"]);
    let unit = verified(reported(unit, 1, at, &world), 1, at, &world);
    let stranger = opened(&world, &[Severity::Minor], received());
    let stranger = verified(reported(stranger, 0, at, &world), 0, at, &world);
    for counterpart in [None, Some(&department_open), Some(&stranger)] {
        assert_eq!(close(&unit, 1, counterpart, at, &world), Err(open.clone()));
    }
    let department_reported = reported(department, 0, at, &world);
    assert_eq!(close(&unit, 1, Some(&department_reported), at, &world), Err(open.clone()));
    let department = verified(department_reported, 0, at, &world);
    let unit_open = both(&world).0;
    assert_eq!(close(&department, 0, Some(&unit_open), at, &world), Err(open.clone()));
    for unit_first in [true, false] {
        let (first, second) = if unit_first { (&unit, &department) } else { (&department, &unit) };
        let last = |state: &Rectification| state.items.len() - 1;
        let (first, events) = close(first, last(first), Some(second), at, &world).unwrap().into_parts();
        let told = |state: &Rectification, others: &[&'static str]| {
            let moot = if state.steps.is_empty() { None } else { Some("step_moot") };
            ["item_closed_out"].into_iter().chain(moot).chain(others.iter().copied()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&events), told(&first, &[]), "the other one is still open");
        let (second, events) = close(second, last(second), Some(&first), at, &world).unwrap().into_parts();
        assert_eq!(keys(&events), told(&second, &["completed"]));
        assert!(first.is_complete() && second.is_complete());
        // Once more says nothing.
        assert_eq!(close(&first, last(&first), Some(&second), at, &world), Ok(Outcome::Unchanged(first.clone())));
        assert_eq!(close(&second, last(&second), None, at, &world), Ok(Outcome::Unchanged(second.clone())));
    }
}

#[test]
fn a_waiver_of_the_last_item_waits_for_the_other_side_too() {
    let world = World::new();
    let (unit, department) = both(&world);
    let at = morning(date(2026, 4, 13));
    let waive = |state: &Rectification, counterpart: Option<&Rectification>| {
        let subject = RequestSubject::Waiver { item_id: item_id(state, 0) };
        let asked = ask(state.clone(), subject, at, &world).unwrap().into_state();
        let request_id = asked.requests[0].request_id;
        asked.decide_request(request_id, grant(OFFICER), at, counterpart, world.rules())
    };
    assert_eq!(waive(&department, None), Err(RectificationRefusal::CounterpartOpen));
    assert_eq!(waive(&department, Some(&unit)), Err(RectificationRefusal::CounterpartOpen));
    let mut ready = unit;
    for index in 0..2 {
        ready = verified(reported(ready, index, at, &world), index, at, &world);
    }
    let (department, events) = waive(&department, Some(&ready)).unwrap().into_parts();
    assert_eq!(keys(&events), ["request_decided", "item_waived"]);
    let (ready, events) = close(&ready, 0, Some(&department), at, &world).unwrap().into_parts();
    assert_eq!(keys(&events), ["item_closed_out"]);
    let (_, events) = close(&ready, 1, Some(&department), at, &world).unwrap().into_parts();
    assert_eq!(keys(&events), ["item_closed_out", "step_moot", "completed"]);
}

#[test]
fn a_case_that_is_opened_anew_waits_for_its_counterpart_no_longer() {
    let world = World::new();
    let state = opened(&world, &[Severity::Major], received());
    let (state, _) =
        fired(state.clone(), state.items[0].limits[0].due_at + jiff::SignedDuration::from_hours(72), &world);
    let next = state.next_timer_at();
    let (mut unit, mut department) = (state, None);
    while department.is_none() {
        let at = unit.next_timer_at().or(next).unwrap();
        let (state, events) = fired(unit, at, &world);
        unit = state;
        department = events.into_iter().find_map(|event| {
            let RectificationEvent::DepartmentHeldLiable { department_case, .. } = event else { return None };
            Some(*department_case)
        });
    }
    let at = morning(date(2026, 6, 1));
    let department = verified(reported(department.unwrap(), 0, at, &world), 0, at, &world);
    let unit = verified(reported(unit, 0, at, &world), 0, at, &world);
    let (unit, events) = close(&unit, 0, Some(&department), at, &world).unwrap().into_parts();
    assert_eq!(keys(&events), ["item_closed_out", "step_moot"]);
    let waits = |state: &Rectification| {
        state.timers.iter().filter(|timer| timer.kind == TimerKind::CloseOut && timer.item == WHOLE).count()
    };
    assert_eq!(waits(&unit), 1);
    let at = unit.items[0].look_backs[0].due_at;
    let (unit, _) = fired(unit, at, &world);
    let id = item_id(&unit, 0);
    let unit = unit.look_back(id, inspector(INSPECTOR), &send_back(), at, world.rules()).unwrap().into_state();
    assert_eq!(waits(&unit), 0, "an open case is not overdue for its close-out");
    // Closed a second time it waits again, with one clock.
    let unit = verified(reported(unit, 0, at, &world), 0, at, &world);
    let (unit, _) = close(&unit, 0, Some(&department), at, &world).unwrap().into_parts();
    assert_eq!(waits(&unit), 1);
}

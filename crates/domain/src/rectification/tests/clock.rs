//! What the clock does by itself.

use super::*;

#[test]
fn each_severity_gets_its_limit_with_a_proof() {
    let world = World::new();
    let rectification = opened(&world, &Severity::ALL, received());
    let dues: Vec<Date> = rectification.items.iter().map(|item| item.limits[0].due_on()).collect();
    // 15 wd; 30 cd (8 April, a Wednesday); 3 months; the same day.
    assert_eq!(dues, [date(2026, 3, 30), date(2026, 4, 8), date(2026, 6, 9), date(2026, 3, 9)]);
    for item in &rectification.items {
        crate::proof::recompute(&world.proof(&item.limits[0]), &world.unit).unwrap();
    }
    let kinds = |index: usize| {
        rectification
            .timers
            .iter()
            .filter(|timer| timer.item == rectification.items[index].number)
            .map(|timer| timer.kind.key())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(0), ["reminder", "reminder", "due", "urge"]);
    assert_eq!(kinds(2), ["reminder", "reminder", "reminder", "reminder", "due", "urge", "plan_due"]);
    // Received at 9 with the end at 24: every four hours at 13, 17 and 21.
    assert_eq!(kinds(3), ["reminder", "reminder", "reminder", "due", "urge", "plan_due"]);
}

#[test]
fn the_letters_own_limit_goes_before_the_rulebooks() {
    let world = World::new();
    let mut facts = letter(&[Severity::Minor]);
    facts.findings[0].limit = Some(crate::period::Period::working_days(3));
    let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
    assert_eq!(state.items[0].limits[0].due_on(), date(2026, 3, 12));
    assert_eq!(world.proof(&state.items[0].limits[0]).rule.rule_id, "letter.limit");
}

#[test]
fn a_receipt_twice_changes_nothing() {
    let world = World::new();
    let first = opened(&world, &[Severity::Minor], received());
    let again =
        Rectification::open(Some(first.clone()), letter(&[Severity::Minor]), morning(date(2026, 3, 20)), world.rules());
    assert_eq!(again, Ok(Outcome::Unchanged(first.clone())));
    let mut other = letter(&[Severity::Minor]);
    other.letter_id = LetterId::new(Uuid::from_u128(99));
    assert_eq!(
        Rectification::open(Some(first), other, received(), world.rules()),
        Err(RectificationRefusal::OtherLetter)
    );
}

#[test]
fn a_letter_without_or_with_double_findings_opens_nothing() {
    let world = World::new();
    let open = |facts| Rectification::open(None, facts, received(), world.rules());
    assert_eq!(open(letter(&[])), Err(RectificationRefusal::NoFinding));
    let mut twice = letter(&[Severity::Minor, Severity::Minor]);
    twice.findings[1].number = 1;
    assert_eq!(open(twice), Err(RectificationRefusal::FindingTwice(1)));
    let mut elsewhere = letter(&[Severity::Minor]);
    elsewhere.division = "469028".to_owned();
    assert!(matches!(open(elsewhere), Err(RectificationRefusal::OtherCalendar { .. })));
}

#[test]
fn a_report_at_24_00_is_late_and_a_microsecond_before_in_time() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let due_at = moment(date(2026, 3, 31), Time::midnight());
    assert_eq!(state.items[0].limits[0].due_at(), due_at);
    let at = |instant: Timestamp| {
        let (next, events) =
            state.clone().report(item_id(&state, 0), report_by(REPORTER), instant, world.rules()).unwrap().into_parts();
        (next.items[0].state.report().unwrap().timeliness, next.items[0].overdue_at, keys(&events))
    };
    assert_eq!(at(due_at - MICRO), (Timeliness::InTime, None, vec!["item_reported"]));
    assert_eq!(at(due_at), (Timeliness::Late, Some(due_at), vec!["item_overdue", "item_reported"]));
}

#[test]
fn reminders_then_overdue_then_one_order_then_a_proposal() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Minor], received());
    let (state, events) = fired(state, moment(date(2026, 3, 25), time(8, 30, 0, 0)), &world);
    assert_eq!(keys(&events), ["reminders_due"]);
    assert!(matches!(&events[0], RectificationEvent::RemindersDue { items } if items.len() == 2));
    let due_at = moment(date(2026, 3, 31), Time::midnight());
    let (state, events) = fired(state, due_at - MICRO, &world);
    assert_eq!(keys(&events), ["reminders_due"]);
    let (state, events) = fired(state, due_at, &world);
    assert_eq!(keys(&events), ["item_overdue", "item_overdue"]);
    // One working day of grace: the order issues when 31 March has ended.
    let urge_at = moment(date(2026, 4, 1), Time::midnight());
    let (state, events) = fired(state, urge_at - MICRO, &world);
    assert!(events.is_empty());
    let (state, events) = fired(state, urge_at, &world);
    assert_eq!(keys(&events), ["urging_order_issued"]);
    let RectificationEvent::UrgingOrderIssued { order } = &events[0] else { panic!("no order") };
    assert_eq!(order.items.len(), 2);
    assert_eq!((order.sequence, order.issued_on), (1, date(2026, 4, 1)));
    assert_eq!((order.items[0].was_due_on, order.items[0].days_late), (date(2026, 3, 30), 2));
    // Five working days from 1 April over Qingming (4 to 6 April).
    assert_eq!(order.items[0].limit.due_on, date(2026, 4, 9));
    assert_eq!((order.next_level, order.next_level_at), (2, moment(date(2026, 4, 10), Time::midnight())));
    assert_eq!(fired(state.clone(), urge_at, &world), (state.clone(), vec![]));
    let (state, events) = fired(state, order.next_level_at, &world);
    assert_eq!(keys(&events), ["escalation_proposed", "department_held_liable"]);
    let RectificationEvent::EscalationProposed { proposal } = &events[0] else { panic!("no proposal") };
    assert_eq!(proposal.action, crate::rulebook::LadderAction::Interview);
    assert_eq!(proposal.items.len(), 2);
    // The unit's clocks have run out; what is left is that people decide.
    let [decision] = state.timers.as_slice() else { panic!("{:?}", state.timers) };
    assert_eq!((decision.kind, decision.item, decision.due_at), (TimerKind::StepDecision, WHOLE, proposal.decide_by));
    assert_eq!(state.items[0].ladder_level, 2);
}

#[test]
fn the_order_lists_all_that_is_late_at_the_instant_and_only_that() {
    let world = World::new();
    let mut facts = letter(&[Severity::Minor, Severity::Minor, Severity::Minor, Severity::Major]);
    // The second falls due a day later: late when the first one's order issues, though its own grace still runs.
    facts.findings[1].limit = Some(crate::period::Period::working_days(16));
    let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
    let third = item_id(&state, 2);
    let state =
        state.report(third, report_by(REPORTER), morning(date(2026, 3, 20)), world.rules()).unwrap().into_state();
    let (state, events) = fired(state, moment(date(2026, 4, 1), Time::midnight()), &world);
    let Some(RectificationEvent::UrgingOrderIssued { order }) =
        events.iter().find(|event| event.key() == "urging_order_issued")
    else {
        panic!("no order in {events:?}")
    };
    let numbers: Vec<u32> = order.items.iter().map(|item| item.number).collect();
    assert_eq!(numbers, [1, 2]);
    let (_, events) = fired(state, moment(date(2026, 4, 2), Time::midnight()), &world);
    assert!(!keys(&events).contains(&"urging_order_issued"), "{events:?}");
}

#[test]
fn danger_to_life_is_urged_the_instant_it_is_late() {
    let world = World::new();
    let state = opened(&world, &[Severity::Immediate], received());
    let (state, events) = fired(state, moment(date(2026, 3, 10), Time::midnight()), &world);
    assert_eq!(keys(&events), ["plan_overdue", "item_overdue", "urging_order_issued"]);
    assert_eq!(state.items[0].limit().unwrap().due_at(), moment(date(2026, 3, 11), Time::midnight()));
}

#[test]
fn an_order_after_an_outage_counts_its_limit_from_its_own_date() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let (state, events) = fired(state, morning(date(2026, 5, 6)), &world);
    // No stale reminders.
    assert_eq!(keys(&events), ["item_overdue", "urging_order_issued"]);
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 5, 12));
}

#[test]
fn a_late_report_before_the_order_stops_it_and_one_after_keeps_the_order() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let id = item_id(&state, 0);
    let grace = morning(date(2026, 3, 31));
    let urge_at = moment(date(2026, 4, 1), Time::midnight());
    let reported = state.clone().report(id, report_by(REPORTER), grace, world.rules()).unwrap().into_state();
    let (reported, events) = fired(reported, urge_at, &world);
    assert!(events.is_empty());
    assert_eq!(reported.urging_orders, 0);
    let (urged, _) = fired(state, urge_at, &world);
    let within =
        urged.clone().report(id, report_by(REPORTER), morning(date(2026, 4, 9)), world.rules()).unwrap().into_state();
    assert_eq!(within.items[0].state.report().unwrap().timeliness, Timeliness::Late);
    let beyond = urged.report(id, report_by(REPORTER), morning(date(2026, 4, 10)), world.rules()).unwrap().into_state();
    assert_eq!(beyond.items[0].state.report().unwrap().timeliness, Timeliness::LateAfterUrging);
}

#[test]
fn a_return_sets_a_new_limit_that_never_ends_earlier() {
    let world = World::new();
    let state = opened(&world, &[Severity::Major], received());
    let id = item_id(&state, 0);
    let go = |reported_on, returned_on| {
        state
            .clone()
            .report(id, report_by(REPORTER), morning(reported_on), world.rules())
            .unwrap()
            .into_state()
            .verify(id, inspector(INSPECTOR), send_back(), morning(returned_on), world.rules())
            .unwrap()
            .into_state()
    };
    // Ten working days from 11 March end on 25 March: the letter's limit of 8 April stays.
    let early = go(date(2026, 3, 10), date(2026, 3, 11));
    assert_eq!(early.items[0].limit().unwrap().due_on(), date(2026, 4, 8));
    assert_eq!(early.items[0].limit().unwrap().basis, LimitBasis::Letter);
    let late = go(date(2026, 4, 7), date(2026, 4, 13));
    assert_eq!(late.items[0].limit().unwrap().due_on(), date(2026, 4, 27));
    assert!(late.items[0].was_always_on_time());
    // Late again after the return: a second clock, an order of its own.
    let (late, events) = fired(late, morning(date(2026, 4, 29)), &world);
    assert_eq!(keys(&events), ["plan_overdue", "item_overdue", "urging_order_issued"]);
    assert_eq!(late.items[0].returns, 1);
}

#[test]
fn an_unverified_report_is_called_to_mind_at_the_agencys_own_limit_and_until_it_is_verified() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let id = item_id(&state, 0);
    let mut state =
        state.report(id, report_by(REPORTER), morning(date(2026, 3, 10)), world.rules()).unwrap().into_state();
    let limit = moment(date(2026, 3, 25), Time::midnight());
    assert_eq!(fired(state.clone(), limit - MICRO, &world), (state.clone(), vec![]));
    // The limit itself, and then every five working days: by the end of 31 March, and of 8 April over Qingming.
    for (times, at) in (1..).zip([limit, moment(date(2026, 4, 1), Time::midnight())]) {
        let (next, events) = fired(state, at, &world);
        let [RectificationEvent::DutyOverdue { duty, item_id, due_at, times: told }] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!((*duty, *item_id, *due_at, *told), (crate::rulebook::Duty::Verification, Some(id), at, times));
        assert_eq!(fired(next.clone(), at, &world), (next.clone(), vec![]));
        state = next;
    }
    let armed = moment(date(2026, 4, 9), Time::midnight());
    assert_eq!(state.next_timer_at(), Some(armed));
    // An outage swallows none of them for good: one on return, and the next one in its time.
    let (state, events) = fired(state, morning(date(2026, 12, 1)), &world);
    assert_eq!(keys(&events), ["duty_overdue"]);
    assert_eq!(state.next_timer_at(), Some(moment(date(2026, 12, 9), Time::midnight())));
    let verified = state
        .verify(id, inspector(INSPECTOR), accept(), morning(date(2026, 12, 2)), world.rules())
        .unwrap()
        .into_state();
    assert!(verified.timers.iter().all(|timer| timer.kind != TimerKind::Verification));
}

#[test]
fn an_extension_is_early_reasoned_approved_by_another_and_once() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let item_id = item_id(&state, 0);
    let on = date(2026, 3, 20);
    let extend = |state: &Rectification, days, by, day| {
        let period = crate::period::Period::working_days(days);
        let asked = ask(state.clone(), RequestSubject::Extension { item_id, period }, morning(day), &world)?;
        let asked = asked.into_state();
        let request_id = asked.requests[0].request_id;
        asked.decide_request(request_id, grant(by), morning(day), None, world.rules())
    };
    assert_eq!(extend(&state, 5, REPORTER, on), Err(RectificationRefusal::SamePerson));
    assert_eq!(extend(&state, 60, OFFICER, on), Err(RectificationRefusal::ExtensionLength));
    assert_eq!(extend(&state, 0, OFFICER, on), Err(RectificationRefusal::ExtensionLength));
    assert_eq!(extend(&state, 5, OFFICER, date(2026, 3, 31)), Err(RectificationRefusal::LimitPassed));
    let extended = extend(&state, 5, OFFICER, on).unwrap().into_state();
    assert_eq!(extended.items[0].limit().unwrap().due_on(), date(2026, 4, 7));
    assert_eq!(extend(&extended, 5, OFFICER, on), Err(RectificationRefusal::NoMoreExtensions(1)));
    let (_, events) = fired(extended, morning(date(2026, 4, 2)), &world);
    assert_eq!(keys(&events), ["reminders_due"]);
}

#[test]
fn timers_have_the_same_names_each_time_and_change_by_difference() {
    let world = World::new();
    let first = opened(&world, &[Severity::Minor], received());
    let again = opened(&world, &[Severity::Minor], received());
    assert_eq!(first.timers, again.timers);
    let (next, _) = fired(first.clone(), morning(date(2026, 4, 2)), &world);
    let name = |timer: &Timer| (timer.kind, timer.item, timer.round, timer.step);
    let disarmed = first.timers.iter().filter(|timer| !next.timers.contains(timer)).count();
    assert_eq!((first.timers.len(), disarmed), (4, 4));
    assert!(next.timers.iter().all(|timer| first.timers.iter().all(|old| name(old) != name(timer))));
    let mut names: Vec<_> = next.timers.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), next.timers.len());
}

#[test]
fn the_state_survives_json() {
    let world = World::new();
    let state = opened(&world, &Severity::ALL, received());
    let (state, events) = fired(state, morning(date(2026, 4, 2)), &world);
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<Rectification>(&json).unwrap(), state);
    let json = serde_json::to_string(&events).unwrap();
    assert_eq!(serde_json::from_str::<Vec<RectificationEvent>>(&json).unwrap(), events);
}

//! What the clock does by itself.

use super::*;

const MICRO: jiff::SignedDuration = jiff::SignedDuration::from_micros(1);

#[test]
fn each_severity_gets_its_limit_with_a_proof() {
    let world = World::new();
    let rectification = opened(&world, &Severity::ALL, received());
    let dues: Vec<Date> = rectification.items.iter().map(|item| item.limits[0].due_on()).collect();
    // 15 wd; 30 cd (8 April, a Wednesday); 3 months; the same day.
    assert_eq!(dues, [date(2026, 3, 30), date(2026, 4, 8), date(2026, 6, 9), date(2026, 3, 9)]);
    for item in &rectification.items {
        crate::proof::recompute(&item.limits[0].proof, &world.unit).unwrap();
    }
    let kinds = |index: usize| {
        rectification
            .timers
            .iter()
            .filter(|timer| timer.item_id == item_id(&rectification, index))
            .map(|timer| timer.kind.key())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(0), ["reminder", "reminder", "due", "urge"]);
    assert_eq!(kinds(2).len(), 6);
    // Received at 9 with the end at 24: every four hours at 13, 17 and 21.
    assert_eq!(kinds(3), ["reminder", "reminder", "reminder", "due", "urge"]);
}

#[test]
fn the_letters_own_limit_goes_before_the_rulebooks() {
    let world = World::new();
    let mut facts = letter(&[Severity::Minor]);
    facts.findings[0].limit = Some(crate::period::Period::working_days(3));
    let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
    assert_eq!(state.items[0].limits[0].due_on(), date(2026, 3, 12));
    assert_eq!(state.items[0].limits[0].proof.rule.rule_id, "letter.limit");
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
    assert_eq!(keys(&events), ["escalation_proposed"]);
    let RectificationEvent::EscalationProposed { proposal } = &events[0] else { panic!("no proposal") };
    assert_eq!(proposal.action, crate::rulebook::LadderAction::Interview);
    assert_eq!(proposal.items.len(), 2);
    assert!(state.timers.is_empty());
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
    assert_eq!(keys(&events), ["item_overdue", "urging_order_issued"]);
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
    assert_eq!(keys(&events), ["item_overdue", "urging_order_issued"]);
    assert_eq!(late.items[0].returns, 1);
}

#[test]
fn an_unverified_report_is_noticed_at_the_agencys_own_limit() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let id = item_id(&state, 0);
    let state = state.report(id, report_by(REPORTER), morning(date(2026, 3, 10)), world.rules()).unwrap().into_state();
    let (state, events) = fired(state, moment(date(2026, 3, 25), Time::midnight()), &world);
    assert_eq!(keys(&events), ["verification_overdue"]);
    assert_eq!(fired(state.clone(), morning(date(2026, 12, 1)), &world), (state, vec![]));
}

#[test]
fn an_extension_is_early_reasoned_approved_by_another_and_once() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let id = item_id(&state, 0);
    let facts = |days, approved_by| ExtensionFacts {
        requested_by: REPORTER,
        approved_by,
        reason: "材料未到".to_owned(),
        period: crate::period::Period::working_days(days),
    };
    let on = date(2026, 3, 20);
    let extend = |facts, day| state.clone().extend(id, facts, morning(day), world.rules());
    assert_eq!(extend(facts(5, REPORTER), on), Err(RectificationRefusal::SamePerson));
    assert_eq!(extend(facts(60, OFFICER), on), Err(RectificationRefusal::ExtensionLength));
    assert_eq!(extend(facts(0, OFFICER), on), Err(RectificationRefusal::ExtensionLength));
    assert_eq!(extend(facts(5, OFFICER), date(2026, 3, 31)), Err(RectificationRefusal::LimitPassed));
    let extended = extend(facts(5, OFFICER), on).unwrap().into_state();
    assert_eq!(extended.items[0].limit().unwrap().due_on(), date(2026, 4, 7));
    assert_eq!(
        extended.clone().extend(id, facts(5, OFFICER), morning(on), world.rules()),
        Err(RectificationRefusal::NoMoreExtensions(1))
    );
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
    let changes = timer_changes(&first.timers, &next.timers);
    assert_eq!(changes.disarmed.len(), 4);
    assert_eq!(changes.armed, next.timers);
    assert_eq!(timer_changes(&next.timers, &next.timers), TimerChanges::default());
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

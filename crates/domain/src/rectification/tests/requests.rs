//! What one person asks for and another decides: extension, waiver, pause, resume.

use proptest::prelude::*;

use super::*;
use crate::period::Period;
use crate::rulebook::PauseReason;

fn extension(state: &Rectification, days: u16) -> RequestSubject {
    RequestSubject::Extension { item_id: item_id(state, 0), period: Period::working_days(days) }
}

const fn stop_until(until: Date) -> RequestSubject {
    RequestSubject::Pause { pause: PauseReason::Disaster, until }
}

fn paused(state: Rectification, at: Timestamp, until: Date, world: &World) -> Rectification {
    let (state, events) = granted(state, stop_until(until), at, world).unwrap();
    assert_eq!(keys(&events).last(), Some(&"paused"));
    assert!(state.is_paused() && state.timers.iter().all(|timer| !timer.kind.is_units()));
    state
}

fn decided(state: &Rectification, ruling: Ruling, at: Timestamp, world: &World) -> Tried {
    let request_id = state.requests[0].request_id;
    state.clone().decide_request(request_id, ruling, at, None, world.rules())
}

fn day(day: i8) -> Date {
    date(2026, 3, day)
}

#[test]
fn a_request_waits_for_another_person_who_is_reminded() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let at = morning(day(10));
    let (asked, events) = ask(state.clone(), extension(&state, 5), at, &world).unwrap().into_parts();
    assert_eq!(keys(&events), ["request_made"]);
    assert_eq!(asked.requests[0].due_at, midnight(day(14)), "three working days");
    assert_eq!(ask(asked.clone(), extension(&state, 5), at, &world), Ok(Outcome::Unchanged(asked.clone())));
    assert_eq!(ask(asked.clone(), extension(&state, 6), at, &world), Err(RectificationRefusal::RequestPending));
    let subject = extension(&state, 5);
    assert_eq!(state.ask(subject, " ".to_owned(), REPORTER, at, world.rules()), Err(RectificationRefusal::EmptyText));
    let (reminded, events) = fired(asked, midnight(day(14)), &world);
    assert!(matches!(
        events.as_slice(),
        [RectificationEvent::DutyOverdue { duty: crate::rulebook::Duty::RequestDecision, item_id: None, times: 1, .. }]
    ));
    for ruling in [grant(REPORTER), refuse(REPORTER)] {
        assert_eq!(decided(&reminded, ruling, at, &world), Err(RectificationRefusal::SamePerson));
    }
    let silent = Ruling { note: String::new(), ..refuse(OFFICER) };
    assert_eq!(decided(&reminded, silent, at, &world), Err(RectificationRefusal::EmptyText));
    let told = reminded.items[0].limits.clone();
    let (refused, events) = decided(&reminded, refuse(OFFICER), at, &world).unwrap().into_parts();
    assert!(matches!(events.as_slice(), [RectificationEvent::RequestDecided { granted: false, .. }]));
    assert_eq!(refused.items[0].limits, told);
    assert!(refused.requests.is_empty() && !has_timer(&refused, TimerKind::RequestDecision));
    let gone = reminded.requests[0].request_id;
    assert_eq!(
        refused.clone().decide_request(gone, grant(OFFICER), at, None, world.rules()),
        Err(RectificationRefusal::UnknownRequest)
    );
    // Asked again, it is another request.
    let again = ask(refused.clone(), extension(&refused, 5), at, &world).unwrap().into_state();
    assert_ne!(again.requests[0].request_id, gone);
}

#[test]
fn an_extension_must_be_decided_before_the_due_date() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let due_at = state.items[0].limits[0].due_at();
    let asked = ask(state.clone(), extension(&state, 5), due_at - MICRO, &world).unwrap().into_state();
    assert_eq!(ask(state.clone(), extension(&state, 5), due_at, &world), Err(RectificationRefusal::LimitPassed));
    let (extended, events) = decided(&asked, grant(OFFICER), due_at - MICRO, &world).unwrap().into_parts();
    assert_eq!(keys(&events), ["request_decided", "item_extended"]);
    assert_eq!(extended.items[0].limit().unwrap().due_on(), date(2026, 4, 7));
    assert_eq!(decided(&asked, grant(OFFICER), due_at, &world), Err(RectificationRefusal::LimitPassed));
    // Whether or not the clock was there first; it can still be refused.
    let (late, _) = fired(asked, due_at, &world);
    assert_eq!(decided(&late, grant(OFFICER), due_at, &world), Err(RectificationRefusal::LimitPassed));
    assert!(decided(&late, refuse(OFFICER), due_at, &world).unwrap().into_state().requests.is_empty());
}

#[test]
fn an_extension_is_no_longer_than_the_rules_allow_and_hours_count_from_the_end() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let at = morning(day(10));
    let with = |state: &Rectification, period| {
        let subject = RequestSubject::Extension { item_id: item_id(state, 0), period };
        granted(state.clone(), subject, at, &world).map(|(next, _)| next.items[0].limit().unwrap().due_at())
    };
    // 30 calendar days from 30 March: 29 April.
    assert_eq!(with(&state, Period::calendar_days(30)), Ok(midnight(date(2026, 4, 30))));
    assert_eq!(with(&state, Period::calendar_days(31)), Err(RectificationRefusal::ExtensionLength));
    assert_eq!(with(&state, Period::SameDay), Err(RectificationRefusal::ExtensionLength));
    assert_eq!(with(&state, Period::hours(0)), Err(RectificationRefusal::ExtensionLength));
    let mut facts = letter(&[Severity::Minor]);
    facts.findings[0].limit = Some(Period::hours(48));
    let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
    assert_eq!(with(&state, Period::hours(20)), Ok(received() + jiff::SignedDuration::from_hours(68)));
}

#[test]
fn the_days_of_a_stop_are_added_exactly() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    // Monday to Friday: five working days after 30 March, over Qingming.
    let state = paused(state, morning(day(16)), day(20), &world);
    assert_eq!(state.phase(&state.items[0]), Phase::Paused);
    let end = midnight(day(21));
    assert_eq!(state.next_timer_at(), Some(end));
    let (still, events) = fired(state.clone(), end - MICRO, &world);
    assert!(events.is_empty() && still.is_paused());
    let (running, events) = fired(state, end, &world);
    assert_eq!(keys(&events), ["resumed"]);
    let limit = running.items[0].limit().unwrap();
    assert_eq!(
        (limit.due_on(), limit.adjusted, limit.basis),
        (date(2026, 4, 7), Some(Adjustment::Resumed), LimitBasis::Letter)
    );
    let proof = world.proof(limit);
    assert_eq!(proof.pauses.len(), 1);
    crate::proof::recompute(&proof, &world.unit).unwrap();
    assert_eq!(fired(running.clone(), end, &world), (running, vec![]));
}

#[test]
fn the_hours_of_a_stop_are_added_exactly() {
    let world = World::new();
    let mut facts = letter(&[Severity::Minor]);
    facts.findings[0].limit = Some(Period::hours(48));
    let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
    let due_at = state.items[0].limits[0].due_at();
    let stopped_at = morning(day(10));
    let state = paused(state, stopped_at, day(11), &world);
    // By itself after 39 hours, or earlier to the microsecond.
    let (whole, _) = fired(state.clone(), midnight(day(12)), &world);
    assert_eq!(whole.items[0].limit().unwrap().due_at(), due_at + jiff::SignedDuration::from_hours(39));
    let early = stopped_at + jiff::SignedDuration::from_mins(390) + MICRO;
    let (early, events) = granted(state, RequestSubject::Resume, early, &world).unwrap();
    assert_eq!(keys(&events), ["request_decided", "resumed"]);
    assert!(!early.is_paused() && !has_timer(&early, TimerKind::Resume));
    assert_eq!(early.items[0].limit().unwrap().due_at(), due_at + jiff::SignedDuration::from_mins(390) + MICRO);
}

#[test]
fn a_stop_within_one_day_costs_no_day_and_moves_no_date_earlier() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let told = state.items[0].limits[0].due_at();
    let state = paused(state, morning(day(16)), day(20), &world);
    let (state, _) = granted(state, RequestSubject::Resume, moment(day(16), time(18, 0, 0, 0)), &world).unwrap();
    assert_eq!(state.items[0].limit().unwrap().due_at(), told);
    assert_eq!(ask(state, RequestSubject::Resume, morning(day(17)), &world), Err(RectificationRefusal::NotPaused));
}

#[test]
fn an_outage_does_not_lengthen_a_stop_and_what_passed_meanwhile_fires_at_once() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let state = paused(state, morning(day(16)), day(20), &world);
    let (state, events) = fired(state, morning(date(2026, 4, 20)), &world);
    assert_eq!(keys(&events), ["resumed", "item_overdue", "urging_order_issued"]);
    assert!(matches!(&events[0], RectificationEvent::Resumed { at, .. } if *at == midnight(day(21))));
    assert_eq!(state.suspensions[0].ended_at, Some(midnight(day(21))));
    assert_eq!(state.items[0].overdue_at, Some(midnight(date(2026, 4, 8))));
    assert!(state.timers.iter().all(|timer| timer.due_at > morning(date(2026, 4, 20))));
}

#[test]
fn people_who_act_a_moment_before_the_clock_ends_a_stop_find_it_ended() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let stopped = paused(state, morning(day(16)), day(20), &world);
    let at = midnight(day(21));
    let (running, _) = fired(stopped.clone(), at, &world);
    // An extension is refused while the clock stands still, and may be asked for the instant it runs.
    assert_eq!(ask(stopped.clone(), extension(&stopped, 5), at - MICRO, &world), Err(RectificationRefusal::Paused));
    let mine = ask(stopped.clone(), extension(&stopped, 5), at, &world).unwrap().into_state();
    assert_eq!(mine, ask(running.clone(), extension(&running, 5), at, &world).unwrap().into_state());
    assert_eq!(ask(stopped.clone(), RequestSubject::Resume, at, &world), Err(RectificationRefusal::NotPaused));
    assert_eq!(reported(stopped.clone(), 0, at, &world), reported(running, 0, at, &world));
    // After the outage's end the limit had passed as well.
    let late = reported(stopped, 0, midnight(date(2026, 4, 8)), &world);
    assert_eq!(late.items[0].state.report().unwrap().timeliness, Timeliness::Late);
}

#[test]
fn a_report_during_a_stop_counts_where_the_clock_stood() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Serious], received());
    let in_time = paused(state.clone(), morning(day(30)), date(2026, 4, 20), &world);
    // The nominal due date has passed, the clock stands still before it.
    let in_time = reported(in_time, 0, morning(date(2026, 4, 15)), &world);
    assert_eq!(in_time.items[0].state.report().unwrap().timeliness, Timeliness::InTime);
    assert!(in_time.items[0].was_always_on_time());
    // Late before the stop: late it stays, whether the clock had seen it or not.
    let due_at = state.items[0].limits[0].due_at();
    for seen in [true, false] {
        let before = if seen { fired(state.clone(), due_at, &world).0 } else { state.clone() };
        let late = paused(before, due_at, date(2026, 4, 20), &world);
        let late = reported(late, 0, morning(date(2026, 4, 15)), &world);
        assert_eq!(late.items[0].state.report().unwrap().timeliness, Timeliness::Late);
        assert_eq!(late.items[0].overdue_at, Some(due_at));
    }
}

#[test]
fn a_late_item_stays_late_through_a_stop_and_is_urged_when_it_ends() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Serious], received());
    let due_at = state.items[0].limits[0].due_at();
    for seen in [true, false] {
        let before = if seen { fired(state.clone(), due_at, &world).0 } else { state.clone() };
        let stopped = paused(before, due_at, date(2026, 4, 10), &world);
        let (_, events) = fired(stopped.clone(), morning(date(2026, 4, 8)), &world);
        assert!(events.is_empty(), "nothing of the unit fires during the stop: {events:?}");
        let (running, events) = fired(stopped, midnight(date(2026, 4, 11)), &world);
        assert!(keys(&events).contains(&"urging_order_issued"), "{events:?}");
        assert_eq!(keys(&events).contains(&"item_overdue"), !seen);
        assert_eq!(running.items[0].overdue_at, Some(due_at));
        assert_eq!(running.items[0].limits[0].due_at(), due_at);
        assert!(running.items[0].limits.iter().all(|limit| limit.adjusted.is_none()), "a passed limit is not moved");
    }
}

#[test]
fn a_step_that_was_proposed_before_a_stop_is_not_proposed_again_after_it() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Serious], received());
    let (state, _) = fired(state, midnight(date(2026, 4, 1)), &world);
    let (state, events) = fired(state, midnight(date(2026, 4, 10)), &world);
    assert!(keys(&events).contains(&"escalation_proposed"));
    let state = paused(state, morning(date(2026, 4, 13)), date(2026, 4, 14), &world);
    let (state, events) = fired(state, midnight(date(2026, 4, 15)), &world);
    assert_eq!(keys(&events), ["resumed"]);
    assert_eq!(state.steps.len(), 1);
    assert!(has_timer(&state, TimerKind::StepDecision));
}

#[test]
fn a_stop_lengthens_an_extended_limit_too_though_it_lies_before_the_old_due_date() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let (state, _) = granted(state.clone(), extension(&state, 5), morning(day(12)), &world).unwrap();
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 4, 7));
    let (state, _) = fired(paused(state, morning(day(16)), day(20), &world), midnight(day(21)), &world);
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 4, 14));
    // And once more.
    let (state, _) = fired(paused(state, morning(day(23)), day(24), &world), midnight(day(25)), &world);
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 4, 16));
    crate::proof::recompute(&world.proof(state.items[0].limit().unwrap()), &world.unit).unwrap();
}

#[test]
fn the_plans_clock_stands_still_as_well() {
    let world = World::new();
    let state = opened(&world, &[Severity::Major], received());
    let id = item_id(&state, 0);
    let stopped = paused(state, morning(day(16)), day(27), &world);
    // 23 March is the nominal day.
    let at = morning(day(26));
    let submitted = stopped.clone().submit_plan(id, submission(REPORTER, "方案", at), at, world.rules()).unwrap();
    assert!(!submitted.into_state().items[0].plan.as_ref().unwrap().late);
    let (running, events) = fired(stopped, midnight(day(28)), &world);
    assert_eq!(keys(&events), ["resumed"]);
    // Ten working days fell into the stop.
    let plan = running.items[0].plan.clone().unwrap();
    assert_eq!(plan.due_on, date(2026, 4, 7));
    let (_, events) = fired(running, plan.due_at, &world);
    assert!(keys(&events).contains(&"plan_overdue"));
}

#[test]
fn a_report_returned_during_a_stop_has_its_limit_when_the_clock_runs_again() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Serious], received());
    let state = reported(state, 0, morning(day(16)), &world);
    let state =
        returned(paused(state, morning(day(17)), date(2026, 4, 17), &world), 0, morning(date(2026, 4, 14)), &world);
    assert!(state.timers.iter().all(|timer| !timer.kind.is_units()));
    let (state, _) = fired(state, midnight(date(2026, 4, 18)), &world);
    // Five working days, none of which fell into the stop: 20 to 24 April.
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 4, 24));
    assert!(has_timer(&state, TimerKind::Due));
}

#[test]
fn a_stop_has_a_reason_an_end_and_a_clock_that_runs() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let at = morning(day(16));
    let tried = |until| ask(state.clone(), stop_until(until), at, &world);
    assert_eq!(tried(day(15)), Err(RectificationRefusal::PauseLength));
    assert!(tried(day(16)).is_ok(), "until the end of today");
    // Three months at most.
    assert!(tried(date(2026, 6, 16)).is_ok());
    assert_eq!(tried(date(2026, 6, 17)), Err(RectificationRefusal::PauseLength));
    let mut strict = World::new();
    strict.rulebook.pause.reasons = vec![PauseReason::SchoolHoliday];
    assert_eq!(ask(state.clone(), stop_until(day(20)), at, &strict), Err(RectificationRefusal::PauseReason));
    let due_at = state.items[0].limits[0].due_at();
    assert_eq!(
        ask(state.clone(), stop_until(date(2026, 4, 10)), due_at, &world),
        Err(RectificationRefusal::LimitPassed)
    );
    let stopped = paused(state, at, day(20), &world);
    assert_eq!(ask(stopped, stop_until(day(21)), at, &world), Err(RectificationRefusal::Paused));
}

#[test]
fn a_waiver_frees_an_item_and_the_last_one_completes_the_case() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Major], received());
    let at = morning(day(12));
    let waive = |state: Rectification, index| {
        let item_id = item_id(&state, index);
        granted(state, RequestSubject::Waiver { item_id }, at, &world)
    };
    let asked = ask(state.clone(), RequestSubject::Waiver { item_id: item_id(&state, 0) }, at, &world).unwrap();
    assert_eq!(decided(&asked.into_state(), grant(REPORTER), at, &world), Err(RectificationRefusal::SamePerson));
    let (one, events) = waive(state, 0).unwrap();
    assert_eq!(keys(&events), ["request_decided", "item_waived"]);
    let ItemState::Waived { waiver } = &one.items[0].state else { panic!("not waived") };
    assert_eq!((waiver.requested_by, waiver.approved_by), (REPORTER, OFFICER));
    assert!(one.timers.iter().all(|timer| timer.item != 1));
    assert_eq!(waive(one.clone(), 0).unwrap_err().key(), "state");
    // A reported item may be waived as well.
    let (both, events) = waive(reported(one, 1, at, &world), 1).unwrap();
    assert_eq!(keys(&events), ["request_decided", "item_waived", "completed"]);
    assert!(both.is_complete() && both.timers.is_empty());
    assert_eq!(fired(both.clone(), morning(date(2027, 3, 1)), &world), (both, vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// The parts make the whole: working days that the clock ran through are as many as the rule gives.
    #[test]
    fn the_sum_of_the_running_days_is_the_period(
        stops in proptest::collection::vec((1..120_i64, 0..20_i64, proptest::option::of(1..300_i64)), 0..5),
        severity in prop_oneof![Just(Severity::Minor), Just(Severity::Serious)],
    ) {
        let world = World::new();
        let mut facts = letter(&[severity]);
        facts.findings[0].limit = Some(Period::working_days(25));
        let mut state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
        let mut at = received();
        for (wait, days, early) in stops {
            at += jiff::SignedDuration::from_hours(wait);
            let until = crate::local_time::local_date(at).checked_add(jiff::Span::new().days(days)).unwrap();
            let told = state.items[0].limit().unwrap().due_at();
            let Ok((stopped, _)) = granted(state.clone(), stop_until(until), at, &world) else { continue };
            let end = crate::local_time::end_of_day(until).unwrap();
            let early = early.map(|hours| at + jiff::SignedDuration::from_hours(hours)).filter(|early| *early < end);
            state = match early {
                Some(early) => granted(stopped, RequestSubject::Resume, early, &world).unwrap().0,
                None => fired(stopped, end, &world).0,
            };
            at = early.unwrap_or(end);
            let limit = state.items[0].limit().unwrap().clone();
            prop_assert!(limit.due_at() >= told);
            let stands = |day: Date| {
                let end = crate::local_time::end_of_day(day).unwrap();
                state.suspensions.iter().any(|stop| stop.from < end && end <= stop.ended_at.unwrap())
            };
            let ran = crate::local_time::local_date(received())
                .series(jiff::Span::new().days(1))
                .skip(1)
                .take_while(|day| *day <= limit.due_on())
                .filter(|day| world.unit.is_working(*day) && !stands(*day))
                .count();
            prop_assert_eq!(ran, 25);
        }
    }
}

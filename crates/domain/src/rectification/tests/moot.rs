//! What nobody need decide any more ends by itself, at the moment at which what it was about is done.

use super::*;
use crate::period::Period;
use crate::rulebook::PauseReason;

fn day(day: i8) -> Timestamp {
    morning(date(2026, 4, day))
}

fn extension(state: &Rectification, index: usize) -> RequestSubject {
    RequestSubject::Extension { item_id: item_id(state, index), period: Period::working_days(5) }
}

fn waiver(state: &Rectification, index: usize) -> RequestSubject {
    RequestSubject::Waiver { item_id: item_id(state, index) }
}

const STOP: RequestSubject = RequestSubject::Pause { pause: PauseReason::Disaster, until: date(2026, 4, 30) };

fn asked(state: Rectification, subject: RequestSubject, at: Timestamp, world: &World) -> Rectification {
    ask(state, subject, at, world).unwrap().into_state()
}

/// Reported, verified and closed at one instant, with what the closing told.
fn closing(
    state: Rectification,
    index: usize,
    at: Timestamp,
    world: &World,
) -> (Rectification, Vec<RectificationEvent>) {
    closed(verified(reported(state, index, at, world), index, at, world), index, at, world)
}

/// The clock goes on for a year and tells of look-backs at most.
fn is_silent(mut state: Rectification, world: &World) {
    while let Some(at) = state.next_timer_at().filter(|at| *at < day(1) + jiff::SignedDuration::from_hours(24 * 365)) {
        let kinds: Vec<TimerKind> = state.timers.iter().map(|timer| timer.kind).collect();
        assert!(kinds.iter().all(|kind| matches!(kind, TimerKind::LookBack | TimerKind::LookBackVisit)), "{kinds:?}");
        state = fired(state, at, world).0;
    }
}

/// Late, urged, and proposed for the interview; no department is liable with the unit.
fn proposed(severities: &[Severity], world: &World) -> Rectification {
    let facts = LetterFacts { competent_department: None, ..letter(severities) };
    let state = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
    let (state, _) = fired(state, midnight(date(2026, 4, 1)), world);
    let (state, _) = fired(state, midnight(date(2026, 4, 10)), world);
    assert_eq!(state.steps.len(), 1);
    state
}

#[test]
fn a_step_ends_when_the_last_of_its_items_is_done() {
    let world = World::new();
    let state = proposed(&[Severity::Minor, Severity::Minor], &world);
    let proposal_id = state.steps[0].proposal_id;
    let (state, events) = closing(state, 0, day(13), &world);
    assert_eq!(keys(&events), ["item_closed_out"]);
    assert!(has_timer(&state, TimerKind::StepDecision), "the other item still waits for it");
    let state = asked(state, RequestSubject::Lift { proposal_id }, day(14), &world);
    let (state, events) = closing(state, 1, day(15), &world);
    assert_eq!(keys(&events), ["item_closed_out", "step_moot", "request_moot", "completed"]);
    assert_eq!(state.steps[0].outcome, StepOutcome::Moot { ended_at: day(15) });
    assert!(state.requests.is_empty());
    let decider = Decider { account: DIRECTOR, is_leader: true };
    assert_eq!(
        state.clone().take_step(proposal_id, decider, "约谈".to_owned(), day(16), world.rules()),
        Err(RectificationRefusal::StepMoot)
    );
    assert_eq!(
        ask(state.clone(), RequestSubject::Lift { proposal_id }, day(16), &world),
        Err(RectificationRefusal::StepMoot)
    );
    is_silent(state, &world);
}

#[test]
fn a_step_ends_with_its_own_items_while_others_go_on() {
    let world = World::new();
    let state = proposed(&[Severity::Minor, Severity::Serious], &world);
    assert_eq!(state.steps[0].items, [1]);
    let (state, events) = closing(state, 0, day(13), &world);
    assert_eq!(keys(&events), ["item_closed_out", "step_moot"]);
    assert!(!has_timer(&state, TimerKind::StepDecision) && has_timer(&state, TimerKind::Due));
}

#[test]
fn a_waiver_ends_a_step_too_and_a_problem_that_is_back_begins_the_ladder_anew() {
    let world = World::new();
    let state = proposed(&[Severity::Serious, Severity::Minor], &world);
    let (waived, events) = granted(state.clone(), waiver(&state, 1), day(13), &world).unwrap();
    assert_eq!(keys(&events), ["request_decided", "item_waived", "step_moot"]);
    assert!(!has_timer(&waived, TimerKind::StepDecision));

    let state = proposed(&[Severity::Major, Severity::Minor], &world);
    let (state, _) = closing(state, 0, day(13), &world);
    let (state, _) = closing(state, 1, day(13), &world);
    let look_at = state.next_timer_at().unwrap();
    let (state, events) = fired(state, look_at, &world);
    assert_eq!(keys(&events), ["look_back_due"]);
    let id = item_id(&state, 0);
    let back = state.look_back(id, inspector(INSPECTOR), &send_back(), look_at, world.rules()).unwrap().into_state();
    assert!(matches!(back.steps[0].outcome, StepOutcome::Moot { .. }), "what has ended has ended");
    let (urged, events) = fired(back, look_at + jiff::SignedDuration::from_hours(24 * 60), &world);
    assert!(keys(&events).contains(&"urging_order_issued"));
    let escalates = urged.timers.iter().find(|timer| timer.kind == TimerKind::Escalate).unwrap();
    assert_eq!((escalates.item, escalates.step), (1, 2));
}

#[test]
fn requests_end_with_what_they_are_about() {
    let world = World::new();
    let march = |day| morning(date(2026, 3, day));
    let mut state = opened(&world, &[Severity::Minor, Severity::Minor], received());
    for subject in [extension(&state, 0), waiver(&state, 0), extension(&state, 1), STOP] {
        state = asked(state, subject, march(10), &world);
    }
    let (state, events) = closing(state, 0, march(11), &world);
    assert_eq!(keys(&events), ["item_closed_out", "request_moot", "request_moot"]);
    let left: Vec<&str> = state.requests.iter().map(|request| request.subject.key()).collect();
    assert_eq!(left, ["extension", "pause"]);
    let (state, events) = granted(state.clone(), waiver(&state, 1), march(12), &world).unwrap();
    assert_eq!(keys(&events), ["request_decided", "item_waived", "request_moot", "request_moot", "completed"]);
    is_silent(state, &world);
}

#[test]
fn a_stop_of_the_clock_ends_with_the_last_item() {
    let world = World::new();
    let march = |day| morning(date(2026, 3, day));
    let state = opened(&world, &[Severity::Minor], received());
    let (state, _) = granted(state, STOP, march(10), &world).unwrap();
    let state = asked(state, RequestSubject::Resume, march(11), &world);
    let (state, events) = closing(state, 0, march(12), &world);
    assert_eq!(keys(&events), ["item_closed_out", "request_moot", "completed"]);
    assert_eq!((state.is_paused(), state.suspensions[0].ended_at), (false, Some(march(12))));
    is_silent(state, &world);
}

/// A circular holds until people lift it, whatever has become of its items (measure 14).
#[test]
fn a_request_to_lift_a_step_that_was_taken_waits_for_people() {
    let world = World::new();
    let state = proposed(&[Severity::Minor], &world);
    let proposal_id = state.steps[0].proposal_id;
    let decider = Decider { account: OFFICER, is_leader: false };
    let taken = state.take_step(proposal_id, decider, "约谈".to_owned(), day(13), world.rules()).unwrap().into_state();
    let state = asked(taken, RequestSubject::Lift { proposal_id }, day(14), &world);
    let (state, events) = closing(state, 0, day(15), &world);
    assert_eq!(keys(&events), ["item_closed_out", "completed"]);
    let request_id = state.requests[0].request_id;
    let (state, events) =
        state.decide_request(request_id, grant(DIRECTOR), day(16), None, world.rules()).unwrap().into_parts();
    assert!(matches!(events.as_slice(), [_, RectificationEvent::StepLifted { limits, .. }] if limits.is_empty()));
    is_silent(state, &world);
}

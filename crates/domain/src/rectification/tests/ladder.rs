//! The ladder above the urging order: proposed by the clock, decided by people, never at an end.

use super::*;
use crate::rulebook::{Duty, LadderAction};

fn decider(account: AccountId, is_leader: bool) -> Decider {
    Decider { account, is_leader }
}

fn take(state: &Rectification, by: Decider, at: Timestamp, world: &World) -> Tried {
    let proposal_id = state.steps.last().unwrap().proposal_id;
    state.clone().take_step(proposal_id, by, "已约谈".to_owned(), at, world.rules())
}

fn lift(state: &Rectification, place: usize, at: Timestamp, world: &World) -> (Rectification, Vec<RectificationEvent>) {
    let proposal_id = state.steps[place].proposal_id;
    granted(state.clone(), RequestSubject::Lift { proposal_id }, at, world).unwrap()
}

/// Late, urged, and proposed for the interview at 24:00 on 9 April.
fn proposed(world: &World) -> Rectification {
    let state = opened(world, &[Severity::Minor, Severity::Minor], received());
    let (state, _) = fired(state, midnight(date(2026, 4, 1)), world);
    let (state, events) = fired(state, midnight(date(2026, 4, 10)), world);
    assert!(keys(&events).contains(&"escalation_proposed"));
    state
}

/// Fires at the instant of the next step and gives the proposal that came of it; nothing a microsecond before.
fn next_proposal(state: Rectification, world: &World) -> (Rectification, EscalationProposal) {
    let at =
        state.timers.iter().filter(|timer| timer.kind == TimerKind::Escalate).map(|timer| timer.due_at).min().unwrap();
    let (state, events) = fired(state, at - MICRO, world);
    assert!(!keys(&events).contains(&"escalation_proposed"));
    let (state, events) = fired(state, at, world);
    let proposals: Vec<_> = events
        .into_iter()
        .filter_map(|event| {
            let RectificationEvent::EscalationProposed { proposal } = event else { return None };
            Some(proposal)
        })
        .collect();
    let [proposal] = proposals.as_slice() else { panic!("{proposals:?}") };
    (state, proposal.clone())
}

#[test]
fn the_levels_come_in_order_each_with_its_own_limit_and_decision() {
    let world = World::new();
    let state = proposed(&world);
    // Ten working days to decide, from the proposal on 10 April.
    assert_eq!(state.steps[0].due_at, midnight(date(2026, 4, 25)));
    let officer = decider(OFFICER, false);
    let (state, events) = take(&state, officer, morning(date(2026, 4, 13)), &world).unwrap().into_parts();
    let [RectificationEvent::StepTaken { level: 2, limits, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(limits.len(), 2);
    assert_eq!(limits[0].1.basis, LimitBasis::Step { level: 2 });
    assert_eq!(limits[0].1.due_on, date(2026, 4, 27));
    assert!(!has_timer(&state, TimerKind::StepDecision));
    // One working day after the last day: 24:00 on 28 April.
    let (state, proposal) = next_proposal(state, &world);
    assert_eq!(
        (proposal.level, proposal.action, proposal.at),
        (3, LadderAction::Circular, midnight(date(2026, 4, 29)))
    );
    assert!(proposal.items.iter().all(|item| item.was_due_on == date(2026, 3, 30) && item.days_late == 30));
    let (state, _) = take(&state, officer, morning(date(2026, 4, 30)), &world).unwrap().into_parts();
    // Over Labour Day, with 9 May worked.
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 5, 18));
    let (state, proposal) = next_proposal(state, &world);
    assert_eq!((proposal.level, proposal.action), (4, LadderAction::Accountability));
    let at = morning(date(2026, 5, 21));
    assert_eq!(take(&state, officer, at, &world), Err(RectificationRefusal::NotEntitled));
    let state = take(&state, decider(DIRECTOR, true), at, &world).unwrap().into_state();
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 6, 11));
    // Above the highest it comes again, without end.
    let (state, proposal) = next_proposal(state, &world);
    assert_eq!((proposal.level, state.steps.len()), (4, 4));
    let state = take(&state, decider(DIRECTOR, true), proposal.at, &world).unwrap().into_state();
    let (state, proposal) = next_proposal(state, &world);
    assert_eq!((proposal.level, state.items[0].ladder_level), (4, 4));
    let levels: Vec<u8> = state.steps.iter().map(|step| step.level).collect();
    assert_eq!(levels, [2, 3, 4, 4, 4]);
    assert_eq!(state.urging_orders, 1);
}

#[test]
fn a_proposed_step_is_called_to_mind_for_ever() {
    let world = World::new();
    let mut state = proposed(&world);
    let mut at = state.next_timer_at().unwrap();
    for times in 1..=40 {
        let (next, events) = fired(state, at, &world);
        let [RectificationEvent::DutyOverdue { duty: Duty::StepDecision, item_id: None, times: told, .. }] =
            events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert_eq!(*told, times);
        let armed = next.next_timer_at().unwrap();
        assert!(armed > at);
        (state, at) = (next, armed);
    }
    assert_eq!(state.steps.len(), 1, "the clock decides nothing");
}

#[test]
fn a_step_is_decided_once_with_words_and_by_whom_it_belongs_to() {
    let world = World::new();
    let state = proposed(&world);
    let (proposal_id, at) = (state.steps[0].proposal_id, morning(date(2026, 4, 13)));
    let officer = decider(OFFICER, false);
    let with = |state: &Rectification, by, note: &str| {
        state.clone().take_step(proposal_id, by, note.to_owned(), at, world.rules())
    };
    assert_eq!(with(&state, officer, " "), Err(RectificationRefusal::EmptyText));
    let unknown = crate::ids::ProposalId::new(Uuid::from_u128(9));
    assert_eq!(
        state.clone().take_step(unknown, officer, "约谈".to_owned(), at, world.rules()),
        Err(RectificationRefusal::UnknownStep)
    );
    let taken = with(&state, officer, "约谈").unwrap().into_state();
    assert_eq!(with(&taken, officer, "约谈"), Ok(Outcome::Unchanged(taken.clone())));
    assert_eq!(with(&taken, decider(DIRECTOR, true), "约谈"), Err(RectificationRefusal::StepDecided));
}

#[test]
fn a_step_is_lifted_by_two_persons_and_proposed_again_when_its_limit_passes() {
    let world = World::new();
    for taken_first in [false, true] {
        let at = morning(date(2026, 4, 13));
        let state = proposed(&world);
        let state =
            if taken_first { take(&state, decider(OFFICER, false), at, &world).unwrap().into_state() } else { state };
        let subject = RequestSubject::Lift { proposal_id: state.steps[0].proposal_id };
        let asked = ask(state.clone(), subject.clone(), at, &world).unwrap().into_state();
        let request_id = asked.requests[0].request_id;
        assert_eq!(
            asked.decide_request(request_id, grant(REPORTER), at, None, world.rules()),
            Err(RectificationRefusal::SamePerson)
        );
        let (lifted, events) = lift(&state, 0, morning(date(2026, 4, 14)), &world);
        assert_eq!(keys(&events), ["request_decided", "step_lifted"]);
        assert!(matches!(lifted.steps[0].outcome, StepOutcome::Lifted { requested_by: REPORTER, .. }));
        assert_eq!(lifted.items[0].limit().unwrap().basis, LimitBasis::Lifted { level: 2 });
        assert_eq!(lifted.items[0].limit().unwrap().due_on(), date(2026, 4, 28));
        assert!(!has_timer(&lifted, TimerKind::StepDecision));
        assert_eq!(take(&lifted, decider(OFFICER, false), at, &world), Err(RectificationRefusal::StepDecided));
        assert_eq!(ask(lifted.clone(), subject, at, &world), Err(RectificationRefusal::StepDecided));
        let (again, proposal) = next_proposal(lifted, &world);
        assert_eq!((proposal.level, again.steps.len()), (2, 2));
        assert_ne!(again.steps[0].proposal_id, again.steps[1].proposal_id);
    }
}

#[test]
fn who_lifts_a_step_or_refuses_to_must_be_entitled_to_decide_it() {
    let world = World::new();
    let (officer, chair) = (decider(OFFICER, false), decider(DIRECTOR, true));
    let mut state = proposed(&world);
    let mut at = morning(date(2026, 4, 13));
    for (level, officer_may) in [(2, true), (3, true), (4, false)] {
        let step = state.steps.last().unwrap().clone();
        assert_eq!(step.level, level);
        let taken = take(&state, chair, at, &world).unwrap().into_state();
        for (by, may) in [(officer, officer_may), (chair, true)] {
            assert_eq!(take(&state, by, at, &world).is_ok(), may);
            for (before, granted) in [(&state, true), (&state, false), (&taken, true), (&taken, false)] {
                let subject = RequestSubject::Lift { proposal_id: step.proposal_id };
                let asked = ask(before.clone(), subject, at, &world).unwrap().into_state();
                let request_id = asked.requests[0].request_id;
                let ruling = Ruling { by, granted, note: "研究决定".to_owned() };
                let ruled = asked.decide_request(request_id, ruling, at, None, world.rules());
                if may {
                    let expected = if granted { &["request_decided", "step_lifted"][..] } else { &["request_decided"] };
                    assert_eq!(keys(&ruled.unwrap().into_parts().1), expected, "level {level}");
                } else {
                    assert_eq!(ruled, Err(RectificationRefusal::NotEntitled), "level {level}, granted: {granted}");
                }
            }
        }
        let (next, proposal) = next_proposal(taken, &world);
        (state, at) = (next, proposal.at);
    }
}

#[test]
fn who_reports_leaves_the_ladder_and_a_decided_step_then_sets_him_no_limit() {
    let world = World::new();
    let state = reported(proposed(&world), 0, morning(date(2026, 4, 13)), &world);
    assert_eq!(state.items[0].state.report().unwrap().timeliness, Timeliness::LateAfterUrging);
    let (state, events) =
        take(&state, decider(OFFICER, false), morning(date(2026, 4, 14)), &world).unwrap().into_parts();
    let RectificationEvent::StepTaken { limits, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!(limits.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [item_id(&state, 1)]);
    // A second report within the new limit: the order's limit had passed all the same.
    let second = reported(state.clone(), 1, morning(date(2026, 4, 15)), &world);
    assert_eq!(second.items[1].state.report().unwrap().timeliness, Timeliness::LateAfterUrging);
    // Returned, the first has a limit of its own, and then an order of its own: 2.
    let back = returned(state, 0, morning(date(2026, 4, 15)), &world);
    assert_eq!(back.items[0].limit().unwrap().basis, LimitBasis::Returned);
    let (back, events) = fired(back, midnight(date(2026, 4, 24)), &world);
    let Some(RectificationEvent::UrgingOrderIssued { order }) =
        events.iter().find(|event| event.key() == "urging_order_issued")
    else {
        panic!("no order in {events:?}")
    };
    assert_eq!((order.sequence, order.items.len(), order.items[0].number), (2, 1, 1));
    assert_eq!((back.items[0].ladder_level, back.items[0].urged.len()), (2, 2));
}

#[test]
fn an_old_step_shortens_no_limit_that_runs_longer() {
    let world = World::new();
    let state = reported(proposed(&world), 0, morning(date(2026, 4, 13)), &world);
    let mut generous = World::new();
    generous.rulebook.severity.minor.return_limit.period = crate::period::Period::months(2);
    let state = returned(state, 0, morning(date(2026, 4, 14)), &generous);
    let told = state.items[0].limit().unwrap().clone();
    let state = take(&state, decider(OFFICER, false), morning(date(2026, 4, 15)), &world).unwrap().into_state();
    assert_eq!(state.items[0].limit(), Some(&told));
    assert_eq!(state.items[1].limit().unwrap().basis, LimitBasis::Step { level: 2 });
    assert!(state.timers.iter().any(|timer| timer.item == 1 && timer.kind == TimerKind::Due));
}

#[test]
fn items_that_reach_different_levels_at_one_instant_have_a_proposal_each() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Major], received());
    // The minor one: order on 1 April, proposal on 10 April, taken on 16 April.
    let (state, _) = fired(state, midnight(date(2026, 4, 1)), &world);
    let (state, _) = fired(state, midnight(date(2026, 4, 10)), &world);
    let (state, _) = take(&state, decider(OFFICER, false), morning(date(2026, 4, 13)), &world).unwrap().into_parts();
    let (state, events) = fired(state, morning(date(2026, 6, 1)), &world);
    let levels: Vec<u8> = events
        .iter()
        .filter_map(|event| {
            let RectificationEvent::EscalationProposed { proposal } = event else { return None };
            Some(proposal.level)
        })
        .collect();
    assert_eq!(levels, [2, 3]);
    assert_eq!(state.steps.iter().map(|step| step.items.clone()).collect::<Vec<_>>(), [vec![1], vec![2], vec![1]]);
    let decisions = state.timers.iter().filter(|timer| timer.kind == TimerKind::StepDecision).count();
    assert_eq!(decisions, 2);
}

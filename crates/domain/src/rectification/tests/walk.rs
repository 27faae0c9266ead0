//! Random walks never reach a forbidden state.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Report(usize, AccountId),
    Verify(usize, AccountId, bool, bool),
    Close(usize, AccountId),
    Extend(usize, u16),
    Wait(i64),
    Fire,
}

fn step() -> impl Strategy<Value = Step> {
    let who = || prop_oneof![Just(REPORTER), Just(INSPECTOR), Just(OFFICER)];
    prop_oneof![
        (0..4_usize, who()).prop_map(|(item, by)| Step::Report(item, by)),
        (0..4_usize, who(), any::<bool>(), any::<bool>())
            .prop_map(|(item, by, inspector, good)| Step::Verify(item, by, inspector, good)),
        (0..4_usize, who()).prop_map(|(item, by)| Step::Close(item, by)),
        (0..4_usize, 1..20_u16).prop_map(|(item, days)| Step::Extend(item, days)),
        (1..400_i64).prop_map(Step::Wait),
        Just(Step::Fire),
    ]
}

fn act(
    state: Rectification,
    step: Step,
    at: Timestamp,
    world: &World,
) -> Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal> {
    let id = |index: usize| item_id(&state, index);
    match step {
        Step::Report(index, by) => {
            let item = id(index);
            state.report(item, report_by(by), at, world.rules())
        }
        Step::Verify(index, by, is_inspector, good) => {
            let item = id(index);
            let verifier = Verifier { account: by, unit: None, is_inspector };
            let decision = if good { accept() } else { send_back() };
            state.verify(item, verifier, decision, at, world.rules())
        }
        Step::Close(index, by) => {
            let item = id(index);
            state.close_out(item, by, at)
        }
        Step::Extend(index, days) => {
            let item = id(index);
            let facts = ExtensionFacts {
                requested_by: REPORTER,
                approved_by: OFFICER,
                reason: "材料未到".to_owned(),
                period: crate::period::Period::working_days(days),
            };
            state.extend(item, facts, at, world.rules())
        }
        Step::Wait(_) | Step::Fire => state.fire_due(at, world.rules()),
    }
}

/// What must hold in every state that can be reached.
fn check(before: &Rectification, after: &Rectification, events: &[RectificationEvent], world: &World) {
    let orders = events.iter().filter(|event| event.key() == "urging_order_issued").count();
    assert!(orders <= 1);
    assert_eq!(after.urging_orders as usize, before.urging_orders as usize + orders);
    for (old, item) in before.items.iter().zip(&after.items) {
        assert!(item.limits.starts_with(&old.limits), "a limit was rewritten");
        assert!(item.limits.windows(2).all(|two| two[0].due_at() <= two[1].due_at()));
        assert!(old.overdue_at.is_none() || item.overdue_at == old.overdue_at);
        assert!(item.urged.starts_with(&old.urged));
        assert!(item.urged.is_empty() || item.overdue_at.is_some());
        for limit in &item.limits {
            crate::proof::recompute(&limit.proof, &world.unit).unwrap();
        }
        let mine: Vec<_> = after.timers.iter().filter(|timer| timer.item_id == item.item_id).collect();
        match &item.state {
            ItemState::InProgress | ItemState::Returned { .. } => {
                assert!(mine.iter().all(|timer| timer.kind != TimerKind::Verification));
                let round = item.limit().unwrap().round;
                assert!(mine.iter().all(|timer| timer.round == round));
            }
            ItemState::Reported { .. } => {
                assert!(mine.iter().all(|timer| timer.kind == TimerKind::Verification));
            }
            ItemState::Verified { report, verification } => {
                assert_ne!(report.by, verification.by);
                assert!(mine.is_empty());
            }
            ItemState::Closed { report, verification, closing } => {
                assert_ne!(report.by, verification.by);
                assert_ne!(report.by, closing.by);
                assert!(mine.is_empty());
                assert!(matches!(old.state, ItemState::Verified { .. } | ItemState::Closed { .. }));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn every_walk_keeps_the_law(steps in proptest::collection::vec(step(), 1..60)) {
        let world = World::new();
        let mut state = opened(&world, &Severity::ALL, received());
        let mut at = received();
        for step in steps {
            if let Step::Wait(hours) = step {
                at += jiff::SignedDuration::from_hours(hours);
            }
            let fires = matches!(step, Step::Wait(_) | Step::Fire);
            let before = state.clone();
            match act(state, step, at, &world) {
                Ok(outcome) => {
                    let (next, events) = outcome.into_parts();
                    check(&before, &next, &events, &world);
                    if fires {
                        prop_assert!(next.timers.iter().all(|timer| timer.due_at > at));
                        let again = next.clone().fire_due(at, world.rules()).unwrap();
                        prop_assert_eq!(again, Outcome::Unchanged(next.clone()));
                        // Nobody is late beyond the grace without an order.
                        for item in &next.items {
                            prop_assert!(!item.is_late_at(at) || item.overdue_at.is_some());
                        }
                    }
                    state = next;
                }
                Err(_) => state = before,
            }
        }
    }
}

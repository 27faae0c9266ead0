//! Random walks through every act never reach a forbidden state.

use proptest::prelude::*;

use super::*;
use crate::period::Period;
use crate::rulebook::PauseReason;

#[derive(Clone, Debug)]
enum Step {
    SubmitPlan(usize, AccountId, u8),
    JudgePlan(usize, AccountId, bool),
    Progress(usize, AccountId),
    Report(usize, AccountId),
    Verify(usize, AccountId, bool, bool),
    Approve(usize, AccountId),
    RefuseCloseOut(usize, AccountId),
    Consult(usize, AccountId),
    Answer(usize, AccountId),
    LookBack(usize, AccountId, bool),
    AskExtension(usize, AccountId, Period),
    AskWaiver(usize, AccountId),
    AskPause(AccountId, i64),
    AskResume(AccountId),
    AskLift(usize, AccountId),
    Decide(usize, AccountId, bool),
    /// Another person than the asker grants the newest request.
    Grant,
    /// The newest step is taken by whom it belongs to.
    TakeNewest,
    /// What should be done next with the item is done by whom it belongs to, so that long lives are reached.
    Advance(usize, bool),
    Take(usize, AccountId, bool),
    /// The notice of next year arrives or is withdrawn.
    Recount(usize),
    Wait(i64),
    /// To the next timer, so that long stories are reached.
    ToNext,
    Fire,
}

const PEOPLE: [AccountId; 4] = [REPORTER, INSPECTOR, OFFICER, DIRECTOR];

fn step() -> impl Strategy<Value = Step> {
    let who = || prop::sample::select(&PEOPLE[..]);
    let item = || 0..4_usize;
    let period = prop_oneof![
        (0..25_u16).prop_map(Period::working_days),
        (0..40_u16).prop_map(Period::calendar_days),
        (0..60_u16).prop_map(Period::hours),
    ];
    let papers = prop_oneof![
        (item(), who(), 0..2_u8).prop_map(|(item, by, text)| Step::SubmitPlan(item, by, text)),
        (item(), who(), any::<bool>()).prop_map(|(item, by, good)| Step::JudgePlan(item, by, good)),
        (item(), who()).prop_map(|(item, by)| Step::Progress(item, by)),
        (item(), who()).prop_map(|(item, by)| Step::Consult(item, by)),
        (item(), who()).prop_map(|(item, by)| Step::Answer(item, by)),
    ];
    let reports = prop_oneof![
        3 => (item(), who()).prop_map(|(item, by)| Step::Report(item, by)),
        3 => (item(), who(), any::<bool>(), any::<bool>())
            .prop_map(|(item, by, inspector, good)| Step::Verify(item, by, inspector, good)),
        3 => (item(), who()).prop_map(|(item, by)| Step::Approve(item, by)),
        1 => (item(), who()).prop_map(|(item, by)| Step::RefuseCloseOut(item, by)),
        2 => (item(), who(), any::<bool>()).prop_map(|(item, by, good)| Step::LookBack(item, by, good)),
    ];
    let requests = prop_oneof![
        2 => (item(), who(), period).prop_map(|(item, by, period)| Step::AskExtension(item, by, period)),
        1 => (item(), who()).prop_map(|(item, by)| Step::AskWaiver(item, by)),
        2 => (who(), 0..60_i64).prop_map(|(by, days)| Step::AskPause(by, days)),
        1 => who().prop_map(Step::AskResume),
        1 => (0..6_usize, who()).prop_map(|(place, by)| Step::AskLift(place, by)),
        2 => (0..3_usize, who(), any::<bool>()).prop_map(|(place, by, good)| Step::Decide(place, by, good)),
        6 => Just(Step::Grant),
    ];
    let steps = prop_oneof![
        (0..6_usize, who(), any::<bool>()).prop_map(|(place, by, leader)| Step::Take(place, by, leader)),
        Just(Step::TakeNewest),
    ];
    let time =
        prop_oneof![(1..400_i64).prop_map(Step::Wait), Just(Step::ToNext), Just(Step::ToNext), Just(Step::Fire),];
    prop_oneof![
        2 => papers,
        3 => reports,
        4 => requests,
        2 => steps,
        5 => (item(), prop::bool::weighted(0.7)).prop_map(|(item, good)| Step::Advance(item, good)),
        1 => (0..3_usize).prop_map(Step::Recount),
        5 => time,
    ]
}

/// What is asked for, and who asks.
fn subject(state: &Rectification, step: &Step, at: Timestamp) -> Option<(RequestSubject, AccountId)> {
    let id = |index: usize| item_id(state, index);
    if let Step::AskExtension(index, by, period) = *step {
        Some((RequestSubject::Extension { item_id: id(index), period }, by))
    } else if let Step::AskWaiver(index, by) = *step {
        Some((RequestSubject::Waiver { item_id: id(index) }, by))
    } else if let Step::AskPause(by, days) = *step {
        let until = crate::local_time::local_date(at).checked_add(jiff::Span::new().days(days)).unwrap();
        Some((RequestSubject::Pause { pause: PauseReason::Disaster, until }, by))
    } else if let Step::AskResume(by) = *step {
        Some((RequestSubject::Resume, by))
    } else if let Step::AskLift(place, by) = *step {
        Some((RequestSubject::Lift { proposal_id: state.steps.get(place)?.proposal_id }, by))
    } else {
        None
    }
}

fn request(state: Rectification, step: &Step, at: Timestamp, world: &World) -> Tried {
    let rules = world.rules();
    if let Some((subject, by)) = subject(&state, step, at) {
        return state.ask(subject, "材料未到".to_owned(), by, at, rules);
    }
    let (request, ruling) = if let Step::Decide(place, by, good) = *step {
        (state.requests.get(place), if good { grant(by) } else { refuse(by) })
    } else {
        let newest = state.requests.last();
        (newest, grant(if newest.is_some_and(|request| request.by == DIRECTOR) { OFFICER } else { DIRECTOR }))
    };
    let request_id = request.ok_or(RectificationRefusal::UnknownRequest)?.request_id;
    state.decide_request(request_id, ruling, at, None, rules)
}

/// What should be done next with an item.
fn advance(item: &Item, index: usize, good: bool) -> Step {
    let other = |report: &Report| if report.by == INSPECTOR { OFFICER } else { INSPECTOR };
    match &item.state {
        ItemState::InProgress | ItemState::Returned { .. } => Step::Report(index, REPORTER),
        ItemState::Reported { report } => Step::Verify(index, other(report), true, good),
        ItemState::Verified { report, approvals, .. } => {
            let free = |by: &&AccountId| **by != report.by && approvals.iter().all(|approval| approval.by != **by);
            Step::Approve(index, *PEOPLE.iter().find(free).unwrap())
        }
        ItemState::Closed { report, .. } => Step::LookBack(index, other(report), good),
        ItemState::Waived { .. } => Step::Fire,
    }
}

fn act(state: Rectification, step: &Step, at: Timestamp, world: &World) -> Tried {
    let rules = world.rules();
    let id = |index: &usize| item_id(&state, *index);
    let verify = |by: &AccountId, is_inspector: bool| Verifier { account: *by, unit: None, is_inspector };
    let decision = |good: &bool| if *good { accept() } else { send_back() };
    let why = || "材料未到".to_owned();
    let proposal = |state: &Rectification, place: usize| {
        let step = state.steps.get(place).ok_or(RectificationRefusal::UnknownStep)?;
        Ok::<_, RectificationRefusal>(step.proposal_id)
    };
    match step {
        Step::SubmitPlan(index, by, text) => {
            let id = id(index);
            state.submit_plan(id, submission(*by, &format!("方案{text}"), at), at, rules)
        }
        Step::JudgePlan(index, by, good) => {
            let id = id(index);
            state.judge_plan(id, *by, &decision(good), at, rules)
        }
        Step::Progress(index, by) => {
            let id = id(index);
            state.note_progress(id, Progress { by: *by, at, text: "过半".to_owned() })
        }
        Step::Report(index, by) => {
            let id = id(index);
            state.report(id, report_by(*by), at, rules)
        }
        Step::Verify(index, by, is_inspector, good) => {
            let id = id(index);
            state.verify(id, verify(by, *is_inspector), decision(good), at, rules)
        }
        Step::Approve(index, by) => {
            let id = id(index);
            // Of a linked case the other side is taken to be ready, so that walks go on after the joint liability.
            let mut other = opened(world, &[Severity::Minor], received());
            if let Some(link) = state.link {
                other.rectification_id = link.rectification_id();
                other.items.clear();
            }
            state.close_out(id, approval(*by, at), Some(&other), rules)
        }
        Step::RefuseCloseOut(index, by) => {
            let id = id(index);
            state.refuse_close_out(id, *by, why(), at, rules)
        }
        Step::Consult(index, by) => {
            let id = id(index);
            state.consult(id, ("住建局".to_owned(), "请出具意见".to_owned()), *by, at, rules)
        }
        Step::Answer(index, by) => {
            let id = id(index);
            state.answer_consultation(id, Verification { by: *by, at, note: "同意".to_owned() })
        }
        Step::LookBack(index, by, good) => {
            let id = id(index);
            state.look_back(id, verify(by, true), &decision(good), at, rules)
        }
        Step::AskExtension(..)
        | Step::AskWaiver(..)
        | Step::AskPause(..)
        | Step::AskResume(_)
        | Step::AskLift(..)
        | Step::Decide(..)
        | Step::Grant => request(state, step, at, world),
        Step::Take(place, by, is_leader) => {
            let proposal_id = proposal(&state, *place)?;
            let decider = Decider { account: *by, is_leader: *is_leader };
            state.take_step(proposal_id, decider, why(), at, rules)
        }
        Step::TakeNewest => {
            let proposal_id = proposal(&state, state.steps.len().wrapping_sub(1))?;
            let decider = Decider { account: DIRECTOR, is_leader: true };
            state.take_step(proposal_id, decider, why(), at, rules)
        }
        Step::Advance(index, good) => {
            let next = advance(&state.items[*index], *index, *good);
            act(state, &next, at, world)
        }
        Step::Recount(_) => state.recount(at, rules),
        Step::Wait(_) | Step::ToNext | Step::Fire => state.fire_due(at, rules),
    }
}

/// A limit list only grows, and within what binds the unit no day moves earlier.
fn check_limits(old: &Item, item: &Item) {
    assert!(item.limits.starts_with(&old.limits), "a limit was rewritten");
    assert!(item.limits.windows(2).all(|two| two[0].round + 1 == two[1].round), "rounds count up");
    let binding: Vec<&Limit> = item.limits.iter().filter(|limit| limit.is_binding()).collect();
    assert!(binding.windows(2).all(|two| two[0].due_at() <= two[1].due_at()), "{binding:#?}");
    // The limit in force never ends before the one that it replaces.
    let last = old.limit().unwrap();
    assert!(item.limit().unwrap().due_at() >= last.due_at(), "{old:#?} {item:#?}");
}

/// Four eyes, in every state that can be reached.
fn check_eyes(after: &Rectification) {
    for item in &after.items {
        match &item.state {
            ItemState::InProgress | ItemState::Reported { .. } => {}
            ItemState::Returned { report, verification } => assert_ne!(report.by, verification.by),
            ItemState::Verified { report, verification, approvals }
            | ItemState::Closed { report, verification, approvals } => {
                assert_ne!(report.by, verification.by);
                let mut by: Vec<AccountId> = approvals.iter().map(|approval| approval.by).collect();
                assert!(!by.contains(&report.by));
                by.sort_unstable();
                by.dedup();
                assert_eq!(by.len(), approvals.len(), "nobody approves twice");
                if item.state.is_done() {
                    let two = matches!(item.severity, Severity::Serious | Severity::Immediate);
                    assert_eq!(approvals.len(), if two { 2 } else { 1 });
                }
            }
            ItemState::Waived { waiver } => assert_ne!(waiver.requested_by, waiver.approved_by),
        }
        match item.plan.as_ref().map(|plan| &plan.state) {
            Some(
                PlanState::Returned { submission, verification } | PlanState::Accepted { submission, verification },
            ) => assert_ne!(submission.by, verification.by),
            Some(PlanState::Asked | PlanState::Submitted { .. }) | None => {}
        }
    }
    for stop in &after.suspensions {
        assert_ne!(stop.requested_by, stop.approved_by);
        assert!(stop.from <= stop.ended_at.unwrap_or(stop.until) && stop.ended_at.is_none_or(|end| end <= stop.until));
    }
    for step in &after.steps {
        if let StepOutcome::Lifted { requested_by, decision } = &step.outcome {
            assert_ne!(*requested_by, decision.by);
        }
    }
}

/// Whatever waits has a clock, and every clock names something that waits.
fn check_timers(after: &Rectification) {
    assert!(after.is_complete() || !after.timers.is_empty(), "an open case has no timer: {after:#?}");
    let mut names: Vec<_> =
        after.timers.iter().map(|timer| (timer.kind, timer.item, timer.round, timer.step)).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), after.timers.len(), "{:?}", after.timers);
    let armed = |kind: TimerKind, item: u32, round: Option<u32>| {
        after
            .timers
            .iter()
            .any(|timer| timer.kind == kind && timer.item == item && round.is_none_or(|round| timer.round == round))
    };
    for timer in &after.timers {
        let place = usize::try_from(timer.round).unwrap();
        let item = after.numbered(timer.item);
        assert!(!(after.is_paused() && timer.kind.is_units()), "{timer:?} runs while the clock is stopped");
        let waits = match timer.kind {
            TimerKind::Resume => timer.item == WHOLE && after.is_paused(),
            TimerKind::RequestDecision => {
                timer.item == WHOLE && after.requests.iter().any(|request| request.sequence == timer.round)
            }
            TimerKind::StepDecision => {
                timer.item == WHOLE && after.steps.get(place).is_some_and(|step| step.outcome == StepOutcome::Proposed)
            }
            TimerKind::Reminder | TimerKind::Due | TimerKind::Urge | TimerKind::Escalate => {
                item.is_some_and(|item| item.state.awaits_unit() && item.limit().unwrap().round == timer.round)
            }
            TimerKind::PlanDue => item.is_some_and(|item| {
                item.state.awaits_unit() && item.plan.as_ref().is_some_and(|plan| plan.state.awaits_unit())
            }),
            TimerKind::PlanAcceptance => item.is_some_and(|item| {
                item.state.awaits_unit()
                    && item.plan.as_ref().is_some_and(|plan| matches!(plan.state, PlanState::Submitted { .. }))
            }),
            TimerKind::Verification => item.is_some_and(|item| matches!(item.state, ItemState::Reported { .. })),
            TimerKind::CloseOut => item.is_some_and(|item| matches!(item.state, ItemState::Verified { .. })),
            TimerKind::ConsultationAnswer => {
                item.and_then(|item| item.consultations.get(place)).is_some_and(|asked| asked.answer.is_none())
            }
            TimerKind::LookBack => {
                item.and_then(|item| item.look_backs.get(place)).is_some_and(|look| look.state == LookBackState::Armed)
            }
            TimerKind::LookBackVisit => {
                item.and_then(|item| item.look_backs.get(place)).is_some_and(|look| look.state == LookBackState::Due)
            }
        };
        assert!(waits, "{timer:?} names nothing that waits");
    }
    for request in &after.requests {
        assert!(armed(TimerKind::RequestDecision, WHOLE, Some(request.sequence)));
    }
    for (place, step) in (0..).zip(&after.steps) {
        let waits = step.outcome == StepOutcome::Proposed;
        assert_eq!(armed(TimerKind::StepDecision, WHOLE, Some(place)), waits);
    }
    assert_eq!(armed(TimerKind::Resume, WHOLE, None), after.is_paused());
    for item in &after.items {
        let number = item.number;
        match &item.state {
            ItemState::InProgress | ItemState::Returned { .. } => {
                // Its limit runs, or an order or a proposal is pending, or the clock is stopped.
                let runs = [TimerKind::Due, TimerKind::Urge, TimerKind::Escalate]
                    .into_iter()
                    .any(|kind| armed(kind, number, None));
                let proposed = after
                    .steps
                    .iter()
                    .any(|step| step.outcome == StepOutcome::Proposed && step.items.contains(&number));
                assert!(runs || proposed || after.is_paused(), "nothing watches item {number}: {after:#?}");
                if item.plan.as_ref().is_some_and(|plan| matches!(plan.state, PlanState::Submitted { .. })) {
                    assert!(armed(TimerKind::PlanAcceptance, number, None));
                }
            }
            ItemState::Reported { .. } => assert!(armed(TimerKind::Verification, number, None)),
            ItemState::Verified { .. } => assert!(armed(TimerKind::CloseOut, number, None)),
            ItemState::Closed { .. } | ItemState::Waived { .. } => {}
        }
        if !matches!(item.state, ItemState::Waived { .. }) {
            for (place, asked) in (0..).zip(&item.consultations) {
                assert_eq!(armed(TimerKind::ConsultationAnswer, number, Some(place)), asked.answer.is_none());
            }
        }
        for (place, look) in (0..).zip(&item.look_backs) {
            assert_eq!(armed(TimerKind::LookBack, number, Some(place)), look.state == LookBackState::Armed);
            assert_eq!(armed(TimerKind::LookBackVisit, number, Some(place)), look.state == LookBackState::Due);
        }
    }
}

/// What was about done items has ended with them, and each end is told.
fn check_moot(before: &Rectification, after: &Rectification, events: &[RectificationEvent]) {
    let count = |key: &str| events.iter().filter(|event| event.key() == key).count();
    for step in &after.steps {
        let waits = step.items.iter().any(|number| !after.numbered(*number).unwrap().state.is_done());
        assert!(waits || step.outcome != StepOutcome::Proposed, "people decide on what is done: {after:#?}");
    }
    assert!(after.requests.iter().all(|request| !after.is_moot(&request.subject)), "{after:#?}");
    assert!(!(after.is_complete() && after.is_paused()));
    let moot = |state: &Rectification| {
        state.steps.iter().filter(|step| matches!(step.outcome, StepOutcome::Moot { .. })).count()
    };
    assert_eq!(moot(after), moot(before) + count("step_moot"));
    let now = |request: &Request| after.requests.iter().find(|other| other.request_id == request.request_id);
    // A change of calendars may give people more time to decide, never less.
    assert!(before.requests.iter().all(|request| now(request).is_none_or(|now| now.due_at >= request.due_at)));
    let gone = before.requests.iter().filter(|request| now(request).is_none()).count();
    assert_eq!(gone, count("request_decided") + count("request_moot"));
}

/// The ladder is climbed by proposals only, and each is made once.
fn check_ladder(before: &Rectification, after: &Rectification, events: &[RectificationEvent]) {
    let count = |key: &str| events.iter().filter(|event| event.key() == key).count();
    let orders = count("urging_order_issued");
    assert!(orders <= 1);
    assert_eq!(after.urging_orders as usize, before.urging_orders as usize + orders);
    assert_eq!(after.steps.len(), before.steps.len() + count("escalation_proposed"));
    assert!(count("department_held_liable") <= usize::from(before.link.is_none()));
    assert!(before.link.is_none() || after.link == before.link);
    assert!(count("completed") <= usize::from(after.is_complete() && !before.is_complete()));
    for (old, item) in before.items.iter().zip(&after.items) {
        let proposed = after.steps.iter().filter(|step| step.items.contains(&item.number)).map(|step| step.level).max();
        let reached = proposed.unwrap_or(u8::from(!item.urged.is_empty()));
        assert_eq!(item.ladder_level, reached);
        assert!(item.ladder_level >= old.ladder_level);
        assert!(item.urged.starts_with(&old.urged));
        assert!(item.reopened >= old.reopened && item.returns >= old.returns && item.extensions >= old.extensions);
        assert!(item.extensions <= 1);
        if matches!(item.state, ItemState::Closed { .. }) {
            assert!(matches!(old.state, ItemState::Verified { .. } | ItemState::Closed { .. }));
        }
    }
    // For one and the same limit no step is proposed twice.
    for item in &after.items {
        let limit = item.limit().unwrap();
        let again = after.steps.iter().filter(|step| step.items.contains(&item.number) && step.at >= limit.due_at());
        assert!(again.count() <= 1, "{after:#?}");
    }
}

fn round_trip(state: &Rectification, events: &[RectificationEvent]) {
    let json = serde_json::to_string(state).unwrap();
    assert_eq!(serde_json::from_str::<Rectification>(&json).unwrap(), *state);
    let json = serde_json::to_string(events).unwrap();
    assert_eq!(serde_json::from_str::<Vec<RectificationEvent>>(&json).unwrap(), events);
}

/// The country before the notice of 2027, and after two different ones.
fn worlds() -> Vec<World> {
    let notice = |day: &str| {
        let head =
            "id = \"national-2027\"\nlevel = \"national\"\nyear = 2027\nstatus = \"published\"\nsource = \"通知\"\n";
        World::with_next_year(Some(&format!("{head}{day}")))
    };
    let rest = "[[day]]\nfrom = \"2027-01-01\"\nto = \"2027-01-08\"\nkind = \"rest\"\nname = \"元旦\"\n";
    let work = "[[day]]\nfrom = \"2027-01-02\"\nto = \"2027-01-03\"\nkind = \"work\"\nname = \"元旦\"\n";
    vec![World::new(), notice(rest), notice(work)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn every_walk_keeps_the_law(winter in any::<bool>(), neglected in 0..16_u32, steps in proptest::collection::vec(step(), 1..160)) {
        let worlds = worlds();
        let mut world = &worlds[0];
        let mut at = if winter { morning(date(2026, 11, 30)) } else { received() };
        let mut state = opened(world, &Severity::ALL, at);
        for step in steps {
            // Some items nobody rectifies, so that the ladder is climbed to its top.
            if let Step::Report(index, _) | Step::Advance(index, _) | Step::AskWaiver(index, _) = &step
                && neglected & (1 << index) != 0
            {
                continue;
            }
            if let Step::Wait(hours) = step {
                at += jiff::SignedDuration::from_hours(hours);
            } else if let Step::ToNext = step {
                at = state.next_timer_at().map_or(at, |next| next.max(at));
            } else if let Step::Recount(place) = step {
                world = &worlds[place];
            }
            let fires = matches!(step, Step::Wait(_) | Step::ToNext | Step::Fire);
            let before = state.clone();
            match act(state, &step, at, world) {
                Ok(Outcome::Unchanged(same)) => {
                    prop_assert_eq!(&same, &before, "{:?} changed what it said it did not", step);
                    state = same;
                }
                Ok(Outcome::Changed { next, events }) => {
                    for (old, item) in before.items.iter().zip(&next.items) {
                        let freed = events.iter().any(|event| event.key() == "recounted");
                        prop_assert!(old.overdue_at.is_none() || item.overdue_at == old.overdue_at || freed);
                        prop_assert!(item.urged.is_empty() || item.overdue_at.is_some());
                        check_limits(old, item);
                        for limit in item.limits.iter().skip(old.limits.len()) {
                            if limit.adjusted != Some(Adjustment::Kept) && limit.due_at() != old.limit().unwrap().due_at() {
                                crate::proof::recompute(&world.proof(limit), &world.unit).unwrap();
                            }
                        }
                    }
                    check_eyes(&next);
                    check_timers(&next);
                    check_ladder(&before, &next, &events);
                    check_moot(&before, &next, &events);
                    round_trip(&next, &events);
                    if fires {
                        prop_assert!(next.timers.iter().all(|timer| timer.due_at > at));
                        let again = next.clone().fire_due(at, world.rules()).unwrap();
                        prop_assert_eq!(again, Outcome::Unchanged(next.clone()));
                        // Nobody is late without being marked.
                        for item in &next.items {
                            prop_assert!(next.is_paused() || !item.is_late_at(at) || item.overdue_at.is_some());
                        }
                    }
                    state = next;
                }
                Err(refusal) => {
                    prop_assert!(!fires, "the clock was refused: {refusal}");
                    state = before;
                }
            }
        }
    }
}

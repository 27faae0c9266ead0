//! From the plan to the close-out, and the instants between the clock and the people.

use super::*;

/// The plan of the first item.
fn submit(state: Rectification, by: AccountId, text: &str, at: Timestamp, world: &World) -> Tried {
    let id = item_id(&state, 0);
    state.submit_plan(id, submission(by, text, at), at, world.rules())
}

fn judge(state: Rectification, by: AccountId, decision: &Decision, at: Timestamp, world: &World) -> Tried {
    let id = item_id(&state, 0);
    state.judge_plan(id, by, decision, at, world.rules())
}

fn plan(state: &Rectification) -> &Plan {
    state.items[0].plan.as_ref().unwrap()
}

#[test]
fn a_plan_is_asked_where_the_severity_asks_for_it_and_nowhere_else() {
    let world = World::new();
    let state = opened(&world, &Severity::ALL, received());
    let dues: Vec<Option<Date>> = state.items.iter().map(|item| item.plan.as_ref().map(|plan| plan.due_on)).collect();
    // Ten working days; danger to life: the same day.
    assert_eq!(dues, [None, Some(date(2026, 3, 23)), Some(date(2026, 3, 23)), Some(date(2026, 3, 9))]);
    let minor = item_id(&state, 0);
    let at = morning(date(2026, 3, 10));
    assert_eq!(
        state.clone().submit_plan(minor, submission(REPORTER, "方案", at), at, world.rules()),
        Err(RectificationRefusal::NoPlanAsked)
    );
    assert_eq!(state.judge_plan(minor, OFFICER, &accept(), at, world.rules()), Err(RectificationRefusal::NoPlanAsked));
}

#[test]
fn a_plan_goes_from_hand_to_hand_until_another_person_accepts_it() {
    let world = World::new();
    let asked = opened(&world, &[Severity::Major], received());
    let on = |day| morning(date(2026, 3, day));
    assert_eq!(judge(asked.clone(), OFFICER, &accept(), on(10), &world), Err(RectificationRefusal::PlanState("asked")));
    let mut bare = submission(REPORTER, "方案", on(10));
    bare.measures.clear();
    let id = item_id(&asked, 0);
    assert_eq!(asked.clone().submit_plan(id, bare, on(10), world.rules()), Err(RectificationRefusal::NoMeasure));
    let mut nobody = submission(REPORTER, "方案", on(10));
    nobody.measures[0].responsible.clear();
    assert_eq!(asked.clone().submit_plan(id, nobody, on(10), world.rules()), Err(RectificationRefusal::NoMeasure));
    assert_eq!(submit(asked.clone(), REPORTER, " ", on(10), &world), Err(RectificationRefusal::EmptyText));

    let (submitted, events) = submit(asked, REPORTER, "方案", on(10), &world).unwrap().into_parts();
    assert!(matches!(events.as_slice(), [RectificationEvent::PlanSubmitted { late: false, .. }]));
    assert_eq!(submitted.phase(&submitted.items[0]), Phase::PlanSubmitted);
    assert!(!has_timer(&submitted, TimerKind::PlanDue) && has_timer(&submitted, TimerKind::PlanAcceptance));
    assert_eq!(
        submit(submitted.clone(), REPORTER, "方案", on(11), &world),
        Ok(Outcome::Unchanged(submitted.clone())),
        "the same plan again"
    );
    assert_eq!(
        submit(submitted.clone(), REPORTER, "另一方案", on(11), &world),
        Err(RectificationRefusal::PlanState("submitted"))
    );
    assert_eq!(judge(submitted.clone(), REPORTER, &accept(), on(11), &world), Err(RectificationRefusal::SamePerson));
    // Five working days later the agency is reminded, and again.
    let (reminded, events) = fired(submitted.clone(), midnight(date(2026, 3, 18)), &world);
    assert!(matches!(
        events.as_slice(),
        [RectificationEvent::DutyOverdue { duty: crate::rulebook::Duty::PlanAcceptance, times: 1, .. }]
    ));
    assert_eq!(reminded.next_timer_at().unwrap(), midnight(date(2026, 3, 25)));

    let accepted = judge(submitted, OFFICER, &accept(), on(12), &world).unwrap().into_state();
    assert!(!has_timer(&accepted, TimerKind::PlanAcceptance));
    assert_eq!(judge(accepted.clone(), OFFICER, &accept(), on(13), &world), Ok(Outcome::Unchanged(accepted.clone())));
    assert_eq!(
        judge(accepted.clone(), OFFICER, &send_back(), on(13), &world),
        Err(RectificationRefusal::PlanState("accepted"))
    );
    assert_eq!(
        submit(accepted, REPORTER, "又一方案", on(13), &world),
        Err(RectificationRefusal::PlanState("accepted"))
    );
}

#[test]
fn a_returned_plan_has_a_limit_that_never_ends_earlier() {
    let world = World::new();
    let asked = opened(&world, &[Severity::Immediate, Severity::Major], received());
    let id = item_id(&asked, 1);
    let cycle = |submitted_on: Date, returned_on: Date| {
        let at = morning(submitted_on);
        let state = asked.clone().submit_plan(id, submission(REPORTER, "方案", at), at, world.rules()).unwrap();
        let empty = Decision::Return { reason: " ".to_owned() };
        let at = morning(returned_on);
        let state = state.into_state();
        assert_eq!(
            state.clone().judge_plan(id, OFFICER, &empty, at, world.rules()),
            Err(RectificationRefusal::EmptyText)
        );
        state.judge_plan(id, OFFICER, &send_back(), at, world.rules()).unwrap().into_parts()
    };
    let (state, events) = cycle(date(2026, 3, 10), date(2026, 3, 11));
    let told = state.items[1].plan.clone().unwrap();
    // Ten working days from 11 March end two days after the first limit.
    assert_eq!(told.due_on, date(2026, 3, 25));
    assert!(
        matches!(&events[..], [RectificationEvent::PlanJudged { accepted: false, due_on: Some(due), .. }] if *due == told.due_on)
    );
    assert!(
        state
            .timers
            .iter()
            .any(|timer| timer.kind == TimerKind::PlanDue && timer.item == 2 && timer.due_at == told.due_at)
    );
    // The same day's plan for danger to life, returned on that day: the told day stays.
    let at = morning(date(2026, 3, 9));
    let state = submit(asked.clone(), REPORTER, "方案", at, &world)
        .and_then(|outcome| judge(outcome.into_state(), OFFICER, &send_back(), at, &world))
        .unwrap()
        .into_state();
    assert_eq!(plan(&state).due_on, date(2026, 3, 9));
    // Returned a day later, it has that day.
    let later = judge(
        submit(asked.clone(), REPORTER, "方案", at, &world).unwrap().into_state(),
        OFFICER,
        &send_back(),
        morning(date(2026, 3, 10)),
        &world,
    );
    assert_eq!(plan(&later.unwrap().into_state()).due_on, date(2026, 3, 10));
}

#[test]
fn a_late_plan_is_told_once_taken_and_stays_late_and_a_new_limit_can_be_late_again() {
    let world = World::new();
    let asked = opened(&world, &[Severity::Major], received());
    let due_at = midnight(date(2026, 3, 24));
    let (still, events) = fired(asked.clone(), due_at - MICRO, &world);
    assert!(!keys(&events).contains(&"plan_overdue"));
    let (late, events) = fired(still.clone(), due_at, &world);
    assert_eq!(keys(&events), ["plan_overdue"]);
    assert!(plan(&late).late);
    let flags = |state: &Rectification, at| {
        let (next, events) = submit(state.clone(), REPORTER, "方案", at, &world).unwrap().into_parts();
        let Some(RectificationEvent::PlanSubmitted { late, .. }) = events.last() else { panic!("{events:?}") };
        (plan(&next).late, *late)
    };
    assert_eq!(flags(&still, due_at - MICRO), (false, false));
    // Before and after the clock saw it: late.
    assert_eq!(flags(&still, due_at), (true, true));
    assert_eq!(flags(&late, due_at), (true, true));
    let at = morning(date(2026, 3, 25));
    let again = submit(late, REPORTER, "方案", at, &world)
        .and_then(|outcome| judge(outcome.into_state(), OFFICER, &send_back(), at, &world))
        .unwrap()
        .into_state();
    let due_at = plan(&again).due_at;
    let (_, events) = fired(again, due_at, &world);
    assert!(keys(&events).contains(&"plan_overdue"), "{events:?}");
}

#[test]
fn a_report_does_not_wait_for_the_plan_and_a_return_asks_for_it_again() {
    let world = World::new();
    let asked = opened(&world, &[Severity::Major], received());
    let at = morning(date(2026, 3, 11));
    let state = reported(asked.clone(), 0, at, &world);
    assert!(state.timers.iter().all(|timer| timer.kind == TimerKind::Verification));
    assert!(submit(state.clone(), REPORTER, "方案", at, &world).is_err());
    let back = returned(state, 0, at, &world);
    assert!(has_timer(&back, TimerKind::PlanDue));
    // A submitted plan: the report overtakes it, nobody may judge it meanwhile, and after a return it has a clock again.
    let submitted = submit(asked, REPORTER, "方案", at, &world).unwrap().into_state();
    let state = reported(submitted, 0, at, &world);
    assert!(!has_timer(&state, TimerKind::PlanAcceptance));
    assert_eq!(
        judge(state.clone(), OFFICER, &send_back(), at, &world).unwrap_err().key(),
        "state",
        "a report has overtaken the plan"
    );
    let back = returned(state, 0, at, &world);
    assert!(has_timer(&back, TimerKind::PlanAcceptance));
    let accepted = judge(back, OFFICER, &accept(), at, &world).unwrap().into_state();
    assert!(!has_timer(&accepted, TimerKind::PlanAcceptance));
}

#[test]
fn progress_is_noted_while_the_unit_works() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let id = item_id(&state, 0);
    let at = morning(date(2026, 3, 12));
    let progress = |text: &str| Progress { by: REPORTER, at, text: text.to_owned() };
    assert_eq!(state.clone().note_progress(id, progress("")), Err(RectificationRefusal::EmptyText));
    let (noted, events) = state.clone().note_progress(id, progress("过半")).unwrap().into_parts();
    assert_eq!(keys(&events), ["progress_noted"]);
    assert_eq!(noted.timers, state.timers);
    let mut repeated = progress("过半");
    repeated.at = morning(date(2026, 3, 13));
    assert_eq!(noted.clone().note_progress(id, repeated), Ok(Outcome::Unchanged(noted.clone())));
    let noted = noted.note_progress(id, progress("完成")).unwrap().into_state();
    assert_eq!(noted.items[0].progress.as_ref().unwrap().text, "完成");
    let state = reported(noted, 0, at, &world);
    assert_eq!(state.note_progress(id, progress("更多")).unwrap_err().key(), "state");
}

#[test]
fn who_reports_neither_verifies_nor_approves_nor_refuses_nor_looks_back() {
    let world = World::new();
    let at = morning(date(2026, 3, 12));
    let state = reported(opened(&world, &[Severity::Serious], received()), 0, at, &world);
    let id = item_id(&state, 0);
    let same = RectificationRefusal::SamePerson;
    assert_eq!(state.clone().verify(id, inspector(REPORTER), accept(), at, world.rules()), Err(same.clone()));
    assert_eq!(state.clone().verify(id, inspector(REPORTER), send_back(), at, world.rules()), Err(same.clone()));
    let state = verified(state, 0, at, &world);
    assert_eq!(state.clone().close_out(id, approval(REPORTER, at), None, world.rules()), Err(same.clone()));
    for by in [REPORTER, INSPECTOR] {
        assert_eq!(
            state.clone().refuse_close_out(id, by, "未见".to_owned(), at, world.rules()),
            Err(same.clone()),
            "neither who reported nor who verified refuses"
        );
    }
    let (state, _) = closed(state, 0, at, &world);
    let due = state.items[0].look_backs[0].due_at;
    let (state, _) = fired(state, due, &world);
    for decision in [accept(), send_back()] {
        assert_eq!(state.clone().look_back(id, inspector(REPORTER), &decision, due, world.rules()), Err(same.clone()));
    }
}

#[test]
fn a_serious_item_takes_two_persons_and_a_minor_one() {
    let world = World::new();
    let at = morning(date(2026, 3, 12));
    let state = opened(&world, &[Severity::Serious, Severity::Minor], received());
    let state = verified(reported(state, 0, at, &world), 0, at, &world);
    let state = verified(reported(state, 1, at, &world), 1, at, &world);
    let (serious, minor) = (item_id(&state, 0), item_id(&state, 1));
    let close = |state: Rectification, id, by| state.close_out(id, approval(by, at), None, world.rules()).unwrap();
    let (state, events) = close(state, minor, OFFICER).into_parts();
    assert_eq!(keys(&events), ["item_closed_out"]);
    let (state, events) = close(state, serious, OFFICER).into_parts();
    assert!(matches!(events.as_slice(), [RectificationEvent::CloseOutApproved { given: 1, .. }]));
    assert_eq!(state.items[0].state.key(), "verified");
    assert!(has_timer(&state, TimerKind::CloseOut), "the second person is reminded");
    assert_eq!(close(state.clone(), serious, OFFICER), Outcome::Unchanged(state.clone()), "nobody approves twice");
    let (state, events) = close(state, serious, DIRECTOR).into_parts();
    assert_eq!(keys(&events), ["item_closed_out", "completed"]);
    let ItemState::Closed { approvals, .. } = &state.items[0].state else { panic!("not closed") };
    assert_eq!(approvals.iter().map(|approval| approval.by).collect::<Vec<_>>(), [OFFICER, DIRECTOR]);
    assert!(state.is_complete() && !has_timer(&state, TimerKind::CloseOut));
    assert_eq!(close(state.clone(), serious, INSPECTOR), Outcome::Unchanged(state));
}

#[test]
fn a_refused_close_out_goes_back_to_verification_and_forgets_its_approvals() {
    let world = World::new();
    let at = morning(date(2026, 3, 12));
    let state = opened(&world, &[Severity::Serious], received());
    let id = item_id(&state, 0);
    let state = verified(reported(state, 0, at, &world), 0, at, &world);
    let state = state.close_out(id, approval(OFFICER, at), None, world.rules()).unwrap().into_state();
    let refuse = |reason: &str| state.clone().refuse_close_out(id, DIRECTOR, reason.to_owned(), at, world.rules());
    assert_eq!(refuse(""), Err(RectificationRefusal::EmptyText));
    let (back, events) = refuse("现场未见").unwrap().into_parts();
    assert_eq!(keys(&events), ["close_out_refused"]);
    let ItemState::Reported { report } = &back.items[0].state else { panic!("not reported") };
    // A new verification has a clock of its own.
    let [timer] = back.timers.as_slice() else { panic!("{:?}", back.timers) };
    assert_eq!((timer.kind, timer.due_at), (TimerKind::Verification, report.verification_due_at));
    let again = verified(back, 0, at, &world);
    let ItemState::Verified { approvals, .. } = &again.items[0].state else { panic!("not verified") };
    assert!(approvals.is_empty());
    let (closed, _) = closed(again, 0, at, &world);
    assert_eq!(
        closed.clone().refuse_close_out(id, DIRECTOR, "晚".to_owned(), at, world.rules()).unwrap_err().key(),
        "state"
    );
}

#[test]
fn a_consulted_office_is_reminded_until_it_answers_and_the_units_clock_goes_on() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let id = item_id(&state, 0);
    let at = morning(date(2026, 3, 10));
    let consult = |state: Rectification, office: &str| {
        state.consult(id, (office.to_owned(), "请出具意见".to_owned()), OFFICER, at, world.rules())
    };
    let answer = |note: &str| Verification { by: INSPECTOR, at, note: note.to_owned() };
    assert_eq!(consult(state.clone(), " "), Err(RectificationRefusal::EmptyText));
    assert_eq!(state.clone().answer_consultation(id, answer("无")), Err(RectificationRefusal::NoConsultation));
    let told = state.items[0].limits.clone();
    let (asked, events) = consult(state, "消防救援支队").unwrap().into_parts();
    assert_eq!(keys(&events), ["consultation_sent"]);
    assert_eq!(asked.phase(&asked.items[0]), Phase::Consulting);
    assert_eq!(asked.items[0].limits, told);
    assert_eq!(consult(asked.clone(), "消防救援支队"), Ok(Outcome::Unchanged(asked.clone())));
    assert_eq!(consult(asked.clone(), "住建局"), Err(RectificationRefusal::ConsultationOpen));
    // Ten working days from 10 March.
    let (reminded, events) = fired(asked, midnight(date(2026, 3, 25)), &world);
    assert!(keys(&events).contains(&"duty_overdue"));
    assert_eq!(reminded.clone().answer_consultation(id, answer("")), Err(RectificationRefusal::EmptyText));
    let (answered, events) = reminded.answer_consultation(id, answer("已核实")).unwrap().into_parts();
    assert_eq!(keys(&events), ["consultation_answered"]);
    assert!(!has_timer(&answered, TimerKind::ConsultationAnswer));
    assert_eq!(answered.clone().answer_consultation(id, answer("已核实")), Ok(Outcome::Unchanged(answered.clone())));
    // A second one, with its own place.
    let asked = consult(answered, "住建局").unwrap().into_state();
    assert!(asked.timers.iter().any(|timer| timer.kind == TimerKind::ConsultationAnswer && timer.round == 1));
    let answered = asked.answer_consultation(id, answer("同意")).unwrap().into_state();
    assert_eq!(answered.phase(&answered.items[0]), Phase::InProgress);
}

#[test]
fn around_the_due_instant_it_does_not_matter_who_comes_first() {
    let world = World::new();
    for severity in Severity::ALL {
        let state = opened(&world, &[severity], received());
        let due_at = state.items[0].limits[0].due_at();
        for at in [due_at - MICRO, due_at, due_at + MICRO] {
            let clock_first = reported(fired(state.clone(), at, &world).0, 0, at, &world);
            let (people_first, _) = fired(reported(state.clone(), 0, at, &world), at, &world);
            let timeliness = |state: &Rectification| state.items[0].state.report().unwrap().timeliness;
            let late = at >= due_at;
            for one in [&clock_first, &people_first] {
                assert_eq!(timeliness(one), if late { Timeliness::Late } else { Timeliness::InTime }, "{severity:?}");
                assert_eq!(one.items[0].overdue_at, late.then_some(due_at));
                assert_eq!(one.items[0].was_always_on_time(), !late);
            }
            if severity == Severity::Immediate && late {
                // The order of danger to life issues at the due instant itself: only who comes before it prevents it.
                assert_eq!((clock_first.urging_orders, people_first.urging_orders), (1, 0));
            } else {
                let forget_plan = |mut state: Rectification| {
                    // The plan of these severities is late since long, which only the clock tells.
                    state.items[0].plan = None;
                    state
                };
                assert_eq!(forget_plan(clock_first), forget_plan(people_first));
            }
        }
    }
}

/// Every order with what does not count from the order itself.
fn order_facts(events: &[RectificationEvent]) -> Vec<(u32, Vec<(u32, Date)>)> {
    events
        .iter()
        .filter_map(|event| {
            let RectificationEvent::UrgingOrderIssued { order } = event else { return None };
            Some((order.sequence, order.items.iter().map(|item| (item.number, item.was_due_on)).collect()))
        })
        .collect()
}

#[test]
fn a_long_outage_forgives_nothing_and_doubles_nothing() {
    let world = World::new();
    for severity in Severity::ALL {
        let state = opened(&world, &[severity, severity], received());
        let end = morning(date(2026, 7, 1));
        let mut stepped = state.clone();
        let mut seen = Vec::new();
        let mut at = received();
        while at < end {
            at += jiff::SignedDuration::from_hours(24);
            let (next, events) = fired(stepped, at, &world);
            stepped = next;
            seen.extend(events);
        }
        let (caught_up, events) = fired(state, end, &world);
        assert_eq!(order_facts(&events), order_facts(&seen), "{severity:?}");
        assert_eq!(caught_up.urging_orders, 1);
        for (one, other) in caught_up.items.iter().zip(&stepped.items) {
            assert_eq!((one.overdue_at, one.limits[0].clone()), (other.overdue_at, other.limits[0].clone()));
            assert_eq!(one.urged.len(), other.urged.len());
        }
        assert!(!keys(&events).contains(&"reminders_due"), "no stale reminder");
        assert!(caught_up.timers.iter().all(|timer| timer.due_at > end));
    }
}

#[test]
fn an_outage_over_several_due_dates_urges_each_late_item_once() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Major, Severity::Serious], received());
    let end = morning(date(2026, 5, 20));
    let mut stepped = (state.clone(), Vec::new());
    let mut at = received();
    while at < end {
        at += jiff::SignedDuration::from_hours(1);
        let (next, events) = fired(stepped.0, at, &world);
        stepped = (next, [stepped.1, events].concat());
    }
    let (_, events) = fired(state, end, &world);
    let listed = |events: &[RectificationEvent]| {
        let mut items: Vec<_> = order_facts(events).into_iter().flat_map(|(_, items)| items).collect();
        items.sort_unstable();
        items
    };
    assert_eq!(listed(&events), listed(&stepped.1));
    assert_eq!(listed(&events), [(1, date(2026, 3, 30)), (2, date(2026, 4, 8))]);
}

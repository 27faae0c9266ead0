//! A calendar or a rule changes while cases are alive.

use super::*;
use crate::period::Period;

const HEAD: &str =
    "id = \"national-2027\"\nlevel = \"national\"\nyear = 2027\nstatus = \"published\"\nsource = \"通知\"\n";

/// The notice of 2027 with the days given.
fn noticed(days: &[(Date, Date, &str)]) -> World {
    let days: Vec<String> = days
        .iter()
        .map(|(from, to, kind)| {
            format!("\n[[day]]\nfrom = \"{from}\"\nto = \"{to}\"\nkind = \"{kind}\"\nname = \"元旦\"\n")
        })
        .collect();
    World::with_next_year(Some(&format!("{HEAD}{}", days.concat())))
}

/// New Year is free from Friday to Sunday: counts over it end a day later.
fn later() -> World {
    noticed(&[(date(2027, 1, 1), date(2027, 1, 3), "rest")])
}

/// The weekend of New Year is worked: counts over it end earlier.
fn earlier() -> World {
    noticed(&[(date(2027, 1, 2), date(2027, 1, 3), "work")])
}

/// Received on Monday, 14 December 2026: fifteen working days end on 4 January 2027, provisionally.
fn winter(world: &World, severities: &[Severity]) -> Rectification {
    let state = opened(world, severities, morning(date(2026, 12, 14)));
    let limit = state.items[0].limit().unwrap();
    assert_eq!((limit.due_on(), limit.provisional), (date(2027, 1, 4), true));
    state
}

fn recounted(state: Rectification, at: Timestamp, world: &World) -> (Rectification, Vec<Recounted>) {
    let (state, events) = state.recount(at, world.rules()).unwrap().into_parts();
    // The same again changes nothing, at once or later.
    for again in [at, at + jiff::SignedDuration::from_hours(1)] {
        assert_eq!(state.clone().recount(again, world.rules()), Ok(Outcome::Unchanged(state.clone())));
    }
    match events.as_slice() {
        [] => (state, Vec::new()),
        [RectificationEvent::Recounted { items, .. }] => (state, items.clone()),
        _ => panic!("{events:?}"),
    }
}

fn effects(items: &[Recounted]) -> Vec<RecountEffect> {
    items.iter().map(|item| item.effect).collect()
}

const NOTICED_ON: Date = date(2026, 12, 16);

#[test]
fn nothing_changes_without_a_change() {
    let world = World::new();
    let state = winter(&world, &Severity::ALL[..1]);
    assert_eq!(state.clone().recount(morning(NOTICED_ON), world.rules()), Ok(Outcome::Unchanged(state)));
}

#[test]
fn a_notice_that_moves_a_day_later_moves_the_limit_and_its_timers() {
    let (before, after) = (World::new(), later());
    let state = winter(&before, &[Severity::Minor]);
    let told = state.items[0].limits[0].clone();
    let (state, items) = recounted(state, morning(NOTICED_ON), &after);
    let [row] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(row.effect, RecountEffect::Later);
    assert_eq!((row.was_due_on, row.counted_on, row.due_on), (date(2027, 1, 4), date(2027, 1, 5), date(2027, 1, 5)));
    let limit = state.items[0].limit().unwrap();
    assert_eq!(state.items[0].limits, [told, limit.clone()]);
    assert_eq!(
        (limit.provisional, limit.adjusted, limit.basis),
        (false, Some(Adjustment::Recounted), LimitBasis::Letter)
    );
    crate::proof::recompute(&after.proof(limit), &after.unit).unwrap();
    let due: Vec<_> = state.timers.iter().filter(|timer| timer.kind == TimerKind::Due).collect();
    assert!(matches!(due.as_slice(), [timer] if timer.due_at == midnight(date(2027, 1, 6))));
    // The day before is no longer late.
    let (_, events) = fired(state, midnight(date(2027, 1, 5)), &after);
    assert!(!keys(&events).contains(&"item_overdue"));
}

#[test]
fn a_notice_that_would_move_a_day_earlier_leaves_what_the_unit_was_told() {
    let (before, after) = (World::new(), earlier());
    let state = winter(&before, &[Severity::Minor]);
    let told = state.items[0].limits[0].clone();
    let (state, items) = recounted(state, morning(NOTICED_ON), &after);
    let [row] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((row.effect, row.counted_on, row.due_on), (RecountEffect::Kept, date(2027, 1, 2), date(2027, 1, 4)));
    let limit = state.items[0].limit().unwrap();
    assert_eq!((limit.due_at(), limit.adjusted, limit.provisional), (told.due_at(), Some(Adjustment::Kept), false));
    assert_eq!(state.timers.iter().filter(|timer| timer.kind == TimerKind::Due).count(), 1);
}

#[test]
fn a_notice_that_moves_nothing_makes_the_day_final_and_its_withdrawal_provisional() {
    let (before, after) = (World::new(), noticed(&[]));
    let state = winter(&before, &[Severity::Minor]);
    let due_at = state.items[0].limits[0].due_at();
    let (state, items) = recounted(state, morning(NOTICED_ON), &after);
    assert_eq!(effects(&items), [RecountEffect::Final]);
    let limit = state.items[0].limit().unwrap();
    assert_eq!((limit.due_at(), limit.provisional), (due_at, false));
    let (state, items) = recounted(state, morning(NOTICED_ON), &before);
    assert_eq!(effects(&items), [RecountEffect::Provisional]);
    assert_eq!(state.items[0].limit().unwrap().due_at(), due_at);
}

#[test]
fn who_was_late_by_a_wrong_calendar_only_is_freed() {
    let (before, after) = (World::new(), later());
    let state = winter(&before, &[Severity::Minor]);
    let (state, events) = fired(state, midnight(date(2027, 1, 5)), &before);
    assert!(keys(&events).contains(&"item_overdue"));
    let (state, items) = recounted(state, morning(date(2027, 1, 5)), &after);
    assert_eq!(effects(&items), [RecountEffect::Freed]);
    assert!(state.items[0].was_always_on_time());
    let (late, events) = fired(state.clone(), midnight(date(2027, 1, 6)), &after);
    assert!(keys(&events).contains(&"item_overdue"), "but not for ever");
    assert_eq!(late.items[0].overdue_at, Some(midnight(date(2027, 1, 6))));
    let report = reported(state, 0, midnight(date(2027, 1, 6)) - MICRO, &after);
    assert_eq!(report.items[0].state.report().unwrap().timeliness, Timeliness::InTime);
    // Too late for the new day as well: late it stays.
    let state = winter(&before, &[Severity::Minor]);
    let (state, _) = fired(state, midnight(date(2027, 1, 5)), &before);
    let (state, items) = recounted(state, morning(date(2027, 1, 6)), &after);
    assert!(items.is_empty());
    assert_eq!(state.items[0].overdue_at, Some(midnight(date(2027, 1, 5))));
}

#[test]
fn what_an_order_was_issued_for_stays() {
    let (before, after) = (World::new(), later());
    let state = winter(&before, &[Severity::Minor]);
    let urge_at = midnight(date(2027, 1, 6));
    let (state, events) = fired(state, urge_at, &before);
    assert!(keys(&events).contains(&"urging_order_issued"));
    let (letters, overdue) = (state.items[0].limits[0].clone(), state.items[0].overdue_at);
    let (state, items) = recounted(state, morning(date(2027, 1, 6)), &after);
    // The order's own limit lies in January and is final now; what it was issued for is untouched.
    assert_eq!(effects(&items), [RecountEffect::Final]);
    assert_eq!((&state.items[0].limits[0], state.items[0].overdue_at), (&letters, overdue));
    assert_eq!(state.items[0].binding_limit(), Some(&letters));
    assert_eq!(state.urging_orders, 1);
    let (state, events) = fired(state, midnight(date(2027, 1, 8)), &after);
    assert!(events.is_empty(), "{events:?}");
    assert_eq!(state.urging_orders, 1);
}

#[test]
fn reports_and_closed_items_are_left_alone() {
    let (before, after) = (World::new(), later());
    let state = winter(&before, &[Severity::Minor, Severity::Minor]);
    let at = morning(NOTICED_ON);
    let state = finished(reported(state, 0, at, &before), 1, at, &before);
    assert_eq!(state.clone().recount(at, after.rules()), Ok(Outcome::Unchanged(state)));
}

#[test]
fn a_stopped_case_is_counted_when_it_runs_again() {
    let (before, after) = (World::new(), later());
    let state = winter(&before, &[Severity::Minor]);
    let pause = RequestSubject::Pause { pause: crate::rulebook::PauseReason::Disaster, until: date(2026, 12, 18) };
    let (state, _) = granted(state, pause, morning(NOTICED_ON), &before).unwrap();
    assert_eq!(state.clone().recount(morning(NOTICED_ON), after.rules()), Ok(Outcome::Unchanged(state.clone())));
    let (state, events) = fired(state, midnight(date(2026, 12, 19)), &after);
    assert_eq!(keys(&events), ["resumed"]);
    // Three days of the stop and the new holiday: 5 January, then 6, 7, 8.
    let limit = state.items[0].limit().unwrap();
    assert_eq!((limit.due_on(), limit.provisional), (date(2027, 1, 8), false));
    recounted(state, morning(date(2026, 12, 21)), &after);
}

#[test]
fn an_extension_moves_with_the_limit_that_it_lengthens() {
    let (before, after) = (World::new(), later());
    let state = winter(&before, &[Severity::Minor]);
    let subject = RequestSubject::Extension { item_id: item_id(&state, 0), period: Period::working_days(5) };
    let (state, _) = granted(state, subject, morning(NOTICED_ON), &before).unwrap();
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2027, 1, 11));
    let (state, items) = recounted(state, morning(NOTICED_ON), &after);
    assert_eq!(effects(&items), [RecountEffect::Later]);
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2027, 1, 12));
}

#[test]
fn what_follows_a_limit_is_counted_by_the_new_calendar_even_when_the_limit_stays() {
    let (before, after) = (World::new(), later());
    let mut facts = letter(&[Severity::Minor]);
    facts.findings[0].limit = Some(Period::working_days(13));
    let at = morning(date(2026, 12, 14));
    let state = Rectification::open(None, facts, at, before.rules()).unwrap().into_state();
    let limit = state.items[0].limits[0].clone();
    assert_eq!((limit.due_on(), limit.provisional), (date(2026, 12, 31), false));
    let urge_at = |state: &Rectification| {
        state.timers.iter().find(|timer| timer.kind == TimerKind::Urge).map(|timer| timer.due_at)
    };
    assert_eq!(urge_at(&state), Some(midnight(date(2027, 1, 2))));
    let (state, items) = recounted(state, morning(NOTICED_ON), &after);
    assert!(items.is_empty());
    assert_eq!(state.items[0].limits, [limit]);
    // One working day after the limit is now 4 January.
    assert_eq!(urge_at(&state), Some(midnight(date(2027, 1, 5))));
}

#[test]
fn a_case_goes_over_to_new_rules_but_never_to_an_earlier_day() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor, Severity::Major], received());
    let mut after = World::new();
    after.rulebook.version = "hainan-2027.1".to_owned();
    after.rulebook.severity.minor.finish.period = Period::working_days(20);
    after.rulebook.severity.major.finish.period = Period::calendar_days(20);
    let (state, items) = recounted(state, morning(date(2026, 3, 12)), &after);
    assert_eq!(effects(&items), [RecountEffect::Later, RecountEffect::Kept]);
    assert_eq!(state.rulebook_version, "hainan-2027.1");
    assert_eq!(state.items[0].limit().unwrap().due_on(), date(2026, 4, 7));
    assert_eq!(state.items[1].limit().unwrap().due_on(), date(2026, 4, 8));
    assert_eq!(after.proof(state.items[0].limit().unwrap()).rule.rulebook_version, "hainan-2027.1");
    assert!(matches!(
        state.clone().fire_due(received(), world.rules()),
        Err(RectificationRefusal::OtherRulebook { .. })
    ));
    // A letter's own limit is the letter's.
    let mut facts = letter(&[Severity::Minor]);
    facts.findings[0].limit = Some(Period::working_days(15));
    let own = Rectification::open(None, facts, received(), world.rules()).unwrap().into_state();
    let (own, items) = recounted(own, morning(date(2026, 3, 12)), &after);
    assert!(items.is_empty());
    assert_eq!((own.items[0].limits.len(), own.rulebook_version.as_str()), (1, "hainan-2027.1"));
    // Another place's calendar is none.
    let mut elsewhere = World::new();
    elsewhere.unit = elsewhere.agency.clone();
    assert!(matches!(own.recount(received(), elsewhere.rules()), Err(RectificationRefusal::OtherCalendar { .. })));
}

#[test]
fn a_stopped_case_goes_over_to_new_rules_at_once() {
    let world = World::new();
    let state = opened(&world, &[Severity::Minor], received());
    let pause = RequestSubject::Pause { pause: crate::rulebook::PauseReason::Disaster, until: date(2026, 3, 20) };
    let (state, _) = granted(state, pause, morning(date(2026, 3, 16)), &world).unwrap();
    let mut after = World::new();
    after.rulebook.version = "hainan-2027.1".to_owned();
    let (state, items) = recounted(state, morning(date(2026, 3, 17)), &after);
    assert!(items.is_empty());
    assert_eq!(state.rulebook_version, "hainan-2027.1");
    assert_eq!(state.items[0].limits.len(), 1);
}

#[test]
fn a_reminder_that_has_gone_out_does_not_go_out_again_when_the_clock_was_put_back() {
    let (before, after) = (World::new(), later());
    let mut facts = letter(&[Severity::Minor]);
    facts.findings[0].limit = Some(Period::working_days(13));
    let state = Rectification::open(None, facts, morning(date(2026, 12, 14)), before.rules()).unwrap().into_state();
    let reminders = |state: &Rectification| {
        let of_kind = state.timers.iter().filter(|timer| timer.kind == TimerKind::Reminder);
        of_kind.map(|timer| timer.due_at).collect::<Vec<_>>()
    };
    let armed = reminders(&state);
    let [first, second] = armed.as_slice() else { panic!("{armed:?}") };
    let (state, events) = fired(state, *first, &before);
    assert_eq!(keys(&events), ["reminders_due"]);
    // Half an hour earlier, by a clock that was put back, the notice comes.
    let (state, items) = recounted(state, *first - jiff::SignedDuration::from_mins(30), &after);
    assert!(items.is_empty());
    assert_eq!(reminders(&state), [*second]);
    assert_eq!(fired(state.clone(), *first, &after), (state, vec![]));
}

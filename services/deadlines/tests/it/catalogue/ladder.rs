//! What comes next: always armed, never silent, and no rule that only looks as if it held.

use std::collections::BTreeSet;

use domain::local_time::{at_local, local_date};
use domain::period::{Pause, PausedCount, Period, count_with_pauses, working_days_before};
use domain::rectification::{
    Approval, Decider, Decision, ItemState, LookBackState, PlanState, PlannedMeasure, Rectification, ReportFacts,
    RequestSubject, Ruling, StepOutcome, Submission, Timer, TimerKind, Verification, Verifier,
};
use domain::rehearsal::{Rehearsal, RehearsedCase};
use domain::rulebook::{PauseReason, ReminderSchedule};
use domain::severity::Severity;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};
use testkit::Call;
use uuid::Uuid;

use super::book::{Book, DIRECTOR, EVIDENCE, INSPECTOR, OFFICE, OFFICER, PRINCIPAL};
use super::{OVERDUE, RECEIVED, URGED, assert_proved, count};
use crate::support::{World, at};

async fn next_instant(world: &World, id: domain::ids::RectificationId) -> Option<Timestamp> {
    sqlx::query_scalar::<_, Option<jiff_sqlx::Timestamp>>(
        "SELECT next_timer_at FROM rectifications WHERE rectification_id = $1",
    )
    .bind(Uuid::from(id))
    .fetch_one(world.database.pool())
    .await
    .unwrap()
    .map(jiff_sqlx::Timestamp::to_jiff)
}

/// A case without a competent department beside it.
async fn alone(world: &World) -> domain::ids::RectificationId {
    let mut letter = world.letter(1, &[Severity::Minor]);
    letter.unit.competent_unit_id = None;
    letter.unit.competent_unit_name = None;
    world.hear(&letter).await.unwrap();
    world.hear(&world.receipt(&letter, at(RECEIVED))).await.unwrap();
    Rectification::id_of(letter.letter_id)
}

fn newest(view: &Value) -> Option<(i64, String, bool)> {
    let step = view["rectification"]["steps"].as_array()?.last()?;
    Some((step["level"].as_i64()?, step["proposal_id"].as_str()?.to_owned(), step["state"] == "proposed"))
}

/// Only the first level of the escalation ran, and what was missed was never looked at again. The next instant is armed in
/// the commit of the one before, up the whole ladder and round again at its top; an outage over several levels
/// loses none of them; and the table refuses an open case that waits for nothing.
#[tokio::test]
async fn catalogue_13_every_level_arms_the_next_one_in_its_own_commit() {
    let world = World::new().await;
    let id = alone(&world).await;
    // An outage from before the limit until long after the order's own.
    world.fire_at("2026-06-01T02:00:00Z").await;
    assert_proved(&world).await;
    assert_eq!(count(&world, "SELECT count(*) FROM urging_orders").await, 1);
    let mut levels = Vec::new();
    while levels.len() < 4 {
        let next = next_instant(&world, id).await.unwrap();
        assert_eq!(world.fire_at(&next.to_string()).await, 1);
        assert_proved(&world).await;
        if let Some((level, proposal, true)) = newest(&world.view(id).await) {
            let note = json!({"note": "已按程序办理"});
            world
                .does_to_case(&world.chair, id, &format!("steps/{proposal}/decision"), &note)
                .await
                .expect(StatusCode::OK);
            assert_proved(&world).await;
            levels.push(level);
        }
    }
    assert_eq!(levels, [2, 3, 4, 4]);

    let unarmed =
        sqlx::query("UPDATE rectifications SET next_timer_at = NULL").execute(world.database.pool()).await.unwrap_err();
    assert!(unarmed.to_string().contains("an_open_case_is_armed"), "{unarmed}");
}

/// What had no deadline was treated as breached. No limit is an absence in the type and a NULL in the row, and nothing is late
/// by it: not an item that owes no plan, not a case whose clock stands still, not one that has reported or is done.
#[tokio::test]
async fn catalogue_14_what_has_no_deadline_is_never_late() {
    let book = Book::new();
    let open = [Pause { from: at(RECEIVED), until: None, reason: "停".to_owned() }];
    let counted = count_with_pauses(at(RECEIVED), Period::working_days(15), &open, &book.unit).unwrap();
    assert!(matches!(counted, PausedCount::Open { .. }) && counted.due().is_none());

    let world = World::new().await;
    let late = async |expected: usize| {
        let list = Call::get("/v1/rectifications?state=late").by(&world.admin).send(&world.router).await;
        let list = list.expect(StatusCode::OK).json;
        assert_eq!(list["items"].as_array().unwrap().len(), expected, "{list}");
    };
    let [paused, reported, waived, owes] = [1, 2, 3, 4].map(|serial| world.open(serial, &[Severity::Minor], RECEIVED));
    let (paused, reported, waived, owes) = (paused.await, reported.await, waived.await, owes.await);
    world.database.set_clock(at("2026-02-24T02:00:00Z")).await;
    world.report(reported, 0).await;
    let item = world.view(waived).await["rectification"]["items"][0]["item_id"].clone();
    for (id, body) in [
        (paused, json!({"subject": "pause", "pause": "disaster", "until": "2026-05-20", "reason": "台风"})),
        (waived, json!({"subject": "waiver", "item_id": item, "reason": "校舍已停用"})),
    ] {
        let (_, request) = world.asks(&world.principal, id, &body).await;
        world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK);
    }
    assert_eq!(world.armed(paused).await, ["resume@2026-05-20T16:00:00Z"]);
    assert_eq!(next_instant(&world, waived).await, None);
    super::fire_all(&world, OVERDUE).await;
    late(1).await;
    super::fire_all(&world, URGED).await;
    let urged: Vec<Uuid> = sqlx::query_scalar("SELECT rectification_id FROM urging_orders")
        .fetch_all(world.database.pool())
        .await
        .unwrap();
    assert_eq!(urged, [Uuid::from(owes)]);
    let late_from: Vec<Uuid> =
        sqlx::query_scalar("SELECT rectification_id FROM rectifications WHERE late_from <= messaging.legal_now()")
            .fetch_all(world.database.pool())
            .await
            .unwrap();
    assert_eq!(late_from, [Uuid::from(owes)]);
    // A minor finding asks for no plan: none is overdue, however long it waits.
    assert!(world.armed(owes).await.iter().all(|timer| !timer.starts_with("plan")));
    assert!(!world.changes(owes).await.contains(&"plan_overdue"));
}

/// The notifier fell silent after a week. A case that nobody touches is called to mind for two years, never with more than three
/// weeks between two words, and it is people alone who end that.
#[tokio::test]
async fn catalogue_15_nothing_falls_silent_but_by_an_act_of_people() {
    let world = World::new().await;
    let id = alone(&world).await;
    world.fire_at(OVERDUE).await;
    let end = at("2028-03-01T00:00:00Z");
    let mut rounds = 0;
    while let Some(next) = next_instant(&world, id).await.filter(|next| *next < end) {
        assert_eq!(world.fire_at(&next.to_string()).await, 1);
        rounds += 1;
    }
    assert!(rounds > 60, "{rounds}");
    let words: Vec<Timestamp> =
        testkit::events(&world.database).await.into_iter().map(|event| event.occurred_at).skip(1).collect();
    let longest = words.windows(2).map(|pair| pair[1].duration_since(pair[0])).max().unwrap();
    assert!(longest < SignedDuration::from_hours(24 * 21), "{longest}");
    assert!(words.last().unwrap().duration_since(at(OVERDUE)) > SignedDuration::from_hours(24 * 690), "{words:?}");
    assert_proved(&world).await;

    // The item is waived; the step that was proposed has nothing left to be decided about, and nobody is reminded of it.
    let view = world.view(id).await;
    let body =
        json!({"subject": "waiver", "item_id": view["rectification"]["items"][0]["item_id"], "reason": "学校已撤并"});
    let (view, request) = world.asks(&world.principal, id, &body).await;
    let (_, proposal, proposed) = newest(&view).unwrap();
    assert!(proposed, "{view}");
    world.decides(&world.admin, id, &request, true).await.expect(StatusCode::OK);
    assert_eq!(newest(&world.view(id).await).unwrap(), (2, proposal, false));
    assert_eq!(next_instant(&world, id).await, None);
    assert_eq!(world.fire_at("2029-03-01T00:00:00Z").await, 0);
}

/// Somebody who lives in a rehearsal: does what he has been called to mind of, at that instant.
type Life = fn(&Book, Rectification, Timestamp) -> Rectification;

/// The clock has called this duty to mind at least once.
fn reminded(case: &Rectification, kind: TimerKind) -> bool {
    case.timers.iter().any(|timer| timer.kind == kind && timer.step >= 1)
}

/// Nobody reports; steps of the ladder are taken when they have been called to mind.
fn idle(book: &Book, mut case: Rectification, at: Timestamp) -> Rectification {
    if reminded(&case, TimerKind::StepDecision) {
        let open = case.steps.iter().find(|step| matches!(step.outcome, StepOutcome::Proposed)).unwrap().proposal_id;
        let leader = Decider { account: DIRECTOR, is_leader: true };
        case = case.take_step(open, leader, "已办理".to_owned(), at, book.rules()).unwrap().into_state();
    }
    case
}

/// The unit does everything at once, everybody else only when he has been called to mind.
fn diligent(book: &Book, mut case: Rectification, at: Timestamp) -> Rectification {
    let rules = book.rules();
    let note = || "属实".to_owned();
    let inspector = Verifier { account: INSPECTOR, unit: Some(OFFICE), is_inspector: true };
    for item_id in case.items.iter().map(|item| item.item_id).collect::<Vec<_>>() {
        let item = case.item(item_id).unwrap().clone();
        let of =
            |kind| case.timers.iter().any(|timer| timer.kind == kind && timer.item == item.number && timer.step >= 1);
        let accept = Decision::Accept { note: note() };
        let planned = item.plan.as_ref().map(|plan| plan.state.clone());
        let next = match (&item.state, planned) {
            (ItemState::InProgress, Some(PlanState::Asked)) => {
                let measure = PlannedMeasure {
                    what: "清理".to_owned(),
                    responsible: "总务处".to_owned(),
                    until: local_date(at),
                    standard: String::new(),
                };
                let plan = Submission { by: PRINCIPAL, at, text: "方案".to_owned(), measures: vec![measure] };
                case.clone().submit_plan(item_id, plan, at, rules)
            }
            (ItemState::InProgress, Some(PlanState::Submitted { .. })) if of(TimerKind::PlanAcceptance) => {
                case.clone().judge_plan(item_id, OFFICER, &accept, at, rules)
            }
            (ItemState::InProgress, Some(PlanState::Submitted { .. })) => continue,
            (ItemState::InProgress, _) if item.consultations.is_empty() => {
                let question = ("消防救援支队".to_owned(), "如何整改".to_owned());
                case.clone().consult(item_id, question, OFFICER, at, rules)
            }
            (ItemState::InProgress, _) if of(TimerKind::ConsultationAnswer) => {
                case.clone().answer_consultation(item_id, Verification { by: OFFICER, at, note: note() })
            }
            (ItemState::InProgress, _) if item.is_consulting() => continue,
            (ItemState::InProgress, _) => {
                let facts = ReportFacts { by: PRINCIPAL, text: "已整改".to_owned(), evidence: vec![EVIDENCE] };
                case.clone().report(item_id, facts, at, rules)
            }
            (ItemState::Reported { .. }, _) if of(TimerKind::Verification) => {
                case.clone().verify(item_id, inspector, accept, at, rules)
            }
            (ItemState::Verified { approvals, .. }, _) if of(TimerKind::CloseOut) => {
                let by = if approvals.is_empty() { OFFICER } else { DIRECTOR };
                let approval = Approval { by, at, opinion: "同意".to_owned() };
                case.clone().close_out(item_id, approval, None, rules)
            }
            (ItemState::Closed { .. }, _)
                if of(TimerKind::LookBackVisit)
                    && item.look_backs.iter().any(|look| look.state == LookBackState::Due) =>
            {
                let found = Decision::Accept { note: format!("未反弹 {at}") };
                case.clone().look_back(item_id, inspector, &found, at, rules)
            }
            _ => continue,
        };
        case = next.unwrap().into_state();
    }
    case
}

/// A stop of the clock is granted at once and ends by itself.
fn stopping(book: &Book, case: Rectification, at: Timestamp) -> Rectification {
    if !case.suspensions.is_empty() {
        return case;
    }
    let until = local_date(at).checked_add(3.days()).unwrap();
    let stop = RequestSubject::Pause { pause: PauseReason::Disaster, until };
    let asked = case.ask(stop, "台风".to_owned(), PRINCIPAL, at, book.rules()).unwrap().into_state();
    grant(book, asked, at)
}

/// A waiver is asked for, and granted when that has been called to mind.
fn asking(book: &Book, case: Rectification, at: Timestamp) -> Rectification {
    if case.requests_made == 0 {
        let item_id = case.items[0].item_id;
        let waiver = RequestSubject::Waiver { item_id };
        return case.ask(waiver, "已停用".to_owned(), PRINCIPAL, at, book.rules()).unwrap().into_state();
    }
    if reminded(&case, TimerKind::RequestDecision) { grant(book, case, at) } else { case }
}

fn grant(book: &Book, case: Rectification, at: Timestamp) -> Rectification {
    let request = case.requests[0].request_id;
    let by = Decider { account: OFFICER, is_leader: false };
    let ruling = Ruling { by, granted: true, note: "同意".to_owned() };
    case.decide_request(request, ruling, at, None, book.rules()).unwrap().into_state()
}

/// Every clock that the rulebook in force gives to a severity.
fn in_force(book: &Book, severity: Severity) -> BTreeSet<String> {
    let rule = book.rulebook.severity_rule(severity);
    let mut keys: Vec<String> = ["due", "urge", "resume", "request_decision", "step_decision", "consultation_answer"]
        .into_iter()
        .chain(["verification", "close_out", "look_back_visit"])
        .chain(rule.plan.iter().flat_map(|_| ["plan_due", "plan_acceptance"]))
        .map(str::to_owned)
        .collect();
    match &rule.reminders.schedule {
        ReminderSchedule::WorkingDaysBefore(days) => {
            keys.extend(days.iter().map(|amount| format!("reminder {}", amount.0)));
        }
        ReminderSchedule::EveryHours(_) => keys.push("reminder".to_owned()),
    }
    keys.extend((0..rule.look_back.after.len()).map(|place| format!("look_back {place}")));
    // Reminder and order have timers of their own kinds.
    keys.extend(
        book.rulebook.ladder.iter().filter(|step| step.level >= 2).map(|step| format!("escalate {}", step.level)),
    );
    keys.into_iter().map(|key| format!("{severity} {key}")).collect()
}

/// The clock behind a timer.
fn clock_of(book: &Book, case: &Rectification, timer: &Timer) -> String {
    let kind = timer.kind.key();
    match timer.kind {
        TimerKind::LookBack => {
            // Of a problem that never came back, the place is the place in the rulebook's list.
            format!("{kind} {}", timer.round)
        }
        TimerKind::Escalate => format!("{kind} {}", timer.step),
        TimerKind::Reminder => {
            let item = case.numbered(timer.item).unwrap();
            let limit = item.limit().unwrap();
            match &book.rulebook.severity_rule(item.severity).reminders.schedule {
                ReminderSchedule::EveryHours(_) => kind.to_owned(),
                ReminderSchedule::WorkingDaysBefore(days) => {
                    let instant = |amount| {
                        at_local(working_days_before(limit.due_on(), amount, &book.unit)?, book.rulebook.reminder_time)
                    };
                    let amount = days.iter().find(|amount| instant(**amount) == Some(timer.due_at)).unwrap();
                    format!("{kind} {}", amount.0)
                }
            }
        }
        _ => kind.to_owned(),
    }
}

/// The clocks in force that fired in none of the lives, through two years.
fn never_fired(book: &Book, lives: &[Life]) -> BTreeSet<String> {
    let (received, end) = (at("2026-03-09T01:00:00Z"), at("2028-03-09T01:00:00Z"));
    let mut missing = BTreeSet::new();
    for severity in Severity::ALL {
        let mut silent = in_force(book, severity);
        for life in lives {
            // Of minor findings a draw decides which are looked at again: among so many, one is.
            let mut case = life(book, book.opened(&[severity; 20], received), received);
            while let Some(now) = case.next_timer_at().filter(|next| *next < end) {
                for timer in case.timers.iter().filter(|timer| timer.due_at <= now) {
                    silent.remove(&format!("{severity} {}", clock_of(book, &case, timer)));
                }
                case = life(book, case.fire_due(now, book.rules()).unwrap().into_state(), now);
            }
        }
        missing.extend(silent);
    }
    missing
}

/// A rule was configured and never executed. Two years of a rehearsal's lives fire every clock of the rulebook for every
/// severity, and every kind of timer there is; a clock that cannot fire, or that no life comes to, is named.
#[test]
fn catalogue_22_a_rule_that_never_fires_is_named() {
    let lives: [Life; 4] = [idle, diligent, stopping, asking];
    let book = Book::new();
    assert_eq!(never_fired(&book, &lives), BTreeSet::new());
    let kinds: BTreeSet<String> = Severity::ALL
        .into_iter()
        .flat_map(|severity| in_force(&book, severity))
        .map(|key| key.split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(kinds, TimerKind::ALL.iter().map(|kind| kind.key().to_owned()).collect(), "each kind belongs to a rule");

    // The rehearsal that operators run, in which nobody acts: no clock is silent in it that needs no act.
    let mut rehearsal = Rehearsal::new(at("2026-03-09T01:00:00Z"), 365);
    for severity in Severity::ALL {
        let mut letter = Book::letter(&[severity]);
        letter.competent_department = Some(Uuid::from_u128(3).into());
        let rectification = book.open(letter, at("2026-03-09T01:00:00Z"));
        let case = RehearsedCase {
            rectification,
            county: "460100",
            rulebook: &book.rulebook,
            unit_calendar: &book.unit,
            agency_calendar: &book.agency,
        };
        rehearsal.play(case, &book.workbook);
    }
    let silent = rehearsal.silent(&book.rulebook);
    assert!(!silent.is_empty() && silent.iter().all(|rule| rule.needs_act), "{silent:?}");
    assert!(rehearsal.failed.is_empty(), "{:?}", rehearsal.failed);

    // Forty working days before the end of fifteen lie before the beginning.
    let mut dead = Book::new();
    let ReminderSchedule::WorkingDaysBefore(days) = &mut dead.rulebook.severity.minor.reminders.schedule else {
        panic!("minor findings are called to mind by working days")
    };
    days.insert(0, domain::period::WorkingDays(40));
    assert_eq!(never_fired(&dead, &lives), BTreeSet::from(["minor reminder 40".to_owned()]));
    let without = never_fired(&book, &[idle, diligent, asking]);
    assert_eq!(without, Severity::ALL.iter().map(|severity| format!("{severity} resume")).collect());
}

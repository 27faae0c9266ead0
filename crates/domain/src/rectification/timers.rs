//! The timers of a rectification: what the clock must look at, and when.
//!
//! They stand in the state itself; the store keeps the earliest of them beside it. So an open case has exactly one armed
//! instant by construction, and arming is never a second write that could be forgotten.

use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::Rules;
use super::refusal::RectificationRefusal;
use super::state::{Item, Limit, Step};
use crate::period::{Hours, Period};
use crate::rulebook::{Duty, ReminderSchedule};

/// The number that stands for the rectification as a whole where a timer names an item.
pub const WHOLE: u32 = 0;

/// What a timer is for, in the order in which timers of one instant act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// A stop of the clock ends.
    Resume,
    /// A reminder before the limit ends.
    Reminder,
    /// The plan's limit ends.
    PlanDue,
    /// The limit ends.
    Due,
    /// The urging order issues.
    Urge,
    /// The next step of the ladder is proposed; the timer's step is the level.
    Escalate,
    /// A look-back becomes due.
    LookBack,
    /// The agency's limit for the verification ends.
    Verification,
    /// The agency's limit for the plan ends.
    PlanAcceptance,
    /// The agency's limit for the close-out ends.
    CloseOut,
    /// The limit for a request ends; the round is the request's count.
    RequestDecision,
    /// The limit for a step's decision ends; the round is the step's place.
    StepDecision,
    /// The consulted office's limit ends; the round is the consultation's place.
    ConsultationAnswer,
    /// The agency's limit for a look-back ends; the round is the look-back's place.
    LookBackVisit,
}

impl TimerKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Resume,
        Self::Reminder,
        Self::PlanDue,
        Self::Due,
        Self::Urge,
        Self::Escalate,
        Self::LookBack,
        Self::Verification,
        Self::PlanAcceptance,
        Self::CloseOut,
        Self::RequestDecision,
        Self::StepDecision,
        Self::ConsultationAnswer,
        Self::LookBackVisit,
    ];

    /// The stable key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Reminder => "reminder",
            Self::PlanDue => "plan_due",
            Self::Due => "due",
            Self::Urge => "urge",
            Self::Escalate => "escalate",
            Self::LookBack => "look_back",
            Self::Verification => "verification",
            Self::PlanAcceptance => "plan_acceptance",
            Self::CloseOut => "close_out",
            Self::RequestDecision => "request_decision",
            Self::StepDecision => "step_decision",
            Self::ConsultationAnswer => "consultation_answer",
            Self::LookBackVisit => "look_back_visit",
        }
    }

    /// What it is for, in words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Resume => "期限恢复",
            Self::Reminder => "到期提醒",
            Self::PlanDue => "整改方案到期",
            Self::Due => "整改到期",
            Self::Urge => "督办",
            Self::Escalate => "提请升级",
            Self::LookBack => "回头看到期",
            Self::Verification => "核查到期",
            Self::PlanAcceptance => "方案审核到期",
            Self::CloseOut => "销号到期",
            Self::RequestDecision => "申请审批到期",
            Self::StepDecision => "升级决定到期",
            Self::ConsultationAnswer => "协商答复到期",
            Self::LookBackVisit => "回头看办理到期",
        }
    }

    /// The duty whose limit it watches.
    pub const fn duty(self) -> Option<Duty> {
        match self {
            Self::Verification => Some(Duty::Verification),
            Self::PlanAcceptance => Some(Duty::PlanAcceptance),
            Self::CloseOut => Some(Duty::CloseOut),
            Self::RequestDecision => Some(Duty::RequestDecision),
            Self::StepDecision => Some(Duty::StepDecision),
            Self::ConsultationAnswer => Some(Duty::ConsultationAnswer),
            Self::LookBackVisit => Some(Duty::LookBackVisit),
            Self::Resume
            | Self::Reminder
            | Self::PlanDue
            | Self::Due
            | Self::Urge
            | Self::Escalate
            | Self::LookBack => None,
        }
    }

    /// Whether it watches the unit's own clock, which a pause stops.
    pub const fn is_units(self) -> bool {
        match self {
            Self::Reminder | Self::PlanDue | Self::Due | Self::Urge | Self::Escalate => true,
            Self::Resume
            | Self::LookBack
            | Self::Verification
            | Self::PlanAcceptance
            | Self::CloseOut
            | Self::RequestDecision
            | Self::StepDecision
            | Self::ConsultationAnswer
            | Self::LookBackVisit => false,
        }
    }
}

/// An armed timer. Rectification, kind, item, round and step name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Timer {
    /// What it is for.
    pub kind: TimerKind,
    /// The number of the item; [`WHOLE`] for the rectification as a whole.
    pub item: u32,
    /// The round of the limit that it belongs to, or the place of what it watches.
    pub round: u32,
    /// Which of the kind: the reminder's number, the level of the ladder, how often a duty was called to mind.
    pub step: u32,
    /// When it acts.
    pub due_at: Timestamp,
}

/// The timers of a limit that the unit must keep: reminders, and then either the end with the urging order, or, for
/// a limit that the ladder set, its next level.
///
/// They may be armed anew, e.g. after a stop of the clock: reminders up to `since` are past, and what a limit that has
/// passed brought about already, the overdue mark or the next step, is not brought about twice.
pub(super) fn of_limit(
    item: &Item,
    limit: &Limit,
    steps: &[Step],
    since: Timestamp,
    rules: Rules<'_>,
) -> Result<Vec<Timer>, RectificationRefusal> {
    let timer = |kind, step, due_at| Timer { kind, item: item.number, round: limit.round, step, due_at };
    let mut timers: Vec<Timer> = reminder_instants(item, limit, rules)
        .into_iter()
        .filter(|(_, at)| *at > since)
        .map(|(step, at)| timer(TimerKind::Reminder, step, at))
        .collect();
    if let Some(level) = limit.basis.level_after() {
        let wait = rules.rulebook.ladder_step(level).ok_or(RectificationRefusal::NoLadderStep(level))?.wait;
        let proposed = steps.iter().any(|step| step.at >= limit.due_at() && step.items.contains(&item.number));
        if !proposed {
            timers.push(timer(TimerKind::Escalate, u32::from(level), after_limit(limit, wait, rules)?));
        }
    } else {
        let grace = rules.rulebook.severity_rule(item.severity).urging_after_due.period;
        if item.overdue_round != Some(limit.round) {
            timers.push(timer(TimerKind::Due, 0, limit.due_at()));
        }
        timers.push(timer(TimerKind::Urge, 0, after_limit(limit, grace, rules)?));
    }
    Ok(timers)
}

/// The end of a period that follows a limit.
///
/// Days and months are counted from the limit's last day, which is not counted itself; hours from its end.
fn after_limit(limit: &Limit, period: Period, rules: Rules<'_>) -> Result<Timestamp, RectificationRefusal> {
    let anchor = match period {
        Period::Hours(_) => limit.due_at(),
        Period::SameDay | Period::WorkingDays(_) | Period::CalendarDays(_) | Period::Months(_) => {
            crate::local_time::start_of_day(limit.due_on()).unwrap_or_else(|| limit.due_at())
        }
    };
    let end = rules.end(anchor, period, rules.unit_calendar)?;
    Ok(end.max(limit.due_at()))
}

/// The instants of the reminders that lie between the setting of the limit and its end, in order, each with its place in the
/// schedule: a calendar moves the instants, and the place stays.
fn reminder_instants(item: &Item, limit: &Limit, rules: Rules<'_>) -> Vec<(u32, Timestamp)> {
    let inside = |(_, at): &(u32, Timestamp)| *at > limit.set_at && *at < limit.due_at();
    match rules.rulebook.reminders(item.severity) {
        ReminderSchedule::WorkingDaysBefore(days) => (1..)
            .zip(days)
            .filter_map(|(place, amount)| Some((place, rules.reminder_at(limit.due_on(), *amount)?)))
            .filter(inside)
            .collect(),
        ReminderSchedule::EveryHours(Hours(hours)) => {
            let step = Span::new().hours(i64::from((*hours).max(1)));
            let mut instants = Vec::new();
            let mut next = limit.set_at.checked_add(step);
            for place in 1.. {
                let Some(at) = next.ok().filter(|at| *at < limit.due_at()) else { break };
                instants.push((place, at));
                next = at.checked_add(step);
            }
            instants
        }
    }
}

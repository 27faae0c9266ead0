//! The timers of a rectification: what the clock must look at, and when.

use std::collections::BTreeSet;

use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::Rules;
use super::refusal::RectificationRefusal;
use super::state::{Item, Limit};
use crate::ids::{ItemId, RectificationId, TimerId};
use crate::local_time;
use crate::period::{Hours, Period, count, working_days_before};
use crate::rulebook::ReminderSchedule;

/// The level of the ladder that follows the urging order: the interview (约谈).
pub(super) const LEVEL_AFTER_URGING: u8 = 2;

/// What a timer is for, in the order in which timers of one instant act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// A reminder before the limit ends.
    Reminder,
    /// The limit ends.
    Due,
    /// The urging order issues.
    Urge,
    /// The next step of the ladder is proposed; the timer's step is the level.
    Escalate,
    /// The agency's limit for the verification ends.
    Verification,
}

impl TimerKind {
    /// The stable key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Due => "due",
            Self::Urge => "urge",
            Self::Escalate => "escalate",
            Self::Verification => "verification",
        }
    }

    /// The kind of a key, e.g. from a column.
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Reminder, Self::Due, Self::Urge, Self::Escalate, Self::Verification]
            .into_iter()
            .find(|kind| kind.key() == key)
    }
}

/// An armed timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Timer {
    /// Follows from rectification, kind, item, round and step: arming the same timer twice gives one.
    pub timer_id: TimerId,
    /// What it is for.
    pub kind: TimerKind,
    /// The item.
    pub item_id: ItemId,
    /// The round of the limit that it belongs to.
    pub round: u32,
    /// Which of the kind: the reminder's number, the level of the ladder, else 0.
    pub step: u32,
    /// When it acts.
    pub due_at: Timestamp,
}

impl Timer {
    pub(super) fn new(
        rectification_id: RectificationId,
        kind: TimerKind,
        item_id: ItemId,
        round: u32,
        step: u32,
        due_at: Timestamp,
    ) -> Self {
        let timer_id = TimerId::derived(&[
            &rectification_id.to_string(),
            kind.key(),
            &item_id.to_string(),
            &round.to_string(),
            &step.to_string(),
        ]);
        Self { timer_id, kind, item_id, round, step, due_at }
    }
}

/// What to write and what to delete to get from one set of timers to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimerChanges {
    /// New timers.
    pub armed: Vec<Timer>,
    /// Timers that are gone, fired or moot.
    pub disarmed: Vec<TimerId>,
}

/// Compares the timers before and after an act, for a store that keeps them as rows.
pub fn timer_changes(before: &[Timer], after: &[Timer]) -> TimerChanges {
    let old: BTreeSet<TimerId> = before.iter().map(|timer| timer.timer_id).collect();
    let new: BTreeSet<TimerId> = after.iter().map(|timer| timer.timer_id).collect();
    TimerChanges {
        armed: after.iter().filter(|timer| !old.contains(&timer.timer_id)).copied().collect(),
        disarmed: old.difference(&new).copied().collect(),
    }
}

/// The timers of a limit that the unit must keep: reminders, and then either the end with the urging order, or, for
/// a limit that an urging order set, the next level of the ladder.
pub(super) fn of_limit(
    rectification_id: RectificationId,
    item: &Item,
    limit: &Limit,
    rules: Rules<'_>,
) -> Result<Vec<Timer>, RectificationRefusal> {
    let timer = |kind, step, due_at| Timer::new(rectification_id, kind, item.item_id, limit.round, step, due_at);
    let mut timers: Vec<Timer> = (1..)
        .zip(reminder_instants(item, limit, rules))
        .map(|(step, at)| timer(TimerKind::Reminder, step, at))
        .collect();
    if limit.is_urging() {
        let level = LEVEL_AFTER_URGING;
        let rule = rules.rulebook.ladder_rule(level).ok_or(RectificationRefusal::NoLadderStep(level))?;
        let at = after_limit(limit, rule.period, rules)?;
        timers.push(timer(TimerKind::Escalate, u32::from(level), at));
    } else {
        let rule = rules.rulebook.urging_after_due_rule(item.severity);
        timers.push(timer(TimerKind::Due, 0, limit.due_at()));
        let at = after_limit(limit, rule.period, rules)?;
        timers.push(timer(TimerKind::Urge, 0, at));
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
            local_time::start_of_day(limit.due_on()).unwrap_or_else(|| limit.due_at())
        }
    };
    let end = count(anchor, period, rules.unit_calendar)?.due_at;
    Ok(end.max(limit.due_at()))
}

/// The instants of the reminders that lie between the setting of the limit and its end, in order.
fn reminder_instants(item: &Item, limit: &Limit, rules: Rules<'_>) -> Vec<Timestamp> {
    let inside = |at: &Timestamp| *at > limit.set_at && *at < limit.due_at();
    match rules.rulebook.reminders(item.severity) {
        ReminderSchedule::WorkingDaysBefore(days) => days
            .iter()
            .filter_map(|amount| {
                let day = working_days_before(limit.due_on(), *amount, rules.unit_calendar)?;
                local_time::at_local(day, rules.rulebook.reminder_time)
            })
            .filter(inside)
            .collect(),
        ReminderSchedule::EveryHours(Hours(hours)) => {
            let step = Span::new().hours(i64::from((*hours).max(1)));
            let mut instants = Vec::new();
            let mut next = limit.set_at.checked_add(step);
            while let Ok(at) = next {
                if at >= limit.due_at() {
                    break;
                }
                instants.push(at);
                next = at.checked_add(step);
            }
            instants
        }
    }
}

//! A calendar or a rule changes while cases are alive (日历或规则变更).
//!
//! Every limit that still runs is counted again from its own source. What a unit was told never moves earlier: a count that
//! would give an earlier day changes nothing but the mark that the day was provisional.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::RectificationEvent;
use super::facts::Rules;
use super::limits;
use super::open::check_calendar;
use super::refusal::RectificationRefusal;
use super::state::{Adjustment, Limit, PlanState, Rectification};
use super::timers::{Timer, TimerKind};
use crate::ids::ItemId;
use crate::outcome::Outcome;
use crate::proof::AnchorEvent;

/// What a change does to one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecountEffect {
    /// The last day moves later.
    Later,
    /// The unit was late and is so no longer: the last day moves beyond today.
    Freed,
    /// The count gives an earlier day, which the unit was not told: the told day stays.
    Kept,
    /// The day stays and is no longer provisional.
    Final,
    /// The day stays and has become provisional.
    Provisional,
}

impl RecountEffect {
    /// The effect in words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Later => "顺延",
            Self::Freed => "不再逾期",
            Self::Kept => "重算提前，维持原期限",
            Self::Final => "由暂定转为确定",
            Self::Provisional => "转为暂定",
        }
    }
}

/// One limit that a change touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recounted {
    /// The item.
    pub item_id: ItemId,
    /// Its number.
    pub number: u32,
    /// The last day that the unit was told.
    #[schema(value_type = String, format = Date)]
    pub was_due_on: Date,
    /// The last day that the count gives now, whether it takes effect or not.
    #[schema(value_type = String, format = Date)]
    pub counted_on: Date,
    /// The last day from now on.
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
    /// What that means.
    pub effect: RecountEffect,
}

impl Rectification {
    /// Counts every limit that the unit must still keep again, under rules and calendars that may be others than those of
    /// before, and goes over to that rulebook.
    ///
    /// The limits of a case whose clock is stopped are counted when it runs again. A limit that an urging order or a step
    /// has overtaken stays as it was: the document that was issued stands until people lift it. What follows a limit, the
    /// urging order and the next step of the ladder, and the day of an owed plan are counted again too, and move later only.
    pub fn recount(
        mut self,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Outcome<Self, RectificationEvent>, RectificationRefusal> {
        check_calendar(&self.letter.division, rules)?;
        let version = rules.rulebook.version.clone();
        let other_rules = self.rulebook_version != version;
        self.rulebook_version = version;
        if self.is_paused() {
            return Ok(if other_rules {
                Outcome::Changed { next: self, events: vec![RectificationEvent::Recounted { at, items: Vec::new() }] }
            } else {
                Outcome::Unchanged(self)
            });
        }
        let suspensions = self.suspensions.clone();
        let armed = self.timers.clone();
        let mut items = Vec::new();
        let mut moved = false;
        let waiting: Vec<u32> =
            self.items.iter().filter(|item| item.state.awaits_unit()).map(|item| item.number).collect();
        for number in waiting {
            moved |= self.recount_plan(number, rules)?;
            let item = self.numbered_mut(number)?;
            let Some(told) = item.limit().cloned() else { continue };
            let round = item.next_round();
            let counted = limits::derive_again(&told, round, Adjustment::Recounted, at, &suspensions, rules)?;
            let Some(effect) = effect(&told, &counted, at) else {
                // The day stays, but what is counted from it, reminders and order, may not.
                self.arm_again(number, at, rules)?;
                continue;
            };
            let limit = match effect {
                RecountEffect::Later | RecountEffect::Freed | RecountEffect::Final | RecountEffect::Provisional => {
                    counted.clone()
                }
                RecountEffect::Kept => {
                    Limit { round, set_at: at, adjusted: Some(Adjustment::Kept), provisional: false, ..told.clone() }
                }
            };
            items.push(Recounted {
                item_id: item.item_id,
                number,
                was_due_on: told.due_on(),
                counted_on: counted.due_on(),
                due_on: limit.due_on(),
                effect,
            });
            if effect == RecountEffect::Freed {
                // Nothing had been issued yet; the mark was the clock's own, by a calendar that has been put right.
                item.overdue_round = None;
                if item.overdue_at == Some(told.due_at()) {
                    item.overdue_at = None;
                }
            }
            item.limits.push(limit);
            self.arm_limit(number, at, rules)?;
        }
        Ok(if items.is_empty() && !other_rules && !moved && same_timers(&armed, &self.timers) {
            Outcome::Unchanged(Self { timers: armed, ..self })
        } else {
            Outcome::Changed { next: self, events: vec![RectificationEvent::Recounted { at, items }] }
        })
    }

    /// Counts the day of a plan that the unit owes and is not yet late with again; whether it moved.
    fn recount_plan(&mut self, number: u32, rules: Rules<'_>) -> Result<bool, RectificationRefusal> {
        let received_at = self.received_at;
        let item = self.numbered_mut(number)?;
        let Some(plan) = item.plan.as_ref().filter(|plan| !plan.late) else { return Ok(false) };
        let (event, from) = match &plan.state {
            PlanState::Asked => (AnchorEvent::LetterReceived, received_at),
            PlanState::Returned { verification, .. } => (AnchorEvent::PlanReturned, verification.at),
            PlanState::Submitted { .. } | PlanState::Accepted { .. } => return Ok(false),
        };
        let told = plan.due_at;
        let counted = limits::plan_of(rules.rulebook.plan_rule(item.severity), event, from, plan.state.clone(), rules)?;
        let Some(later) = counted.filter(|counted| counted.due_at > told) else { return Ok(false) };
        item.plan = Some(later);
        self.arm_plan(number)?;
        Ok(true)
    }
}

impl Rectification {
    /// Arms the timers of a limit that stays anew. A reminder that is due and has not acted yet is not lost, one that has gone
    /// out does not go out again, and order and next step only move later.
    fn arm_again(&mut self, number: u32, at: Timestamp, rules: Rules<'_>) -> Result<(), RectificationRefusal> {
        let is_reminder = |timer: &&Timer| timer.item == number && timer.kind == TimerKind::Reminder;
        let (waiting, to_come): (Vec<Timer>, Vec<Timer>) =
            self.timers.iter().filter(is_reminder).partition(|timer| timer.due_at <= at);
        let follows =
            |timer: &&Timer| timer.item == number && matches!(timer.kind, TimerKind::Urge | TimerKind::Escalate);
        let following: Vec<Timer> = self.timers.iter().filter(follows).copied().collect();
        self.arm_limit(number, at, rules)?;
        for old in following {
            let same = |new: &&mut Timer| {
                (new.kind, new.item, new.round, new.step) == (old.kind, old.item, old.round, old.step)
            };
            if let Some(new) = self.timers.iter_mut().find(same) {
                new.due_at = new.due_at.max(old.due_at);
            }
        }
        // The instant alone does not tell which have gone out: a calendar moves it, and a clock may have been put back over it.
        let is_to_come = |timer: &Timer| to_come.iter().any(|old| old.step == timer.step);
        self.timers.retain(|timer| !is_reminder(&timer) || is_to_come(timer));
        self.timers.extend(waiting);
        Ok(())
    }
}

fn same_timers(before: &[Timer], after: &[Timer]) -> bool {
    let sorted = |timers: &[Timer]| {
        let mut keys: Vec<_> =
            timers.iter().map(|timer| (timer.due_at, timer.kind, timer.item, timer.round, timer.step)).collect();
        keys.sort_unstable();
        keys
    };
    sorted(before) == sorted(after)
}

/// What the new count means for a told limit; nothing when it means nothing.
fn effect(told: &Limit, counted: &Limit, at: Timestamp) -> Option<RecountEffect> {
    let passed = told.due_at() <= at;
    match counted.due_at().cmp(&told.due_at()) {
        std::cmp::Ordering::Greater if passed && counted.due_at() > at && told.is_binding() => {
            Some(RecountEffect::Freed)
        }
        std::cmp::Ordering::Greater | std::cmp::Ordering::Equal if passed => None,
        std::cmp::Ordering::Greater => Some(RecountEffect::Later),
        std::cmp::Ordering::Less => {
            (!passed && (told.provisional || told.adjusted != Some(Adjustment::Kept))).then_some(RecountEffect::Kept)
        }
        std::cmp::Ordering::Equal => match (told.provisional, counted.provisional) {
            (true, false) => Some(RecountEffect::Final),
            (false, true) => Some(RecountEffect::Provisional),
            (true, true) | (false, false) => None,
        },
    }
}

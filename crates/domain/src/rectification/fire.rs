//! What the clock does, without any human act.

use jiff::{SignedDuration, Timestamp};

use super::events::{RectificationEvent, ReminderItem, UrgedItem, UrgingOrder};
use super::facts::Rules;
use super::limits::{self, Count};
use super::refusal::RectificationRefusal;
use super::state::{ItemState, Limit, LimitBasis, LookBackState, PlanState, Rectification, UrgedMark};
use super::timers::{Timer, TimerKind, WHOLE};
use crate::local_time::local_date;
use crate::outcome::Outcome;
use crate::period::Period;
use crate::proof::AnchorEvent;
use crate::rulebook::Duty;

/// What fires can arm what is due already only through the end of a stop; more rounds than these would be a fault.
const MOST_ROUNDS: usize = 4;

/// The level of the ladder that follows the urging order: the interview (约谈).
const LEVEL_AFTER_URGING: u8 = 2;

impl Rectification {
    /// Lets every timer act that is due at the instant: reminders, overdue marks, the urging order, the next step of
    /// the ladder, look-backs, and what the agency owes (measures 10, 11 and 13).
    ///
    /// Firing again at the same instant, or when nothing is due, changes nothing. Of several missed reminders of an
    /// item the last one goes out, and none once the limit has passed. The urging order issues when the first
    /// `urging_after_due` of an item has run out, and then lists **every** item of the letter whose limit has
    /// passed and that no order lists yet: one order for a letter at an instant. Its new limits count from the
    /// order's own date, as the order is served in the system at the instant of its issue.
    pub fn fire_due(
        mut self,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Outcome<Self, RectificationEvent>, RectificationRefusal> {
        self.check_rules(rules)?;
        let mut events = Vec::new();
        let mut fired = false;
        for _ in 0..MOST_ROUNDS {
            let (mut due, armed): (Vec<Timer>, Vec<Timer>) = self.timers.iter().partition(|timer| timer.due_at <= at);
            if due.is_empty() {
                break;
            }
            fired = true;
            due.sort_unstable_by_key(|timer| (timer.kind, timer.due_at, timer.item, timer.step));
            self.timers = armed;
            self.act(&due, at, rules, &mut events)?;
        }
        Ok(if fired { Outcome::Changed { next: self, events } } else { Outcome::Unchanged(self) })
    }

    fn act(
        &mut self,
        due: &[Timer],
        at: Timestamp,
        rules: Rules<'_>,
        events: &mut Vec<RectificationEvent>,
    ) -> Result<(), RectificationRefusal> {
        let of = |kind: TimerKind| due.iter().copied().filter(move |timer| timer.kind == kind);
        if of(TimerKind::Resume).next().is_some() && self.is_paused() {
            events.extend(self.resume(at, rules)?);
        }
        events.extend(self.reminders(of(TimerKind::Reminder), at));
        for timer in of(TimerKind::PlanDue) {
            let item = self.numbered_mut(timer.item)?;
            let item_id = item.item_id;
            if let Some(plan) = item.plan.as_mut().filter(|plan| plan.state.awaits_unit()) {
                plan.late = true;
                events.push(RectificationEvent::PlanOverdue { item_id, due_at: plan.due_at, due_on: plan.due_on });
            }
        }
        for timer in of(TimerKind::Due) {
            events.extend(self.numbered_mut(timer.item)?.mark_overdue(at));
        }
        if of(TimerKind::Urge).next().is_some() {
            events.extend(self.urge(at, rules)?);
        }
        let escalated: Vec<Timer> = of(TimerKind::Escalate).collect();
        events.extend(self.escalate(&escalated, at, rules)?);
        for timer in of(TimerKind::LookBack) {
            events.extend(self.look_back_due(timer, at, rules)?);
        }
        for timer in due {
            if let Some(duty) = timer.kind.duty() {
                events.extend(self.call_to_mind(duty, *timer, at, rules)?);
            }
        }
        Ok(())
    }

    fn reminders(&self, due: impl Iterator<Item = Timer>, at: Timestamp) -> Option<RectificationEvent> {
        let mut items: Vec<ReminderItem> = Vec::new();
        for timer in due {
            let Some(item) = self.numbered(timer.item) else { continue };
            let Some(limit) = item.limit().filter(|limit| at < limit.due_at()) else { continue };
            items.retain(|earlier| earlier.item_id != item.item_id);
            items.push(ReminderItem {
                item_id: item.item_id,
                due_on: limit.due_on(),
                due_at: limit.due_at(),
                step: timer.step,
            });
        }
        (!items.is_empty()).then_some(RectificationEvent::RemindersDue { items })
    }

    /// The interval of a look-back has run out: the agency owes the visit from now on.
    fn look_back_due(
        &mut self,
        timer: Timer,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Option<RectificationEvent>, RectificationRefusal> {
        let item = self.numbered_mut(timer.item)?;
        let item_id = item.item_id;
        let place = usize::try_from(timer.round).unwrap_or(usize::MAX);
        let Some(look) = item.look_backs.get_mut(place).filter(|look| look.state == LookBackState::Armed) else {
            return Ok(None);
        };
        look.state = LookBackState::Due;
        let visit_by = rules.duty_due(Duty::LookBackVisit, rules.rule("waiting.look_back_visit")?, at)?;
        self.arm_duty(TimerKind::LookBackVisit, timer.item, timer.round, visit_by);
        Ok(Some(RectificationEvent::LookBackDue { item_id, at, visit_by }))
    }

    /// A duty of the agency is overdue: it is called to mind, and again after a while, until it is done. The ladder of
    /// reminders has no end short of an act of people.
    fn call_to_mind(
        &mut self,
        duty: Duty,
        timer: Timer,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Option<RectificationEvent>, RectificationRefusal> {
        if !self.is_owed(duty, timer) {
            return Ok(None);
        }
        let again = again_after(timer.due_at, at, rules)?;
        self.timers.push(Timer { step: timer.step + 1, due_at: again, ..timer });
        let item_id = self.numbered(timer.item).map(|item| item.item_id);
        Ok(Some(RectificationEvent::DutyOverdue { duty, item_id, due_at: timer.due_at, times: timer.step + 1 }))
    }

    fn is_owed(&self, duty: Duty, timer: Timer) -> bool {
        let place = usize::try_from(timer.round).unwrap_or(usize::MAX);
        let item = self.numbered(timer.item);
        match duty {
            Duty::Verification => item.is_some_and(|item| matches!(item.state, ItemState::Reported { .. })),
            Duty::CloseOut if timer.item == WHOLE => self.is_complete(),
            Duty::CloseOut => item.is_some_and(|item| matches!(item.state, ItemState::Verified { .. })),
            Duty::PlanAcceptance => item
                .and_then(|item| item.plan.as_ref())
                .is_some_and(|plan| matches!(plan.state, PlanState::Submitted { .. })),
            Duty::ConsultationAnswer => {
                item.and_then(|item| item.consultations.get(place)).is_some_and(|asked| asked.answer.is_none())
            }
            Duty::LookBackVisit => {
                item.and_then(|item| item.look_backs.get(place)).is_some_and(|look| look.state == LookBackState::Due)
            }
            Duty::RequestDecision => self.requests.iter().any(|request| request.sequence == timer.round),
            Duty::StepDecision => {
                self.steps.get(place).is_some_and(|step| matches!(step.outcome, super::state::StepOutcome::Proposed))
            }
        }
    }

    /// Issues one order for every item that is late and not yet urged; none when the timers were moot.
    fn urge(&mut self, at: Timestamp, rules: Rules<'_>) -> Result<Option<RectificationEvent>, RectificationRefusal> {
        let late: Vec<u32> = self
            .items
            .iter()
            .filter(|item| item.is_late_at(at) && item.limit().is_some_and(Limit::is_binding))
            .map(|item| item.number)
            .collect();
        if late.is_empty() {
            return Ok(None);
        }
        let rectification_id = self.rectification_id;
        let sequence = self.urging_orders + 1;
        let order_id = UrgingOrder::id_of(rectification_id, sequence);
        let issued_on = local_date(at);
        let mut items = Vec::with_capacity(late.len());
        let mut next_level_at: Option<Timestamp> = None;
        let suspensions = self.suspensions.clone();
        for number in late {
            let item = self.numbered_mut(number)?;
            let was_due_on = item.limit().map_or(issued_on, Limit::due_on);
            let count = Count {
                basis: LimitBasis::UrgingOrder { order_id },
                rule: rules.rulebook.urging_limit(item.severity),
                event: AnchorEvent::UrgingOrderServed,
                from: at,
                base: None,
            };
            let limit = limits::derive(item.next_round(), count, at, &suspensions, rules)?;
            item.urged.push(UrgedMark { order_id, at });
            item.ladder_level = item.ladder_level.max(1);
            items.push(UrgedItem {
                item_id: item.item_id,
                finding_id: item.finding_id,
                number,
                severity: item.severity,
                was_due_on,
                days_late: was_due_on.until(issued_on).map_or(0, |span| span.get_days()),
                limit: limit.clone(),
            });
            self.put_limit(number, limit, rules)?;
            let reached = self
                .timers
                .iter()
                .filter(|timer| timer.item == number && timer.kind == TimerKind::Escalate)
                .map(|timer| timer.due_at)
                .min();
            next_level_at = match (next_level_at, reached) {
                (Some(first), Some(second)) => Some(first.min(second)),
                (first, second) => first.or(second),
            };
        }
        self.urging_orders = sequence;
        Ok(Some(RectificationEvent::UrgingOrderIssued {
            order: UrgingOrder {
                order_id,
                rectification_id,
                sequence,
                issued_at: at,
                issued_on,
                items,
                next_level: LEVEL_AFTER_URGING,
                next_level_at: next_level_at.unwrap_or(at),
            },
        }))
    }
}

/// When an overdue duty is called to mind again: counted from its last reminder, so that a clock which is a moment late
/// does not shift the rhythm; after an outage from the instant.
fn again_after(due_at: Timestamp, at: Timestamp, rules: Rules<'_>) -> Result<Timestamp, RectificationRefusal> {
    let every = rules.rulebook.waiting.remind_every.period;
    // What ended at 24:00 ended on the day before, which is the one that is not counted.
    let by_days = !matches!(every, Period::Hours(_));
    let last = if by_days { due_at.checked_sub(SignedDuration::from_micros(1)).unwrap_or(due_at) } else { due_at };
    let again = rules.end(last, every, rules.agency_calendar)?;
    Ok(if again > at { again } else { rules.end(at, every, rules.agency_calendar)? })
}

//! What the clock does, without any human act.

use jiff::Timestamp;

use super::events::{EscalatedItem, EscalationProposal, RectificationEvent, ReminderItem, UrgedItem, UrgingOrder};
use super::facts::Rules;
use super::refusal::RectificationRefusal;
use super::state::{Limit, LimitBasis, Rectification, UrgedMark};
use super::timers::{self, Timer, TimerKind};
use crate::ids::{ItemId, ProposalId, UrgingOrderId};
use crate::local_time::local_date;
use crate::outcome::Outcome;
use crate::proof::{AnchorEvent, ProofSheet};

impl Rectification {
    /// Lets every timer act that is due at the instant: reminders, overdue marks, the urging order, the next step of
    /// the ladder (measures 10 and 13).
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
        let (mut due, armed): (Vec<Timer>, Vec<Timer>) = self.timers.iter().partition(|timer| timer.due_at <= at);
        if due.is_empty() {
            return Ok(Outcome::Unchanged(self));
        }
        due.sort_by_key(|timer| (timer.kind, timer.due_at, timer.item_id, timer.step));
        self.timers = armed;
        let mut events = Vec::new();
        let of = |kind: TimerKind| due.iter().filter(move |timer| timer.kind == kind);

        events.extend(self.reminders(of(TimerKind::Reminder), at));
        for timer in of(TimerKind::Due) {
            events.extend(self.item_mut(timer.item_id)?.mark_overdue(at));
        }
        if of(TimerKind::Urge).next().is_some() {
            events.extend(self.urge(at, rules)?);
        }
        let escalated: Vec<&Timer> = of(TimerKind::Escalate).collect();
        events.extend(self.escalate(&escalated, at, rules)?);
        for timer in of(TimerKind::Verification) {
            events.push(RectificationEvent::VerificationOverdue { item_id: timer.item_id, due_at: timer.due_at });
        }
        Ok(Outcome::Changed { next: self, events })
    }

    fn reminders<'t>(&self, due: impl Iterator<Item = &'t Timer>, at: Timestamp) -> Option<RectificationEvent> {
        let mut items: Vec<ReminderItem> = Vec::new();
        for timer in due {
            let Some(limit) = self.item(timer.item_id).and_then(|item| item.limit()) else {
                continue;
            };
            if at >= limit.due_at() {
                continue;
            }
            let reminder = ReminderItem {
                item_id: timer.item_id,
                due_on: limit.due_on(),
                due_at: limit.due_at(),
                step: timer.step,
            };
            items.retain(|earlier| earlier.item_id != timer.item_id);
            items.push(reminder);
        }
        (!items.is_empty()).then_some(RectificationEvent::RemindersDue { items })
    }

    /// Issues one order for every item that is late and not yet urged; none when the timers were moot.
    fn urge(&mut self, at: Timestamp, rules: Rules<'_>) -> Result<Option<RectificationEvent>, RectificationRefusal> {
        let late: Vec<ItemId> = self
            .items
            .iter()
            .filter(|item| item.is_late_at(at) && !item.limit().is_some_and(Limit::is_urging))
            .map(|item| item.item_id)
            .collect();
        if late.is_empty() {
            return Ok(None);
        }
        let rectification_id = self.rectification_id;
        let sequence = self.urging_orders + 1;
        let order_id = UrgingOrderId::derived(&[&rectification_id.to_string(), &sequence.to_string()]);
        let issued_on = local_date(at);
        let mut items = Vec::with_capacity(late.len());
        let mut next_level_at: Option<Timestamp> = None;
        for item_id in late {
            let item = self.item_mut(item_id)?;
            let was_due_on = item.limit().map_or(issued_on, Limit::due_on);
            let proof = ProofSheet::derive(
                rules.rulebook.urging_limit(item.severity),
                AnchorEvent::UrgingOrderServed,
                at,
                rules.unit_calendar,
            )?;
            let limit = Limit {
                round: item.limit().map_or(0, |limit| limit.round + 1),
                basis: LimitBasis::UrgingOrder { order_id },
                set_at: at,
                proof: proof.clone(),
            };
            item.urged.push(UrgedMark { order_id, at });
            item.ladder_level = item.ladder_level.max(1);
            items.push(UrgedItem {
                item_id,
                finding_id: item.finding_id,
                number: item.number,
                severity: item.severity,
                was_due_on,
                days_late: was_due_on.until(issued_on).map_or(0, |span| span.get_days()),
                limit: proof,
            });
            let armed = timers::of_limit(rectification_id, item, &limit, rules)?;
            item.limits.push(limit);
            let reached =
                armed.iter().filter(|timer| timer.kind == TimerKind::Escalate).map(|timer| timer.due_at).min();
            next_level_at = match (next_level_at, reached) {
                (Some(first), Some(second)) => Some(first.min(second)),
                (first, second) => first.or(second),
            };
            self.rearm(item_id, armed);
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
                next_level: timers::LEVEL_AFTER_URGING,
                next_level_at: next_level_at.unwrap_or(at),
            },
        }))
    }

    /// Proposes the next step of the ladder, one proposal for all items that reach it at the instant.
    ///
    /// Above it no clock is armed: whether and how the ladder is climbed is for people to decide.
    fn escalate(
        &mut self,
        due: &[&Timer],
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Option<RectificationEvent>, RectificationRefusal> {
        let level = timers::LEVEL_AFTER_URGING;
        let mut items = Vec::new();
        for timer in due {
            let item = self.item_mut(timer.item_id)?;
            if !item.is_late_at(at) {
                continue;
            }
            item.ladder_level = item.ladder_level.max(level);
            items.push(EscalatedItem { item_id: item.item_id, order_id: item.urged.last().map(|mark| mark.order_id) });
        }
        if items.is_empty() {
            return Ok(None);
        }
        let step = rules.rulebook.ladder_step(level).ok_or(RectificationRefusal::NoLadderStep(level))?;
        self.proposals += 1;
        Ok(Some(RectificationEvent::EscalationProposed {
            proposal: EscalationProposal {
                proposal_id: ProposalId::derived(&[&self.rectification_id.to_string(), &self.proposals.to_string()]),
                rectification_id: self.rectification_id,
                level,
                action: step.action,
                decided_by: step.decided_by,
                article: step.article.clone(),
                at,
                items,
            },
        }))
    }
}

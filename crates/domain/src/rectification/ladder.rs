//! The ladder above the urging order: the clock proposes, people decide (measures 13 to 15).

use jiff::Timestamp;

use super::acts::Acted;
use super::events::{EscalatedItem, EscalationProposal, RectificationEvent};
use super::facts::Rules;
use super::limits::{self, Count};
use super::refusal::RectificationRefusal;
use super::state::{Limit, LimitBasis, Rectification, Step, StepOutcome, Verification};
use super::timers::{Timer, TimerKind, WHOLE};
use crate::ids::{AccountId, ItemId, ProposalId};
use crate::local_time::local_date;
use crate::outcome::Outcome;
use crate::proof::AnchorEvent;
use crate::rulebook::{DecidedBy, Duty};

/// Who decides a step or a request, and in which capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decider {
    /// The account.
    pub account: AccountId,
    /// Whether the account acts for the Committee's leaders (主任、副主任).
    pub is_leader: bool,
}

impl Decider {
    /// Refuses who may not decide a step of that level: taking it, lifting it and refusing to lift it ask for the same
    /// standing (measures 13 to 15).
    pub(super) fn check_standing(self, level: u8, rules: Rules<'_>) -> Result<(), RectificationRefusal> {
        let rule = rules.rulebook.ladder_step(level).ok_or(RectificationRefusal::NoLadderStep(level))?;
        let entitled = match rule.decided_by {
            DecidedBy::CommitteeLeader => self.is_leader,
            DecidedBy::SupervisionAgency => true,
            DecidedBy::System => false,
        };
        if entitled { Ok(()) } else { Err(RectificationRefusal::NotEntitled) }
    }
}

impl Rectification {
    /// Records that a proposed step was taken (约谈, 通报, 问责): its items get a new limit, after which the next step is
    /// proposed.
    ///
    /// The system never takes such a step; it only waits, reminds, and counts on.
    pub fn take_step(
        mut self,
        proposal_id: ProposalId,
        decider: Decider,
        note: String,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        let Some((place, step)) = (0..).zip(&mut self.steps).find(|(_, step)| step.proposal_id == proposal_id) else {
            return Err(RectificationRefusal::UnknownStep);
        };
        match &step.outcome {
            StepOutcome::Proposed => {}
            StepOutcome::Taken { decision } if decision.by == decider.account && decision.note == note => {
                return Ok(self.done_before(events));
            }
            StepOutcome::Taken { .. } | StepOutcome::Lifted { .. } => return Err(RectificationRefusal::StepDecided),
            StepOutcome::Moot { .. } => return Err(RectificationRefusal::StepMoot),
        }
        let level = step.level;
        decider.check_standing(level, rules)?;
        if note.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        step.outcome = StepOutcome::Taken { decision: Verification { by: decider.account, at, note: note.clone() } };
        let numbers = step.items.clone();
        self.disarm(TimerKind::StepDecision, WHOLE, Some(place));
        let basis = LimitBasis::Step { level };
        let limits = self.limits_by_step(&numbers, level, basis, AnchorEvent::StepTaken, at, rules)?;
        events.push(RectificationEvent::StepTaken { proposal_id, level, by: decider.account, at, note, limits });
        Ok(Outcome::Changed { next: self, events })
    }

    /// The new limits that a decided step gives to those of its items that the unit still owes.
    pub(super) fn limits_by_step(
        &mut self,
        numbers: &[u32],
        level: u8,
        basis: LimitBasis,
        event: AnchorEvent,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Vec<(ItemId, Limit)>, RectificationRefusal> {
        let rule = rules.rule(&format!("ladder.{level}.limit"))?;
        let suspensions = self.suspensions.clone();
        let mut limits = Vec::new();
        for number in numbers {
            let item = self.numbered_mut(*number)?;
            if !item.state.awaits_unit() {
                continue;
            }
            let item_id = item.item_id;
            let count = Count { basis, rule: rule.clone(), event, from: at, base: None };
            let limit = limits::derive(item.next_round(), count, at, &suspensions, rules)?;
            // A step that was proposed long ago, e.g. before the item was opened anew, shortens nothing that runs longer.
            if item.limit().is_some_and(|current| current.due_at() > limit.due_at()) {
                continue;
            }
            self.put_limit(*number, limit.clone(), rules)?;
            limits.push((item_id, limit));
        }
        Ok(limits)
    }

    /// Proposes the steps whose clocks have run out, one proposal for all items that reach a level at the instant.
    pub(super) fn escalate(
        &mut self,
        due: &[Timer],
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        let mut levels: Vec<u32> = due.iter().map(|timer| timer.step).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut events = Vec::new();
        for level in levels {
            let numbers: Vec<u32> = due.iter().filter(|timer| timer.step == level).map(|timer| timer.item).collect();
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            events.extend(self.propose(level, &numbers, at, rules)?);
        }
        Ok(events)
    }

    fn propose(
        &mut self,
        level: u8,
        numbers: &[u32],
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        let today = local_date(at);
        let mut items = Vec::new();
        let mut listed = Vec::new();
        for number in numbers {
            let item = self.numbered_mut(*number)?;
            if !item.is_late_at(at) {
                continue;
            }
            item.ladder_level = item.ladder_level.max(level);
            let was_due_on = item.binding_limit().map_or(today, Limit::due_on);
            listed.push(*number);
            items.push(EscalatedItem {
                item_id: item.item_id,
                number: item.number,
                severity: item.severity,
                order_id: item.urged.last().map(|mark| mark.order_id),
                was_due_on,
                days_late: was_due_on.until(today).map_or(0, |span| span.get_days()),
                returns: item.returns,
                extensions: item.extensions,
                reopened: item.reopened,
            });
        }
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let step = rules.rulebook.ladder_step(level).ok_or(RectificationRefusal::NoLadderStep(level))?;
        let rule = rules.rule(&format!("ladder.{level}.decide"))?;
        let due_at = rules.duty_due(Duty::StepDecision, rule, at)?;
        let place = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let proposal_id = ProposalId::derived(&[&self.rectification_id.to_string(), &(place + 1).to_string()]);
        let proposal = EscalationProposal {
            proposal_id,
            rectification_id: self.rectification_id,
            level,
            action: step.action,
            decided_by: step.decided_by,
            article: step.article.clone(),
            facts: step.facts.clone(),
            at,
            decide_by: due_at,
            items,
        };
        self.steps.push(Step { proposal_id, level, items: listed, at, due_at, outcome: StepOutcome::Proposed });
        self.arm_duty(TimerKind::StepDecision, WHOLE, place, due_at);
        let mut events = vec![RectificationEvent::EscalationProposed { proposal }];
        events.extend(self.hold_department_liable(level, at, rules)?);
        Ok(events)
    }
}

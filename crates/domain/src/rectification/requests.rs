//! Requests that another person decides: extension, waiver, pause, early end of a pause, lift of a step (measure 10).
//!
//! One shape for all: somebody asks with a reason, the request has a clock of its own, and somebody else grants or refuses
//! it. Nobody decides his own request (四眼原则).

use jiff::Timestamp;
use jiff::civil::Date;

use super::acts::{Acted, refused};
use super::events::RectificationEvent;
use super::facts::Rules;
use super::ladder::Decider;
use super::limits::{self, Count};
use super::refusal::RectificationRefusal;
use super::state::{
    Adjustment, Item, ItemState, LimitBasis, LookBackState, Rectification, Request, RequestSubject, StepOutcome,
    Suspension, Verification, Waiver,
};
use super::timers::{TimerKind, WHOLE};
use crate::ids::{AccountId, ItemId, ProposalId, RequestId};
use crate::local_time::{end_of_day, local_date};
use crate::outcome::Outcome;
use crate::period::{Period, count_end};
use crate::proof::AnchorEvent;
use crate::rulebook::{Duty, EXTENSION, PauseReason};

/// What another person says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Who decides, and in which capacity.
    pub by: Decider,
    /// Whether it is granted.
    pub granted: bool,
    /// Why, in words; needed for a refusal.
    pub note: String,
}

impl Rectification {
    /// Asks for something that another person decides. What could not be granted now is refused at once.
    pub fn ask(
        mut self,
        subject: RequestSubject,
        reason: String,
        by: AccountId,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        if let Some(known) = self.requests.iter().find(|request| same_matter(&request.subject, &subject)) {
            return if known.subject == subject && known.reason == reason && known.by == by {
                Ok(self.done_before(events))
            } else {
                Err(RectificationRefusal::RequestPending)
            };
        }
        if reason.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        self.check_subject(&subject, at, rules)?;
        let sequence = self.requests_made + 1;
        let due_at = rules.duty_due(Duty::RequestDecision, rules.rule("waiting.request_decision")?, at)?;
        let request = Request {
            request_id: RequestId::derived(&[&self.rectification_id.to_string(), &sequence.to_string()]),
            sequence,
            subject,
            reason,
            by,
            at,
            due_at,
        };
        self.requests_made = sequence;
        self.arm_duty(TimerKind::RequestDecision, WHOLE, sequence, due_at);
        self.requests.push(request.clone());
        events.push(RectificationEvent::RequestMade { request });
        Ok(Outcome::Changed { next: self, events })
    }

    /// Grants or refuses a request; what it asks for is judged again, for the clock may have moved on since.
    ///
    /// Whoever grants or refuses the lift of a step must be entitled to decide the step itself. An extension that is not
    /// granted before the due date cannot be granted any more: the limit has passed.
    pub fn decide_request(
        mut self,
        request_id: RequestId,
        ruling: Ruling,
        at: Timestamp,
        counterpart: Option<&Self>,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        let Some(request) = self.requests.iter().find(|request| request.request_id == request_id).cloned() else {
            return Err(RectificationRefusal::UnknownRequest);
        };
        let by = ruling.by.account;
        if request.by == by {
            return Err(RectificationRefusal::SamePerson);
        }
        if let RequestSubject::Lift { proposal_id } = &request.subject {
            let step = self.step(*proposal_id).ok_or(RectificationRefusal::UnknownStep)?;
            ruling.by.check_standing(step.level, rules)?;
        }
        if !ruling.granted && ruling.note.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        events.push(RectificationEvent::RequestDecided {
            request: request.clone(),
            granted: ruling.granted,
            by,
            at,
            note: ruling.note.clone(),
        });
        self.requests.retain(|known| known.request_id != request_id);
        self.disarm(TimerKind::RequestDecision, WHOLE, Some(request.sequence));
        if ruling.granted {
            self.check_subject(&request.subject, at, rules)?;
            events.extend(match request.subject.clone() {
                RequestSubject::Extension { item_id, period } => self.extend(item_id, period, at, rules)?,
                RequestSubject::Waiver { item_id } => self.waive(item_id, &request, by, (at, counterpart), rules)?,
                RequestSubject::Pause { pause, until } => self.pause(pause, until, &request, by, at)?,
                RequestSubject::Resume => self.resume(at, rules)?,
                RequestSubject::Lift { proposal_id } => self.lift(proposal_id, &request, ruling, at, rules)?,
            });
        }
        Ok(Outcome::Changed { next: self, events })
    }

    /// Whether what is asked for could be granted at the instant.
    fn check_subject(
        &self,
        subject: &RequestSubject,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<(), RectificationRefusal> {
        match subject {
            RequestSubject::Extension { item_id, period } => {
                let item = self.item(*item_id).ok_or(RectificationRefusal::UnknownItem(*item_id))?;
                self.check_extension(item, *period, at, rules)
            }
            RequestSubject::Waiver { item_id } => {
                let item = self.item(*item_id).ok_or(RectificationRefusal::UnknownItem(*item_id))?;
                if item.state.is_done() { Err(refused(&item.state, "waive")) } else { Ok(()) }
            }
            RequestSubject::Pause { pause, until } => self.check_pause(*pause, *until, at, rules),
            RequestSubject::Resume => {
                if self.is_paused() {
                    Ok(())
                } else {
                    Err(RectificationRefusal::NotPaused)
                }
            }
            RequestSubject::Lift { proposal_id } => {
                let step = self.step(*proposal_id).ok_or(RectificationRefusal::UnknownStep)?;
                match step.outcome {
                    StepOutcome::Proposed | StepOutcome::Taken { .. } => Ok(()),
                    StepOutcome::Lifted { .. } => Err(RectificationRefusal::StepDecided),
                    StepOutcome::Moot { .. } => Err(RectificationRefusal::StepMoot),
                }
            }
        }
    }

    fn check_extension(
        &self,
        item: &Item,
        period: Period,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<(), RectificationRefusal> {
        if !item.state.awaits_unit() {
            return Err(refused(&item.state, "extend"));
        }
        if self.is_paused() {
            return Err(RectificationRefusal::Paused);
        }
        let current = item
            .limit()
            .filter(|limit| limit.is_binding() && at < limit.due_at())
            .ok_or(RectificationRefusal::LimitPassed)?;
        let extension = &rules.rulebook.extension;
        if item.extensions >= extension.max_per_item {
            return Err(RectificationRefusal::NoMoreExtensions(extension.max_per_item));
        }
        let end = |period| {
            let anchor = limits::extension_anchor(period, current.due_on(), current.due_at());
            count_end(anchor, period, rules.unit_calendar).map(|count| count.due_at)
        };
        let (longest, asked) = (end(extension.longest)?, end(period)?);
        if asked > longest || asked <= current.due_at() {
            return Err(RectificationRefusal::ExtensionLength);
        }
        Ok(())
    }

    fn check_pause(
        &self,
        pause: PauseReason,
        until: Date,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<(), RectificationRefusal> {
        if self.is_paused() {
            return Err(RectificationRefusal::Paused);
        }
        let rule = &rules.rulebook.pause;
        if !rule.reasons.contains(&pause) {
            return Err(RectificationRefusal::PauseReason);
        }
        let longest = count_end(at, rule.longest, rules.unit_calendar)?.due_on;
        if until < local_date(at) || until > longest {
            return Err(RectificationRefusal::PauseLength);
        }
        // What has passed has passed: a pause stops a clock that runs.
        let runs = |item: &Item| item.state.awaits_unit() && item.limit().is_some_and(|limit| at < limit.due_at());
        if self.items.iter().any(runs) { Ok(()) } else { Err(RectificationRefusal::LimitPassed) }
    }

    /// Extends the limit of an item, counted from the last day of the limit in force.
    fn extend(
        &mut self,
        item_id: ItemId,
        period: Period,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        let suspensions = self.suspensions.clone();
        let item = self.item_mut(item_id)?;
        let number = item.number;
        let Some(current) = item.limit() else { return Err(RectificationRefusal::LimitPassed) };
        let from = limits::extension_anchor(period, current.due_on(), current.due_at());
        let base = Some(Box::new(current.source.clone()));
        let mut rule = rules.rule(EXTENSION)?;
        rule.period = period;
        let count = Count { basis: LimitBasis::Extended, rule, event: AnchorEvent::ExtensionGranted, from, base };
        let limit = limits::derive(item.next_round(), count, at, &suspensions, rules)?;
        item.extensions += 1;
        self.put_limit(number, limit.clone(), rules)?;
        Ok(vec![RectificationEvent::ItemExtended { item_id, at, limit }])
    }

    /// Frees an item from rectification, with everything that hangs on it.
    fn waive(
        &mut self,
        item_id: ItemId,
        request: &Request,
        approved_by: AccountId,
        (at, counterpart): (Timestamp, Option<&Self>),
        rules: Rules<'_>,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        self.check_counterpart(item_id, counterpart)?;
        let item = self.item_mut(item_id)?;
        let number = item.number;
        item.state = ItemState::Waived {
            waiver: Waiver { requested_by: request.by, approved_by, at, reason: request.reason.clone() },
        };
        for look in &mut item.look_backs {
            if matches!(look.state, LookBackState::Armed | LookBackState::Due) {
                look.state = LookBackState::Dropped;
            }
        }
        self.timers.retain(|timer| timer.item != number);
        let mut events =
            vec![RectificationEvent::ItemWaived { item_id, by: approved_by, at, reason: request.reason.clone() }];
        events.extend(self.end_moot(at));
        events.extend(self.complete(counterpart, at, rules)?);
        Ok(events)
    }

    /// Stops the unit's clocks; they run again by themselves when the day has ended.
    fn pause(
        &mut self,
        reason: PauseReason,
        until: Date,
        request: &Request,
        approved_by: AccountId,
        at: Timestamp,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        let until = end_of_day(until).ok_or(RectificationRefusal::PauseLength)?;
        self.suspensions.push(Suspension {
            reason,
            note: request.reason.clone(),
            requested_by: request.by,
            approved_by,
            from: at,
            until,
            ended_at: None,
        });
        self.timers.retain(|timer| !timer.kind.is_units());
        let round = u32::try_from(self.suspensions.len()).unwrap_or(u32::MAX);
        self.arm_duty(TimerKind::Resume, WHOLE, round, until);
        Ok(vec![RectificationEvent::Paused { reason, from: at, until }])
    }

    /// Lets the unit's clocks run again: every limit that was running is counted anew without the days of the stop.
    pub(super) fn resume(
        &mut self,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        let Some(stop) = self.suspensions.last_mut().filter(|stop| stop.ended_at.is_none()) else {
            return Err(RectificationRefusal::NotPaused);
        };
        // An outage does not lengthen the stop: it ended when it was to end.
        let ended_at = at.min(stop.until);
        stop.ended_at = Some(ended_at);
        let from = stop.from;
        self.disarm(TimerKind::Resume, WHOLE, None);
        let suspensions = self.suspensions.clone();
        let mut limits = Vec::new();
        let waiting: Vec<u32> =
            self.items.iter().filter(|item| item.state.awaits_unit()).map(|item| item.number).collect();
        for number in waiting {
            let item = self.numbered_mut(number)?;
            let (item_id, round) = (item.item_id, item.next_round());
            let running = item.limit().filter(|limit| limit.due_at() > from).cloned();
            if let Some(running) = running {
                let limit = limits::derive_again(&running, round, Adjustment::Resumed, ended_at, &suspensions, rules)?;
                // Told dates never move earlier: the days of the stop can only be added.
                let limit = if limit.due_at() < running.due_at() {
                    super::state::Limit { round, set_at: ended_at, adjusted: Some(Adjustment::Kept), ..running }
                } else {
                    limit
                };
                self.numbered_mut(number)?.limits.push(limit.clone());
                limits.push((item_id, limit));
            }
            let received_at = self.received_at;
            let item = self.numbered_mut(number)?;
            if item.plan.as_ref().is_some_and(|plan| plan.state.awaits_unit() && plan.due_at > from) {
                item.plan = limits::plan_again(item, received_at, &suspensions, rules)?;
            }
            self.arm_limit(number, ended_at, rules)?;
        }
        Ok(vec![RectificationEvent::Resumed { at: ended_at, limits }])
    }

    /// Ends a stop of the clock whose time is over, before people act: the clock may be a moment behind.
    pub(super) fn catch_up(
        &mut self,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        let over = self.suspensions.last().is_some_and(|stop| stop.ended_at.is_none() && stop.until <= at);
        if over { self.resume(at, rules) } else { Ok(Vec::new()) }
    }

    /// What the unit's clock reads at the instant: while it is stopped, it stands where it stood.
    pub(super) fn reads(&self, at: Timestamp) -> Timestamp {
        self.suspensions.last().filter(|stop| stop.ended_at.is_none()).map_or(at, |stop| stop.from)
    }

    /// The outcome of an act that had been done before; something may have been caught up with, though.
    pub(super) fn done_before(self, events: Vec<RectificationEvent>) -> Outcome<Self, RectificationEvent> {
        if events.is_empty() { Outcome::Unchanged(self) } else { Outcome::Changed { next: self, events } }
    }

    /// Lifts a step: its items get a new limit, after which the same step is proposed again.
    fn lift(
        &mut self,
        proposal_id: ProposalId,
        request: &Request,
        ruling: Ruling,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Vec<RectificationEvent>, RectificationRefusal> {
        let Some((place, step)) = (0..).zip(&mut self.steps).find(|(_, step)| step.proposal_id == proposal_id) else {
            return Err(RectificationRefusal::UnknownStep);
        };
        let by = ruling.by.account;
        let note = if ruling.note.trim().is_empty() { request.reason.clone() } else { ruling.note };
        step.outcome =
            StepOutcome::Lifted { requested_by: request.by, decision: Verification { by, at, note: note.clone() } };
        let (level, numbers) = (step.level, step.items.clone());
        self.disarm(TimerKind::StepDecision, WHOLE, Some(place));
        let basis = LimitBasis::Lifted { level };
        let limits = self.limits_by_step(&numbers, level, basis, AnchorEvent::StepLifted, at, rules)?;
        Ok(vec![RectificationEvent::StepLifted { proposal_id, level, by, at, reason: note, limits }])
    }
}

/// Whether two requests are about the same thing, of which only one may wait at a time.
fn same_matter(one: &RequestSubject, other: &RequestSubject) -> bool {
    match (one, other) {
        (RequestSubject::Extension { item_id: a, .. }, RequestSubject::Extension { item_id: b, .. })
        | (RequestSubject::Waiver { item_id: a }, RequestSubject::Waiver { item_id: b }) => a == b,
        (RequestSubject::Pause { .. }, RequestSubject::Pause { .. })
        | (RequestSubject::Resume, RequestSubject::Resume) => true,
        (RequestSubject::Lift { proposal_id: a }, RequestSubject::Lift { proposal_id: b }) => a == b,
        (
            RequestSubject::Extension { .. }
            | RequestSubject::Waiver { .. }
            | RequestSubject::Pause { .. }
            | RequestSubject::Resume
            | RequestSubject::Lift { .. },
            _,
        ) => false,
    }
}

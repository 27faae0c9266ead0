//! What people do with an item: plan, note progress, report, verify, close out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::events::RectificationEvent;
use super::facts::Rules;
use super::limits::{self, Count};
use super::refusal::RectificationRefusal;
use super::state::{
    Approval, Consultation, Item, ItemState, Limit, LimitBasis, LookBack, LookBackState, PlanState, PlannedMeasure,
    Progress, Rectification, Report, Submission, Timeliness, Verification,
};
use super::timers::{TimerKind, WHOLE};
use crate::ids::{AccountId, FileId, ItemId, UnitId};
use crate::outcome::Outcome;
use crate::proof::AnchorEvent;
use crate::rulebook::{Duty, ProcedureClock};

pub(super) type Acted = Result<Outcome<Rectification, RectificationEvent>, RectificationRefusal>;

/// A report as it is handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportFacts {
    /// Who reports.
    pub by: AccountId,
    /// What was done.
    pub text: String,
    /// The evidence, at least one file.
    pub evidence: Vec<FileId>,
}

/// Who verifies, and in which capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verifier {
    /// The account.
    pub account: AccountId,
    /// The unit that the account belongs to.
    pub unit: Option<UnitId>,
    /// Whether the account acts as an inspector with a valid appointment (督学).
    pub is_inspector: bool,
}

/// The conclusion of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// Rectified (核查通过).
    Accept {
        /// The conclusion in words.
        note: String,
    },
    /// Not rectified; the unit goes on (退回).
    Return {
        /// Why.
        reason: String,
    },
}

impl Decision {
    /// The words of the conclusion.
    pub fn note(&self) -> &str {
        match self {
            Self::Accept { note } => note,
            Self::Return { reason } => reason,
        }
    }

    const fn accepts(&self) -> bool {
        matches!(self, Self::Accept { .. })
    }
}

impl Rectification {
    /// The unit hands in its plan for an item (整改方案, measure 10).
    ///
    /// A late plan is taken and stays marked late. A report does not wait for the plan: it may be handed in without one,
    /// for what the law counts is the rectification itself.
    pub fn submit_plan(mut self, item_id: ItemId, submission: Submission, at: Timestamp, rules: Rules<'_>) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        let reads = self.reads(at);
        let item = self.item_mut(item_id)?;
        let number = item.number;
        if !item.state.awaits_unit() {
            return Err(refused(&item.state, "plan"));
        }
        let Some(plan) = item.plan.as_mut() else { return Err(RectificationRefusal::NoPlanAsked) };
        match &plan.state {
            PlanState::Asked | PlanState::Returned { .. } => {}
            PlanState::Submitted { submission: known }
                if known.by == submission.by
                    && known.text == submission.text
                    && known.measures == submission.measures =>
            {
                return Ok(self.done_before(events));
            }
            state @ (PlanState::Submitted { .. } | PlanState::Accepted { .. }) => {
                return Err(RectificationRefusal::PlanState(state.key()));
            }
        }
        if submission.text.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        if submission.measures.is_empty() || submission.measures.iter().any(PlannedMeasure::is_empty) {
            return Err(RectificationRefusal::NoMeasure);
        }
        plan.late |= reads >= plan.due_at;
        let late = plan.late;
        let by = submission.by;
        plan.state = PlanState::Submitted { submission };
        let due_at = rules.duty_due(Duty::PlanAcceptance, rules.rule("waiting.plan_acceptance")?, at)?;
        self.disarm(TimerKind::PlanDue, number, None);
        self.arm_duty(TimerKind::PlanAcceptance, number, 0, due_at);
        events.push(RectificationEvent::PlanSubmitted { item_id, by, at, late });
        Ok(Outcome::Changed { next: self, events })
    }

    /// The agency accepts a plan or returns it; who handed it in does not judge it.
    pub fn judge_plan(
        mut self,
        item_id: ItemId,
        by: AccountId,
        decision: &Decision,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        let item = self.item_mut(item_id)?;
        let number = item.number;
        let severity = item.severity;
        let Some(plan) = item.plan.as_mut() else { return Err(RectificationRefusal::NoPlanAsked) };
        let submission = match &plan.state {
            PlanState::Submitted { submission } => submission.clone(),
            PlanState::Accepted { verification, .. } | PlanState::Returned { verification, .. }
                if verification.by == by
                    && verification.note == decision.note()
                    && decision.accepts() == matches!(plan.state, PlanState::Accepted { .. }) =>
            {
                return Ok(self.done_before(events));
            }
            state @ (PlanState::Asked | PlanState::Returned { .. } | PlanState::Accepted { .. }) => {
                return Err(RectificationRefusal::PlanState(state.key()));
            }
        };
        if !item.state.awaits_unit() {
            // A report has overtaken the plan.
            return Err(refused(&item.state, "judge the plan"));
        }
        if submission.by == by {
            return Err(RectificationRefusal::SamePerson);
        }
        let verification = Verification { by, at, note: decision.note().to_owned() };
        let accepted = decision.accepts();
        if accepted {
            plan.state = PlanState::Accepted { submission, verification };
        } else {
            if decision.note().trim().is_empty() {
                return Err(RectificationRefusal::EmptyText);
            }
            // A new plan has a new limit of its own, which never ends before the old one.
            let told = plan.clone();
            let state = PlanState::Returned { submission, verification };
            let rule = rules.rulebook.plan_rule(severity);
            let next = limits::plan_of(rule, AnchorEvent::PlanReturned, at, state.clone(), rules)?;
            *plan = match next {
                Some(next) if next.due_at > told.due_at => next,
                Some(_) | None => super::state::Plan { state, late: false, ..told },
            };
        }
        let due_on = (!accepted).then_some(plan.due_on);
        self.disarm(TimerKind::PlanAcceptance, number, None);
        self.arm_plan(number)?;
        events.push(RectificationEvent::PlanJudged { item_id, by, at, accepted, due_on });
        Ok(Outcome::Changed { next: self, events })
    }

    /// The unit notes how far it is (整改进展).
    pub fn note_progress(mut self, item_id: ItemId, progress: Progress) -> Acted {
        let item = self.item_mut(item_id)?;
        if !item.state.awaits_unit() {
            return Err(refused(&item.state, "note progress"));
        }
        if progress.text.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        if item.progress.as_ref().is_some_and(|known| known.by == progress.by && known.text == progress.text) {
            return Ok(Outcome::Unchanged(self));
        }
        let (by, at, text) = (progress.by, progress.at, progress.text.clone());
        item.progress = Some(progress);
        Ok(Outcome::Changed { next: self, events: vec![RectificationEvent::ProgressNoted { item_id, by, at, text }] })
    }

    /// The unit reports an item (Regulation art. 22): in time if and only if before the due instant.
    ///
    /// A late report is accepted and marked late. The same report again changes nothing.
    pub fn report(mut self, item_id: ItemId, facts: ReportFacts, at: Timestamp, rules: Rules<'_>) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        let reads = self.reads(at);
        let item = self.item_mut(item_id)?;
        match &item.state {
            ItemState::InProgress | ItemState::Returned { .. } => {}
            ItemState::Reported { report }
                if report.by == facts.by && report.text == facts.text && report.evidence == facts.evidence =>
            {
                return Ok(self.done_before(events));
            }
            state @ (ItemState::Reported { .. }
            | ItemState::Verified { .. }
            | ItemState::Closed { .. }
            | ItemState::Waived { .. }) => {
                return Err(refused(state, "report"));
            }
        }
        if facts.text.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        if facts.evidence.is_empty() {
            return Err(RectificationRefusal::NoEvidence);
        }
        let rule = rules.rulebook.verification_rule(item.severity);
        let due_at = rules.duty_due(Duty::Verification, rule, at)?;
        // The clock may be a moment behind: a report that comes first must not hide that the limit had passed.
        events.extend(item.mark_overdue(reads));
        let timeliness = item.timeliness(reads);
        let (number, round) = (item.number, item.limit().map_or(0, |limit| limit.round));
        events.push(RectificationEvent::ItemReported {
            item_id,
            by: facts.by,
            at,
            timeliness,
            verification_due_at: due_at,
        });
        item.state = ItemState::Reported {
            report: Report {
                by: facts.by,
                at,
                text: facts.text,
                evidence: facts.evidence,
                timeliness,
                verification_due_at: due_at,
            },
        };
        self.disarm_units(number);
        self.disarm(TimerKind::PlanAcceptance, number, None);
        self.arm_duty(TimerKind::Verification, number, round, due_at);
        Ok(Outcome::Changed { next: self, events })
    }

    /// Another person, an inspector, verifies a report (核查, Regulation art. 22): accepts it, or returns it with a
    /// new limit, which never ends before the one in force.
    pub fn verify(
        mut self,
        item_id: ItemId,
        verifier: Verifier,
        decision: Decision,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        let suspensions = self.suspensions.clone();
        let item = self.item_mut(item_id)?;
        let report = match (&item.state, &decision) {
            (ItemState::Reported { report }, Decision::Accept { .. } | Decision::Return { .. }) => report.clone(),
            (ItemState::Verified { verification, .. }, Decision::Accept { note })
            | (ItemState::Returned { verification, .. }, Decision::Return { reason: note })
                if verification.by == verifier.account && verification.note == *note =>
            {
                return Ok(self.done_before(events));
            }
            (
                state @ (ItemState::InProgress
                | ItemState::Returned { .. }
                | ItemState::Verified { .. }
                | ItemState::Closed { .. }
                | ItemState::Waived { .. }),
                Decision::Accept { .. } | Decision::Return { .. },
            ) => return Err(refused(state, "verify")),
        };
        if verifier.account == report.by {
            return Err(RectificationRefusal::SamePerson);
        }
        if !verifier.is_inspector {
            return Err(RectificationRefusal::NotInspector);
        }
        if verifier.unit == Some(item.responsible_unit) {
            return Err(RectificationRefusal::OwnUnit);
        }
        let number = item.number;
        let verification = |note: String| Verification { by: verifier.account, at, note };
        match decision {
            Decision::Accept { note } => {
                item.state = ItemState::Verified { report, verification: verification(note), approvals: Vec::new() };
                let due_at = rules.duty_due(Duty::CloseOut, rules.rule("waiting.close_out")?, at)?;
                self.disarm(TimerKind::Verification, number, None);
                self.arm_duty(TimerKind::CloseOut, number, 0, due_at);
                events.push(RectificationEvent::ItemVerified { item_id, by: verifier.account, at });
                Ok(Outcome::Changed { next: self, events })
            }
            Decision::Return { reason } => {
                if reason.trim().is_empty() {
                    return Err(RectificationRefusal::EmptyText);
                }
                let limit = limit_after_return(item, at, &suspensions, rules)?;
                item.state = ItemState::Returned { report, verification: verification(reason.clone()) };
                item.returns += 1;
                let plan_waits =
                    item.plan.as_ref().is_some_and(|plan| matches!(plan.state, PlanState::Submitted { .. }));
                self.disarm(TimerKind::Verification, number, None);
                self.put_limit(number, limit.clone(), rules)?;
                if plan_waits {
                    // The report had overtaken the plan; now the agency owes its opinion on it again.
                    let rule = rules.rule("waiting.plan_acceptance")?;
                    let due_at = rules.duty_due(Duty::PlanAcceptance, rule, at)?;
                    self.arm_duty(TimerKind::PlanAcceptance, number, 0, due_at);
                }
                events.push(RectificationEvent::ItemReturned { item_id, by: verifier.account, at, reason, limit });
                Ok(Outcome::Changed { next: self, events })
            }
        }
    }

    /// Approves the close-out of a verified item (销号审批); the last approval that the rules ask for closes it and arms its
    /// look-backs.
    ///
    /// Who reported must not approve, and nobody approves twice. A case under joint liability closes its last item only when
    /// the counterpart is ready to close too (measure 10); `counterpart` is that case.
    pub fn close_out(
        mut self,
        item_id: ItemId,
        approval: Approval,
        counterpart: Option<&Self>,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let (by, at) = (approval.by, approval.at);
        self.check_counterpart(item_id, counterpart)?;
        let item = self.item_mut(item_id)?;
        let number = item.number;
        let (report, verification, mut approvals) = match &item.state {
            ItemState::Verified { report, verification, approvals } => {
                (report.clone(), verification.clone(), approvals.clone())
            }
            ItemState::Closed { .. } => return Ok(Outcome::Unchanged(self)),
            state @ (ItemState::InProgress
            | ItemState::Reported { .. }
            | ItemState::Returned { .. }
            | ItemState::Waived { .. }) => {
                return Err(refused(state, "close out"));
            }
        };
        if report.by == by {
            return Err(RectificationRefusal::SamePerson);
        }
        if approvals.iter().any(|known| known.by == by) {
            return Ok(Outcome::Unchanged(self));
        }
        approvals.push(approval);
        let wanted = usize::from(rules.rulebook.severity_rule(item.severity).close_out_approvals);
        if approvals.len() < wanted {
            let given = u32::try_from(approvals.len()).unwrap_or(u32::MAX);
            item.state = ItemState::Verified { report, verification, approvals };
            return Ok(Outcome::Changed {
                next: self,
                events: vec![RectificationEvent::CloseOutApproved { item_id, by, at, given }],
            });
        }
        item.state = ItemState::Closed { report, verification, approvals };
        let always_on_time = item.was_always_on_time();
        let looks = look_backs(item, at, rules)?;
        item.look_backs.extend(looks.clone());
        let first = item.look_backs.len() - looks.len();
        self.disarm(TimerKind::CloseOut, number, None);
        for (index, look) in (first..).zip(looks) {
            self.arm_duty(TimerKind::LookBack, number, u32::try_from(index).unwrap_or(u32::MAX), look.due_at);
        }
        let mut events = vec![RectificationEvent::ItemClosedOut { item_id, by, at, always_on_time }];
        events.extend(self.end_moot(at));
        events.extend(self.complete(counterpart, at, rules)?);
        Ok(Outcome::Changed { next: self, events })
    }

    /// Refuses a close-out: the report goes back to verification.
    pub fn refuse_close_out(
        mut self,
        item_id: ItemId,
        by: AccountId,
        reason: String,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let item = self.item_mut(item_id)?;
        let (report, verification) = match &item.state {
            ItemState::Verified { report, verification, approvals: _ } => (report.clone(), verification.clone()),
            state @ (ItemState::InProgress
            | ItemState::Reported { .. }
            | ItemState::Returned { .. }
            | ItemState::Closed { .. }
            | ItemState::Waived { .. }) => return Err(refused(state, "refuse the close-out")),
        };
        if report.by == by || verification.by == by {
            return Err(RectificationRefusal::SamePerson);
        }
        if reason.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        let (number, round) = (item.number, item.limit().map_or(0, |limit| limit.round));
        let due_at = rules.duty_due(Duty::Verification, rules.rulebook.verification_rule(item.severity), at)?;
        item.state = ItemState::Reported { report: Report { verification_due_at: due_at, ..report } };
        self.disarm(TimerKind::CloseOut, number, None);
        self.arm_duty(TimerKind::Verification, number, round, due_at);
        Ok(Outcome::Changed {
            next: self,
            events: vec![RectificationEvent::CloseOutRefused { item_id, by, at, reason }],
        })
    }

    /// Refuses to finish the last open item of a case under joint liability while the counterpart is not ready to close
    /// (measure 10). An item that is done already is not finished anew.
    pub(super) fn check_counterpart(
        &self,
        item_id: ItemId,
        counterpart: Option<&Self>,
    ) -> Result<(), RectificationRefusal> {
        let last_open = self.items.iter().all(|item| item.item_id == item_id || item.state.is_done());
        let Some(link) = self.link.filter(|_| last_open) else { return Ok(()) };
        let ready =
            counterpart.is_some_and(|other| other.rectification_id == link.rectification_id() && other.is_settled());
        let item = self.item(item_id).ok_or(RectificationRefusal::UnknownItem(item_id))?;
        if ready || item.state.is_done() { Ok(()) } else { Err(RectificationRefusal::CounterpartOpen) }
    }

    /// Completes the case when its last item is done. Under joint liability it waits for its counterpart, with a clock of
    /// its own: both are completed at one instant.
    pub(super) fn complete(
        &mut self,
        counterpart: Option<&Self>,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Result<Option<RectificationEvent>, RectificationRefusal> {
        if !self.is_complete() {
            return Ok(None);
        }
        if self.link.is_none() || counterpart.is_some_and(Self::is_complete) {
            return Ok(Some(RectificationEvent::Completed { at }));
        }
        let due_at = rules.duty_due(Duty::CloseOut, rules.rule("waiting.close_out")?, at)?;
        self.arm_duty(TimerKind::CloseOut, WHOLE, 0, due_at);
        Ok(None)
    }

    /// The counterpart of a case that waited for it has been completed, and so this one is.
    pub fn conclude(mut self, at: Timestamp) -> Outcome<Self, RectificationEvent> {
        let waited = self.timers.iter().any(|timer| timer.kind == TimerKind::CloseOut && timer.item == WHOLE);
        if !waited || !self.is_complete() {
            return Outcome::Unchanged(self);
        }
        self.disarm(TimerKind::CloseOut, WHOLE, None);
        Outcome::Changed { next: self, events: vec![RectificationEvent::Completed { at }] }
    }

    /// Asks another office for help with an item (协商意见书); its answer has a clock, the unit's goes on.
    pub fn consult(
        mut self,
        item_id: ItemId,
        (office, question): (String, String),
        by: AccountId,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let item = self.item_mut(item_id)?;
        if item.state.is_done() {
            return Err(refused(&item.state, "consult"));
        }
        if office.trim().is_empty() || question.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        if let Some(open) = item.consultations.iter().find(|asked| asked.answer.is_none()) {
            return if open.office == office && open.question == question && open.by == by {
                Ok(Outcome::Unchanged(self))
            } else {
                Err(RectificationRefusal::ConsultationOpen)
            };
        }
        let number = item.number;
        let rule = rules.rulebook.procedure_rule(ProcedureClock::ConsultationAnswer);
        let due_at = rules.duty_due(Duty::ConsultationAnswer, rule, at)?;
        let round = u32::try_from(item.consultations.len()).unwrap_or(u32::MAX);
        item.consultations.push(Consultation { office: office.clone(), question, by, at, due_at, answer: None });
        self.arm_duty(TimerKind::ConsultationAnswer, number, round, due_at);
        Ok(Outcome::Changed {
            next: self,
            events: vec![RectificationEvent::ConsultationSent { item_id, office, by, at, due_at }],
        })
    }

    /// Records the answer of the consulted office.
    pub fn answer_consultation(mut self, item_id: ItemId, answer: Verification) -> Acted {
        let item = self.item_mut(item_id)?;
        let number = item.number;
        if answer.note.trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        let Some((round, open)) = (0..).zip(&mut item.consultations).find(|(_, asked)| asked.answer.is_none()) else {
            return match item.consultations.last().and_then(|asked| asked.answer.as_ref()) {
                Some(known) if known.by == answer.by && known.note == answer.note => Ok(Outcome::Unchanged(self)),
                Some(_) | None => Err(RectificationRefusal::NoConsultation),
            };
        };
        let (by, at) = (answer.by, answer.at);
        open.answer = Some(answer);
        self.disarm(TimerKind::ConsultationAnswer, number, Some(round));
        Ok(Outcome::Changed { next: self, events: vec![RectificationEvent::ConsultationAnswered { item_id, by, at }] })
    }

    /// Records what a look-back found (回头看, measure 11): the problem stays solved, or it is back and the item is opened
    /// anew with its whole history and a new limit.
    pub fn look_back(
        mut self,
        item_id: ItemId,
        verifier: Verifier,
        decision: &Decision,
        at: Timestamp,
        rules: Rules<'_>,
    ) -> Acted {
        self.check_rules(rules)?;
        let mut events = self.catch_up(at, rules)?;
        let item = self.item_mut(item_id)?;
        let (number, severity) = (item.number, item.severity);
        let by = verifier.account;
        let Some((round, look)) = (0..).zip(&mut item.look_backs).find(|(_, look)| look.state == LookBackState::Due)
        else {
            let repeated = item.look_backs.iter().any(|look| match &look.state {
                LookBackState::Passed { verification } => {
                    decision.accepts() && verification.by == by && verification.note == decision.note()
                }
                LookBackState::Failed { verification } => {
                    !decision.accepts() && verification.by == by && verification.note == decision.note()
                }
                LookBackState::Armed | LookBackState::Due | LookBackState::Dropped => false,
            });
            return if repeated { Ok(self.done_before(events)) } else { Err(RectificationRefusal::NoLookBack) };
        };
        if item.state.report().is_some_and(|report| report.by == by) {
            return Err(RectificationRefusal::SamePerson);
        }
        if !verifier.is_inspector {
            return Err(RectificationRefusal::NotInspector);
        }
        if verifier.unit == Some(item.responsible_unit) {
            return Err(RectificationRefusal::OwnUnit);
        }
        if decision.note().trim().is_empty() {
            return Err(RectificationRefusal::EmptyText);
        }
        let verification = Verification { by, at, note: decision.note().to_owned() };
        if decision.accepts() {
            look.state = LookBackState::Passed { verification };
            self.disarm(TimerKind::LookBackVisit, number, Some(round));
            events.push(RectificationEvent::LookBackPassed { item_id, by, at });
            return Ok(Outcome::Changed { next: self, events });
        }
        look.state = LookBackState::Failed { verification };
        for look in &mut item.look_backs {
            if matches!(look.state, LookBackState::Armed | LookBackState::Due) {
                look.state = LookBackState::Dropped;
            }
        }
        item.state = ItemState::InProgress;
        item.reopened += 1;
        item.plan = None;
        let (next_round, reopened) = (item.next_round(), item.reopened);
        // An office that was consulted still owes its answer.
        self.timers.retain(|timer| timer.item != number || timer.kind == TimerKind::ConsultationAnswer);
        // A case that was complete but for its counterpart is open again, and waits for nobody.
        self.disarm(TimerKind::CloseOut, WHOLE, None);
        let count = Count {
            basis: LimitBasis::Reopened,
            rule: rules.rulebook.finish_rule(severity),
            event: AnchorEvent::LookBackFailed,
            from: at,
            base: None,
        };
        let limit = limits::derive(next_round, count, at, &self.suspensions, rules)?;
        self.put_limit(number, limit.clone(), rules)?;
        events.push(RectificationEvent::ItemReopened {
            item_id,
            by,
            at,
            reason: decision.note().to_owned(),
            reopened,
            limit,
        });
        Ok(Outcome::Changed { next: self, events })
    }
}

impl PlannedMeasure {
    fn is_empty(&self) -> bool {
        self.what.trim().is_empty() || self.responsible.trim().is_empty()
    }
}

impl Item {
    /// Marks the item overdue if its binding limit has passed and was not marked before.
    ///
    /// An act that began before the due instant may come to the item after a firing that began at it: by its own time nothing
    /// had passed, and the mark is taken back.
    pub(super) fn mark_overdue(&mut self, at: Timestamp) -> Option<RectificationEvent> {
        let limit = self.binding_limit()?;
        let (round, due_at, due_on) = (limit.round, limit.due_at(), limit.due_on());
        let marked = self.overdue_round == Some(round);
        if at < due_at {
            if marked {
                self.overdue_round = None;
                self.overdue_at = self.overdue_at.filter(|first| *first != due_at);
            }
            return None;
        }
        if marked {
            return None;
        }
        self.overdue_at = self.overdue_at.or(Some(due_at));
        self.overdue_round = Some(round);
        Some(RectificationEvent::ItemOverdue { item_id: self.item_id, due_at, due_on })
    }

    fn timeliness(&self, at: Timestamp) -> Timeliness {
        let passed = |limit: &Limit| at >= limit.due_at();
        // What the ladder set since the unit's own limit: once another step has followed, the order's limit had passed.
        let climbed: Vec<&Limit> = self.limits.iter().rev().take_while(|limit| !limit.is_binding()).collect();
        let after_urging = climbed
            .first()
            .is_some_and(|last| passed(last) || climbed.iter().any(|earlier| earlier.basis != last.basis));
        if !self.binding_limit().is_some_and(passed) {
            Timeliness::InTime
        } else if after_urging {
            Timeliness::LateAfterUrging
        } else {
            Timeliness::Late
        }
    }
}

/// The look-backs that a closing arms; of a severity that is sampled, the items that the draw takes.
///
/// The draw follows from the item's identity: nobody chooses, and anyone can repeat it (measure 11).
fn look_backs(item: &Item, at: Timestamp, rules: Rules<'_>) -> Result<Vec<LookBack>, RectificationRefusal> {
    let rule = &rules.rulebook.severity_rule(item.severity).look_back;
    let draw = item.item_id.as_uuid().as_u128() % 100;
    if draw >= u128::from(rule.sample_percent) {
        return Ok(Vec::new());
    }
    rule.after
        .iter()
        .map(|period| {
            let due_at = rules.end(at, *period, rules.agency_calendar)?;
            Ok(LookBack { due_at, state: LookBackState::Armed })
        })
        .collect()
}

/// The limit after a return: from the return, unless the limit in force ends later; then that one stays.
fn limit_after_return(
    item: &Item,
    at: Timestamp,
    suspensions: &[super::state::Suspension],
    rules: Rules<'_>,
) -> Result<Limit, RectificationRefusal> {
    let count = Count {
        basis: LimitBasis::Returned,
        rule: rules.rulebook.return_rule(item.severity),
        event: AnchorEvent::ReportReturned,
        from: at,
        base: None,
    };
    let round = item.next_round();
    let limit = limits::derive(round, count, at, suspensions, rules)?;
    Ok(match item.limit() {
        Some(current) if current.due_at() > limit.due_at() => Limit { round, set_at: at, ..current.clone() },
        Some(_) | None => limit,
    })
}

pub(super) fn refused(state: &ItemState, act: &'static str) -> RectificationRefusal {
    RectificationRefusal::State { state: state.key(), act }
}

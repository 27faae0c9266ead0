//! What the agency itself owes, counted again when a calendar or a rule changes: an office that a typhoon closes is not reminded
//! of a verification that fell due meanwhile.

use jiff::Timestamp;

use super::facts::Rules;
use super::refusal::RectificationRefusal;
use super::state::{ItemState, PlanState, Rectification};
use super::timers::Timer;
use crate::proof::AppliedRule;
use crate::rulebook::{Duty, ProcedureClock};

impl Rectification {
    /// Counts every duty whose limit still runs again, from what it was counted from; whether any moved. Like the unit's limits
    /// they move later only. One that has been called to mind already keeps its rhythm.
    pub(super) fn recount_duties(&mut self, at: Timestamp, rules: Rules<'_>) -> Result<bool, RectificationRefusal> {
        let mut moved = false;
        for place in 0..self.timers.len() {
            let Some(timer) = self.timers.get(place).copied().filter(|timer| timer.step == 0 && timer.due_at > at)
            else {
                continue;
            };
            let Some(duty) = timer.kind.duty() else { continue };
            let Some((rule, from)) = self.cause_of(duty, timer, rules)? else { continue };
            let counted = rules.duty_due(duty, rule, from)?;
            if counted <= timer.due_at {
                continue;
            }
            if let Some(timer) = self.timers.get_mut(place) {
                timer.due_at = counted;
            }
            self.tell(duty, timer, counted);
            moved = true;
        }
        Ok(moved)
    }

    /// From which rule and instant a duty is counted; nothing for what keeps its day whatever the calendar says: the close-out
    /// of a case that waits for its counterpart, whose end nobody was told.
    fn cause_of(
        &self,
        duty: Duty,
        timer: Timer,
        rules: Rules<'_>,
    ) -> Result<Option<(AppliedRule, Timestamp)>, RectificationRefusal> {
        let place = usize::try_from(timer.round).unwrap_or(usize::MAX);
        let item = self.numbered(timer.item);
        Ok(match duty {
            Duty::Verification => item.and_then(|item| match &item.state {
                ItemState::Reported { report } => Some((rules.rulebook.verification_rule(item.severity), report.at)),
                ItemState::InProgress
                | ItemState::Returned { .. }
                | ItemState::Verified { .. }
                | ItemState::Closed { .. }
                | ItemState::Waived { .. } => None,
            }),
            Duty::PlanAcceptance => {
                let submitted = item.and_then(|item| match &item.plan.as_ref()?.state {
                    PlanState::Submitted { submission } => Some(submission.at),
                    PlanState::Asked | PlanState::Returned { .. } | PlanState::Accepted { .. } => None,
                });
                since(submitted, "waiting.plan_acceptance", rules)?
            }
            Duty::CloseOut => {
                let verified = item.and_then(|item| match &item.state {
                    ItemState::Verified { verification, .. } => Some(verification.at),
                    ItemState::InProgress
                    | ItemState::Reported { .. }
                    | ItemState::Returned { .. }
                    | ItemState::Closed { .. }
                    | ItemState::Waived { .. } => None,
                });
                since(verified, "waiting.close_out", rules)?
            }
            Duty::RequestDecision => {
                let asked = self.requests.iter().find(|request| request.sequence == timer.round);
                since(asked.map(|request| request.at), "waiting.request_decision", rules)?
            }
            Duty::StepDecision => match self.steps.get(place) {
                Some(step) => Some((rules.rule(&format!("ladder.{}.decide", step.level))?, step.at)),
                None => None,
            },
            Duty::ConsultationAnswer => {
                let asked = item.and_then(|item| item.consultations.get(place));
                asked.map(|asked| (rules.rulebook.procedure_rule(ProcedureClock::ConsultationAnswer), asked.at))
            }
            Duty::LookBackVisit => {
                let look = item.and_then(|item| item.look_backs.get(place));
                since(look.map(|look| look.due_at), "waiting.look_back_visit", rules)?
            }
        })
    }

    /// Writes the later day where the state says it in words of its own.
    fn tell(&mut self, duty: Duty, timer: Timer, due_at: Timestamp) {
        let place = usize::try_from(timer.round).unwrap_or(usize::MAX);
        match duty {
            Duty::Verification => {
                if let Some(item) = self.items.iter_mut().find(|item| item.number == timer.item)
                    && let ItemState::Reported { report } = &mut item.state
                {
                    report.verification_due_at = due_at;
                }
            }
            Duty::RequestDecision => {
                if let Some(request) = self.requests.iter_mut().find(|request| request.sequence == timer.round) {
                    request.due_at = due_at;
                }
            }
            Duty::StepDecision => {
                if let Some(step) = self.steps.get_mut(place) {
                    step.due_at = due_at;
                }
            }
            Duty::ConsultationAnswer => {
                let item = self.items.iter_mut().find(|item| item.number == timer.item);
                if let Some(asked) = item.and_then(|item| item.consultations.get_mut(place)) {
                    asked.due_at = due_at;
                }
            }
            Duty::PlanAcceptance | Duty::CloseOut | Duty::LookBackVisit => {}
        }
    }
}

fn since(
    from: Option<Timestamp>,
    rule: &str,
    rules: Rules<'_>,
) -> Result<Option<(AppliedRule, Timestamp)>, RectificationRefusal> {
    from.map(|from| Ok((rules.rule(rule)?, from))).transpose()
}

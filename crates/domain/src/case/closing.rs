//! After the deliberation: preliminary opinion, plea, letter, receipt.

use jiff::Timestamp;

use super::events::CaseEvent;
use super::facts::{LetterDraft, PleaAnswer, PreliminaryOpinion};
use super::preparation::{Acted, changed};
use super::refusal::CaseRefusal;
use super::state::{Case, CaseState, LetterReceipt, Plea};
use crate::ids::{AccountId, FileId};
use crate::outcome::Outcome;
use crate::period::Period;

impl Case {
    /// Sends the preliminary opinion to the unit (反馈, Regulation art. 20).
    pub fn feed_back(mut self, opinion: PreliminaryOpinion) -> Acted {
        let deliberation = match &self.state {
            CaseState::Deliberating { deliberation } => deliberation.clone(),
            CaseState::Feedback { opinion: done, .. } if *done == opinion => {
                return Ok(Outcome::Unchanged(self));
            }
            CaseState::Planned
            | CaseState::Notified
            | CaseState::OnSite
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("feed back")),
        };
        if opinion.evaluation.trim().is_empty() {
            return Err(CaseRefusal::Missing("evaluation"));
        }
        self.state = CaseState::Feedback { deliberation, opinion: opinion.clone() };
        Ok(changed(self, CaseEvent::OpinionFedBack { opinion }))
    }

    /// The unit received the preliminary opinion; the plea window runs until `plea_until`, which the rulebook's
    /// `procedure.plea` sets from the receipt.
    pub fn receive_opinion(mut self, at: Timestamp, plea_until: Timestamp) -> Acted {
        let (deliberation, opinion) = match &self.state {
            CaseState::Feedback { deliberation, opinion } => (deliberation.clone(), opinion.clone()),
            CaseState::Pleading { .. } => return Ok(Outcome::Unchanged(self)),
            CaseState::Planned
            | CaseState::Notified
            | CaseState::OnSite
            | CaseState::Deliberating { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("receive the opinion")),
        };
        if plea_until <= at {
            return Err(CaseRefusal::PleaWindow);
        }
        self.state = CaseState::Pleading { deliberation, opinion, received_at: at, plea_until, plea: Plea::None };
        Ok(changed(self, CaseEvent::OpinionReceived { at, plea_until }))
    }

    /// The unit pleads within the window (申辩, Regulation art. 20).
    pub fn plead(mut self, by: AccountId, text: String, at: Timestamp) -> Acted {
        let refusal = self.refused("plead");
        let CaseState::Pleading { plea_until, plea, .. } = &mut self.state else {
            return Err(refusal);
        };
        match plea {
            Plea::None => {}
            Plea::Filed { by: filed_by, text: filed, .. } if *filed_by == by && *filed == text => {
                return Ok(Outcome::Unchanged(self));
            }
            Plea::Filed { .. } | Plea::Answered { .. } | Plea::Waived { .. } => {
                return Err(CaseRefusal::PleaDone);
            }
        }
        if text.trim().is_empty() {
            return Err(CaseRefusal::Missing("text"));
        }
        if at >= *plea_until {
            return Err(CaseRefusal::PleaTooLate);
        }
        *plea = Plea::Filed { by, at, text };
        Ok(changed(self, CaseEvent::Pleaded { by, at }))
    }

    /// The unit gives up its plea in writing.
    pub fn waive_plea(mut self, by: AccountId, document: FileId, at: Timestamp) -> Acted {
        let refusal = self.refused("waive the plea");
        let CaseState::Pleading { plea, .. } = &mut self.state else {
            return Err(refusal);
        };
        match plea {
            Plea::None => {}
            Plea::Waived { .. } => return Ok(Outcome::Unchanged(self)),
            Plea::Filed { .. } | Plea::Answered { .. } => return Err(CaseRefusal::PleaDone),
        }
        *plea = Plea::Waived { by, at, document };
        Ok(changed(self, CaseEvent::PleaWaived { by, at }))
    }

    /// The agency answers the plea (Regulation art. 21: the letter weighs it).
    pub fn answer_plea(mut self, answer: PleaAnswer) -> Acted {
        let refusal = self.refused("answer the plea");
        let CaseState::Pleading { plea, .. } = &mut self.state else {
            return Err(refusal);
        };
        if answer.text.trim().is_empty() {
            return Err(CaseRefusal::Missing("text"));
        }
        match plea.clone() {
            Plea::Filed { by, at, text } => {
                *plea = Plea::Answered { by, at, text, answer: answer.clone() };
                Ok(changed(self, CaseEvent::PleaAnswered { answer }))
            }
            Plea::Answered { answer: done, .. } if done == answer => Ok(Outcome::Unchanged(self)),
            Plea::None | Plea::Waived { .. } | Plea::Answered { .. } => Err(CaseRefusal::NoPlea),
        }
    }

    /// Issues the opinion letter (督导意见书, Regulation art. 21): after the plea window, or once the plea was answered
    /// or waived in writing, with at least one finding, each with problem, severity, demand and responsible unit.
    pub fn issue_letter(mut self, letter: LetterDraft) -> Acted {
        let (deliberation, opinion, plea) = match &self.state {
            CaseState::Pleading { deliberation, opinion, plea_until, plea, received_at: _ } => {
                match plea {
                    Plea::None if letter.issued_at < *plea_until => {
                        return Err(CaseRefusal::PleaOpen);
                    }
                    Plea::Filed { .. } => return Err(CaseRefusal::PleaUnanswered),
                    Plea::None | Plea::Waived { .. } | Plea::Answered { .. } => {}
                }
                (deliberation.clone(), opinion.clone(), plea.clone())
            }
            CaseState::Lettered { letter: done, .. } if done.letter_id == letter.letter_id => {
                return Ok(Outcome::Unchanged(self));
            }
            CaseState::Planned
            | CaseState::Notified
            | CaseState::OnSite
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("issue the letter")),
        };
        check_letter(&letter)?;
        self.state = CaseState::Lettered { deliberation, opinion, plea, letter: letter.clone(), receipt: None };
        Ok(changed(self, CaseEvent::LetterIssued { letter }))
    }

    /// Refuses a supervision report (督导报告, Regulation art. 23) before the letter is out: it tells of the result.
    pub fn check_report(&self) -> Result<(), CaseRefusal> {
        match self.state {
            CaseState::Lettered { .. } => Ok(()),
            CaseState::Planned
            | CaseState::Notified
            | CaseState::OnSite
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. } => Err(self.refused("issue the report")),
        }
    }

    /// The unit signs for the letter (签收): the limits of the rectification count from this day. The first receipt
    /// stands.
    pub fn receive_letter(mut self, by: AccountId, at: Timestamp) -> Acted {
        let refusal = self.refused("receive the letter");
        let CaseState::Lettered { letter, receipt, .. } = &mut self.state else {
            return Err(refusal);
        };
        if receipt.is_some() {
            return Ok(Outcome::Unchanged(self));
        }
        *receipt = Some(LetterReceipt { by, at });
        let letter = letter.clone();
        Ok(changed(self, CaseEvent::LetterReceived { letter, by, at }))
    }
}

fn check_letter(letter: &LetterDraft) -> Result<(), CaseRefusal> {
    if letter.evaluation.trim().is_empty() {
        return Err(CaseRefusal::Missing("evaluation"));
    }
    if letter.findings.is_empty() {
        return Err(CaseRefusal::Missing("findings"));
    }
    for (index, finding) in letter.findings.iter().enumerate() {
        let fault = |detail| Err(CaseRefusal::Finding { number: finding.number, detail });
        if finding.problem.trim().is_empty() {
            return fault("no problem");
        }
        if finding.demand.trim().is_empty() {
            return fault("no demand");
        }
        if finding.limit.is_some_and(|limit| !limit.is_sensible() || limit == Period::hours(0)) {
            return fault("no sensible limit");
        }
        let twice = letter
            .findings
            .iter()
            .take(index)
            .any(|other| other.number == finding.number || other.finding_id == finding.finding_id);
        if twice {
            return fault("twice");
        }
    }
    Ok(())
}

//! Before the visit: plan, team, notice, self-evaluation.

use jiff::Timestamp;
use jiff::civil::Date;

use super::events::CaseEvent;
use super::facts::{Notice, PlanFacts, Review, SelfEvaluation};
use super::jurisdiction::may_supervise;
use super::refusal::CaseRefusal;
use super::state::{Case, CaseState};
use super::team::Team;
use crate::ids::{AccountId, FileId};
use crate::local_time::local_date;
use crate::outcome::Outcome;

pub(super) type Acted = Result<Outcome<Case, CaseEvent>, CaseRefusal>;

/// The act took effect, with one event.
pub(super) fn changed(next: Case, event: CaseEvent) -> Outcome<Case, CaseEvent> {
    Outcome::Changed { next, events: vec![event] }
}

impl Case {
    /// Plans a case: the agency must have jurisdiction, and the matters be fixed (Regulation art. 13, 16).
    pub fn plan(facts: PlanFacts) -> Acted {
        may_supervise(&facts.agency, &facts.unit)?;
        if !facts.matters.iter().any(|matter| !matter.trim().is_empty()) {
            return Err(CaseRefusal::Missing("matters"));
        }
        let next = Self {
            case_id: facts.case_id,
            plan_item: facts.plan_item,
            kind: facts.kind,
            agency: facts.agency,
            unit: facts.unit,
            matters: facts.matters,
            self_evaluation_required: facts.self_evaluation_required,
            team: Team::default(),
            notice: None,
            self_evaluation: None,
            visits: Vec::new(),
            hearings: Vec::new(),
            state: CaseState::Planned,
        };
        Ok(changed(next, CaseEvent::Planned))
    }

    /// Forms the team (Regulation art. 10, 16); it may be formed anew until the notice is served.
    pub fn form_team(mut self, team: Team, on: Date) -> Acted {
        if self.team == team {
            return Ok(Outcome::Unchanged(self));
        }
        match self.state {
            CaseState::Planned => {}
            CaseState::Notified
            | CaseState::OnSite
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("form the team")),
        }
        team.check(on, self.kind.team_needed())?;
        self.team = team.clone();
        Ok(changed(self, CaseEvent::TeamFormed { team }))
    }

    /// Serves the written notice (Regulation art. 17), with a team that counts on the day.
    pub fn notify(mut self, notice: Notice) -> Acted {
        if self.notice.as_ref() == Some(&notice) {
            return Ok(Outcome::Unchanged(self));
        }
        match self.state {
            CaseState::Planned => {}
            CaseState::Notified
            | CaseState::OnSite
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("notify")),
        }
        self.team.check(local_date(notice.served_at), self.kind.team_needed())?;
        self.notice = Some(notice.clone());
        self.state = CaseState::Notified;
        Ok(changed(self, CaseEvent::Notified { notice }))
    }

    /// The unit hands in its self-evaluation (自评报告, Regulation art. 18); a new one replaces an unreviewed one.
    pub fn submit_self_evaluation(mut self, by: AccountId, files: Vec<FileId>, at: Timestamp) -> Acted {
        self.check_before_deliberation("hand in a self-evaluation")?;
        if files.is_empty() {
            return Err(CaseRefusal::Missing("files"));
        }
        match &self.self_evaluation {
            Some(found) if found.by == by && found.files == files => {
                return Ok(Outcome::Unchanged(self));
            }
            Some(SelfEvaluation { review: Some(_), .. }) => {
                return Err(self.refused("replace a reviewed self-evaluation"));
            }
            Some(SelfEvaluation { review: None, .. }) | None => {}
        }
        self.self_evaluation = Some(SelfEvaluation { by, at, files: files.clone(), review: None });
        Ok(changed(self, CaseEvent::SelfEvaluationSubmitted { by, at, files }))
    }

    /// A member of the team reviews the self-evaluation (Regulation art. 18).
    pub fn review_self_evaluation(mut self, by: AccountId, result: String, at: Timestamp) -> Acted {
        self.check_before_deliberation("review the self-evaluation")?;
        if !self.team.is_fit(by, local_date(at)) {
            return Err(CaseRefusal::NotOnTeam(by));
        }
        if result.trim().is_empty() {
            return Err(CaseRefusal::Missing("result"));
        }
        let Some(found) = &mut self.self_evaluation else {
            return Err(CaseRefusal::SelfEvaluationNotReviewed);
        };
        if found.review.is_some() {
            return Ok(Outcome::Unchanged(self));
        }
        found.review = Some(Review { by, at, result });
        Ok(changed(self, CaseEvent::SelfEvaluationReviewed { by, at }))
    }

    fn check_before_deliberation(&self, act: &'static str) -> Result<(), CaseRefusal> {
        match self.state {
            CaseState::Notified | CaseState::OnSite => Ok(()),
            CaseState::Planned
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }
            | CaseState::Lettered { .. } => Err(self.refused(act)),
        }
    }

    pub(super) fn refused(&self, act: &'static str) -> CaseRefusal {
        CaseRefusal::State { state: self.state.key(), state_zh: self.state.zh(), act }
    }
}

//! At the unit: visits, hearings, deliberation.

use super::events::CaseEvent;
use super::facts::{Deliberation, Hearing, Visit};
use super::preparation::{Acted, changed};
use super::refusal::CaseRefusal;
use super::state::{Case, CaseState};
use crate::local_time::local_date;
use crate::outcome::Outcome;

impl Case {
    /// Records a visit (现场考察, Regulation art. 18): after the notice where one is needed, by inspectors of the team
    /// who count on the day.
    pub fn record_visit(mut self, visit: Visit) -> Acted {
        if self.visits.iter().any(|found| found.visit_id == visit.visit_id) {
            return Ok(Outcome::Unchanged(self));
        }
        match self.state {
            CaseState::Planned if self.kind.needs_notice() => return Err(CaseRefusal::NoNotice),
            CaseState::Planned | CaseState::Notified | CaseState::OnSite => {}
            CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("record a visit")),
        }
        self.check_visit(&visit)?;
        self.visits.push(visit.clone());
        self.state = CaseState::OnSite;
        Ok(changed(self, CaseEvent::Visited { visit }))
    }

    fn check_visit(&self, visit: &Visit) -> Result<(), CaseRefusal> {
        let day = local_date(visit.arrived_at);
        if visit.left_at < visit.arrived_at {
            return Err(CaseRefusal::VisitTimes);
        }
        if visit.record.trim().is_empty() {
            return Err(CaseRefusal::Missing("record"));
        }
        if visit.inspectors.is_empty() {
            return Err(CaseRefusal::Missing("inspectors"));
        }
        if self.kind.needs_notice() {
            let notice = self.notice.as_ref().ok_or(CaseRefusal::NoNotice)?;
            if notice.served_at > visit.arrived_at {
                return Err(CaseRefusal::NoNotice);
            }
            if let Some(earliest) = notice.earliest_visit_on.filter(|earliest| day < *earliest) {
                return Err(CaseRefusal::VisitTooSoon { earliest });
            }
        }
        self.team.check(day, self.kind.team_needed())?;
        match visit.inspectors.iter().find(|account| !self.team.is_fit(**account, day)) {
            Some(stranger) => Err(CaseRefusal::NotOnTeam(*stranger)),
            None => Ok(()),
        }
    }

    /// Records what the public said (征求公众意见, Regulation art. 19).
    pub fn hear_public(mut self, hearing: Hearing) -> Acted {
        if self.hearings.contains(&hearing) {
            return Ok(Outcome::Unchanged(self));
        }
        match self.state {
            CaseState::Notified | CaseState::OnSite => {}
            CaseState::Planned
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("hear the public")),
        }
        if hearing.participants == 0 {
            return Err(CaseRefusal::Missing("participants"));
        }
        if hearing.minutes.trim().is_empty() {
            return Err(CaseRefusal::Missing("minutes"));
        }
        self.hearings.push(hearing.clone());
        Ok(changed(self, CaseEvent::PublicHeard { hearing }))
    }

    /// The team weighs self-evaluation, visit and public opinion (评议, Regulation art. 18 to 20): each must be there.
    pub fn deliberate(mut self, deliberation: Deliberation) -> Acted {
        match &self.state {
            CaseState::OnSite => {}
            CaseState::Deliberating { deliberation: done } if *done == deliberation => {
                return Ok(Outcome::Unchanged(self));
            }
            CaseState::Notified => return Err(CaseRefusal::NoVisit),
            CaseState::Planned
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }
            | CaseState::Lettered { .. } => return Err(self.refused("deliberate")),
        }
        if deliberation.minutes.trim().is_empty() {
            return Err(CaseRefusal::Missing("minutes"));
        }
        if self.visits.is_empty() {
            return Err(CaseRefusal::NoVisit);
        }
        let missing = self.missing_hearings();
        if !missing.is_empty() {
            return Err(CaseRefusal::NotHeard(missing));
        }
        let reviewed = self.self_evaluation.as_ref().is_some_and(|found| found.review.is_some());
        if self.self_evaluation_required && !reviewed {
            return Err(CaseRefusal::SelfEvaluationNotReviewed);
        }
        self.state = CaseState::Deliberating { deliberation: deliberation.clone() };
        Ok(changed(self, CaseEvent::Deliberated { deliberation }))
    }
}

//! The papers of the ladder's steps: the interview notice (约谈通知书, measure 13) and the circular (通报, measure 14).
//!
//! Whether the step is taken is decided elsewhere ([`crate::rectification`]); here it is asked whether its paper may go out.

use crate::rulebook::DecidedBy;

/// A paper of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPaper {
    /// The interview notice: it goes out before the interview, as soon as the step is proposed.
    InterviewNotice,
    /// The circular.
    Circular,
}

/// Where the step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStanding {
    /// It waits for a decision.
    Proposed,
    /// It was taken.
    Taken,
    /// It was lifted (解除).
    Lifted,
    /// Its items were done before anybody decided (终结).
    Moot,
}

/// Why the paper may not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepPaperRefusal {
    /// The step is another one.
    #[error("the paper belongs to another step of the ladder")]
    OtherStep,
    /// The step was lifted.
    #[error("the step has been lifted")]
    Lifted,
    /// The step has ended by itself.
    #[error("the step has ended by itself, for its items are done")]
    Moot,
    /// The Committee's leaders have not decided yet.
    #[error("this step is for the Committee's leaders to decide, and they have not decided yet")]
    NotDecided,
    /// The rulebook knows no such step, or lets nobody decide it.
    #[error("the rulebook lets no person decide this step")]
    NoStep,
}

impl StepPaperRefusal {
    /// The stable key of the reason.
    pub const fn key(self) -> &'static str {
        match self {
            Self::OtherStep => "other_step",
            Self::Lifted => "step_lifted",
            Self::Moot => "step_moot",
            Self::NotDecided => "step_not_decided",
            Self::NoStep => "no_step",
        }
    }

    /// The reason for the user.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::OtherStep => "该文书不属于这项升级措施",
            Self::Lifted => "这项升级措施已经解除，不再印发文书",
            Self::Moot => "这项升级措施所列事项均已办结，措施已自行终结，不再印发文书",
            Self::NotDecided => "这项升级措施须由督导委员会负责人决定，决定之后方可印发文书",
            Self::NoStep => "规则库没有可由人员决定的这项升级措施",
        }
    }
}

impl StepPaper {
    /// The level of the ladder that it belongs to.
    pub const fn level(self) -> u8 {
        match self {
            Self::InterviewNotice => 2,
            Self::Circular => 3,
        }
    }

    /// Refuses a paper of another step, and of one that is no longer pursued. Where the agency decides, its office may issue
    /// the paper of a proposed step too; where the Committee's leaders decide, their decision comes first.
    pub fn check(
        self,
        level: u8,
        standing: StepStanding,
        decided_by: Option<DecidedBy>,
    ) -> Result<(), StepPaperRefusal> {
        if level != self.level() {
            return Err(StepPaperRefusal::OtherStep);
        }
        match (standing, decided_by) {
            (StepStanding::Lifted, _) => Err(StepPaperRefusal::Lifted),
            (StepStanding::Moot, _) => Err(StepPaperRefusal::Moot),
            (StepStanding::Proposed | StepStanding::Taken, None | Some(DecidedBy::System)) => {
                Err(StepPaperRefusal::NoStep)
            }
            (StepStanding::Proposed, Some(DecidedBy::CommitteeLeader)) => Err(StepPaperRefusal::NotDecided),
            (StepStanding::Proposed, Some(DecidedBy::SupervisionAgency))
            | (StepStanding::Taken, Some(DecidedBy::SupervisionAgency | DecidedBy::CommitteeLeader)) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_goes_out_for_its_own_step_while_that_is_pursued() {
        use DecidedBy::{CommitteeLeader, SupervisionAgency, System};
        use StepPaperRefusal::{Lifted, Moot, NoStep, NotDecided, OtherStep};
        for (level, standing, decided_by, expected) in [
            (2, StepStanding::Proposed, Some(SupervisionAgency), Ok(())),
            (2, StepStanding::Taken, Some(SupervisionAgency), Ok(())),
            (2, StepStanding::Taken, Some(CommitteeLeader), Ok(())),
            (2, StepStanding::Proposed, Some(CommitteeLeader), Err(NotDecided)),
            (2, StepStanding::Lifted, Some(SupervisionAgency), Err(Lifted)),
            (2, StepStanding::Lifted, Some(CommitteeLeader), Err(Lifted)),
            (2, StepStanding::Moot, Some(SupervisionAgency), Err(Moot)),
            (2, StepStanding::Proposed, Some(System), Err(NoStep)),
            (2, StepStanding::Taken, None, Err(NoStep)),
            (3, StepStanding::Proposed, Some(SupervisionAgency), Err(OtherStep)),
            (4, StepStanding::Taken, Some(CommitteeLeader), Err(OtherStep)),
        ] {
            let found = StepPaper::InterviewNotice.check(level, standing, decided_by);
            assert_eq!(found, expected, "{level} {standing:?} {decided_by:?}");
        }
        assert_eq!(StepPaper::Circular.check(3, StepStanding::Proposed, Some(SupervisionAgency)), Ok(()));
        assert_eq!(StepPaper::Circular.check(2, StepStanding::Taken, Some(SupervisionAgency)), Err(OtherStep));
    }

    #[test]
    fn every_refusal_has_a_key_and_a_reason() {
        use StepPaperRefusal::{Lifted, Moot, NoStep, NotDecided, OtherStep};
        let all = [OtherStep, Lifted, Moot, NotDecided, NoStep];
        let keys: std::collections::BTreeSet<_> = all.map(StepPaperRefusal::key).into();
        assert!(keys.len() == all.len() && all.iter().all(|refusal| !refusal.zh().is_empty()));
    }
}

//! What happens to a case.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::{Deliberation, Hearing, LetterDraft, Notice, PleaAnswer, PreliminaryOpinion, Visit};
use super::team::Team;
use crate::ids::{AccountId, FileId};

/// An event of a case, for the journal; the service adds envelope and case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CaseEvent {
    /// The case was planned.
    Planned,
    /// The team was formed.
    TeamFormed {
        /// The team.
        team: Team,
    },
    /// The notice was served.
    Notified {
        /// The notice.
        notice: Notice,
    },
    /// The unit handed in its self-evaluation.
    SelfEvaluationSubmitted {
        /// Who.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// The report.
        files: Vec<FileId>,
    },
    /// The team reviewed it.
    SelfEvaluationReviewed {
        /// Who.
        by: AccountId,
        /// When.
        at: Timestamp,
    },
    /// A visit was recorded.
    Visited {
        /// The visit.
        visit: Visit,
    },
    /// The public was heard.
    PublicHeard {
        /// The hearing.
        hearing: Hearing,
    },
    /// The team deliberated.
    Deliberated {
        /// The deliberation.
        deliberation: Deliberation,
    },
    /// The preliminary opinion was sent.
    OpinionFedBack {
        /// The opinion.
        opinion: PreliminaryOpinion,
    },
    /// The unit received it; it may plead.
    OpinionReceived {
        /// When.
        at: Timestamp,
        /// The end of the plea window.
        plea_until: Timestamp,
    },
    /// The unit pleaded.
    Pleaded {
        /// Who.
        by: AccountId,
        /// When.
        at: Timestamp,
    },
    /// The plea was answered.
    PleaAnswered {
        /// The answer.
        answer: PleaAnswer,
    },
    /// The unit gave up its plea in writing.
    PleaWaived {
        /// Who.
        by: AccountId,
        /// When.
        at: Timestamp,
    },
    /// The letter was issued.
    LetterIssued {
        /// The letter.
        letter: LetterDraft,
    },
    /// The unit received the letter: the clocks start.
    LetterReceived {
        /// The letter.
        letter: LetterDraft,
        /// Who signed for it.
        by: AccountId,
        /// When.
        at: Timestamp,
    },
}

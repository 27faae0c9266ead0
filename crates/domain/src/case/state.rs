//! What a case knows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::facts::{
    Deliberation, Hearing, HearingGroup, LetterDraft, Notice, PleaAnswer, PreliminaryOpinion, SelfEvaluation, Visit,
};
use super::jurisdiction::{Agency, SupervisedUnit, UnitClass};
use super::team::{TEAM_MINIMUM, Team};
use crate::ids::{AccountId, CaseId, FileId, PlanItemId};

/// The kind of supervision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionKind {
    /// 综合督导: all matters.
    Comprehensive,
    /// 专项督导: one or several matters.
    Special,
    /// 经常性督导: by the responsible inspector.
    Regular,
    /// 突发事件督导: at once, with the notice served on arrival.
    Emergency,
}

impl SupervisionKind {
    /// The stable key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Comprehensive => "comprehensive",
            Self::Special => "special",
            Self::Regular => "regular",
            Self::Emergency => "emergency",
        }
    }

    /// The official Chinese term.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Comprehensive => "综合督导",
            Self::Special => "专项督导",
            Self::Regular => "经常性督导",
            Self::Emergency => "突发事件督导",
        }
    }

    /// How many inspectors must count (Regulation art. 16).
    pub const fn team_needed(self) -> usize {
        match self {
            Self::Comprehensive | Self::Special | Self::Emergency => TEAM_MINIMUM,
            Self::Regular => 1,
        }
    }

    /// Whether a written notice must precede the visit (Regulation art. 17).
    pub const fn needs_notice(self) -> bool {
        match self {
            Self::Comprehensive | Self::Special | Self::Emergency => true,
            Self::Regular => false,
        }
    }

    /// What closes the procedure in words: the opinion letter (督导意见书, Regulation art. 21); after a regular supervision
    /// (art. 15) the rectification notice (整改通知书).
    pub const fn letter_zh(self) -> &'static str {
        match self {
            Self::Comprehensive | Self::Special | Self::Emergency => "督导意见书",
            Self::Regular => "整改通知书",
        }
    }

    /// Whether the public must be heard (Regulation art. 19).
    pub const fn needs_hearing(self) -> bool {
        match self {
            Self::Comprehensive | Self::Special | Self::Emergency => true,
            Self::Regular => false,
        }
    }
}

/// A supervision case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Case {
    /// The case.
    pub case_id: CaseId,
    /// The item of the plan.
    pub plan_item: Option<PlanItemId>,
    /// The kind of supervision.
    pub kind: SupervisionKind,
    /// The agency.
    pub agency: Agency,
    /// The unit.
    pub unit: SupervisedUnit,
    /// The matters.
    pub matters: Vec<String>,
    /// Whether a self-evaluation is required.
    pub self_evaluation_required: bool,
    /// The team.
    pub team: Team,
    /// The notice, once served.
    pub notice: Option<Notice>,
    /// The self-evaluation, once handed in.
    pub self_evaluation: Option<SelfEvaluation>,
    /// The visits.
    pub visits: Vec<Visit>,
    /// The hearings.
    pub hearings: Vec<Hearing>,
    /// Where the case stands.
    pub state: CaseState,
}

/// Where a case stands, with what that state knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CaseState {
    /// 已立项.
    Planned,
    /// 已通知.
    Notified,
    /// 现场督导.
    OnSite,
    /// 评议.
    Deliberating {
        /// The deliberation.
        deliberation: Deliberation,
    },
    /// 初步意见已反馈.
    Feedback {
        /// The deliberation.
        deliberation: Deliberation,
        /// The preliminary opinion.
        opinion: PreliminaryOpinion,
    },
    /// 申辩期.
    Pleading {
        /// The deliberation.
        deliberation: Deliberation,
        /// The preliminary opinion.
        opinion: PreliminaryOpinion,
        /// When the unit received it.
        received_at: Timestamp,
        /// The first instant at which a plea is too late.
        plea_until: Timestamp,
        /// What the unit did.
        plea: Plea,
    },
    /// 督导意见书已下达.
    Lettered {
        /// The deliberation.
        deliberation: Deliberation,
        /// The preliminary opinion.
        opinion: PreliminaryOpinion,
        /// What the unit had said to it.
        plea: Plea,
        /// The letter.
        letter: LetterDraft,
        /// Its receipt by the unit.
        receipt: Option<LetterReceipt>,
    },
}

/// What the unit said to the preliminary opinion (申辩).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "plea", rename_all = "snake_case")]
pub enum Plea {
    /// Nothing.
    None,
    /// It gave up its plea in writing (书面放弃).
    Waived {
        /// Who, for the unit.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// The signed paper.
        document: FileId,
    },
    /// It pleaded; the answer is outstanding.
    Filed {
        /// Who, for the unit.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// The plea.
        text: String,
    },
    /// It pleaded and was answered.
    Answered {
        /// Who pleaded.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// The plea.
        text: String,
        /// The answer.
        answer: PleaAnswer,
    },
}

/// The unit's receipt of the letter (签收).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterReceipt {
    /// Who signed for it.
    pub by: AccountId,
    /// When: the day that the limits count from.
    pub at: Timestamp,
}

impl CaseState {
    /// The stable key.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Notified => "notified",
            Self::OnSite => "on_site",
            Self::Deliberating { .. } => "deliberating",
            Self::Feedback { .. } => "feedback",
            Self::Pleading { .. } => "pleading",
            Self::Lettered { .. } => "lettered",
        }
    }

    /// The state in words.
    pub const fn zh(&self) -> &'static str {
        match self {
            Self::Planned => "已立项",
            Self::Notified => "已通知",
            Self::OnSite => "现场督导",
            Self::Deliberating { .. } => "评议中",
            Self::Feedback { .. } => "初步意见已反馈",
            Self::Pleading { .. } => "申辩期",
            Self::Lettered { .. } => "督导意见书已下达",
        }
    }
}

impl Case {
    /// The state in words, with the name of the paper that this kind of supervision issues.
    pub fn state_zh(&self) -> String {
        match &self.state {
            CaseState::Lettered { .. } => format!("{}已下达", self.kind.letter_zh()),
            state @ (CaseState::Planned
            | CaseState::Notified
            | CaseState::OnSite
            | CaseState::Deliberating { .. }
            | CaseState::Feedback { .. }
            | CaseState::Pleading { .. }) => state.zh().to_owned(),
        }
    }

    /// Who must have been heard: students, parents and teachers of a school, anyone of the public elsewhere.
    pub fn missing_hearings(&self) -> Vec<HearingGroup> {
        if !self.kind.needs_hearing() {
            return Vec::new();
        }
        let heard = |group: HearingGroup| self.hearings.iter().any(|found| found.group == group);
        match self.unit.class {
            UnitClass::School | UnitClass::HigherEducation => {
                let mut missing = vec![HearingGroup::Students, HearingGroup::Teachers];
                // University students speak for themselves.
                if self.unit.class == UnitClass::School {
                    missing.insert(1, HearingGroup::Parents);
                }
                missing.retain(|group| !heard(*group));
                missing
            }
            UnitClass::CountyGovernment
            | UnitClass::Department { level: _ }
            | UnitClass::SupervisionAgency { level: _ } => {
                if self.hearings.is_empty() {
                    vec![HearingGroup::Public]
                } else {
                    Vec::new()
                }
            }
        }
    }
}

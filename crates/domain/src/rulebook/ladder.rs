//! The ladder: reminder, urging order, interview, circular, accountability (measures 10, 13, 14 and 15).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::period::Period;

/// What is done at a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LadderAction {
    /// 提醒.
    Reminder,
    /// 督办单.
    UrgingOrder,
    /// 约谈.
    Interview,
    /// 通报.
    Circular,
    /// 问责.
    Accountability,
}

impl LadderAction {
    /// The actions from level 0 up.
    pub const BY_LEVEL: [Self; 5] =
        [Self::Reminder, Self::UrgingOrder, Self::Interview, Self::Circular, Self::Accountability];

    /// The level of the action.
    pub const fn level(self) -> u8 {
        match self {
            Self::Reminder => 0,
            Self::UrgingOrder => 1,
            Self::Interview => 2,
            Self::Circular => 3,
            Self::Accountability => 4,
        }
    }

    /// The official Chinese term.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Reminder => "提醒",
            Self::UrgingOrder => "督办单",
            Self::Interview => "约谈",
            Self::Circular => "通报",
            Self::Accountability => "问责",
        }
    }
}

/// What the clock sees that reaches a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockTrigger {
    /// The due date is near.
    DeadlineNear,
    /// The due date has passed without a report.
    DeadlinePassed,
    /// The limit of the urging order has passed without a report.
    UrgingLimitPassed,
    /// The limit set at the interview has passed.
    InterviewLimitPassed,
    /// The limit set with the circular has passed.
    CircularLimitPassed,
}

/// Who decides that the step is taken. The system acts alone at the two lowest levels only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The system, without a human act.
    System,
    /// The supervision agency that issued the letter; the system proposes.
    SupervisionAgency,
    /// The Committee's chair or vice-chair; the system proposes.
    CommitteeLeader,
}

/// One level of the ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LadderStep {
    /// 0 reminder, 1 urging order, 2 interview, 3 circular, 4 accountability.
    pub level: u8,
    /// What is done.
    pub action: LadderAction,
    /// What the clock sees.
    pub trigger: ClockTrigger,
    /// Facts that reach the level directly, in the policy's words.
    #[serde(default)]
    pub facts: Vec<String>,
    /// Who decides.
    pub decided_by: DecidedBy,
    /// How long after the limit of the level below; for level 1 the severity table's `urging_after_due` holds.
    pub wait: Period,
    /// How long who decides has to decide on a proposed step; left out where the system decides.
    pub decide: Option<Period>,
    /// The new limit that the unit gets when the step is taken or lifted; left out where the severity table sets it.
    pub limit: Option<Period>,
    /// The measure.
    pub article: String,
}

//! What a rectification knows.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::timers::Timer;
use crate::doc_number::DocNumber;
use crate::ids::{AccountId, CaseId, FileId, FindingId, ItemId, LetterId, RectificationId, UnitId, UrgingOrderId};
use crate::proof::ProofSheet;
use crate::severity::Severity;

/// The letter that the rectification answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LetterHead {
    /// The letter.
    pub letter_id: LetterId,
    /// The supervision case.
    pub case_id: CaseId,
    /// Its number.
    pub letter_number: DocNumber,
    /// The agency that issued it.
    pub issuing_agency: UnitId,
    /// The supervised unit.
    pub supervised_unit: UnitId,
    /// The competent department, jointly liable.
    pub competent_department: Option<UnitId>,
    /// The division code whose calendar counts.
    pub division: String,
}

/// The rectification of one received letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rectification {
    /// Follows from the letter, so that a letter can have one only.
    pub rectification_id: RectificationId,
    /// The letter.
    pub letter: LetterHead,
    /// The rules it began with and keeps.
    pub rulebook_version: String,
    /// When the unit received the letter.
    pub received_at: Timestamp,
    /// An item for each finding, in the letter's order.
    pub items: Vec<Item>,
    /// Every armed timer.
    pub timers: Vec<Timer>,
    /// How many urging orders were issued.
    pub urging_orders: u32,
    /// How many steps of the ladder above the urging order were proposed.
    pub proposals: u32,
}

/// The rectification of one finding (整改事项).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// Follows from rectification and finding.
    pub item_id: ItemId,
    /// The finding.
    pub finding_id: FindingId,
    /// The finding's number in the letter.
    pub number: u32,
    /// How grave it is.
    pub severity: Severity,
    /// The problem.
    pub problem: String,
    /// The demand.
    pub demand: String,
    /// Who must rectify.
    pub responsible_unit: UnitId,
    /// Where it stands.
    pub state: ItemState,
    /// Every limit that the unit was told, the last one in force; never empty.
    pub limits: Vec<Limit>,
    /// The first limit that passed without a report; stays for good.
    pub overdue_at: Option<Timestamp>,
    /// The urging orders that listed the item.
    pub urged: Vec<UrgedMark>,
    /// How often a report was returned.
    pub returns: u32,
    /// How often the limit was extended.
    pub extensions: u8,
    /// The highest level of the ladder reached: 0 none, 1 urging order, 2 interview proposed.
    pub ladder_level: u8,
}

/// Where an item stands, with what that state knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ItemState {
    /// The unit rectifies (整改中).
    InProgress,
    /// A report waits for verification (待核查).
    Reported {
        /// The report.
        report: Report,
    },
    /// The report was returned; the unit goes on (退回).
    Returned {
        /// The returned report.
        report: Report,
        /// The refusal with its reason.
        verification: Verification,
    },
    /// Verified by another person (核查通过).
    Verified {
        /// The report.
        report: Report,
        /// The verification.
        verification: Verification,
    },
    /// Closed (已销号).
    Closed {
        /// The report.
        report: Report,
        /// The verification.
        verification: Verification,
        /// The close-out.
        closing: Closing,
    },
}

impl ItemState {
    /// The stable key of the state.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Reported { .. } => "reported",
            Self::Returned { .. } => "returned",
            Self::Verified { .. } => "verified",
            Self::Closed { .. } => "closed",
        }
    }

    /// The state in words.
    pub const fn zh(&self) -> &'static str {
        match self {
            Self::InProgress => "整改中",
            Self::Reported { .. } => "待核查",
            Self::Returned { .. } => "退回整改",
            Self::Verified { .. } => "核查通过",
            Self::Closed { .. } => "已销号",
        }
    }

    /// Whether the unit must still act, so that the clock runs.
    pub const fn awaits_unit(&self) -> bool {
        match self {
            Self::InProgress | Self::Returned { .. } => true,
            Self::Reported { .. } | Self::Verified { .. } | Self::Closed { .. } => false,
        }
    }

    /// The last report, when there is one.
    pub const fn report(&self) -> Option<&Report> {
        match self {
            Self::InProgress => None,
            Self::Reported { report }
            | Self::Returned { report, .. }
            | Self::Verified { report, .. }
            | Self::Closed { report, .. } => Some(report),
        }
    }
}

/// How a report stands to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timeliness {
    /// Before the due instant (按期).
    InTime,
    /// After the due instant, before the urging order's limit ended or before any order (逾期).
    Late,
    /// After the urging order's limit too (督办后仍逾期).
    LateAfterUrging,
}

/// A rectification report (整改报告).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Who reported.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub text: String,
    /// The evidence (佐证材料).
    pub evidence: Vec<FileId>,
    /// Whether it came in time.
    pub timeliness: Timeliness,
    /// When the agency must have verified it, and why.
    pub verification_due: ProofSheet,
}

/// A verification (核查), accepting or returning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// Who verified.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
    /// The conclusion in words; for a return the reason.
    pub note: String,
}

/// A close-out (销号).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Closing {
    /// Who closed.
    pub by: AccountId,
    /// When.
    pub at: Timestamp,
}

/// What set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum LimitBasis {
    /// The letter's receipt.
    Letter,
    /// The return of a report.
    Returned,
    /// An approved extension.
    Extended,
    /// An urging order.
    UrgingOrder {
        /// The order.
        order_id: UrgingOrderId,
    },
}

/// A limit that the unit was told, with its derivation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limit {
    /// 0 for the first limit of the item, then one more each time.
    pub round: u32,
    /// What set it.
    pub basis: LimitBasis,
    /// When it was set.
    pub set_at: Timestamp,
    /// How it was derived.
    pub proof: ProofSheet,
}

impl Limit {
    /// The last day.
    pub const fn due_on(&self) -> Date {
        self.proof.due_on
    }

    /// The first instant that is late.
    pub const fn due_at(&self) -> Timestamp {
        self.proof.due_at
    }

    /// Whether an urging order set it.
    pub const fn is_urging(&self) -> bool {
        match self.basis {
            LimitBasis::UrgingOrder { order_id: _ } => true,
            LimitBasis::Letter | LimitBasis::Returned | LimitBasis::Extended => false,
        }
    }
}

/// An urging order that listed the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrgedMark {
    /// The order.
    pub order_id: UrgingOrderId,
    /// When it was issued.
    pub at: Timestamp,
}

impl Item {
    /// The limit in force.
    pub fn limit(&self) -> Option<&Limit> {
        self.limits.last()
    }

    /// The limit that decides whether the item is on time: the last one that no urging order set.
    pub fn binding_limit(&self) -> Option<&Limit> {
        self.limits.iter().rev().find(|limit| !limit.is_urging())
    }

    /// Whether the unit must still act and the limit in force has passed.
    pub fn is_late_at(&self, at: Timestamp) -> bool {
        self.state.awaits_unit() && self.limit().is_some_and(|limit| at >= limit.due_at())
    }

    /// Whether the item was never late, for the on-time rate.
    pub const fn was_always_on_time(&self) -> bool {
        self.overdue_at.is_none()
    }
}

impl Rectification {
    /// The item, when the rectification has it.
    pub fn item(&self, item_id: ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.item_id == item_id)
    }

    /// Whether every item is closed.
    pub fn is_complete(&self) -> bool {
        self.items.iter().all(|item| matches!(item.state, ItemState::Closed { .. }))
    }

    /// The instant at which the next timer is due, when any is armed.
    pub fn next_timer_at(&self) -> Option<Timestamp> {
        self.timers.iter().map(|timer| timer.due_at).min()
    }
}

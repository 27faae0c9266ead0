//! What the papers at the end of a rectification rest on: the conditions of a close-out, one by one (销号条件), and what was
//! accepted of the whole letter (整改验收, Regulation art. 22, measure 10).

use jiff::Timestamp;

use super::state::{Item, ItemState, Rectification};

/// A condition of a close-out (销号条件). The machine refuses a close-out that lacks one; the form shows each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CloseOutCondition {
    /// The unit has reported what it did.
    Reported,
    /// The report has evidence.
    Evidenced,
    /// Somebody else than the reporter has verified it.
    Verified,
    /// As many people as the rules ask for have approved.
    Approved,
    /// None of them had reported.
    ApprovedByOthers,
}

impl CloseOutCondition {
    /// Every condition, in the order of the form.
    pub const ALL: [Self; 5] =
        [Self::Reported, Self::Evidenced, Self::Verified, Self::Approved, Self::ApprovedByOthers];

    /// The condition in words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Reported => "被督导单位已经报告整改情况",
            Self::Evidenced => "整改报告附有佐证材料",
            Self::Verified => "经报告人以外的督学核查通过",
            Self::Approved => "达到规定的审批人数",
            Self::ApprovedByOthers => "审批人均未参与整改报告",
        }
    }
}

/// How an item ended (验收意见).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is closed (同意销号).
    Closed,
    /// It need not be rectified (免于整改).
    Waived,
    /// It is still open (继续整改).
    Open,
}

impl Accepted {
    /// In words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Closed => "同意销号",
            Self::Waived => "免于整改",
            Self::Open => "继续整改",
        }
    }
}

/// The count of an acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptanceCount {
    /// Items in all.
    pub total: u32,
    /// Closed ones.
    pub closed: u32,
    /// Waived ones.
    pub waived: u32,
}

impl AcceptanceCount {
    /// The rate of completion (整改完成率), rounded down to a tenth of a percent: closed items of those that had to be
    /// rectified. Nothing when all were waived.
    pub fn completion_rate(self) -> Option<String> {
        let base = self.total.checked_sub(self.waived).filter(|base| *base > 0)?;
        let permille = u64::from(self.closed) * 1_000 / u64::from(base);
        Some(if permille.is_multiple_of(10) {
            format!("{}%", permille / 10)
        } else {
            format!("{}.{}%", permille / 10, permille % 10)
        })
    }
}

impl Item {
    /// Each condition of the close-out with whether it is met, when so many approvals are wanted.
    pub fn close_out_conditions(&self, approvals_wanted: u8) -> [(CloseOutCondition, bool); 5] {
        let report = self.state.report();
        let (verification, approvals) = match &self.state {
            ItemState::Verified { verification, approvals, .. } | ItemState::Closed { verification, approvals, .. } => {
                (Some(verification), approvals.as_slice())
            }
            ItemState::InProgress
            | ItemState::Reported { .. }
            | ItemState::Returned { .. }
            | ItemState::Waived { .. } => (None, [].as_slice()),
        };
        CloseOutCondition::ALL.map(|condition| {
            let met = match condition {
                CloseOutCondition::Reported => report.is_some_and(|report| !report.text.trim().is_empty()),
                CloseOutCondition::Evidenced => report.is_some_and(|report| !report.evidence.is_empty()),
                CloseOutCondition::Verified => {
                    report.zip(verification).is_some_and(|(report, verification)| verification.by != report.by)
                }
                CloseOutCondition::Approved => approvals.len() >= usize::from(approvals_wanted),
                CloseOutCondition::ApprovedByOthers => {
                    !approvals.is_empty()
                        && report.is_some_and(|report| approvals.iter().all(|approval| approval.by != report.by))
                }
            };
            (condition, met)
        })
    }

    /// How it ended.
    pub const fn accepted(&self) -> Accepted {
        match self.state {
            ItemState::Closed { .. } => Accepted::Closed,
            ItemState::Waived { .. } => Accepted::Waived,
            ItemState::InProgress
            | ItemState::Reported { .. }
            | ItemState::Returned { .. }
            | ItemState::Verified { .. } => Accepted::Open,
        }
    }
}

impl Rectification {
    /// How many items were accepted.
    pub fn acceptance_count(&self) -> AcceptanceCount {
        let count = |wanted: Accepted| {
            u32::try_from(self.items.iter().filter(|item| item.accepted() == wanted).count()).unwrap_or(u32::MAX)
        };
        AcceptanceCount {
            total: u32::try_from(self.items.len()).unwrap_or(u32::MAX),
            closed: count(Accepted::Closed),
            waived: count(Accepted::Waived),
        }
    }

    /// When the last verification was made of those that stand.
    pub fn last_verified_at(&self) -> Option<Timestamp> {
        self.items
            .iter()
            .filter_map(|item| match &item.state {
                ItemState::Verified { verification, .. } | ItemState::Closed { verification, .. } => {
                    Some(verification.at)
                }
                ItemState::InProgress
                | ItemState::Reported { .. }
                | ItemState::Returned { .. }
                | ItemState::Waived { .. } => None,
            })
            .max()
    }
}

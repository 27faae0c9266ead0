//! The team of a case (督导小组, Regulation art. 10 and 16).

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusal::CaseRefusal;
use crate::ids::{AccountId, PersonId};

/// A special or comprehensive supervision needs so many inspectors (Regulation art. 16).
pub const TEAM_MINIMUM: usize = 3;

/// The team: inspectors, and experts who do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// The inspectors.
    pub members: Vec<Member>,
    /// Hired professionals (专业人员); they do not count towards the three.
    pub experts: Vec<PersonId>,
}

/// An inspector of the team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The account that acts.
    pub account: AccountId,
    /// Whether the inspector leads the team (组长).
    pub leader: bool,
    /// The appointment as the register knows it.
    pub appointment: Appointment,
    /// The declaration for this case.
    pub recusal: Recusal,
}

/// An inspector's appointment (聘任).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appointment {
    /// The first day of the term.
    pub from: Date,
    /// The last day of the term.
    pub to: Date,
    /// Whether the inspector is suspended.
    pub suspended: bool,
    /// Whether the training required before the post was completed (岗前培训).
    pub trained: bool,
}

/// The declaration on impartiality (回避声明, Regulation art. 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "recusal", rename_all = "snake_case")]
pub enum Recusal {
    /// None was made yet.
    Undeclared,
    /// Nothing stands against the inspector.
    NoConflict,
    /// The inspector must withdraw.
    Conflict {
        /// Why.
        reason: String,
    },
}

/// Why an inspector does not count, or must not take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// The term does not cover the day.
    OutOfTerm,
    /// Suspended.
    Suspended,
    /// Not trained.
    Untrained,
    /// Has not declared.
    Undeclared,
    /// Must withdraw.
    Recused,
}

impl Unfit {
    /// The reason in words.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::OutOfTerm => "不在聘期内",
            Self::Suspended => "已暂停履职",
            Self::Untrained => "未完成岗前培训",
            Self::Undeclared => "未作回避声明",
            Self::Recused => "应当回避",
        }
    }
}

impl Member {
    /// Why the inspector does not count on that day, when there is a reason.
    pub fn unfit_on(&self, day: Date) -> Option<Unfit> {
        match &self.recusal {
            Recusal::Conflict { reason: _ } => return Some(Unfit::Recused),
            Recusal::Undeclared => return Some(Unfit::Undeclared),
            Recusal::NoConflict => {}
        }
        let term = self.appointment;
        if day < term.from || day > term.to {
            Some(Unfit::OutOfTerm)
        } else if term.suspended {
            Some(Unfit::Suspended)
        } else if !term.trained {
            Some(Unfit::Untrained)
        } else {
            None
        }
    }
}

impl Team {
    /// Whether the account is a member who counts on that day.
    pub fn is_fit(&self, account: AccountId, day: Date) -> bool {
        self.members.iter().any(|member| member.account == account && member.unfit_on(day).is_none())
    }

    /// Refuses a team with fewer inspectors who count on that day than needed, or with one who must withdraw or has
    /// not declared.
    pub fn check(&self, day: Date, needed: usize) -> Result<(), CaseRefusal> {
        let unfit: Vec<(AccountId, Unfit)> =
            self.members.iter().filter_map(|member| Some((member.account, member.unfit_on(day)?))).collect();
        let fit = self
            .members
            .iter()
            .filter(|member| member.unfit_on(day).is_none())
            .map(|member| member.account)
            .collect::<BTreeSet<_>>()
            .len();
        let must_go = unfit.iter().any(|(_, reason)| matches!(reason, Unfit::Recused | Unfit::Undeclared));
        if fit < needed || must_go { Err(CaseRefusal::Team { needed, fit, unfit }) } else { Ok(()) }
    }
}

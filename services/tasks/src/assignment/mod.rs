//! What people must do because a clock said so (待办事项): decide a proposed step of the ladder (measure 13), visit for a
//! look-back (measure 11).
//!
//! The clock, the reminders and the decision are `deadlines`'; here stands who has what to do, with the facts for it. All
//! of it follows from events, whatever their order: nothing is decided here. What the agency issues for a step, the interview
//! notice and the circular, is issued here ([`paper`]).

mod hear;
pub(crate) mod http;
mod look_back;
mod paper;
mod store;

pub(crate) use hear::{changed, closed, proposed};
pub(crate) use store::unit_of;

use contracts::shared::UnitRef;
use domain::ids::{AreaId, AssignmentId, CaseId, ItemId, ProposalId, RectificationId};
use domain::severity::Severity;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AssignmentKind)]
pub(crate) enum Kind {
    /// Decide on an interview (约谈).
    Interview,
    /// Decide on a circular (通报).
    Circular,
    /// Decide on accountability (问责).
    Accountability,
    /// Visit and record whether the problem stays solved (回头看).
    LookBack,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Interview, Self::Circular, Self::Accountability, Self::LookBack];

    fn of_level(level: i16) -> Option<Self> {
        match level {
            2 => Some(Self::Interview),
            3 => Some(Self::Circular),
            4 => Some(Self::Accountability),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Interview => "interview",
            Self::Circular => "circular",
            Self::Accountability => "accountability",
            Self::LookBack => "look_back",
        }
    }

    fn zh(self) -> &'static str {
        match self {
            Self::Interview => "约谈",
            Self::Circular => "通报",
            Self::Accountability => "问责",
            Self::LookBack => "回头看",
        }
    }
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AssignmentState)]
pub(crate) enum State {
    /// It waits for people.
    Open,
    /// The step was taken, the visit recorded.
    Done,
    /// The step was lifted (解除).
    Lifted,
    /// It need not be done any more.
    Moot,
}

impl State {
    const ALL: [Self; 4] = [Self::Open, Self::Done, Self::Lifted, Self::Moot];

    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Lifted => "lifted",
            Self::Moot => "moot",
        }
    }

    fn zh(self) -> &'static str {
        match self {
            Self::Open => "待办",
            Self::Done => "已办",
            Self::Lifted => "已解除",
            Self::Moot => "无需办理",
        }
    }
}

/// Where an assignment stands, and which version of the rectification says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub version: i64,
    pub state: State,
    pub due: Timestamp,
    pub done_at: Option<Timestamp>,
    /// What was done, or why it need not be.
    pub note: Option<String>,
}

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A proposed step of the ladder.
    Step { proposal_id: ProposalId, level: i16, kind: Kind },
    /// A look-back on an item.
    LookBack { item_id: ItemId },
}

/// An assignment as stored.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(crate) struct Assignment {
    pub assignment_id: AssignmentId,
    pub subject: Subject,
    pub rectification_id: RectificationId,
    pub case_id: CaseId,
    pub case_title: String,
    pub letter_no: String,
    pub unit: Place,
    pub item_numbers: Vec<i32>,
    pub since: Timestamp,
    pub standing: Standing,
    pub article: Option<String>,
    pub policy_facts: Vec<String>,
    pub facts: Vec<ItemFact>,
}

impl Assignment {
    fn kind(&self) -> Kind {
        match self.subject {
            Subject::Step { kind, .. } => kind,
            Subject::LookBack { .. } => Kind::LookBack,
        }
    }
}

/// The unit that it concerns and where that is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub unit_id: domain::ids::UnitId,
    pub name: String,
    pub county_code: Option<String>,
    pub county_name: Option<String>,
    pub area_path: Vec<AreaId>,
}

impl From<&UnitRef> for Place {
    fn from(unit: &UnitRef) -> Self {
        Self {
            unit_id: unit.unit_id,
            name: unit.name.clone(),
            county_code: unit.county_code.clone(),
            county_name: unit.county_name.clone(),
            area_path: unit.area_path.clone(),
        }
    }
}

/// What is known of an item on which people decide or which they visit, as it stood when the assignment arose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AssignmentItem)]
pub(crate) struct ItemFact {
    /// The item.
    pub item_id: ItemId,
    /// Number within the letter.
    pub number: i32,
    /// Severity.
    pub severity: Severity,
    /// Category.
    pub category: String,
    /// What was found.
    pub description: String,
    /// The demand.
    pub demand: String,
    /// For a step: the last day of the unit's own limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub was_due_on: Option<Date>,
    /// For a step: calendar days late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_late: Option<i32>,
    /// Document number of the newest urging order on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urging_order_no: Option<String>,
    /// Times that verification sent it back.
    pub returned: i32,
    /// Times that the limit was extended (延期).
    pub extensions: i32,
    /// Times that it was opened anew (反弹).
    pub reopened: i32,
    /// For a look-back: when it was closed (销号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// For a look-back: who verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<String>,
}

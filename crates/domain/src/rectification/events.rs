//! What happens to a rectification.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::{Limit, Timeliness};
use crate::ids::{AccountId, FindingId, ItemId, ProposalId, RectificationId, UrgingOrderId};
use crate::proof::ProofSheet;
use crate::rulebook::{DecidedBy, LadderAction};
use crate::severity::Severity;

/// An event of a rectification, for the journal; the service adds envelope and rectification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RectificationEvent {
    /// The clocks have started.
    Opened {
        /// Each item with its first limit.
        items: Vec<OpenedItem>,
    },
    /// Limits end soon; one event for all items reminded at once.
    RemindersDue {
        /// The items.
        items: Vec<ReminderItem>,
    },
    /// A limit passed without a report.
    ItemOverdue {
        /// The item.
        item_id: ItemId,
        /// The instant from which it is late.
        due_at: Timestamp,
        /// The last day of the limit.
        due_on: Date,
    },
    /// An urging order was issued by the clock alone (督办单).
    UrgingOrderIssued {
        /// The order, to be numbered by the service.
        order: UrgingOrder,
    },
    /// The clock proposes the next step of the ladder; people decide.
    EscalationProposed {
        /// The proposal.
        proposal: EscalationProposal,
    },
    /// The agency has not verified a report within its own limit.
    VerificationOverdue {
        /// The item.
        item_id: ItemId,
        /// The instant from which the agency is late.
        due_at: Timestamp,
    },
    /// The unit reported.
    ItemReported {
        /// The item.
        item_id: ItemId,
        /// Who reported.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Whether in time.
        timeliness: Timeliness,
        /// When the agency must have verified.
        verification_due_at: Timestamp,
    },
    /// The report was accepted.
    ItemVerified {
        /// The item.
        item_id: ItemId,
        /// Who verified.
        by: AccountId,
        /// When.
        at: Timestamp,
    },
    /// The report was returned.
    ItemReturned {
        /// The item.
        item_id: ItemId,
        /// Who returned it.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
        /// The limit for the next report.
        limit: Limit,
    },
    /// A limit was extended.
    ItemExtended {
        /// The item.
        item_id: ItemId,
        /// Who approved.
        approved_by: AccountId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
        /// The new limit.
        limit: Limit,
    },
    /// The item is closed (销号).
    ItemClosedOut {
        /// The item.
        item_id: ItemId,
        /// Who closed.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Whether it was never late.
        always_on_time: bool,
    },
    /// Every item is closed.
    Completed {
        /// When the last one was closed.
        at: Timestamp,
    },
}

impl RectificationEvent {
    /// The stable key of the kind of event.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::RemindersDue { .. } => "reminders_due",
            Self::ItemOverdue { .. } => "item_overdue",
            Self::UrgingOrderIssued { .. } => "urging_order_issued",
            Self::EscalationProposed { .. } => "escalation_proposed",
            Self::VerificationOverdue { .. } => "verification_overdue",
            Self::ItemReported { .. } => "item_reported",
            Self::ItemVerified { .. } => "item_verified",
            Self::ItemReturned { .. } => "item_returned",
            Self::ItemExtended { .. } => "item_extended",
            Self::ItemClosedOut { .. } => "item_closed_out",
            Self::Completed { .. } => "completed",
        }
    }
}

/// An item whose clock has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenedItem {
    /// The item.
    pub item_id: ItemId,
    /// The finding.
    pub finding_id: FindingId,
    /// How grave it is.
    pub severity: Severity,
    /// The limit with its derivation.
    pub limit: Limit,
}

/// An item whose limit ends soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReminderItem {
    /// The item.
    pub item_id: ItemId,
    /// The last day.
    pub due_on: Date,
    /// The first late instant.
    pub due_at: Timestamp,
    /// Which reminder of the limit it is, from 1.
    pub step: u32,
}

/// An urging order (督办单): one for all items of a letter that are late at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrgingOrder {
    /// Follows from rectification and sequence, so that a repeated firing names the same order.
    pub order_id: UrgingOrderId,
    /// The rectification.
    pub rectification_id: RectificationId,
    /// The order's place among the orders of the rectification, from 1. The official number is the service's.
    pub sequence: u32,
    /// When it was issued, and, in the system, served.
    pub issued_at: Timestamp,
    /// The date it bears.
    pub issued_on: Date,
    /// The late items.
    pub items: Vec<UrgedItem>,
    /// The level of the ladder that is armed now.
    pub next_level: u8,
    /// The earliest instant at which an item reaches it.
    pub next_level_at: Timestamp,
}

/// A late item in an urging order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrgedItem {
    /// The item.
    pub item_id: ItemId,
    /// The finding.
    pub finding_id: FindingId,
    /// The finding's number in the letter.
    pub number: u32,
    /// How grave it is.
    pub severity: Severity,
    /// The last day of the missed limit.
    pub was_due_on: Date,
    /// How many calendar days late, from the last day to the order's date.
    pub days_late: i32,
    /// The new limit with its derivation.
    pub limit: ProofSheet,
}

/// A proposal to climb the ladder; the system never decides it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalationProposal {
    /// Follows from rectification and sequence.
    pub proposal_id: ProposalId,
    /// The rectification.
    pub rectification_id: RectificationId,
    /// The level.
    pub level: u8,
    /// What is proposed.
    pub action: LadderAction,
    /// Who decides.
    pub decided_by: DecidedBy,
    /// The measure.
    pub article: String,
    /// When.
    pub at: Timestamp,
    /// The items.
    pub items: Vec<EscalatedItem>,
}

/// An item that reached a step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalatedItem {
    /// The item.
    pub item_id: ItemId,
    /// The urging order whose limit passed.
    pub order_id: Option<UrgingOrderId>,
}

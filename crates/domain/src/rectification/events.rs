//! What happens to a rectification.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::recount::Recounted;
use super::state::{Limit, Rectification, Request, Timeliness};
use crate::ids::{AccountId, FindingId, ItemId, ProposalId, RectificationId, UrgingOrderId};
use crate::rulebook::{DecidedBy, Duty, LadderAction, PauseReason};
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
    /// The competent department is jointly liable from now on: a case of its own (连带责任).
    DepartmentHeldLiable {
        /// The department's case.
        department_case: Box<Rectification>,
        /// Its item.
        opened: OpenedItem,
    },
    /// The agency, or whom it asked, has not done what it owes within its own limit.
    DutyOverdue {
        /// What is owed.
        duty: Duty,
        /// The item, unless it is the whole case's.
        item_id: Option<ItemId>,
        /// The instant from which it is late.
        due_at: Timestamp,
        /// How often it has been called to mind, this time included.
        times: u32,
    },
    /// The plan's limit passed without a plan.
    PlanOverdue {
        /// The item.
        item_id: ItemId,
        /// The instant from which it is late.
        due_at: Timestamp,
        /// The last day.
        due_on: Date,
    },
    /// The unit handed in its plan.
    PlanSubmitted {
        /// The item.
        item_id: ItemId,
        /// Who handed it in.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Whether late.
        late: bool,
    },
    /// The agency accepted or returned a plan.
    PlanJudged {
        /// The item.
        item_id: ItemId,
        /// Who judged.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Whether it was accepted.
        accepted: bool,
        /// For a returned one: the last day for the next.
        due_on: Option<Date>,
    },
    /// The unit noted how far it is.
    ProgressNoted {
        /// The item.
        item_id: ItemId,
        /// Who.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// What was reached.
        text: String,
    },
    /// Somebody asked for something that another person decides.
    RequestMade {
        /// The request.
        request: Request,
    },
    /// A request was granted or refused.
    RequestDecided {
        /// The request.
        request: Request,
        /// Whether it was granted.
        granted: bool,
        /// Who decided.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Why.
        note: String,
    },
    /// The clock was stopped.
    Paused {
        /// Why.
        reason: PauseReason,
        /// Since when.
        from: Timestamp,
        /// Until when, at the latest.
        until: Timestamp,
    },
    /// The clock runs again.
    Resumed {
        /// Since when.
        at: Timestamp,
        /// The limits that were counted anew.
        limits: Vec<(ItemId, Limit)>,
    },
    /// A calendar or a rule has changed and limits were counted anew.
    Recounted {
        /// When.
        at: Timestamp,
        /// What it did.
        items: Vec<Recounted>,
    },
    /// A proposed step was taken by people.
    StepTaken {
        /// The proposal.
        proposal_id: ProposalId,
        /// The level.
        level: u8,
        /// Who decided.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// What was done.
        note: String,
        /// The new limits.
        limits: Vec<(ItemId, Limit)>,
    },
    /// A step was lifted.
    StepLifted {
        /// The proposal.
        proposal_id: ProposalId,
        /// The level.
        level: u8,
        /// Who approved.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
        /// The new limits.
        limits: Vec<(ItemId, Limit)>,
    },
    /// A proposed step has ended by itself: its items are done (终结).
    StepMoot {
        /// The proposal.
        proposal_id: ProposalId,
        /// The level.
        level: u8,
        /// When.
        at: Timestamp,
    },
    /// A request has ended by itself: what it was about is done (终结).
    RequestMoot {
        /// The request.
        request: Request,
        /// When.
        at: Timestamp,
    },
    /// Another office was asked for help.
    ConsultationSent {
        /// The item.
        item_id: ItemId,
        /// The office.
        office: String,
        /// Who asked.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// When the answer is due.
        due_at: Timestamp,
    },
    /// The consulted office answered.
    ConsultationAnswered {
        /// The item.
        item_id: ItemId,
        /// Who recorded it.
        by: AccountId,
        /// When.
        at: Timestamp,
    },
    /// An item need not be rectified.
    ItemWaived {
        /// The item.
        item_id: ItemId,
        /// Who approved.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// One of several approvals of a close-out was given.
    CloseOutApproved {
        /// The item.
        item_id: ItemId,
        /// Who approved.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// How many approvals there are now.
        given: u32,
    },
    /// A close-out was refused: the report goes back to verification.
    CloseOutRefused {
        /// The item.
        item_id: ItemId,
        /// Who refused.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// The agency owes a look-back from now on.
    LookBackDue {
        /// The item.
        item_id: ItemId,
        /// When.
        at: Timestamp,
        /// By when the visit's result is due.
        visit_by: Timestamp,
    },
    /// A look-back found the problem solved.
    LookBackPassed {
        /// The item.
        item_id: ItemId,
        /// Who looked.
        by: AccountId,
        /// When.
        at: Timestamp,
    },
    /// A look-back found the problem back: the item is open again.
    ItemReopened {
        /// The item.
        item_id: ItemId,
        /// Who looked.
        by: AccountId,
        /// When.
        at: Timestamp,
        /// What was found.
        reason: String,
        /// How often the item has been opened anew.
        reopened: u32,
        /// The new limit.
        limit: Limit,
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
        /// When.
        at: Timestamp,
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
            Self::DepartmentHeldLiable { .. } => "department_held_liable",
            Self::DutyOverdue { .. } => "duty_overdue",
            Self::PlanOverdue { .. } => "plan_overdue",
            Self::PlanSubmitted { .. } => "plan_submitted",
            Self::PlanJudged { .. } => "plan_judged",
            Self::ProgressNoted { .. } => "progress_noted",
            Self::RequestMade { .. } => "request_made",
            Self::RequestDecided { .. } => "request_decided",
            Self::Paused { .. } => "paused",
            Self::Resumed { .. } => "resumed",
            Self::Recounted { .. } => "recounted",
            Self::StepTaken { .. } => "step_taken",
            Self::StepLifted { .. } => "step_lifted",
            Self::StepMoot { .. } => "step_moot",
            Self::RequestMoot { .. } => "request_moot",
            Self::ConsultationSent { .. } => "consultation_sent",
            Self::ConsultationAnswered { .. } => "consultation_answered",
            Self::ItemWaived { .. } => "item_waived",
            Self::CloseOutApproved { .. } => "close_out_approved",
            Self::CloseOutRefused { .. } => "close_out_refused",
            Self::LookBackDue { .. } => "look_back_due",
            Self::LookBackPassed { .. } => "look_back_passed",
            Self::ItemReopened { .. } => "item_reopened",
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
    /// The limit.
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

impl UrgingOrder {
    /// The identity of the order with that place, from 1, among the orders of a rectification. It follows from both, so that a
    /// repeated firing names the same order, and whoever knows how many there are can name them all.
    pub fn id_of(rectification_id: RectificationId, sequence: u32) -> UrgingOrderId {
        UrgingOrderId::derived(&[&rectification_id.to_string(), &sequence.to_string()])
    }
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
    /// The new limit.
    pub limit: Limit,
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
    /// The facts on which the policy allows the step.
    pub facts: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// When it must have been decided.
    pub decide_by: Timestamp,
    /// The items, each with its history.
    pub items: Vec<EscalatedItem>,
}

/// An item that reached a step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalatedItem {
    /// The item.
    pub item_id: ItemId,
    /// Its number in the letter.
    pub number: u32,
    /// How grave it is.
    pub severity: Severity,
    /// The last urging order that listed it.
    pub order_id: Option<UrgingOrderId>,
    /// The last day of the unit's own limit.
    pub was_due_on: Date,
    /// How many calendar days late.
    pub days_late: i32,
    /// How often a report was returned.
    pub returns: u32,
    /// How often the limit was extended.
    pub extensions: u8,
    /// How often it was opened anew.
    pub reopened: u32,
}

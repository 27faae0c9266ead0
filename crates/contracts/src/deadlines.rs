//! Events of `deadlines`: rectifications from the letter's receipt to close-out, and every step of the ladder.
//!
//! Each event carries the whole rectification after the change, so that a consumer keeps the newest version and needs no history.

use domain::{
    ids::{CaseId, DeadlineId, FindingId, ItemId, LetterId, ProposalId, RectificationId, RequestId, UrgingOrderId},
    rectification::{Phase, Recounted},
    rulebook::{Duty, PauseReason},
    severity::Severity,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Event,
    shared::{DocumentRef, UnitRef, register_events},
    tasks::SupervisionKind,
};

/// State of a rectification item (整改事项).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// The unit is rectifying (整改中).
    InProgress,
    /// The unit has reported; verification (核查) is due.
    Reported,
    /// Verified by another person; close-out (销号) is due.
    Verified,
    /// Closed (已销号).
    Closed,
    /// Need not be rectified (免于整改).
    Waived,
}

impl ItemState {
    /// Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::InProgress => "整改中",
            Self::Reported => "待核查",
            Self::Verified => "待销号",
            Self::Closed => "已销号",
            Self::Waived => "免于整改",
        }
    }

    /// Whether nothing more is to be done.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Closed | Self::Waived)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One item of a rectification, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemSnapshot {
    /// The item.
    pub item_id: ItemId,
    /// The finding that it answers.
    pub finding_id: FindingId,
    /// Number within the letter.
    pub number: i32,
    /// Severity.
    pub severity: Severity,
    /// Category.
    pub category: String,
    /// What was found.
    pub description: String,
    /// The standard or article breached.
    pub basis: String,
    /// The demand.
    pub demand: String,
    /// The unit that must rectify.
    pub responsible_unit_name: String,
    /// State.
    pub state: ItemState,
    /// The deadline with its proof sheet.
    pub deadline_id: DeadlineId,
    /// Last day of the limit that holds now (an urging order sets a new one).
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
    /// The instant at which that limit has passed.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Timestamp,
    /// The date reaches into a year whose holidays are not yet decreed.
    pub provisional: bool,
    /// First limit, by the opinion letter.
    #[schema(value_type = String, format = Date)]
    pub first_due_on: Date,
    /// When the unit reported, last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reported_at: Option<Timestamp>,
    /// What the unit reported.
    pub report: Option<String>,
    /// The first report came after the first limit, or none came before it passed.
    pub late: bool,
    /// When it was verified.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_at: Option<Timestamp>,
    /// Name of the verifier.
    pub verified_by: Option<String>,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// Times that verification sent it back.
    pub returned: i32,
    /// Document number of the newest urging order on it.
    pub urging_order_no: Option<String>,
    /// Where it stands for people: its state, or what holds it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub phase: Phase,
    /// Last day for the rectification plan, while one is owed or waits for its acceptance (整改方案).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub plan_due_on: Option<Date>,
    /// Times that the limit was extended (延期).
    #[serde(default, skip_serializing_if = "is_default")]
    pub extensions: i32,
    /// Times that it was opened anew after a look-back (反弹).
    #[serde(default, skip_serializing_if = "is_default")]
    pub reopened: i32,
    /// Highest level of the ladder reached: 1 urging order, 2 interview, 3 circular, 4 accountability.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ladder_level: i16,
}

/// A step of the ladder above the urging order, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepFact {
    /// The proposal.
    pub proposal_id: ProposalId,
    /// 2 interview (约谈), 3 circular (通报), 4 accountability (问责).
    pub level: i16,
    /// Numbers of the items that reached it.
    pub items: Vec<i32>,
    /// When it was proposed.
    #[schema(value_type = String, format = DateTime)]
    pub proposed_at: Timestamp,
    /// When it must have been decided.
    #[schema(value_type = String, format = DateTime)]
    pub decide_by: Timestamp,
    /// What became of it.
    pub state: StepState,
    /// When it was decided, or ended by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Timestamp>,
    /// What was done, or why it was lifted.
    pub note: Option<String>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It waits for people (待决定).
    Proposed,
    /// It was taken (已实施).
    Taken,
    /// It was lifted (已解除).
    Lifted,
    /// Its items were done before anybody decided; it ended by itself (已终结).
    Moot,
}

/// A request that waits for another person's decision (申请).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestFact {
    /// The request.
    pub request_id: RequestId,
    /// `extension`, `waiver`, `pause`, `resume` or `lift`.
    pub subject: String,
    /// The item, when it is about one.
    pub item_id: Option<ItemId>,
    /// What exactly is asked for, in words.
    pub wish: String,
    /// Why.
    pub reason: String,
    /// Name of who asks.
    pub requested_by: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    /// When it must have been decided.
    #[schema(value_type = String, format = DateTime)]
    pub decide_by: Timestamp,
}

/// A rectification, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RectificationSnapshot {
    /// The rectification.
    pub rectification_id: RectificationId,
    /// Version after the change.
    pub version: i64,
    /// The supervision case.
    pub case_id: CaseId,
    /// The opinion letter.
    pub letter_id: LetterId,
    /// The letter's document.
    pub letter: DocumentRef,
    /// Name of the supervision.
    pub case_title: String,
    /// Type of supervision.
    pub supervision_kind: SupervisionKind,
    /// First day of the visit.
    #[schema(value_type = String, format = Date)]
    pub visited_on: Date,
    /// Supervised unit.
    pub unit: UnitRef,
    /// When the unit received the letter.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// When the last item was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// Items in the order of the letter.
    pub items: Vec<ItemSnapshot>,
    /// Urging orders issued, oldest first.
    pub urging_orders: Vec<UrgingOrderFact>,
    /// While the clock is stopped: when it runs again by itself (中止).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_until: Option<Timestamp>,
    /// Steps above the urging order, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepFact>,
    /// Requests that wait for a decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestFact>,
    /// The unit's case for which this one, the competent department's, is jointly liable (连带责任).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liable_for: Option<RectificationId>,
    /// The competent department's case that was opened because of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_case: Option<RectificationId>,
}

/// An issued supervision notice (督办单, measure 10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrgingOrderFact {
    /// The order.
    pub urging_order_id: UrgingOrderId,
    /// The document.
    pub document: DocumentRef,
    /// The late items that it lists.
    pub items: Vec<UrgedItem>,
    /// The competent department that gets a copy (抄送).
    pub copy_to: Option<String>,
    /// How long after the due instant it was issued, in whole seconds (an outage shows here).
    pub lateness_seconds: i64,
    /// Version of the templates in whose words it was issued; with the letter's facts and the items, everything that the frozen
    /// content is made of. Empty in events from before it was told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub template: String,
}

/// A late item on an urging order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrgedItem {
    /// The item.
    pub item_id: ItemId,
    /// Number within the letter.
    pub number: i32,
    /// The limit that passed.
    #[schema(value_type = String, format = Date)]
    pub was_due_on: Date,
    /// The new limit.
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
    /// The new deadline with its proof sheet.
    pub deadline_id: DeadlineId,
    /// The article that sets the new limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A step of the ladder (升级阶梯) that is armed and waits for its clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArmedStep {
    /// Level: 2 interview (约谈), 3 circular (通报), 4 accountability (问责).
    pub level: i16,
    /// When it will be proposed to a person if nothing happens.
    #[schema(value_type = String, format = DateTime)]
    pub fires_at: Timestamp,
}

macro_rules! rectification_event {
    ($name:ident, $type:literal) => {
        impl Event for $name {
            const TYPE: &'static str = $type;
            fn aggregate_id(&self) -> Uuid {
                self.rectification.rectification_id.into()
            }
            fn aggregate_version(&self) -> i64 {
                self.rectification.version
            }
        }
    };
}

/// The letter was received: a rectification (整改) with its due dates began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RectificationOpened {
    /// The rectification.
    pub rectification: RectificationSnapshot,
}
rectification_event!(RectificationOpened, "deadlines.rectification.opened.v1");

/// The unit reported on an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReported {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// The item.
    pub item_id: ItemId,
}
rectification_event!(ItemReported, "deadlines.item.reported.v1");

/// Verification sent an item back to the unit, with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReturned {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// The item.
    pub item_id: ItemId,
    /// Why.
    pub reason: String,
}
rectification_event!(ItemReturned, "deadlines.item.returned.v1");

/// Another person verified an item (核查).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemVerified {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// The item.
    pub item_id: ItemId,
}
rectification_event!(ItemVerified, "deadlines.item.verified.v1");

/// An item was closed (销号).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemClosed {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// The item.
    pub item_id: ItemId,
    /// The form with the approvals (销号审批表).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<DocumentRef>,
}
rectification_event!(ItemClosed, "deadlines.item.closed.v1");

/// The last item was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RectificationClosed {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// The opinion on what was accepted (整改验收意见), served on the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<DocumentRef>,
}
rectification_event!(RectificationClosed, "deadlines.rectification.closed.v1");

/// A limit comes near (ladder level 0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderDue {
    /// The rectification.
    pub rectification: RectificationSnapshot,
    /// The items whose limit comes near.
    pub item_ids: Vec<ItemId>,
    /// Their last day.
    pub due_on: Date,
    /// Working days that are left, the last day included.
    pub working_days_left: i32,
}
rectification_event!(ReminderDue, "deadlines.reminder.due.v1");

/// A limit passed without a report; the urging order follows by its own clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsOverdue {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// The items that are late from now on.
    pub item_ids: Vec<ItemId>,
}
rectification_event!(ItemsOverdue, "deadlines.item.overdue.v1");

/// The agency has not verified a report within its own limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationOverdue {
    /// The rectification.
    pub rectification: RectificationSnapshot,
    /// The item whose report waits.
    pub item_id: ItemId,
    /// The instant from which the agency is late.
    pub due_at: Timestamp,
}
rectification_event!(VerificationOverdue, "deadlines.verification.overdue.v1");

/// A limit passed: one supervision notice (督办单) for all items of the letter that are late at that instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgingOrderIssued {
    /// The rectification after the change, which lists the order with its items.
    pub rectification: RectificationSnapshot,
    /// The order.
    pub urging_order_id: UrgingOrderId,
    /// The next step of the ladder.
    pub next_step: ArmedStep,
}
rectification_event!(UrgingOrderIssued, "deadlines.urging_order.issued.v1");

impl UrgingOrderIssued {
    /// The order that was issued; nothing when the sender's snapshot contradicts its event.
    #[must_use]
    pub fn order(&self) -> Option<&UrgingOrderFact> {
        self.rectification.urging_orders.iter().find(|order| order.urging_order_id == self.urging_order_id)
    }
}

/// The urging order's limit passed too: a step that needs people is proposed to them (measure 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProposed {
    /// The rectification.
    pub rectification: RectificationSnapshot,
    /// Level: 2 interview (约谈), 3 circular (通报), 4 accountability (问责).
    pub level: i16,
    /// The items still open.
    pub item_ids: Vec<ItemId>,
    /// The proposal, by which the decision is recorded; nil in events from before it was told.
    #[serde(default = "untold_proposal")]
    pub proposal_id: ProposalId,
    /// When it must have been decided; the epoch in events from before it was told.
    #[serde(default)]
    pub decide_by: Timestamp,
    /// The measure that it rests on.
    #[serde(default)]
    pub article: String,
    /// Facts on which the policy allows the step.
    #[serde(default)]
    pub policy_facts: Vec<String>,
    /// The history of each item.
    #[serde(default)]
    pub facts: Vec<StepItemFact>,
}

fn untold_proposal() -> ProposalId {
    ProposalId::new(Uuid::nil())
}

/// Why an item reached a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepItemFact {
    /// The item.
    pub item_id: ItemId,
    /// Its number in the letter.
    pub number: i32,
    /// Severity.
    pub severity: Severity,
    /// The last day of the unit's own limit.
    pub was_due_on: Date,
    /// Calendar days late.
    pub days_late: i32,
    /// Document number of the newest urging order on it.
    pub urging_order_no: Option<String>,
    /// Times that verification sent it back.
    pub returned: i32,
    /// Times that the limit was extended.
    pub extensions: i32,
    /// Times that it was opened anew.
    pub reopened: i32,
}
rectification_event!(StepProposed, "deadlines.step.proposed.v1");

/// Anything else that happened to a rectification; the snapshot says how it stands, the change what is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RectificationChanged {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// What happened.
    pub change: Change,
}
rectification_event!(RectificationChanged, "deadlines.rectification.changed.v1");

/// What happened to a rectification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The unit handed in a plan (整改方案).
    PlanSubmitted {
        /// The item.
        item_id: ItemId,
        /// Whether late.
        late: bool,
    },
    /// The agency accepted or returned a plan.
    PlanJudged {
        /// The item.
        item_id: ItemId,
        /// Whether it was accepted.
        accepted: bool,
        /// For a returned one: the last day for the next.
        due_on: Option<Date>,
    },
    /// The plan's limit passed without a plan.
    PlanOverdue {
        /// The item.
        item_id: ItemId,
        /// The last day.
        due_on: Date,
    },
    /// The unit noted how far it is (整改进展).
    ProgressNoted {
        /// The item.
        item_id: ItemId,
        /// What was reached.
        text: String,
    },
    /// A limit was extended (延期).
    ItemExtended {
        /// The item.
        item_id: ItemId,
        /// The new last day.
        due_on: Date,
    },
    /// Somebody asked for something that another person decides.
    RequestMade {
        /// The request.
        request: RequestFact,
    },
    /// A request was granted or refused.
    RequestDecided {
        /// The request.
        request: RequestFact,
        /// Whether it was granted.
        granted: bool,
        /// Why.
        note: String,
    },
    /// The clock was stopped (中止).
    Paused {
        /// Why.
        reason: PauseReason,
        /// When it runs again by itself.
        until: Timestamp,
    },
    /// The clock runs again (恢复).
    Resumed {
        /// Since when.
        since: Timestamp,
    },
    /// A calendar or a rule has changed and limits were counted anew.
    Recounted {
        /// What it did to each item.
        items: Vec<Recounted>,
    },
    /// A proposed step was taken by people (约谈, 通报, 问责).
    StepTaken {
        /// The proposal.
        proposal_id: ProposalId,
        /// Its level.
        level: i16,
        /// What was done.
        note: String,
    },
    /// A step was lifted (解除).
    StepLifted {
        /// The proposal.
        proposal_id: ProposalId,
        /// Its level.
        level: i16,
        /// Why.
        reason: String,
    },
    /// A proposed step has ended by itself: its items are done (终结).
    StepMoot {
        /// The proposal.
        proposal_id: ProposalId,
        /// Its level.
        level: i16,
    },
    /// A request has ended by itself: what it was about is done (终结).
    RequestMoot {
        /// The request.
        request: RequestFact,
    },
    /// Another office was asked for help (协商意见书).
    ConsultationSent {
        /// The item.
        item_id: ItemId,
        /// The office.
        office: String,
        /// When the answer is due.
        due_at: Timestamp,
    },
    /// The consulted office answered.
    ConsultationAnswered {
        /// The item.
        item_id: ItemId,
    },
    /// An item need not be rectified (免于整改).
    ItemWaived {
        /// The item.
        item_id: ItemId,
        /// Why.
        reason: String,
    },
    /// One of several approvals of a close-out was given (销号审批).
    CloseOutApproved {
        /// The item.
        item_id: ItemId,
        /// How many there are now.
        given: u32,
    },
    /// A close-out was refused: the report goes back to verification.
    CloseOutRefused {
        /// The item.
        item_id: ItemId,
        /// Why.
        reason: String,
    },
    /// The agency owes a look-back from now on (回头看).
    LookBackDue {
        /// The item.
        item_id: ItemId,
        /// By when the visit's result is due.
        visit_by: Timestamp,
    },
    /// A look-back found the problem solved.
    LookBackPassed {
        /// The item.
        item_id: ItemId,
    },
    /// A look-back found the problem back (反弹): the item is open again.
    ItemReopened {
        /// The item.
        item_id: ItemId,
        /// What was found.
        reason: String,
        /// The new last day.
        due_on: Date,
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
    /// The county became a part of another one, whose office is in charge from now on (移交). Limits stay as told.
    HandedOver {
        /// Name of the county that took the other one in.
        county: String,
        /// The agency in charge.
        agency: String,
        /// The first day on which it is so.
        since: Date,
    },
}

/// The keys of every kind of [`Change`], in their order.
pub const CHANGE_KINDS: [&str; 24] = [
    "plan_submitted",
    "plan_judged",
    "plan_overdue",
    "progress_noted",
    "item_extended",
    "request_made",
    "request_decided",
    "paused",
    "resumed",
    "recounted",
    "step_taken",
    "step_lifted",
    "step_moot",
    "request_moot",
    "consultation_sent",
    "consultation_answered",
    "item_waived",
    "close_out_approved",
    "close_out_refused",
    "look_back_due",
    "look_back_passed",
    "item_reopened",
    "duty_overdue",
    "handed_over",
];

impl Change {
    /// The stable key of the kind of change.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::PlanSubmitted { .. } => "plan_submitted",
            Self::PlanJudged { .. } => "plan_judged",
            Self::PlanOverdue { .. } => "plan_overdue",
            Self::ProgressNoted { .. } => "progress_noted",
            Self::ItemExtended { .. } => "item_extended",
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
            Self::DutyOverdue { .. } => "duty_overdue",
            Self::HandedOver { .. } => "handed_over",
        }
    }
}

register_events! {
    /// A document other than an urging order was issued; an urging order's own event carries what the register needs.
    DocumentIssued = "deadlines.document.issued.v1";
    /// A document, urging orders included, was voided (作废) or replaced (替换).
    DocumentVoided = "deadlines.document.voided.v1";
}

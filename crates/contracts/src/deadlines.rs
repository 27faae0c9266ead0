//! Events of `deadlines`: rectifications from the letter's receipt to close-out, and every step of the ladder.
//!
//! Each event carries the whole rectification after the change, so that a consumer keeps the newest version and needs no history.

use domain::{
    ids::{CaseId, DeadlineId, FindingId, ItemId, LetterId, RectificationId, UrgingOrderId},
    severity::Severity,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Event,
    shared::{DocumentRef, UnitRef},
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
}

impl ItemState {
    /// Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::InProgress => "整改中",
            Self::Reported => "待核查",
            Self::Verified => "待销号",
            Self::Closed => "已销号",
        }
    }
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
}
rectification_event!(ItemClosed, "deadlines.item.closed.v1");

/// The last item was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RectificationClosed {
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
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
    /// The rectification after the change.
    pub rectification: RectificationSnapshot,
    /// The order.
    pub order: UrgingOrderFact,
    /// The next step of the ladder.
    pub next_step: ArmedStep,
}
rectification_event!(UrgingOrderIssued, "deadlines.urging_order.issued.v1");

/// The urging order's limit passed too: a step that needs people is proposed to them (measure 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepProposed {
    /// The rectification.
    pub rectification: RectificationSnapshot,
    /// Level: 2 interview (约谈).
    pub level: i16,
    /// The items still open.
    pub item_ids: Vec<ItemId>,
}
rectification_event!(StepProposed, "deadlines.step.proposed.v1");

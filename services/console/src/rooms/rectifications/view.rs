//! What the services tell of a rectification, as far as the page shows it. Read leniently: what a service leaves out is
//! empty, what it adds is passed over.

use serde::Deserialize;

use crate::rooms::{Document, Named};

/// An item (整改事项).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item {
    pub(super) item_id: String,
    pub(super) number: i32,
    pub(super) severity: String,
    pub(super) category: String,
    pub(super) description: String,
    pub(super) basis: String,
    pub(super) demand: String,
    pub(super) responsible_unit_name: String,
    pub(super) state: String,
    pub(super) deadline_id: String,
    pub(super) due_on: String,
    pub(super) due_at: String,
    pub(super) provisional: bool,
    pub(super) first_due_on: String,
    pub(super) reported_at: Option<String>,
    pub(super) report: Option<String>,
    pub(super) late: bool,
    pub(super) verified_at: Option<String>,
    pub(super) verified_by: Option<String>,
    pub(super) closed_at: Option<String>,
    pub(super) returned: i32,
    pub(super) urging_order_no: Option<String>,
    pub(super) phase: String,
    pub(super) plan_due_on: Option<String>,
    pub(super) extensions: i32,
    pub(super) reopened: i32,
    pub(super) ladder_level: i32,
}

impl Item {
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state.as_str(), "closed" | "waived")
    }

    /// Where it stands in one word; the plain state when the service tells no phase, or a phase that says no more.
    pub(super) fn phase(&self) -> &str {
        if self.phase.is_empty() || (self.phase == "in_progress" && self.state != "in_progress") {
            &self.state
        } else {
            &self.phase
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UrgedItem {
    pub(super) number: i32,
    pub(super) was_due_on: String,
    pub(super) due_on: String,
    pub(super) deadline_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UrgingOrder {
    pub(super) urging_order_id: String,
    pub(super) document: Document,
    pub(super) items: Vec<UrgedItem>,
    pub(super) copy_to: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rectification {
    pub(super) rectification_id: String,
    pub(super) version: i64,
    pub(super) case_id: String,
    pub(super) letter: Document,
    pub(super) case_title: String,
    pub(super) supervision_kind: String,
    pub(super) unit: Named,
    pub(super) received_at: String,
    pub(super) closed_at: Option<String>,
    pub(super) items: Vec<Item>,
    pub(super) urging_orders: Vec<UrgingOrder>,
    pub(super) paused_until: Option<String>,
    pub(super) steps: Vec<Step>,
    pub(super) requests: Vec<Request>,
    pub(super) liable_for: Option<String>,
    pub(super) department_case: Option<String>,
}

/// A step of the ladder above the urging order (约谈, 通报, 问责).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Step {
    pub(super) proposal_id: String,
    pub(super) level: i32,
    pub(super) items: Vec<i32>,
    pub(super) proposed_at: String,
    pub(super) decide_by: String,
    pub(super) state: String,
    pub(super) decided_at: Option<String>,
    pub(super) note: Option<String>,
}

/// A request that waits for another person's decision (申请).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    pub(super) request_id: String,
    pub(super) subject: String,
    pub(super) item_id: Option<String>,
    pub(super) wish: String,
    pub(super) reason: String,
    pub(super) requested_by: Option<String>,
    pub(super) requested_at: String,
    pub(super) decide_by: String,
}

/// What somebody said.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Note {
    pub(super) by: Option<String>,
    pub(super) at: String,
    pub(super) text: String,
}

/// A rectification plan (整改方案).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Plan {
    pub(super) state: String,
    pub(super) due_on: String,
    pub(super) late: bool,
    pub(super) submission: Option<Note>,
    pub(super) measures: Vec<Measure>,
    pub(super) judgement: Option<Note>,
}

impl Plan {
    pub(super) fn is_owed(&self) -> bool {
        matches!(self.state.as_str(), "asked" | "returned")
    }

    /// Its words, empty before it was handed in.
    pub(super) fn text(&self) -> &str {
        self.submission.as_ref().map_or("", |note| &note.text)
    }
}

/// A measure of a plan (整改措施).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Measure {
    pub(super) what: String,
    pub(super) responsible: String,
    pub(super) until: String,
    pub(super) standard: String,
}

/// Help asked of another office (协商).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Consultation {
    pub(super) office: String,
    pub(super) question: Note,
    pub(super) due_at: String,
    pub(super) answer: Option<Note>,
}

/// A look-back (回头看).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LookBack {
    pub(super) due_at: String,
    pub(super) state: String,
    pub(super) finding: Option<Note>,
}

/// A waiver (免于整改).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiver {
    pub(super) requested_by: Option<String>,
    pub(super) approved_by: Option<String>,
    pub(super) at: String,
    pub(super) reason: String,
}

/// A limit that the unit was told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Limit {
    pub(super) deadline_id: String,
    pub(super) basis: String,
    pub(super) adjusted: Option<String>,
    pub(super) set_at: String,
    pub(super) due_on: String,
    pub(super) provisional: bool,
}

/// The particulars of an item.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ItemDetail {
    pub(super) item_id: String,
    pub(super) plan: Option<Plan>,
    pub(super) progress: Option<Note>,
    pub(super) verification: Option<Note>,
    pub(super) approvals: Vec<Note>,
    pub(super) approvals_wanted: Option<usize>,
    pub(super) consultations: Vec<Consultation>,
    pub(super) look_backs: Vec<LookBack>,
    pub(super) waiver: Option<Waiver>,
    pub(super) limits: Vec<Limit>,
}

impl ItemDetail {
    pub(super) fn is_consulting(&self) -> bool {
        self.consultations.iter().any(|asked| asked.answer.is_none())
    }

    pub(super) fn owes_look_back(&self) -> bool {
        self.look_backs.iter().any(|look| look.state == "due")
    }
}

/// A stop of the clock (中止).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Suspension {
    pub(super) reason: String,
    pub(super) note: String,
    pub(super) requested_by: Option<String>,
    pub(super) approved_by: Option<String>,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) ended_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Evidence {
    pub(super) file_id: String,
    pub(super) item_id: Option<String>,
    pub(super) media_type: String,
    pub(super) bytes: i64,
    pub(super) name: String,
    pub(super) uploaded_at: String,
    pub(super) uploaded_by: String,
}

impl Evidence {
    pub(super) fn is_picture(&self) -> bool {
        matches!(self.media_type.as_str(), "image/jpeg" | "image/png" | "image/webp")
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct View {
    pub(super) rectification: Rectification,
    pub(super) detail: Vec<ItemDetail>,
    pub(super) suspensions: Vec<Suspension>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) documents: Vec<IssuedPaper>,
}

/// A paper at the end of a rectification (整改验收意见、销号审批表).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct IssuedPaper {
    pub(super) document: Document,
    pub(super) item_id: Option<String>,
}

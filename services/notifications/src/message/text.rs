//! The texts, in Simplified Chinese; the wording stands in `templates/`.

use askama::Template as _;
use contracts::{deadlines::ItemSnapshot, tasks::FindingFact};
use domain::local_time::date_zh;

use crate::template::Template;

/// What every message shows.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    /// Who is addressed.
    pub salutation: String,
    /// Something that this reader has to know first.
    pub note: Option<String>,
    /// The supervised unit.
    pub unit: &'a str,
    /// Name of the supervision.
    pub case_title: &'a str,
    /// The agency that issued the document; also whom to ask.
    pub issuing: &'a str,
    /// Number of the document, if the message is about one.
    pub doc_no: Option<&'a str>,
    /// Where to act.
    pub link: &'a str,
    /// Whom to ask about the system.
    pub support: &'a str,
}

/// A finding or an item as printed.
#[derive(Debug, Clone)]
pub struct ItemLine {
    /// Number within the letter.
    pub number: i32,
    /// Severity.
    pub severity: &'static str,
    /// Category.
    pub category: String,
    /// What was found.
    pub description: String,
    /// The standard or article breached.
    pub basis: String,
    /// The demand.
    pub demand: String,
    /// The unit that must rectify.
    pub responsible_unit: String,
    /// The limit that holds.
    pub due_on: Option<String>,
    /// The limit that passed.
    pub was_due_on: Option<String>,
    /// The limit that was told before and has moved.
    pub told_due_on: Option<String>,
}

impl From<&FindingFact> for ItemLine {
    fn from(finding: &FindingFact) -> Self {
        Self {
            number: finding.number,
            severity: finding.severity.zh(),
            category: finding.category.clone(),
            description: finding.description.clone(),
            basis: finding.basis.clone(),
            demand: finding.demand.clone(),
            responsible_unit: finding.responsible_unit_name.clone(),
            due_on: None,
            was_due_on: None,
            told_due_on: None,
        }
    }
}

impl From<&ItemSnapshot> for ItemLine {
    fn from(item: &ItemSnapshot) -> Self {
        Self {
            number: item.number,
            severity: item.severity.zh(),
            category: item.category.clone(),
            description: item.description.clone(),
            basis: item.basis.clone(),
            demand: item.demand.clone(),
            responsible_unit: item.responsible_unit_name.clone(),
            due_on: Some(date_zh(item.due_on)),
            was_due_on: None,
            told_due_on: None,
        }
    }
}

macro_rules! wordings {
    ($($name:ident $path:tt { $($field:ident: $type:ty),* $(,)? })+) => {
        /// What a message says, beside its head.
        #[derive(Debug, Clone)]
        pub enum Wording { $($name { $($field: $type),* },)+ }

        impl Wording {
            /// The kind of message.
            pub fn template(&self) -> Template {
                match self { $(Self::$name { .. } => Template::$name,)+ }
            }

            /// The whole text.
            pub fn render(&self, head: Head<'_>) -> Result<String, askama::Error> {
                match self { $(Self::$name { $($field),* } => sheets::$name { head, $($field),* }.render(),)+ }
            }
        }

        mod sheets {
            use super::{Head, ItemLine};
            $(
                #[derive(askama::Template)]
                #[template(path = $path, escape = "none")]
                pub(super) struct $name<'a> { pub(super) head: Head<'a>, $(pub(super) $field: &'a $type,)* }
            )+
        }
    };
}

wordings! {
    SupervisionNotification "supervision_notification.txt" {
        doc_no: String, kind: String, visit_on: String, team: String, receipt_due: String,
    }
    PreliminaryOpinion "preliminary_opinion.txt" { doc_no: String, plea_due: String, receipt_due: String }
    OpinionLetter "opinion_letter.txt" { doc_no: String, evaluation: String, items: Vec<ItemLine>, receipt_due: String }
    RectificationOpened "rectification_opened.txt" {
        doc_no: String, received_at: String, items: Vec<ItemLine>, joint_liability: bool,
    }
    Reminder "reminder.txt" { doc_no: String, due_on: String, days_left: i32, items: Vec<ItemLine> }
    UrgingOrder "urging_order.txt" {
        doc_no: String, letter_no: String, items: Vec<ItemLine>, receipt_due: String, copy_to: Option<String>,
        next_at: String, next_step: String,
    }
    ItemReported "item_reported.txt" { doc_no: String, items: Vec<ItemLine>, report: String }
    ItemReturned "item_returned.txt" { doc_no: String, items: Vec<ItemLine>, reason: String }
    ItemVerified "item_verified.txt" { doc_no: String, items: Vec<ItemLine>, verified_by: String }
    ItemClosed "item_closed.txt" { doc_no: String, items: Vec<ItemLine>, closed_on: String }
    RectificationClosed "rectification_closed.txt" { doc_no: String, count: usize, closed_on: String }
    StepProposed "step_proposed.txt" {
        doc_no: String, items: Vec<ItemLine>, step: String, article: String, decide_by: Option<String>,
    }
    PlanSubmitted "plan_submitted.txt" { doc_no: String, items: Vec<ItemLine>, late: bool }
    PlanJudged "plan_judged.txt" { doc_no: String, items: Vec<ItemLine>, accepted: bool, due_on: Option<String> }
    PlanOverdue "plan_overdue.txt" { doc_no: String, items: Vec<ItemLine>, due_on: String }
    ItemExtended "item_extended.txt" { doc_no: String, items: Vec<ItemLine>, due_on: String }
    RequestMade "request_made.txt" {
        doc_no: String, items: Vec<ItemLine>, wish: String, reason: String, by: Option<String>, decide_by: String,
    }
    RequestDecided "request_decided.txt" {
        doc_no: String, items: Vec<ItemLine>, wish: String, granted: bool, note: String,
    }
    Paused "paused.txt" { doc_no: String, items: Vec<ItemLine>, reason: String, until: String }
    Resumed "resumed.txt" { doc_no: String, items: Vec<ItemLine>, since: String }
    Recounted "recounted.txt" { doc_no: String, items: Vec<ItemLine> }
    StepTaken "step_taken.txt" { doc_no: String, items: Vec<ItemLine>, step: String, note: String }
    StepLifted "step_lifted.txt" { doc_no: String, items: Vec<ItemLine>, step: String, reason: String }
    ConsultationSent "consultation_sent.txt" { doc_no: String, items: Vec<ItemLine>, office: String, due_at: String }
    ItemWaived "item_waived.txt" { doc_no: String, items: Vec<ItemLine>, reason: String }
    CloseOutApproved "close_out_approved.txt" { doc_no: String, items: Vec<ItemLine>, given: u32 }
    CloseOutRefused "close_out_refused.txt" { doc_no: String, items: Vec<ItemLine>, reason: String }
    LookBackDue "look_back_due.txt" { doc_no: String, items: Vec<ItemLine>, visit_by: String }
    ItemReopened "item_reopened.txt" { doc_no: String, items: Vec<ItemLine>, reason: String, due_on: String }
    DutyOverdue "duty_overdue.txt" {
        doc_no: String, items: Vec<ItemLine>, who: String, duty: String, due_at: String, times: u32,
    }
}

//! The texts in three languages, plain and as simple HTML; the wording stands in `templates/<language>/`.
//!
//! A body is made once for each notice and language and kept as it was told; what differs between the readers (salutation,
//! note, mark in the subject) follows from their capacity.

use askama::Template as _;
use contracts::{
    deadlines::ItemSnapshot,
    shared::DocumentKind,
    tasks::{FindingFact, SupervisionKind},
};
use domain::{
    ids::ItemId,
    rectification::RecountEffect,
    rulebook::{Duty, PauseReason},
    severity::Severity,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{language::Language, rules::Capacity, template::Template};

/// The limit for acknowledging a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// None is known.
    Open,
    /// By the end of a day.
    Day(Date),
    /// By an instant: it is counted in hours.
    Instant(Timestamp),
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Name.
    pub name: String,
    /// Heads it (组长).
    pub leader: bool,
}

/// Who owes a duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ower {
    /// The agency of that name.
    Agency(String),
    /// The office that was consulted.
    Consulted,
    /// The authority that decides on the ladder.
    Decider,
}

/// What every body may show.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The supervised unit.
    pub unit: &'a str,
    /// Name of the supervision.
    pub case_title: &'a str,
    /// What the rectification answers: an opinion letter or a rectification notice.
    pub letter: DocumentKind,
}

/// A finding or an item as printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemLine {
    /// Number within the letter.
    pub number: i32,
    /// The item; absent for a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
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
    pub responsible_unit: String,
    /// The limit that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<Date>,
    /// The limit that passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_due_on: Option<Date>,
    /// The limit that was told before and has moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_due_on: Option<Date>,
    /// What a recount did to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<RecountEffect>,
}

impl From<&FindingFact> for ItemLine {
    fn from(finding: &FindingFact) -> Self {
        Self {
            number: finding.number,
            item_id: None,
            severity: finding.severity,
            category: finding.category.clone(),
            description: finding.description.clone(),
            basis: finding.basis.clone(),
            demand: finding.demand.clone(),
            responsible_unit: finding.responsible_unit_name.clone(),
            due_on: None,
            was_due_on: None,
            told_due_on: None,
            effect: None,
        }
    }
}

impl From<&ItemSnapshot> for ItemLine {
    fn from(item: &ItemSnapshot) -> Self {
        Self {
            number: item.number,
            item_id: Some(item.item_id),
            severity: item.severity,
            category: item.category.clone(),
            description: item.description.clone(),
            basis: item.basis.clone(),
            demand: item.demand.clone(),
            responsible_unit: item.responsible_unit_name.clone(),
            due_on: Some(item.due_on),
            was_due_on: None,
            told_due_on: None,
            effect: None,
        }
    }
}

macro_rules! wordings {
    ($($name:ident $hans:tt $hant:tt $en:tt { $($field:ident: $type:ty),* $(,)? })+) => {
        /// What a message says, beside its head: facts, not words.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Wording { $($name { $($field: $type),* },)+ }

        impl Wording {
            /// The kind of message.
            pub fn template(&self) -> Template {
                match self { $(Self::$name { .. } => Template::$name,)+ }
            }

            /// The body in a language.
            pub fn render(&self, head: Head<'_>, l: Language) -> Result<String, askama::Error> {
                let text = match self {
                    $(Self::$name { $($field),* } => match l {
                        Language::ZhHans => zh_hans::$name { head, l, $($field),* }.render()?,
                        Language::ZhHant => zh_hant::$name { head, l, $($field),* }.render()?,
                        Language::En => en::$name { head, l, $($field),* }.render()?,
                    },)+
                };
                Ok(text.trim().to_owned())
            }
        }

        sheets!(zh_hans $($name $hans { $($field: $type),* })+);
        sheets!(zh_hant $($name $hant { $($field: $type),* })+);
        sheets!(en $($name $en { $($field: $type),* })+);
    };
}

macro_rules! sheets {
    ($module:ident $($name:ident $path:tt { $($field:ident: $type:ty),* })+) => {
        #[allow(dead_code, clippy::allow_attributes, reason = "a body need not show everything")]
        mod $module {
            use super::*;
            $(
                #[derive(askama::Template)]
                #[template(path = $path, escape = "none")]
                pub(super) struct $name<'a> {
                    pub(super) head: Head<'a>,
                    pub(super) l: Language,
                    $(pub(super) $field: &'a $type,)*
                }
            )+
        }
    };
}

wordings! {
    SupervisionNotification "zh-Hans/supervision_notification.txt" "zh-Hant/supervision_notification.txt" "en/supervision_notification.txt" {
        doc_no: String, kind: SupervisionKind, visit_on: Date, team: Vec<Member>, receipt_due: Limit,
    }
    PreliminaryOpinion "zh-Hans/preliminary_opinion.txt" "zh-Hant/preliminary_opinion.txt" "en/preliminary_opinion.txt" {
        doc_no: String, plea_due: Date, receipt_due: Limit,
    }
    OpinionLetter "zh-Hans/opinion_letter.txt" "zh-Hant/opinion_letter.txt" "en/opinion_letter.txt" {
        doc_no: String, evaluation: String, items: Vec<ItemLine>, receipt_due: Limit,
    }
    RectificationNotice "zh-Hans/rectification_notice.txt" "zh-Hant/rectification_notice.txt" "en/rectification_notice.txt" {
        doc_no: String, evaluation: String, items: Vec<ItemLine>, receipt_due: Limit,
    }
    InterviewNotice "zh-Hans/interview_notice.txt" "zh-Hant/interview_notice.txt" "en/interview_notice.txt" {
        doc_no: String, letter_no: String, reason: String, at: Timestamp, place: String, receipt_due: Limit,
    }
    Circular "zh-Hans/circular.txt" "zh-Hant/circular.txt" "en/circular.txt" {
        doc_no: String, letter_no: String, result: String, barred_until: Option<Date>, receipt_due: Limit,
    }
    RectificationOpened "zh-Hans/rectification_opened.txt" "zh-Hant/rectification_opened.txt" "en/rectification_opened.txt" {
        doc_no: String, received_at: Timestamp, items: Vec<ItemLine>, joint_liability: bool,
    }
    Reminder "zh-Hans/reminder.txt" "zh-Hant/reminder.txt" "en/reminder.txt" {
        doc_no: String, due_on: Date, days_left: i32, items: Vec<ItemLine>,
    }
    UrgingOrder "zh-Hans/urging_order.txt" "zh-Hant/urging_order.txt" "en/urging_order.txt" {
        doc_no: String, letter_no: String, items: Vec<ItemLine>, receipt_due: Limit, copy_to: Option<String>, next_at: Timestamp, next_step: i16,
    }
    ItemReported "zh-Hans/item_reported.txt" "zh-Hant/item_reported.txt" "en/item_reported.txt" {
        doc_no: String, items: Vec<ItemLine>, report: String,
    }
    ItemReturned "zh-Hans/item_returned.txt" "zh-Hant/item_returned.txt" "en/item_returned.txt" {
        doc_no: String, items: Vec<ItemLine>, reason: String,
    }
    ItemVerified "zh-Hans/item_verified.txt" "zh-Hant/item_verified.txt" "en/item_verified.txt" {
        doc_no: String, items: Vec<ItemLine>, verified_by: String,
    }
    ItemClosed "zh-Hans/item_closed.txt" "zh-Hant/item_closed.txt" "en/item_closed.txt" {
        doc_no: String, items: Vec<ItemLine>, closed_on: Date,
    }
    RectificationClosed "zh-Hans/rectification_closed.txt" "zh-Hant/rectification_closed.txt" "en/rectification_closed.txt" {
        doc_no: String, count: usize, closed_on: Date, acceptance_no: Option<String>, receipt_due: Option<Limit>,
    }
    StepProposed "zh-Hans/step_proposed.txt" "zh-Hant/step_proposed.txt" "en/step_proposed.txt" {
        doc_no: String, items: Vec<ItemLine>, step: i16, article: String, decide_by: Option<Timestamp>,
    }
    PlanSubmitted "zh-Hans/plan_submitted.txt" "zh-Hant/plan_submitted.txt" "en/plan_submitted.txt" {
        doc_no: String, items: Vec<ItemLine>, late: bool,
    }
    PlanJudged "zh-Hans/plan_judged.txt" "zh-Hant/plan_judged.txt" "en/plan_judged.txt" {
        doc_no: String, items: Vec<ItemLine>, accepted: bool, due_on: Option<Date>,
    }
    PlanOverdue "zh-Hans/plan_overdue.txt" "zh-Hant/plan_overdue.txt" "en/plan_overdue.txt" {
        doc_no: String, items: Vec<ItemLine>, due_on: Date,
    }
    ItemExtended "zh-Hans/item_extended.txt" "zh-Hant/item_extended.txt" "en/item_extended.txt" {
        doc_no: String, items: Vec<ItemLine>, due_on: Date,
    }
    RequestMade "zh-Hans/request_made.txt" "zh-Hant/request_made.txt" "en/request_made.txt" {
        doc_no: String, items: Vec<ItemLine>, wish: String, reason: String, by: Option<String>, decide_by: Timestamp,
    }
    RequestDecided "zh-Hans/request_decided.txt" "zh-Hant/request_decided.txt" "en/request_decided.txt" {
        doc_no: String, items: Vec<ItemLine>, wish: String, granted: bool, note: String,
    }
    Paused "zh-Hans/paused.txt" "zh-Hant/paused.txt" "en/paused.txt" {
        doc_no: String, items: Vec<ItemLine>, reason: PauseReason, until: Timestamp,
    }
    Resumed "zh-Hans/resumed.txt" "zh-Hant/resumed.txt" "en/resumed.txt" {
        doc_no: String, items: Vec<ItemLine>, since: Timestamp,
    }
    Recounted "zh-Hans/recounted.txt" "zh-Hant/recounted.txt" "en/recounted.txt" {
        doc_no: String, items: Vec<ItemLine>,
    }
    HandedOver "zh-Hans/handed_over.txt" "zh-Hant/handed_over.txt" "en/handed_over.txt" {
        doc_no: String, items: Vec<ItemLine>, county: String, agency: String, since: Date,
    }
    StepTaken "zh-Hans/step_taken.txt" "zh-Hant/step_taken.txt" "en/step_taken.txt" {
        doc_no: String, items: Vec<ItemLine>, step: i16, note: String,
    }
    StepLifted "zh-Hans/step_lifted.txt" "zh-Hant/step_lifted.txt" "en/step_lifted.txt" {
        doc_no: String, items: Vec<ItemLine>, step: i16, reason: String,
    }
    ConsultationSent "zh-Hans/consultation_sent.txt" "zh-Hant/consultation_sent.txt" "en/consultation_sent.txt" {
        doc_no: String, items: Vec<ItemLine>, office: String, due_at: Timestamp,
    }
    ItemWaived "zh-Hans/item_waived.txt" "zh-Hant/item_waived.txt" "en/item_waived.txt" {
        doc_no: String, items: Vec<ItemLine>, reason: String,
    }
    CloseOutApproved "zh-Hans/close_out_approved.txt" "zh-Hant/close_out_approved.txt" "en/close_out_approved.txt" {
        doc_no: String, items: Vec<ItemLine>, given: u32,
    }
    CloseOutRefused "zh-Hans/close_out_refused.txt" "zh-Hant/close_out_refused.txt" "en/close_out_refused.txt" {
        doc_no: String, items: Vec<ItemLine>, reason: String,
    }
    LookBackDue "zh-Hans/look_back_due.txt" "zh-Hant/look_back_due.txt" "en/look_back_due.txt" {
        doc_no: String, items: Vec<ItemLine>, visit_by: Timestamp,
    }
    ItemReopened "zh-Hans/item_reopened.txt" "zh-Hant/item_reopened.txt" "en/item_reopened.txt" {
        doc_no: String, items: Vec<ItemLine>, reason: String, due_on: Date,
    }
    DutyOverdue "zh-Hans/duty_overdue.txt" "zh-Hant/duty_overdue.txt" "en/duty_overdue.txt" {
        doc_no: String, items: Vec<ItemLine>, who: Ower, duty: Duty, due_at: Timestamp, times: u32,
    }
    ReceiptReminder "zh-Hans/receipt_reminder.txt" "zh-Hant/receipt_reminder.txt" "en/receipt_reminder.txt" {
        doc_no: String, kind: DocumentKind, title: String, due_on: Date, again_at: Timestamp,
    }
    ReceiptOverdue "zh-Hans/receipt_overdue.txt" "zh-Hant/receipt_overdue.txt" "en/receipt_overdue.txt" {
        doc_no: String, kind: DocumentKind, title: String, due_on: Date, times: i32,
    }
}

/// Everything around a body.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The language.
    pub language: Language,
    /// In which capacity the reader gets it.
    pub capacity: Capacity,
    /// The kind of message.
    pub template: Template,
    /// The supervised unit.
    pub unit: &'a str,
    /// Whom the rule addresses: the supervised unit or the agency.
    pub addressee: &'a str,
    /// The competent department.
    pub department: Option<&'a str>,
    /// The agency that issued the document; also whom to ask.
    pub issuing: &'a str,
    /// Number of the document or of the letter.
    pub doc_no: &'a str,
    /// Where to act.
    pub link: &'a str,
    /// The reader's own link to acknowledge receipt.
    pub sign_link: Option<&'a str>,
    /// Whom to ask about the system.
    pub support: &'a str,
}

impl Frame<'_> {
    /// The subject: one line, whatever a name contains.
    pub fn subject(&self) -> String {
        let mark = match self.capacity {
            Capacity::To | Capacity::Inform => "",
            Capacity::Copy => self.language.pick("（抄送）", "（抄送）", "(copy) "),
            Capacity::Fallback => self.language.pick("（代转）", "（代轉）", "(in place of the unit) "),
        };
        let title = self.template.title(self.language);
        one_line(&match self.language {
            Language::ZhHans | Language::ZhHant => format!("【{title}】{mark}{} {}", self.doc_no, self.unit),
            Language::En => format!("[{title}] {mark}{} {}", self.doc_no, self.unit),
        })
    }

    /// A text of one breath for a phone or a chat: no findings, no names of people; those who may read them sign in.
    pub fn short(&self) -> String {
        let title = self.template.title(self.language);
        let (doc_no, unit, link) = (one_line(self.doc_no), one_line(self.unit), self.link);
        match self.language {
            Language::ZhHans => format!("【教育督导平台】{title}：{doc_no} {unit}，请登录平台办理：{link}"),
            Language::ZhHant => format!("【教育督導平台】{title}：{doc_no} {unit}，請登入平台辦理：{link}"),
            Language::En => format!("[Education supervision] {title}: {doc_no} {unit}. Please sign in: {link}"),
        }
    }

    fn salutation(&self) -> String {
        let l = self.language;
        match self.capacity {
            Capacity::To => self.addressee.to_owned(),
            Capacity::Copy => {
                format!("{}{}", self.department.unwrap_or(self.issuing), l.pick("（抄送）", "（抄送）", " (copy)"))
            }
            Capacity::Inform => format!("{}{}", self.issuing, l.pick("（知会）", "（知會）", " (for information)")),
            Capacity::Fallback => self.department.map_or_else(
                || self.issuing.to_owned(),
                |department| format!("{department}{}{}", l.pick("、", "、", ", "), self.issuing),
            ),
        }
    }

    fn note(&self) -> Option<String> {
        let addressee = self.addressee;
        (self.capacity == Capacity::Fallback).then(|| match self.language {
            Language::ZhHans => format!(
                "{addressee}在平台上没有可用账号，本消息未能送达该单位。请以其他方式送达，并督促其开通账号。"
            ),
            Language::ZhHant => format!(
                "{addressee}在平台上沒有可用賬號，本消息未能送達該單位。請以其他方式送達，並督促其開通賬號。"
            ),
            Language::En => format!(
                "{addressee} has no account on the platform, so this message could not reach it. Please serve it in another way and have an account opened."
            ),
        })
    }

    /// The whole text around a body.
    pub fn text(&self, body: &str) -> Result<String, askama::Error> {
        let (salutation, note) = (self.salutation(), self.note());
        let head = LayoutHead {
            salutation: &salutation,
            note: note.as_deref(),
            sign_link: self.sign_link,
            issuing: self.issuing,
            doc_no: Some(self.doc_no),
            link: self.link,
            support: self.support,
        };
        let text = match self.language {
            Language::ZhHans => LayoutZhHans { head, body }.render()?,
            Language::ZhHant => LayoutZhHant { head, body }.render()?,
            Language::En => LayoutEn { head, body }.render()?,
        };
        Ok(text.trim_end().to_owned())
    }
}

#[derive(Debug, Clone, Copy)]
struct LayoutHead<'a> {
    salutation: &'a str,
    note: Option<&'a str>,
    sign_link: Option<&'a str>,
    issuing: &'a str,
    doc_no: Option<&'a str>,
    link: &'a str,
    support: &'a str,
}

#[derive(askama::Template)]
#[template(path = "zh-Hans/layout.txt", escape = "none")]
struct LayoutZhHans<'a> {
    head: LayoutHead<'a>,
    body: &'a str,
}

#[derive(askama::Template)]
#[template(path = "zh-Hant/layout.txt", escape = "none")]
struct LayoutZhHant<'a> {
    head: LayoutHead<'a>,
    body: &'a str,
}

#[derive(askama::Template)]
#[template(path = "en/layout.txt", escape = "none")]
struct LayoutEn<'a> {
    head: LayoutHead<'a>,
    body: &'a str,
}

#[derive(askama::Template)]
#[template(path = "html.html")]
struct Html<'a> {
    lang: &'a str,
    subject: &'a str,
    blocks: Vec<Vec<&'a str>>,
    link: &'a str,
    act: &'a str,
    sign: Option<(&'a str, &'a str)>,
}

/// A plain text as simple HTML: its blocks become paragraphs, its links can be followed, everything else is escaped.
pub fn html(
    language: Language,
    subject: &str,
    text: &str,
    link: &str,
    sign_link: Option<&str>,
) -> Result<String, askama::Error> {
    let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines() {
        // A line that only shows an address is a button here.
        if line.trim().is_empty() || line.starts_with("————") {
            blocks.push(Vec::new());
        } else if let Some(block) = blocks.last_mut()
            && !sign_link.is_some_and(|address| line.contains(address))
        {
            block.push(line);
        }
    }
    blocks.retain(|block| !block.is_empty());
    let act = language.pick("登录平台办理", "登入平台辦理", "Sign in and act");
    let sign = language.pick(
        "签收（链接仅可使用一次，请勿转发）",
        "簽收（連結僅可使用一次，請勿轉發）",
        "Acknowledge receipt (works once, do not pass it on)",
    );
    let sign = sign_link.map(|address| (address, sign));
    Html { lang: language.as_str(), subject, blocks, link, act, sign }.render()
}

/// A text as one line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

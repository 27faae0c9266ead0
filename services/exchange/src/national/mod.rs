//! `national/v1`: the form in which a province tells the national platform (国家教育督导信息化管理平台) about a case.
//!
//! No description of the real platform's interface is public, so the form is our own and carries its version. It is
//! JSON in UTF-8. Codes are those of the state: units by their ten-digit identifier (学校(机构)标识码) or, where they
//! have none, by the stable key of the register (`gov-460100`), divisions by GB/T 2260; dates are ISO 8601 days of
//! the province, moments are UTC. Names of persons are not sent.
//!
//! A message tells one fact of a case and says which: the letter is number 1, the rectification 2, the urging orders
//! follow, the closure is last. The platform takes them in that order without a gap.
//!
//! The form knows fewer facts than the province does. An item that need not be rectified (免于整改) is told as closed on
//! the day of that decision, without report and verification. The closure is the last word: what follows a look-back that
//! finds a problem back (反弹) is not told. Of joint liability (连带责任) the platform hears what concerns the unit's case;
//! the competent department's own case has no letter and so no place in the form.
//! A document comes with its fields, and as the text that people read, where the province still has what it is made of.
//! `format/national-v1.examples.json` shows one of each.

mod compose;
mod validate;

use domain::severity::Severity;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use contracts::shared::DocumentKind;
use contracts::tasks::SupervisionKind;

pub(crate) use compose::EVENT_TYPES;
pub use compose::{ComposeError, Composed, compose};
pub use validate::Fault;

/// The version of the form.
pub const FORMAT: &str = "national/v1";

/// A message to the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Always [`FORMAT`].
    pub format: String,
    /// The message; also the idempotency key of the request.
    pub message_id: Uuid,
    /// Division code of the province that sends.
    pub sender: String,
    /// The case.
    pub case: Case,
    /// Legal time of the fact.
    pub occurred_at: Timestamp,
    /// Its day in the province.
    pub occurred_on: Date,
    /// The supervised unit.
    pub unit: Unit,
    /// The fact.
    pub content: Content,
}

/// The supervision case (督导).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The case.
    pub case_id: Uuid,
    /// Place of the message within the case, from 1.
    pub sequence: i32,
    /// Name of the supervision.
    pub title: String,
    /// Type of supervision.
    pub supervision_kind: SupervisionKind,
    /// First day of the visit.
    pub visited_on: Date,
}

/// The supervised unit (被督导单位).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Identity in the province.
    pub unit_id: Uuid,
    /// Ten-digit identifier, or the stable key of the register.
    pub code: Option<String>,
    /// Full official name.
    pub name: String,
    /// Division code of the county unit; absent for provincial units.
    pub county_code: Option<String>,
    /// Name of the county unit.
    pub county_name: Option<String>,
    /// Competent department.
    pub competent_department: Option<String>,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// The opinion letter (督导意见书) was issued.
    OpinionLetter(OpinionLetter),
    /// The unit received it: the rectification (整改) began.
    Rectification(Rectification),
    /// A supervision notice (督办单) was issued.
    UrgingOrder(UrgingOrder),
    /// The last item was closed (销号).
    Closure(Closure),
}

/// Kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Opinion letter (督导意见书).
    OpinionLetter,
    /// Rectification (整改).
    Rectification,
    /// Urging order (督办单).
    UrgingOrder,
    /// Closure (整改销号).
    Closure,
}

impl Kind {
    /// Every kind, in the order of a case.
    pub const ALL: [Self; 4] = [Self::OpinionLetter, Self::Rectification, Self::UrgingOrder, Self::Closure];

    /// Word in columns and in the form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpinionLetter => "opinion_letter",
            Self::Rectification => "rectification",
            Self::UrgingOrder => "urging_order",
            Self::Closure => "closure",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Chinese name.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::OpinionLetter => "督导意见书",
            Self::Rectification => "整改",
            Self::UrgingOrder => "督办单",
            Self::Closure => "整改销号",
        }
    }
}

impl Content {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::OpinionLetter(_) => Kind::OpinionLetter,
            Self::Rectification(_) => Kind::Rectification,
            Self::UrgingOrder(_) => Kind::UrgingOrder,
            Self::Closure(_) => Kind::Closure,
        }
    }
}

/// An issued document (文书).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Kind: the letter is an opinion letter (督导意见书) or, of a regular supervision, a rectification notice (整改通知书).
    /// Absent, like the hash, in messages from before it was told, which may still wait to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DocumentKind>,
    /// Document number (发文字号).
    pub doc_no: String,
    /// Title.
    pub title: String,
    /// The issuing agency.
    pub issuing_agency: String,
    /// Day of issue.
    pub issued_on: Date,
    /// SHA-256 of its frozen content, hexadecimal; the code on the paper is its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
    /// What it says, as plain text, in the message that tells of its issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// The opinion letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpinionLetter {
    /// The document.
    pub document: Document,
    /// Overall evaluation.
    pub evaluation: String,
    /// Findings.
    pub items: Vec<Finding>,
}

/// A finding (问题).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
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
    /// Advice.
    pub advice: String,
    /// The unit that must rectify.
    pub responsible_unit: String,
}

/// The rectification as it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rectification {
    /// The letter's document.
    pub letter: Document,
    /// Day on which the unit received the letter.
    pub received_on: Date,
    /// Items with their limits.
    pub items: Vec<RectificationItem>,
}

/// An item of a rectification (整改事项).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RectificationItem {
    /// Number within the letter.
    pub number: i32,
    /// Severity.
    pub severity: Severity,
    /// The unit that must rectify.
    pub responsible_unit: String,
    /// Last day of the limit.
    pub due_on: Date,
    /// The holidays of that year are not yet decreed.
    pub provisional: bool,
}

/// An urging order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrgingOrder {
    /// The document.
    pub document: Document,
    /// Its number within the case, from 1.
    pub number: i32,
    /// The late items.
    pub items: Vec<UrgedItem>,
    /// The department that gets a copy.
    pub copy_to: Option<String>,
}

/// A late item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrgedItem {
    /// Number within the letter.
    pub number: i32,
    /// The limit that passed.
    pub was_due_on: Date,
    /// The new limit.
    pub due_on: Date,
}

/// The rectification is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// The letter's document.
    pub letter: Document,
    /// Day of the last close-out.
    pub closed_on: Date,
    /// Document numbers of the urging orders of the case, oldest first.
    pub urging_orders: Vec<String>,
    /// Items.
    pub items: Vec<ClosedItem>,
}

/// A closed item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedItem {
    /// Number within the letter.
    pub number: i32,
    /// Severity.
    pub severity: Severity,
    /// First limit, by the letter.
    pub first_due_on: Date,
    /// Limit that held last.
    pub due_on: Date,
    /// Day of the last report.
    pub reported_on: Option<Date>,
    /// Day of the verification (核查).
    pub verified_on: Option<Date>,
    /// Day of the close-out.
    pub closed_on: Option<Date>,
    /// Reported after the first limit.
    pub late: bool,
    /// Times that verification sent it back.
    pub returned: i32,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The form as it is documented for the other side: a change of these files is a new version.
    fn examples() -> Vec<Value> {
        serde_json::from_str(include_str!("../../format/national-v1.examples.json")).unwrap()
    }

    #[test]
    fn the_documented_examples_are_read_and_written_alike() {
        for (example, kind) in examples().into_iter().zip(Kind::ALL) {
            let message = Message::read(example.to_string().as_bytes()).unwrap();
            assert_eq!(message.content.kind(), kind);
            assert_eq!(serde_json::to_value(&message).unwrap(), example);
            assert_eq!(Kind::from_word(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn a_message_from_before_is_still_sent() {
        let mut before = examples().remove(0);
        let document = before["content"]["opinion_letter"]["document"].as_object_mut().unwrap();
        for told_since in ["kind", "content_sha256", "text"] {
            document.remove(told_since).unwrap();
        }
        let message = Message::read(before.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&message).unwrap(), before);
    }

    #[test]
    fn every_fault_is_named_with_its_field() {
        let table = [
            (0, "/format", json!("national/v2")),
            (0, "/sender", json!("460100")),
            (0, "/case/sequence", json!(2)),
            (0, "/case/title", json!(" ")),
            (0, "/unit/code", json!("2146")),
            (0, "/unit/code", json!("Gov 1")),
            (0, "/unit/code", Value::Null),
            (0, "/unit/county_code", json!("440100")),
            (0, "/unit/county_name", Value::Null),
            (0, "/content/opinion_letter/document/doc_no", json!("12号")),
            (0, "/content/opinion_letter/items", json!([])),
            (0, "/content/opinion_letter/items/0/number", json!(0)),
            (0, "/content/opinion_letter/items/0/demand", json!("")),
            // Faults of form come from reading.
            (0, "/content/opinion_letter/items/0/severity", json!("grave")),
            (0, "/occurred_on", json!("2026-02-30")),
            (1, "/content/rectification/received_on", json!("24.11.2026")),
            (2, "/content/urging_order/number", json!(2)),
            (3, "/content/closure/items/0/closed_on", Value::Null),
            (3, "/content/closure/urging_orders/0", json!("3")),
        ];
        let examples = examples();
        for (n, field, value) in table {
            let mut example = examples[n].clone();
            *example.pointer_mut(field).unwrap() = value.clone();
            let faults = Message::read(example.to_string().as_bytes()).unwrap_err();
            let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
            assert_eq!(fields, [field], "{value}");
            assert!(!faults[0].reason_zh.is_empty() && !faults[0].reason_en.is_empty());
        }
        assert!(Message::read(b"no json").is_err());
        assert!(Message::read(b"{}").is_err());
    }

    #[test]
    fn a_county_government_has_the_key_of_the_register() {
        let mut example = examples().remove(0);
        example["unit"]["code"] = json!("gov-460100");
        assert!(Message::read(example.to_string().as_bytes()).is_ok());
    }
}

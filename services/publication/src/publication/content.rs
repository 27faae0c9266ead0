//! What the public sees of a rectification, and the bytes that are hashed.

use contracts::deadlines::{ItemState, RectificationSnapshot};
use domain::ids::PublicationId;
use domain::local_time::local_date;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::Approval;

/// Name of the form of the published bytes; a change of meaning gets a new one.
const SCHEMA: &str = "dudao.rectification.v1";

/// How a whole page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PublicStatus {
    /// Something is still to be rectified.
    Open,
    /// Something open is under an urging order.
    Urged,
    /// All is closed.
    Closed,
}

impl PublicStatus {
    /// Every status.
    pub(crate) const ALL: [Self; 3] = [Self::Open, Self::Urged, Self::Closed];

    /// The name in data.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Urged => "urged",
            Self::Closed => "closed",
        }
    }

    /// In words.
    pub(crate) fn zh(self) -> &'static str {
        match self {
            Self::Open => "整改中",
            Self::Urged => "督办中",
            Self::Closed => "已完成整改",
        }
    }
}

/// A finding on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PublicFinding {
    /// Number within the letter.
    pub number: i32,
    /// The approved public wording.
    pub text: String,
    /// Severity, in words.
    pub severity: String,
    /// The unit that must rectify.
    pub responsible_unit: String,
    /// Last day of the first limit.
    #[schema(value_type = String, format = Date)]
    pub first_due_on: Date,
    /// Last day of the limit in force.
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
    /// State.
    pub state: ItemState,
    /// State, in words.
    pub state_zh: String,
    /// Local day of the last report.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub reported_on: Option<Date>,
    /// Local day of the verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub verified_on: Option<Date>,
    /// Local day of the close-out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub closed_on: Option<Date>,
    /// Number of the newest urging order on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urging_order_no: Option<String>,
    /// How often a look-back found the problem back and it was opened anew (反弹次数).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reopened: i32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// A finding on an urging order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PublicUrgedItem {
    /// Number within the letter.
    pub number: i32,
    /// The limit that passed.
    #[schema(value_type = String, format = Date)]
    pub was_due_on: Date,
    /// The new limit.
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
}

/// An urging order on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PublicUrgingOrder {
    /// Its number.
    pub doc_no: String,
    /// Local day of its issue.
    #[schema(value_type = String, format = Date)]
    pub issued_on: Date,
    /// The late findings.
    pub items: Vec<PublicUrgedItem>,
}

/// A public page: exactly this is published, as compact JSON with the fields in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct PageContent {
    /// Form of the document.
    pub schema: String,
    /// The publication.
    pub publication_id: PublicationId,
    /// Approved title.
    pub title: String,
    /// The supervised unit.
    pub unit_name: String,
    /// Code of its county.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county_code: Option<String>,
    /// Name of its county, or 省本级.
    pub county_name: String,
    /// Type of supervision, in words.
    pub supervision_kind: String,
    /// Number of the opinion letter.
    pub letter_no: String,
    /// Local day of its issue.
    #[schema(value_type = String, format = Date)]
    pub letter_issued_on: Date,
    /// Who issued it.
    pub issuing_agency: String,
    /// Local day on which the unit received it.
    #[schema(value_type = String, format = Date)]
    pub received_on: Date,
    /// How the whole stands.
    pub status: PublicStatus,
    /// The same in words.
    pub status_zh: String,
    /// Local day on which the last finding was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub closed_on: Option<Date>,
    /// While the clock is stopped: the last day of the stop (期限中止).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub paused_through: Option<Date>,
    /// The case of a competent department that is jointly liable (连带责任): it was opened for the unit's, by no letter of
    /// its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joint_liability: bool,
    /// The findings.
    pub findings: Vec<PublicFinding>,
    /// The urging orders, oldest first.
    pub urging_orders: Vec<PublicUrgingOrder>,
}

impl PageContent {
    /// The page of a rectification in the approved wording.
    ///
    /// Takes the status from the snapshot and every free text from the approval: a finding that nobody approved is
    /// left out, and neither reports nor names of persons are taken at all.
    pub(crate) fn of(publication_id: PublicationId, snapshot: &RectificationSnapshot, approval: &Approval) -> Self {
        let findings: Vec<PublicFinding> = snapshot
            .items
            .iter()
            .filter_map(|item| {
                let approved = approval.findings.iter().find(|finding| finding.item_id == item.item_id)?;
                Some(PublicFinding {
                    number: item.number,
                    text: approved.text.clone(),
                    severity: item.severity.zh().to_owned(),
                    responsible_unit: item.responsible_unit_name.clone(),
                    first_due_on: item.first_due_on,
                    due_on: item.due_on,
                    state: item.state,
                    state_zh: item.state.zh().to_owned(),
                    reported_on: item.reported_at.map(local_date),
                    verified_on: item.verified_at.map(local_date),
                    closed_on: item.closed_at.map(local_date),
                    urging_order_no: item.urging_order_no.clone(),
                    reopened: item.reopened,
                })
            })
            .collect();
        let shown = |number: i32| findings.iter().any(|finding| finding.number == number);
        let urging_orders = snapshot
            .urging_orders
            .iter()
            .map(|order| PublicUrgingOrder {
                doc_no: order.document.doc_no.clone(),
                issued_on: local_date(order.document.issued_at),
                items: order
                    .items
                    .iter()
                    .filter(|item| shown(item.number))
                    .map(|item| PublicUrgedItem {
                        number: item.number,
                        was_due_on: item.was_due_on,
                        due_on: item.due_on,
                    })
                    .collect(),
            })
            .collect();
        let status = status_of(snapshot);
        Self {
            schema: SCHEMA.to_owned(),
            publication_id,
            title: approval.title.clone(),
            unit_name: snapshot.unit.name.clone(),
            county_code: snapshot.unit.county_code.clone(),
            county_name: snapshot.unit.county_name.clone().unwrap_or_else(|| "省本级".to_owned()),
            supervision_kind: snapshot.supervision_kind.zh().to_owned(),
            letter_no: snapshot.letter.doc_no.clone(),
            letter_issued_on: local_date(snapshot.letter.issued_at),
            issuing_agency: snapshot.letter.issuing_unit_name.clone(),
            received_on: local_date(snapshot.received_at),
            status,
            status_zh: status.zh().to_owned(),
            closed_on: snapshot.closed_at.map(local_date),
            paused_through: snapshot.paused_until.map(last_day_before),
            joint_liability: snapshot.liable_for.is_some(),
            findings,
            urging_orders,
        }
    }

    /// The bytes that are published.
    pub(crate) fn canonical(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// The last day that ends at the instant or before it.
fn last_day_before(end: Timestamp) -> Date {
    local_date(end.checked_sub(1.nanosecond()).unwrap_or(end))
}

fn status_of(snapshot: &RectificationSnapshot) -> PublicStatus {
    let open = |state: ItemState| !state.is_done();
    if snapshot.closed_at.is_some() || !snapshot.items.iter().any(|item| open(item.state)) {
        PublicStatus::Closed
    } else if snapshot.items.iter().any(|item| open(item.state) && item.urging_order_no.is_some()) {
        PublicStatus::Urged
    } else {
        PublicStatus::Open
    }
}

/// SHA-256 of the published bytes, hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

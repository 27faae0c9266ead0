//! A row of the ledger, and what rows are asked for.

use contracts::deadlines::StepFact;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Which items are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LedgerState {
    /// Neither closed nor waived (未销号).
    Open,
    /// The unit is rectifying (整改中).
    InProgress,
    /// Reported, to be verified (待核查).
    Reported,
    /// Verified, to be closed (待销号).
    Verified,
    /// Closed (已销号).
    Closed,
    /// Need not be rectified (免于整改).
    Waived,
    /// The clock is stopped (期限中止).
    Paused,
    /// Opened anew after a look-back (反弹).
    Reopened,
    /// Late (逾期).
    Late,
    /// Due soon (临期).
    DueSoon,
}

impl LedgerState {
    /// The name in data and in SQL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Reported => "reported",
            Self::Verified => "verified",
            Self::Closed => "closed",
            Self::Waived => "waived",
            Self::Paused => "paused",
            Self::Reopened => "reopened",
            Self::Late => "late",
            Self::DueSoon => "due_soon",
        }
    }

    /// In words.
    pub(crate) fn zh(self) -> &'static str {
        match self {
            Self::Open => "未销号",
            Self::InProgress => "整改中",
            Self::Reported => "待核查",
            Self::Verified => "待销号",
            Self::Closed => "已销号",
            Self::Waived => "免于整改",
            Self::Paused => "期限中止",
            Self::Reopened => "反弹",
            Self::Late => "逾期",
            Self::DueSoon => "临期",
        }
    }
}

/// What rows are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct LedgerFilter {
    /// Division code of a county, or `province` for provincial units.
    pub county: Option<String>,
    /// State.
    pub state: Option<LedgerState>,
    /// Words in the unit's name, the problem, the letter's or the urging order's number.
    pub words: Option<String>,
}

impl LedgerFilter {
    /// The filter in words, for the sheet 说明.
    pub(crate) fn zh(&self) -> String {
        let mut parts = Vec::new();
        match self.county.as_deref() {
            None => {}
            Some("province") => parts.push("市县：省本级".to_owned()),
            Some(code) => parts.push(format!("市县：{code}")),
        }
        if let Some(state) = self.state {
            parts.push(format!("状态：{}", state.zh()));
        }
        if let Some(words) = &self.words {
            parts.push(format!("查找：{words}"));
        }
        if parts.is_empty() { "无（权限范围内的全部整改事项）".to_owned() } else { parts.join("；") }
    }
}

/// A row of the ledger (台账行).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "a row for people: each is a column of its own")]
pub(crate) struct LedgerRow {
    /// The item.
    pub item_id: Uuid,
    /// The rectification.
    pub rectification_id: Uuid,
    /// Number within the letter.
    pub number: i32,
    /// Number of the problem: the letter's number and the number within it.
    pub item_no: String,
    /// Name of the supervision.
    pub case_title: String,
    /// Type of supervision.
    pub supervision_kind: String,
    /// The same in words.
    pub supervision_kind_zh: String,
    /// First day of the visit.
    #[schema(value_type = String, format = Date)]
    pub visited_on: jiff_sqlx::Date,
    /// Code of the county; absent for provincial units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county_code: Option<String>,
    /// Name of the county, or 省本级.
    pub county_name: String,
    /// The unit.
    pub unit_id: Uuid,
    /// Its name.
    pub unit_name: String,
    /// Its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_code: Option<String>,
    /// The problem.
    pub description: String,
    /// Its category.
    pub category: String,
    /// Its severity.
    pub severity: String,
    /// The same in words.
    pub severity_zh: String,
    /// The standard breached.
    pub basis: String,
    /// The demand.
    pub demand: String,
    /// Who must rectify.
    pub responsible_unit_name: String,
    /// The competent department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub competent_unit_name: Option<String>,
    /// Number of the opinion letter.
    pub letter_no: String,
    /// When it was issued.
    #[schema(value_type = String, format = DateTime)]
    pub letter_issued_at: jiff_sqlx::Timestamp,
    /// Its local date.
    #[schema(value_type = String, format = Date)]
    pub letter_issued_on: jiff_sqlx::Date,
    /// Last day of the first limit.
    #[schema(value_type = String, format = Date)]
    pub first_due_on: jiff_sqlx::Date,
    /// Last day of the limit in force.
    #[schema(value_type = String, format = Date)]
    pub due_on: jiff_sqlx::Date,
    /// The instant at which it has passed.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: jiff_sqlx::Timestamp,
    /// The date may still move later.
    pub provisional: bool,
    /// State.
    pub state: String,
    /// The same in words.
    pub state_zh: String,
    /// Late (逾期) at the as-of instant.
    pub late: bool,
    /// Due soon (临期) at the as-of instant.
    pub due_soon: bool,
    /// When the unit reported last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub reported_at: Option<jiff_sqlx::Timestamp>,
    /// What it reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// When it was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub verified_at: Option<jiff_sqlx::Timestamp>,
    /// Who verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<String>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<jiff_sqlx::Timestamp>,
    /// How often verification returned it.
    pub returned: i32,
    /// Number of the newest urging order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urging_order_no: Option<String>,
    /// The clock is stopped (期限中止): nothing is late meanwhile.
    pub paused: bool,
    /// How often the limit was extended (延期次数).
    pub extensions: i32,
    /// How often a look-back found the problem back and it was opened anew (反弹次数).
    pub reopened: i32,
    /// When the last look-back (回头看) had its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub looked_back_at: Option<jiff_sqlx::Timestamp>,
    /// Whether it found the problem solved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_back_passed: Option<bool>,
    /// It is the competent department's own, by joint liability (连带责任).
    pub joint_liability: bool,
    /// The newest interview (约谈) on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StepFact>)]
    pub interview: Option<Json<StepFact>>,
    /// The newest circular (通报) on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StepFact>)]
    pub circular: Option<Json<StepFact>>,
    /// The newest accountability (问责) on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StepFact>)]
    pub accountability: Option<Json<StepFact>>,
    /// Path of the public page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_path: Option<String>,
}

impl LedgerRow {
    /// Its place in the order of the ledger.
    pub(crate) fn key(&self) -> Key {
        (self.letter_issued_at.to_jiff(), self.rectification_id, self.number)
    }
}

/// The order of the ledger: by letter, then by number within it.
pub(crate) type Key = (jiff::Timestamp, Uuid, i32);

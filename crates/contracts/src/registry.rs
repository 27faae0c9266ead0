//! Events of `registry`: who exists. Each is a snapshot; the newest version of an aggregate replaces the older ones.

use domain::ids::{AccountId, AreaId, PersonId, UnitId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Event;

/// Level of an area in the tree (Hainan has two administrative tiers, and districts in Haikou and Sanya).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AreaLevel {
    /// The province.
    Province,
    /// A city or county directly under the province (市县), or Yangpu.
    CountyUnit,
    /// A district (区) of a city.
    District,
}

/// An area of the administrative tree (行政区划) was recorded or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaRecorded {
    /// The area.
    pub area_id: AreaId,
    /// Version of the record.
    pub version: i64,
    /// Division code (GB/T 2260), an attribute with dates, never a key.
    pub code: String,
    /// Name.
    pub name: String,
    /// Level.
    pub level: AreaLevel,
    /// Areas from the province down to this one.
    pub path: Vec<AreaId>,
    /// First day on which the record holds.
    pub effective_on: Date,
}

impl Event for AreaRecorded {
    const TYPE: &'static str = "registry.area.recorded.v1";
    fn aggregate_id(&self) -> Uuid {
        self.area_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// School in the wide sense of the Regulation (学校).
    School,
    /// County or provincial government (政府).
    Government,
    /// Department of a government (部门).
    Department,
    /// Education bureau or department (教育行政部门).
    EducationBureau,
    /// Supervision agency, the committee's office (教育督导委员会办公室).
    SupervisionAgency,
}

/// A unit (单位) was recorded or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRecorded {
    /// The unit.
    pub unit_id: UnitId,
    /// Version of the record.
    pub version: i64,
    /// Stable key of the import: `edu-460100`, or the school identifier code.
    pub key: String,
    /// School identifier code (学校标识码), for schools.
    pub school_code: Option<String>,
    /// Full official name.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Areas from the province down to the unit's own.
    pub area_path: Vec<AreaId>,
    /// Code of the unit's own area.
    pub area_code: String,
    /// Code of the county unit it lies in; `None` for provincial units.
    pub county_code: Option<String>,
    /// Name of that county unit.
    pub county_name: Option<String>,
    /// Competent department (主管部门).
    pub competent_unit_id: Option<UnitId>,
    /// Privately run (民办).
    pub private: bool,
    /// Pupils, for schools.
    pub students: Option<i32>,
}

impl Event for UnitRecorded {
    const TYPE: &'static str = "registry.unit.recorded.v1";
    fn aggregate_id(&self) -> Uuid {
        self.unit_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// An inspector (督学) was recorded or changed: all that the validity guard of a team needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectorRecorded {
    /// The person.
    pub person_id: PersonId,
    /// Version of the record.
    pub version: i64,
    /// Number of the inspector's card (督学编号).
    pub inspector_no: String,
    /// Name.
    pub name: String,
    /// Areas from the province down to the appointing agency's.
    pub area_path: Vec<AreaId>,
    /// Full-time (专职) rather than part-time (兼职).
    pub full_time: bool,
    /// Grade, as the register has it.
    pub grade: Option<String>,
    /// First day of the present term.
    pub term_from: Date,
    /// Last day of the present term.
    pub term_to: Date,
    /// Class hours of training in the year (40 are required).
    pub training_hours: i32,
    /// Suspended from duty.
    pub suspended: bool,
}

impl Event for InspectorRecorded {
    const TYPE: &'static str = "registry.inspector.recorded.v1";
    fn aggregate_id(&self) -> Uuid {
        self.person_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// One role with its scope, as `access` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// Role, for instance `unit_principal`.
    pub role: String,
    /// Scope: this area and everything below it.
    pub area_id: Option<AreaId>,
    /// Scope: this unit.
    pub unit_id: Option<UnitId>,
}

/// An account was recorded or changed. Carries no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecorded {
    /// The account.
    pub account_id: AccountId,
    /// Version of the record.
    pub version: i64,
    /// Name to sign in with.
    pub login: String,
    /// Name shown.
    pub display_name: String,
    /// Mail address for notices.
    pub email: Option<String>,
    /// Language of messages: `zh-Hans`, `zh-Hant` or `en`.
    pub language: String,
    /// Roles with scope.
    pub grants: Vec<GrantRecord>,
    /// The unit that the person works for.
    pub unit_id: Option<UnitId>,
    /// The inspector that the account belongs to.
    pub person_id: Option<PersonId>,
    /// May sign in.
    pub active: bool,
    /// Has an identity of the government's sign-on (统一身份); whose, no event says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub identity_bound: bool,
}

impl Event for AccountRecorded {
    const TYPE: &'static str = "registry.account.recorded.v1";
    fn aggregate_id(&self) -> Uuid {
        self.account_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

//! What a policy is made of.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::code::DivisionCode;

/// Heading of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Stable key, the name of the folder.
    pub key: String,
    /// Document number (发文字号).
    pub number: String,
    /// Title.
    pub title: String,
    /// The bodies that issued it.
    pub issued_by: Vec<String>,
    /// Day of issue.
    pub issued_on: Date,
    /// To whom it is addressed (主送).
    pub addressees: String,
    /// The note on its publicity.
    pub publicity: String,
    /// The sentence before the first part.
    pub preamble: String,
}

/// A goal of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Stable key.
    pub key: String,
    /// Title.
    pub title: String,
    /// Text in full.
    pub text: String,
}

/// A basic principle of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principle {
    /// The principle in eight characters.
    pub title: String,
    /// Its explanation.
    pub text: String,
}

/// A part of the measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Number from 1.
    pub no: u8,
    /// Title.
    pub title: String,
}

/// A measure (措施) of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Number from 1.
    pub no: u8,
    /// Number of its section.
    pub section: u8,
    /// Title.
    pub title: String,
    /// Text in full, without number, title and responsible units; paragraphs end with a line feed.
    pub text: String,
    /// The responsible units (责任单位) as the document prints them.
    pub as_named: String,
    /// Keys of the units named one by one.
    pub units: Vec<UnitKey>,
    /// Groups of units named as a whole.
    pub groups: Vec<UnitGroup>,
}

/// A work requirement (工作要求) of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `W1`, `W2`.
    pub key: String,
    /// Title.
    pub title: String,
    /// Text in full, without title and responsible units.
    pub text: String,
    /// The responsible units as the document prints them, or as its sentence addresses them.
    pub as_named: String,
    /// Keys of the units named one by one.
    pub units: Vec<UnitKey>,
    /// Groups of units named as a whole.
    pub groups: Vec<UnitGroup>,
}

/// Units that the document names as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitGroup {
    /// 各市县: the government of every county unit.
    CountyUnits,
    /// 省教督委成员单位: the member units of the Committee.
    CommitteeMembers,
    /// 省直各有关部门: the departments of the province, each as far as it is concerned.
    ProvincialDepartments,
}

/// Stable key of a unit, such as `gov-460100`; lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct UnitKey(String);

impl UnitKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The government of a division (`gov-<code>`).
    pub fn government(division: DivisionCode) -> Self {
        Self(format!("gov-{division}"))
    }

    /// The supervision agency of a division (`office-<code>`).
    pub fn office(division: DivisionCode) -> Self {
        Self(format!("office-{division}"))
    }

    /// The education bureau of a division (`edu-<code>`).
    pub fn education_bureau(division: DivisionCode) -> Self {
        Self(format!("edu-{division}"))
    }
}

impl fmt::Display for UnitKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Kind of a unit that is no school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// A department or body of Party or government.
    Department,
    /// The government of a division (人民政府).
    Government,
    /// A supervision agency (教育督导机构).
    SupervisionAgency,
    /// The education department of a division (教育行政部门).
    EducationBureau,
}

impl UnitKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Department, Self::Government, Self::SupervisionAgency, Self::EducationBureau];

    /// The word in data and in the column 类别 of an import.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Government => "government",
            Self::SupervisionAgency => "supervision_agency",
            Self::EducationBureau => "education_bureau",
        }
    }
}

/// A unit that can have duties under the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Stable key.
    pub key: UnitKey,
    /// Official full name.
    pub name: String,
    /// Short form (规范化简称), as the document uses it.
    pub short_name: String,
    /// Kind.
    pub kind: UnitKind,
    /// Division that the unit belongs to.
    pub division: DivisionCode,
    /// Key of the competent department (主管部门) above.
    #[serde(default)]
    pub competent: Option<UnitKey>,
    /// Whether the unit is a member of the Committee (成员单位).
    #[serde(default)]
    pub member: bool,
    /// First day of the entry.
    pub valid_from: Date,
    /// Last day of the entry; `None` while it is in force.
    #[serde(default)]
    pub valid_to: Option<Date>,
}

/// Level of a division in the province's tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DivisionLevel {
    /// The province.
    Province,
    /// What the plan calls 市县, each supervised by the province.
    CountyUnit,
    /// A district (区) of a city.
    District,
}

impl DivisionLevel {
    /// Every level, from the top.
    pub const ALL: [Self; 3] = [Self::Province, Self::CountyUnit, Self::District];

    /// The word in data and in the column 层级 of an import.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::CountyUnit => "county_unit",
            Self::District => "district",
        }
    }
}

/// A row of the administrative tree (行政区划).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Division {
    /// Code.
    pub code: DivisionCode,
    /// Official full name.
    pub name: String,
    /// Short form for tables.
    pub short_name: String,
    /// Code of the parent; `None` for the province only.
    #[serde(default)]
    pub parent: Option<DivisionCode>,
    /// Level.
    pub level: DivisionLevel,
    /// First day of the entry.
    pub valid_from: Date,
    /// Last day of the entry; `None` while it is in force.
    #[serde(default)]
    pub valid_to: Option<Date>,
}

/// What a unit must do under the plan: one cell of the matrix measure × unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty<'a> {
    /// The measure or requirement.
    pub source: DutySource<'a>,
    /// The unit that is responsible.
    pub unit: &'a Unit,
}

/// Where a duty comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DutySource<'a> {
    /// A measure.
    Measure(&'a Measure),
    /// A work requirement.
    Requirement(&'a Requirement),
}

impl<'a> DutySource<'a> {
    /// Short key: `1` to `22`, `W1`, `W2`.
    pub fn key(&self) -> String {
        match self {
            Self::Measure(measure) => measure.no.to_string(),
            Self::Requirement(requirement) => requirement.key.clone(),
        }
    }

    /// Title.
    pub fn title(&self) -> &'a str {
        match self {
            Self::Measure(measure) => &measure.title,
            Self::Requirement(requirement) => &requirement.title,
        }
    }

    /// Text in full.
    pub fn text(&self) -> &'a str {
        match self {
            Self::Measure(measure) => &measure.text,
            Self::Requirement(requirement) => &requirement.text,
        }
    }

    pub(super) fn units(&self) -> &'a [UnitKey] {
        match self {
            Self::Measure(measure) => &measure.units,
            Self::Requirement(requirement) => &requirement.units,
        }
    }

    pub(super) fn groups(&self) -> &'a [UnitGroup] {
        match self {
            Self::Measure(measure) => &measure.groups,
            Self::Requirement(requirement) => &requirement.groups,
        }
    }
}

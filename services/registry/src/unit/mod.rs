//! Units (单位): schools, governments, departments, education bureaus, supervision agencies.

pub(crate) mod http;
pub(crate) mod store;

use access::Resource;
use contracts::registry::{UnitKind, UnitRecorded};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::corrupt::corrupt;

/// A unit as it stands, or stood on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the interface")]
pub struct Unit {
    /// The unit.
    pub unit_id: Uuid,
    /// Version of the record.
    pub version: i64,
    /// Stable key of the import: `edu-460100`, or the school identifier.
    pub key: String,
    /// School identifier (学校标识码).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub school_code: Option<String>,
    /// Kind of school (学校类别), in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub school_kind: Option<String>,
    /// Full official name.
    pub name: String,
    /// `school`, `government`, `department`, `education_bureau` or `supervision_agency`.
    pub kind: String,
    /// The unit's own area.
    pub area_id: Uuid,
    /// From the province down to it.
    pub area_path: Vec<Uuid>,
    /// Its division code.
    pub area_code: String,
    /// Code of the county unit (市县).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county_code: Option<String>,
    /// Name of the county unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county_name: Option<String>,
    /// Competent department (主管部门).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub competent_unit_id: Option<Uuid>,
    /// Privately run (民办).
    pub private: bool,
    /// Pupils (在校生数).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub students: Option<i32>,
    /// Unified social credit code (统一社会信用代码).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit_code: Option<String>,
    /// First day on which this version holds.
    pub valid_from: Date,
}

impl Unit {
    /// What decides who may read it: its area, the unit itself, its competent department.
    pub(crate) fn resource(&self) -> Resource {
        let resource =
            Resource::in_area(self.area_path.iter().copied().map(Into::into)).concerning(self.unit_id.into());
        match self.competent_unit_id {
            Some(competent) => resource.read_by(competent.into()),
            None => resource,
        }
    }
}

/// Every kind.
pub(crate) const KINDS: [UnitKind; 5] = [
    UnitKind::School,
    UnitKind::Government,
    UnitKind::Department,
    UnitKind::EducationBureau,
    UnitKind::SupervisionAgency,
];

/// A kind as the database and the interface write it.
pub(crate) fn kind_word(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::School => "school",
        UnitKind::Government => "government",
        UnitKind::Department => "department",
        UnitKind::EducationBureau => "education_bureau",
        UnitKind::SupervisionAgency => "supervision_agency",
    }
}

/// The public event of a unit.
pub(crate) fn recorded(unit: &Unit) -> Result<UnitRecorded, sqlx::Error> {
    let kind = KINDS.into_iter().find(|kind| kind_word(*kind) == unit.kind);
    Ok(UnitRecorded {
        unit_id: unit.unit_id.into(),
        version: unit.version,
        key: unit.key.clone(),
        school_code: unit.school_code.clone(),
        name: unit.name.clone(),
        kind: kind.ok_or_else(|| corrupt("units", "kind", unit.unit_id))?,
        area_path: unit.area_path.iter().copied().map(Into::into).collect(),
        area_code: unit.area_code.clone(),
        county_code: unit.county_code.clone(),
        county_name: unit.county_name.clone(),
        competent_unit_id: unit.competent_unit_id.map(Into::into),
        private: unit.private,
        students: unit.students,
    })
}

//! This service's copies of what `registry` says.

pub(crate) mod store;

use contracts::shared::UnitRef;
use domain::ids::{AreaId, UnitId};

/// A unit as copied.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(crate) struct Unit {
    pub unit_id: UnitId,
    pub key: String,
    pub school_code: Option<String>,
    pub name: String,
    pub kind: String,
    pub area_path: Vec<AreaId>,
    pub area_code: String,
    pub county_code: Option<String>,
    pub county_name: Option<String>,
    pub competent_unit_id: Option<UnitId>,
    pub competent_unit_name: Option<String>,
}

impl Unit {
    /// The unit as events name it. A school's matters are its own county's; those of any other body belong to the areas of the
    /// agency that supervises it, so that no county office verifies its own government.
    pub(crate) fn supervised_by(&self, agency: &Self) -> UnitRef {
        let in_charge = if self.kind == "school" { self } else { agency };
        UnitRef {
            unit_id: self.unit_id,
            name: self.name.clone(),
            code: Some(self.school_code.clone().unwrap_or_else(|| self.key.clone())),
            area_path: in_charge.area_path.clone(),
            county_code: self.county_code.clone(),
            county_name: self.county_name.clone(),
            competent_unit_id: self.competent_unit_id,
            competent_unit_name: self.competent_unit_name.clone(),
        }
    }

    /// Whether it is a supervision agency (教育督导机构).
    pub(crate) fn is_agency(&self) -> bool {
        self.kind == "supervision_agency"
    }
}

//! Who may supervise whom (管辖, measure 2; Regulation art. 2 and 4).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusal::CaseRefusal;
use crate::ids::UnitId;

/// The level of a supervision agency or of the government that a body belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgencyLevel {
    /// 省级.
    Province,
    /// 市县级.
    County,
}

/// A supervision agency (教育督导机构).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agency {
    /// The agency.
    pub unit_id: UnitId,
    /// Its level.
    pub level: AgencyLevel,
    /// The division code of its area.
    pub division: String,
}

/// What kind of body is supervised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum UnitClass {
    /// A county government (市县政府).
    CountyGovernment,
    /// A department of a government (政府部门).
    Department {
        /// The level of the government.
        level: AgencyLevel,
    },
    /// A university or other higher education (高等学校).
    HigherEducation,
    /// A kindergarten, primary, secondary or vocational school, or another institution (中小学、幼儿园、中职等).
    School,
    /// A lower supervision agency (下级教育督导机构).
    SupervisionAgency {
        /// Its level.
        level: AgencyLevel,
    },
}

/// The body that is supervised (被督导单位).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupervisedUnit {
    /// The body.
    pub unit_id: UnitId,
    /// Its kind.
    pub class: UnitClass,
    /// The division code of the place where it is located; its calendar counts.
    pub located_in: String,
    /// The division code of the government that administers it: jurisdiction follows this one.
    pub administered_by: String,
}

/// Refuses a case that the agency has no jurisdiction for.
///
/// County governments and higher education belong to the province; departments to the agency of their own
/// government; schools to the agency of the county that administers them, or to the province; agencies to the
/// province.
pub fn may_supervise(agency: &Agency, unit: &SupervisedUnit) -> Result<(), CaseRefusal> {
    if agency.unit_id == unit.unit_id {
        return Err(CaseRefusal::Jurisdiction {
            rule: "an agency does not supervise itself",
            rule_zh: "督导机构不得督导本机构",
        });
    }
    let in_area = match agency.level {
        AgencyLevel::Province => agency.division.get(..2) == unit.administered_by.get(..2),
        AgencyLevel::County => agency.division == unit.administered_by,
    };
    if !in_area {
        return Err(CaseRefusal::Jurisdiction {
            rule: "the unit is administered by another area",
            rule_zh: "被督导单位不属本辖区管理",
        });
    }
    match (agency.level, unit.class) {
        (
            AgencyLevel::Province,
            UnitClass::CountyGovernment
            | UnitClass::HigherEducation
            | UnitClass::School
            | UnitClass::SupervisionAgency { level: AgencyLevel::County },
        )
        | (AgencyLevel::County, UnitClass::School) => Ok(()),
        (level, UnitClass::Department { level: own }) if level == own => Ok(()),
        (AgencyLevel::Province | AgencyLevel::County, UnitClass::Department { level: _ }) => {
            Err(CaseRefusal::Jurisdiction {
                rule: "a department is supervised by the agency of its own government",
                rule_zh: "政府部门由同级教育督导机构督导",
            })
        }
        (AgencyLevel::County, UnitClass::CountyGovernment) => Err(CaseRefusal::Jurisdiction {
            rule: "a county government is supervised by the province only",
            rule_zh: "市县政府由省级教育督导机构督导",
        }),
        (AgencyLevel::County, UnitClass::HigherEducation) => Err(CaseRefusal::Jurisdiction {
            rule: "higher education is supervised by the province only",
            rule_zh: "高等学校由省级教育督导机构督导",
        }),
        (
            AgencyLevel::Province | AgencyLevel::County,
            UnitClass::SupervisionAgency { level: AgencyLevel::Province | AgencyLevel::County },
        ) => Err(CaseRefusal::Jurisdiction {
            rule: "an agency is supervised by the agency above it",
            rule_zh: "教育督导机构由上级教育督导机构监督",
        }),
    }
}

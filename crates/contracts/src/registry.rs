//! Events of `registry`: who exists. Each is a snapshot; the newest version of an aggregate replaces the older ones.

use domain::ids::{AccountId, AreaId, PersonId, UnitId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Event, shared::UnitRef};

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

/// What became of an announced merger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MergerState {
    /// It waits for its day.
    Announced,
    /// It was taken back before its day (撤回).
    Withdrawn,
    /// It took effect.
    CarriedOut,
}

/// The merger of a county unit into another one (区划并入) was announced or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaMergerRecorded {
    /// The merger.
    pub merger_id: Uuid,
    /// Version of the record.
    pub version: i64,
    /// The county unit that ends as one.
    pub area_id: AreaId,
    /// The county unit that it becomes a part of.
    pub into_area_id: AreaId,
    /// The first day on which it is so.
    pub effective_on: Date,
    /// The document that decided it.
    pub ground: String,
    /// Where it stands.
    pub state: MergerState,
}

impl Event for AreaMergerRecorded {
    const TYPE: &'static str = "registry.area_merger.recorded.v1";
    fn aggregate_id(&self) -> Uuid {
        self.merger_id
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

/// A body that takes over from another one (承接).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// Who did it until now.
    pub from: UnitId,
    /// Who does it from now on.
    pub to: UnitId,
    /// Its key.
    pub to_key: String,
    /// Its name.
    pub to_name: String,
}

/// A county unit has become a part of another one: the records of area, units and accounts came before this. What a service
/// keeps of its matters goes over by what stands here alone.
///
/// Who acts changes, and what is open counts for the new county. What was issued, told or closed stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaMerged {
    /// The merger.
    pub merger_id: Uuid,
    /// Version of its record.
    pub version: i64,
    /// The county unit that was; a district (区) from now on.
    pub area_id: AreaId,
    /// The code by which its matters were counted.
    pub code: String,
    /// Areas from the province down to it, from now on.
    pub path: Vec<AreaId>,
    /// Code of the county unit that it is a part of.
    pub county_code: String,
    /// Its name.
    pub county_name: String,
    /// The supervision agencies (教育督导机构).
    pub agency: Succession,
    /// The education bureaus (教育行政部门), the competent departments of schools.
    pub bureau: Succession,
    /// The first day on which it is so.
    pub effective_on: Date,
}

impl Event for AreaMerged {
    const TYPE: &'static str = "registry.area.merged.v1";
    fn aggregate_id(&self) -> Uuid {
        self.merger_id
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

impl AreaMerged {
    /// A path of areas as it is from now on; nothing for one that does not lead through the area, or has gone over already.
    #[must_use]
    pub fn path_of(&self, path: &[AreaId]) -> Option<Vec<AreaId>> {
        if path.starts_with(&self.path) {
            return None;
        }
        let place = path.iter().position(|area| *area == self.area_id)?;
        Some(self.path.iter().chain(path.iter().skip(place + 1)).copied().collect())
    }

    /// Carries a unit, as a matter names it, over; false when the merger does not concern it.
    ///
    /// Where nothing is open any more (`open` is false), the county and the department stay: the matter counts where it ended.
    pub fn carry(&self, unit: &mut UnitRef, open: bool) -> bool {
        let path = self.path_of(&unit.area_path);
        let mut concerned = path.is_some();
        if let Some(path) = path {
            unit.area_path = path;
        }
        if open && unit.county_code.as_deref() == Some(self.code.as_str()) {
            concerned = true;
            unit.county_code = Some(self.county_code.clone());
            unit.county_name = Some(self.county_name.clone());
        }
        if open && unit.competent_unit_id == Some(self.bureau.from) {
            concerned = true;
            unit.competent_unit_id = Some(self.bureau.to);
            unit.competent_unit_name = Some(self.bureau.to_name.clone());
        }
        concerned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged() -> AreaMerged {
        let area = |n: u128| AreaId::new(Uuid::from_u128(n));
        let succession = |from: u128, to: u128, key: &str| Succession {
            from: UnitId::new(Uuid::from_u128(from)),
            to: UnitId::new(Uuid::from_u128(to)),
            to_key: key.to_owned(),
            to_name: key.to_owned(),
        };
        AreaMerged {
            merger_id: Uuid::from_u128(9),
            version: 2,
            area_id: area(3),
            code: "460400499".to_owned(),
            path: vec![area(1), area(2), area(3)],
            county_code: "460400".to_owned(),
            county_name: "儋州市".to_owned(),
            agency: succession(30, 20, "office-460400"),
            bureau: succession(31, 21, "edu-460400"),
            effective_on: jiff::civil::date(2027, 1, 1),
        }
    }

    fn school() -> UnitRef {
        let area = |n: u128| AreaId::new(Uuid::from_u128(n));
        UnitRef {
            unit_id: UnitId::new(Uuid::from_u128(40)),
            name: "洋浦中学".to_owned(),
            code: None,
            area_path: vec![area(1), area(3)],
            county_code: Some("460400499".to_owned()),
            county_name: Some("洋浦经济开发区".to_owned()),
            competent_unit_id: Some(UnitId::new(Uuid::from_u128(31))),
            competent_unit_name: Some("洋浦社会发展局".to_owned()),
        }
    }

    #[test]
    fn what_is_open_goes_over_whole_and_once() {
        let mut unit = school();
        assert!(merged().carry(&mut unit, true));
        assert_eq!(unit.area_path, merged().path);
        assert_eq!(unit.county_code.as_deref(), Some("460400"));
        assert_eq!(unit.competent_unit_id, Some(merged().bureau.to));
        let once = unit.clone();
        assert!(!merged().carry(&mut unit, true), "twice is once");
        assert_eq!(unit, once);
    }

    #[test]
    fn what_is_closed_goes_to_the_new_archive_and_counts_where_it_ended() {
        let mut unit = school();
        assert!(merged().carry(&mut unit, false));
        assert_eq!(unit.area_path, merged().path);
        assert_eq!(unit.county_code.as_deref(), Some("460400499"));
        assert_eq!(unit.competent_unit_id, Some(merged().bureau.from));
    }

    #[test]
    fn another_county_is_left_alone() {
        let mut unit = school();
        unit.area_path = vec![AreaId::new(Uuid::from_u128(1)), AreaId::new(Uuid::from_u128(2))];
        unit.county_code = Some("460400".to_owned());
        unit.competent_unit_id = Some(merged().bureau.to);
        let before = unit.clone();
        assert!(!merged().carry(&mut unit, true));
        assert_eq!(unit, before);
    }
}

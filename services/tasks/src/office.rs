//! The people of the committee offices (教育督导委员会办公室) and the agency that they act for.

use access::{Caller, Permit, Resource, Role};
use contracts::Actor;
use domain::case::{Agency, AgencyLevel, SupervisedUnit, UnitClass};
use domain::code::SchoolCode;
use domain::ids::UnitId;
use problem::{Problem, Text};
use sqlx::PgConnection;

use crate::registry::{Unit, store};

/// The caller as actor of an event.
pub(crate) fn actor(caller: &Caller) -> Actor {
    Actor::Person { account_id: caller.account_id, name: caller.display_name.clone() }
}

/// The caller with nothing but the grants of an office: an inspector's grant does not run a case.
pub(crate) fn as_office(caller: &Caller) -> Caller {
    let mut caller = caller.clone();
    caller
        .grants
        .retain(|grant| matches!(grant.role, Role::ProvinceOfficeAdmin | Role::CountyOfficeAdmin | Role::DeskOfficer));
    caller
}

/// 403 unless the caller may do the route's action for an office whose areas these are.
pub(crate) fn require_office(permit: &Permit, agency_area_path: &[domain::ids::AreaId]) -> Result<(), Problem> {
    let office = as_office(permit.caller());
    permit.access().permits(&office, permit.action(), &Resource::in_area(agency_area_path.iter().copied()))
}

/// The agency (教育督导机构) that the caller acts for: the one he works in, else that of his granted area.
pub(crate) async fn agency_of(tx: &mut PgConnection, permit: &Permit) -> problem::Result<Unit> {
    let office = as_office(permit.caller());
    if let Some(home) = office.unit_id
        && let Some(unit) = store::unit(tx, home).await?
        && unit.is_agency()
        && require_office(permit, &unit.area_path).is_ok()
    {
        return Ok(unit);
    }
    for grant in &office.grants {
        if let Some(area) = grant.area_id
            && let Some(unit) = store::agency_of_area(tx, area).await?
            && require_office(permit, &unit.area_path).is_ok()
        {
            return Ok(unit);
        }
    }
    Err(Problem::forbidden(Text::new(
        "只有教育督导机构的工作人员可以办理；您的账号不属于任何已登记的教育督导机构。",
        "Only the staff of a supervision agency can do this; your account belongs to none that is registered.",
    )))
}

/// Level of a body by the place it belongs to: without a county unit it is the province's.
fn level(unit: &Unit) -> AgencyLevel {
    if unit.county_code.is_some() { AgencyLevel::County } else { AgencyLevel::Province }
}

/// The agency as the rule of jurisdiction sees it.
pub(crate) fn agency_facts(unit: &Unit) -> Agency {
    Agency {
        unit_id: unit.unit_id,
        level: level(unit),
        division: unit.county_code.clone().unwrap_or(unit.area_code.clone()),
    }
}

/// The unit as the rule of jurisdiction sees it: its kind, where it is, and who administers it.
///
/// A school follows its competent department (主管部门), so that a provincial school located in a county stays with
/// the province. `None` for the province's own government, which the nation supervises.
pub(crate) async fn supervised_unit(tx: &mut PgConnection, unit: &Unit) -> problem::Result<Option<SupervisedUnit>> {
    let class = match unit.kind.as_str() {
        "government" if unit.county_code.is_none() => return Ok(None),
        "government" => UnitClass::CountyGovernment,
        "department" | "education_bureau" => UnitClass::Department { level: level(unit) },
        "supervision_agency" => UnitClass::SupervisionAgency { level: level(unit) },
        _ if is_higher(unit) => UnitClass::HigherEducation,
        _ => UnitClass::School,
    };
    let located_in = unit.county_code.clone().unwrap_or_else(|| unit.area_code.clone());
    let competent = match (class, unit.competent_unit_id) {
        (UnitClass::School | UnitClass::HigherEducation, Some(competent)) => store::unit(tx, competent).await?,
        _ => None,
    };
    let administered_by = match competent {
        Some(competent) => competent.county_code.unwrap_or(competent.area_code),
        None => located_in.clone(),
    };
    Ok(Some(SupervisedUnit { unit_id: unit.unit_id, class, located_in, administered_by }))
}

fn is_higher(unit: &Unit) -> bool {
    unit.school_code
        .as_deref()
        .and_then(|code| code.parse::<SchoolCode>().ok())
        .is_some_and(|code| code.kind().is_higher())
}

/// 422 for a unit that nobody has registered.
pub(crate) fn unknown_unit(id: UnitId) -> Text {
    Text::new(format!("没有登记这个单位（{id}）"), format!("no such unit is registered ({id})"))
}

//! In what capacity a caller meets a case.

use access::{Caller, Permit, Resource, Role};
use problem::{Problem, Text};

use super::Record;
use crate::office::require_office;

/// What a caller is to a case, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Of the agency that supervises.
    Office,
    /// A member of the group.
    Team,
    /// Of the supervised unit.
    Unit,
    /// Someone else who may know that the case exists.
    Bystander,
}

/// 404: also for a case that the caller may not know about.
pub(crate) fn unknown() -> Problem {
    Problem::unknown_resource(Text::new("没有这项督导。", "There is no such supervision case."))
}

fn is_member(caller: &Caller, record: &Record) -> bool {
    caller.person_id.is_some_and(|person| record.team.iter().any(|member| member.person_id == person))
}

/// The case as a matter of the caller: an inspector's own area counts when he is of the group, wherever the unit is
/// (supervision across counties).
fn matter(caller: &Caller, record: &Record) -> Resource {
    let mut matter = Resource::in_area(record.visible_areas().iter().copied());
    matter.unit_ids = record.visible_units();
    matter.reader_ids = record.readers();
    if is_member(caller, record) {
        let own = caller.grants.iter().filter(|grant| grant.role == Role::Inspector).filter_map(|grant| grant.area_id);
        matter.area_path.extend(own);
    }
    matter
}

/// In what capacity the caller may read the case; 404 when in none.
pub(crate) fn reading(permit: &Permit, record: &Record) -> Result<Standing, Problem> {
    let caller = permit.caller();
    if require_office(permit, &record.agency.area_path).is_ok() {
        return Ok(Standing::Office);
    }
    let member = is_member(caller, record);
    let mut seen_as = caller.clone();
    if !member && !record.is_told() {
        // Part-time inspectors work in schools: a visit that is still being prepared is none of theirs.
        seen_as.grants.retain(|grant| grant.role != Role::Inspector);
    }
    permit.access().permits(&seen_as, permit.action(), &matter(caller, record)).map_err(|_| unknown())?;
    if member {
        return Ok(Standing::Team);
    }
    let of_unit = |grant: &access::Grant| match grant.role {
        Role::UnitPrincipal | Role::UnitContact => grant.unit_id == Some(record.unit.unit_id),
        Role::ProvinceOfficeAdmin
        | Role::CountyOfficeAdmin
        | Role::DeskOfficer
        | Role::Inspector
        | Role::CommitteeChair
        | Role::CompetentDepartmentOfficer
        | Role::PublicityOfficer
        | Role::Auditor
        | Role::Operator => false,
    };
    if caller.grants.iter().any(of_unit) { Ok(Standing::Unit) } else { Ok(Standing::Bystander) }
}

/// 404 unless the caller may read the case for something else than that he inspects.
pub(crate) fn reading_without_inspection(permit: &Permit, record: &Record) -> Result<(), Problem> {
    let mut caller = permit.caller().clone();
    caller.grants.retain(|grant| grant.role != Role::Inspector);
    let matter = matter(&caller, record);
    permit.access().permits(&caller, permit.action(), &matter).map_err(|_| unknown())
}

/// 403 unless the caller is of the agency that supervises.
pub(crate) fn office(permit: &Permit, record: &Record) -> Result<(), Problem> {
    require_office(permit, &record.agency.area_path)
}

/// 403 unless the caller is of the agency or of the group.
pub(crate) fn office_or_team(permit: &Permit, record: &Record) -> Result<Standing, Problem> {
    if office(permit, record).is_ok() {
        return Ok(Standing::Office);
    }
    if !is_member(permit.caller(), record) {
        return Err(Problem::forbidden(Text::new(
            "只有本项督导的督导小组成员或督导机构工作人员可以办理。",
            "Only members of this case's group or staff of its agency can do this.",
        ))
        .with("guard", "not_on_team"));
    }
    permit.on(&matter(permit.caller(), record))?;
    Ok(Standing::Team)
}

impl Standing {
    /// Whether the working papers are shown: visit records, hearings, evidence.
    pub(crate) fn sees_working_papers(self) -> bool {
        match self {
            Self::Office | Self::Team => true,
            Self::Unit | Self::Bystander => false,
        }
    }

    /// Whether the preliminary opinion and the plea are shown (need-to-know).
    pub(crate) fn sees_opinion(self) -> bool {
        match self {
            Self::Office | Self::Team | Self::Unit => true,
            Self::Bystander => false,
        }
    }

    /// Whether the findings are shown as they stand.
    pub(crate) fn sees_findings(self, record: &Record) -> bool {
        match self {
            Self::Office | Self::Team => true,
            Self::Unit => record.preliminary_opinion.is_some(),
            Self::Bystander => record.is_lettered(),
        }
    }
}

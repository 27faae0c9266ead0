//! Finding the people of an audience.

use contracts::shared::UnitRef;
use domain::ids::{AccountId, AreaId, CaseId, UnitId};
use postgres::Tx;

use super::store;
use crate::rules::{Audience, Capacity, Rule};

/// Somebody who can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account_id: AccountId,
    /// The mail address, if there is one.
    pub email: Option<String>,
}

/// What a matter is about, as far as it decides who is told.
#[derive(Debug, Clone, Copy)]
pub struct Concern<'a> {
    /// The supervised unit.
    pub unit: &'a UnitRef,
    /// The agency that issued the document.
    pub issuing_unit_id: UnitId,
    /// The supervision.
    pub case_id: CaseId,
    /// The unit is a competent department with a case of its own (连带责任): its officers stand for it.
    pub joint_liability: bool,
}

const OFFICE: [&str; 3] = ["province_office_admin", "county_office_admin", "desk_officer"];

/// Who was found.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Everyone who is to be told, each once, in the first capacity that fits.
    pub told: Vec<(Person, Capacity)>,
    /// No addressee was found.
    pub no_addressee: bool,
    /// The department should get a copy, and nobody of it was found.
    pub no_department: bool,
}

/// Finds the people of a rule.
pub async fn resolve(tx: &mut Tx, rule: &Rule, concern: Concern<'_>) -> Result<Resolved, sqlx::Error> {
    let mut told = Vec::new();
    add(tx, &rule.to, Capacity::To, concern, &mut told).await?;
    let no_addressee = told.is_empty();
    if no_addressee {
        add(tx, &rule.fallback, Capacity::Fallback, concern, &mut told).await?;
    }
    add(tx, &rule.copy, Capacity::Copy, concern, &mut told).await?;
    add(tx, &rule.inform, Capacity::Inform, concern, &mut told).await?;
    let no_department = rule.copy.contains(&Audience::CompetentDepartment)
        && concern.unit.competent_unit_id.is_some()
        && people(tx, Audience::CompetentDepartment, concern).await?.is_empty();
    Ok(Resolved { told, no_addressee, no_department })
}

async fn add(
    tx: &mut Tx,
    audiences: &[Audience],
    capacity: Capacity,
    concern: Concern<'_>,
    told: &mut Vec<(Person, Capacity)>,
) -> Result<(), sqlx::Error> {
    for audience in audiences {
        for person in people(tx, *audience, concern).await? {
            if !told.iter().any(|(known, _)| known.account_id == person.account_id) {
                told.push((person, capacity));
            }
        }
    }
    Ok(())
}

async fn people(tx: &mut Tx, audience: Audience, concern: Concern<'_>) -> Result<Vec<Person>, sqlx::Error> {
    let unit = concern.unit;
    match audience {
        Audience::UnitPrincipal | Audience::UnitContact => {
            store::of_unit(tx, &roles_in(audience, concern.joint_liability), unit.unit_id).await
        }
        Audience::CompetentDepartment => match unit.competent_unit_id {
            Some(department) => store::of_unit(tx, &awaited_roles(audience), department).await,
            None => Ok(Vec::new()),
        },
        Audience::IssuingOffice => store::at_home(tx, &awaited_roles(audience), concern.issuing_unit_id).await,
        Audience::AreaOffice => nearest(tx, &OFFICE.map(str::to_owned), &unit.area_path).await,
        Audience::CommitteeChair => {
            let path = store::area_path(tx, concern.issuing_unit_id).await?;
            nearest(tx, &awaited_roles(audience), path.as_ref().unwrap_or(&unit.area_path)).await
        }
        Audience::Team => store::of_team(tx, concern.case_id).await,
    }
}

/// The people with a role over the smallest area of the path that has any.
async fn nearest(tx: &mut Tx, roles: &[String], path: &[AreaId]) -> Result<Vec<Person>, sqlx::Error> {
    for area in path.iter().rev() {
        let found = store::over_area(tx, roles, *area).await?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The roles that make up an audience, where a competent department may stand in the place of a unit.
pub fn roles_in(audience: Audience, joint_liability: bool) -> Vec<String> {
    match audience {
        Audience::UnitPrincipal | Audience::UnitContact if joint_liability => {
            awaited_roles(Audience::CompetentDepartment)
        }
        _ => awaited_roles(audience),
    }
}

/// The roles that make up an audience.
pub fn awaited_roles(audience: Audience) -> Vec<String> {
    let roles: &[&str] = match audience {
        Audience::UnitPrincipal => &["unit_principal"],
        Audience::UnitContact => &["unit_contact"],
        Audience::CompetentDepartment => &["competent_department_officer"],
        Audience::IssuingOffice | Audience::AreaOffice => &OFFICE,
        Audience::CommitteeChair => &["committee_chair"],
        Audience::Team => &[],
    };
    roles.iter().map(|role| (*role).to_owned()).collect()
}

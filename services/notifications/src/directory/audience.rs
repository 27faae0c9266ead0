//! Finding the people of an audience in what was read for a whole set of notices.

use domain::ids::{AccountId, AreaId, CaseId, UnitId};

use super::book::{Asked, Book};
use crate::{
    language::Language,
    rules::{Audience, Capacity, Rule},
};

/// Somebody who can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account_id: AccountId,
    /// The mail address, if there is one.
    pub email: Option<String>,
    /// The mobile number, if there is one.
    pub phone: Option<String>,
    /// The language of messages.
    pub language: Language,
    /// Kinds that are not wanted by mail.
    pub mail_off: Vec<String>,
    /// Kinds that are not wanted as short messages.
    pub sms_off: Vec<String>,
    /// What has no legal effect is collected into one mail a day.
    pub daily_digest: bool,
}

/// What a matter is about, as far as it decides who is told.
#[derive(Debug, Clone, Copy)]
pub struct Concern<'a> {
    /// The supervised unit.
    pub unit_id: UnitId,
    /// Its areas.
    pub area_path: &'a [AreaId],
    /// Its competent department.
    pub competent_unit_id: Option<UnitId>,
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
    /// The units whose endpoints are told, each once, in the first capacity that fits.
    pub units: Vec<(UnitId, Capacity)>,
    /// No addressee was found.
    pub no_addressee: bool,
    /// The department should get a copy, and nobody of it was found.
    pub no_department: bool,
}

const CAPACITIES: [Capacity; 4] = [Capacity::To, Capacity::Fallback, Capacity::Copy, Capacity::Inform];

/// Writes down what has to be looked up to find the people of a rule.
pub fn ask(rule: &Rule, concern: Concern<'_>, asked: &mut Asked) {
    for audience in CAPACITIES.into_iter().flat_map(|capacity| rule.audiences(capacity)) {
        match audience {
            Audience::UnitPrincipal | Audience::UnitContact => asked.unit(concern.unit_id),
            Audience::CompetentDepartment => {
                if let Some(department) = concern.competent_unit_id {
                    asked.unit(department);
                }
            }
            Audience::IssuingOffice => asked.home(concern.issuing_unit_id),
            Audience::AreaOffice => asked.areas(concern.area_path),
            Audience::CommitteeChair => {
                asked.areas(concern.area_path);
                asked.areas_of(concern.issuing_unit_id);
            }
            Audience::Team => asked.case(concern.case_id),
        }
    }
}

/// Finds the people of a rule.
pub fn resolve(rule: &Rule, concern: Concern<'_>, book: &Book) -> Resolved {
    let mut told = Vec::new();
    let mut units = Vec::new();
    add(rule, Capacity::To, concern, book, &mut told, &mut units);
    let no_addressee = told.is_empty();
    if no_addressee {
        add(rule, Capacity::Fallback, concern, book, &mut told, &mut units);
    }
    add(rule, Capacity::Copy, concern, book, &mut told, &mut units);
    add(rule, Capacity::Inform, concern, book, &mut told, &mut units);
    let no_department = rule.copy.contains(&Audience::CompetentDepartment)
        && concern.competent_unit_id.is_some()
        && people(Audience::CompetentDepartment, concern, book).is_empty();
    Resolved { told, units, no_addressee, no_department }
}

fn add(
    rule: &Rule,
    capacity: Capacity,
    concern: Concern<'_>,
    book: &Book,
    told: &mut Vec<(Person, Capacity)>,
    units: &mut Vec<(UnitId, Capacity)>,
) {
    for audience in rule.audiences(capacity) {
        for person in people(*audience, concern, book) {
            if !told.iter().any(|(known, _)| known.account_id == person.account_id) {
                told.push((person.clone(), capacity));
            }
        }
        let unit = match audience {
            Audience::UnitPrincipal | Audience::UnitContact => Some(concern.unit_id),
            Audience::CompetentDepartment => concern.competent_unit_id,
            Audience::IssuingOffice => Some(concern.issuing_unit_id),
            // Found by people's roles, not by a unit.
            Audience::AreaOffice | Audience::CommitteeChair | Audience::Team => None,
        };
        if let Some(unit) = unit.filter(|unit| !units.iter().any(|(known, _)| known == unit)) {
            units.push((unit, capacity));
        }
    }
}

fn people<'b>(audience: Audience, concern: Concern<'_>, book: &'b Book) -> Vec<&'b Person> {
    let roles = roles_in(audience, concern.joint_liability);
    match audience {
        Audience::UnitPrincipal | Audience::UnitContact => book.of_unit(roles, concern.unit_id),
        Audience::CompetentDepartment => {
            concern.competent_unit_id.map(|department| book.of_unit(roles, department)).unwrap_or_default()
        }
        Audience::IssuingOffice => book.at_home(roles, concern.issuing_unit_id),
        Audience::AreaOffice => nearest(roles, concern.area_path, book),
        Audience::CommitteeChair => {
            nearest(roles, book.area_path(concern.issuing_unit_id).unwrap_or(concern.area_path), book)
        }
        Audience::Team => book.of_team(concern.case_id),
    }
}

/// The people with a role over the smallest area of the path that has any.
fn nearest<'b>(roles: &[&str], path: &[AreaId], book: &'b Book) -> Vec<&'b Person> {
    path.iter().rev().map(|area| book.over_area(roles, *area)).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The roles that make up an audience, where a competent department may stand in the place of a unit.
pub fn roles_in(audience: Audience, joint_liability: bool) -> &'static [&'static str] {
    match audience {
        Audience::UnitPrincipal | Audience::UnitContact if joint_liability => {
            awaited_roles(Audience::CompetentDepartment)
        }
        _ => awaited_roles(audience),
    }
}

/// The roles that make up an audience.
pub fn awaited_roles(audience: Audience) -> &'static [&'static str] {
    match audience {
        Audience::UnitPrincipal => &["unit_principal"],
        Audience::UnitContact => &["unit_contact"],
        Audience::CompetentDepartment => &["competent_department_officer"],
        Audience::IssuingOffice | Audience::AreaOffice => &OFFICE,
        Audience::CommitteeChair => &["committee_chair"],
        Audience::Team => &[],
    }
}

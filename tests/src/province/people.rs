//! Inspectors and accounts: labels and posts, no persons.

use domain::{
    code::{DivisionCode, SchoolKind},
    policy::{Division, Policy, UnitKey, UnitKind},
};
use jiff::civil::{Date, date};

use super::{AccountRow, Chance, InspectorRow, Role, SchoolRow};

/// Number of inspectors.
const INSPECTORS: u32 = 1_000;
/// Those that the province appoints itself.
const PROVINCIAL: u32 = 40;
/// The day on which inspectors with an account are in their term.
const SCHOOL_YEAR: Date = date(2026, 9, 1);

pub(super) fn inspectors(policy: &Policy, schools: &[SchoolRow], chance: &mut Chance) -> Vec<InspectorRow> {
    let counties: Vec<&Division> = policy.county_units().collect();
    let province = province(policy);
    let places = std::iter::repeat_n(province, 40).chain(by_schools(&counties, schools));
    (1..=INSPECTORS)
        .zip(places)
        .map(|(serial, division)| {
            // Terms run for three school years; one in twenty has run out and was not renewed.
            let year = if chance.percent(5) { 2022 } else { *chance.pick(&[2024, 2025, 2026]) };
            InspectorRow {
                number: format!("HN-{serial:04}"),
                name: format!("督学{serial:04}"),
                division,
                full_time: serial % 4 == 1,
                provincial: serial <= PROVINCIAL,
                term_from: date(year, 9, 1),
                term_to: date(year + 3, 8, 31),
                training_hours: if chance.percent(8) { chance.between(0, 39) } else { chance.between(40, 80) },
            }
        })
        .collect()
}

/// The county of each further inspector: one each, then in proportion to the schools, so that the
/// ratio 1 : 5 of measure 16 holds everywhere.
fn by_schools<'a>(counties: &'a [&'a Division], schools: &'a [SchoolRow]) -> impl Iterator<Item = DivisionCode> {
    let sizes: Vec<u32> = counties
        .iter()
        .map(|county| {
            let count = schools.iter().filter(|it| it.county == county.code).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        })
        .collect();
    let mut given = vec![1_u32; counties.len()];
    let one_each = counties.iter().map(|it| it.code);
    one_each.chain(std::iter::from_fn(move || {
        // Highest quotient (Sainte-Laguë); ties go to the first of the tree.
        let best = (0..counties.len()).max_by(|&left, &right| {
            let quotient = |it: usize, other: usize| sizes[it] * (2 * given[other] + 1);
            quotient(left, right).cmp(&quotient(right, left)).then(right.cmp(&left))
        })?;
        given[best] += 1;
        Some(counties[best].code)
    }))
}

pub(super) fn accounts(policy: &Policy, schools: &[SchoolRow], inspectors: &[InspectorRow]) -> Vec<AccountRow> {
    let province = province(policy);
    let counties: Vec<&Division> = policy.county_units().collect();
    let mut accounts = provincial(province);
    for county in &counties {
        of_county(policy, county, &mut accounts);
    }
    of_inspectors(inspectors, province, &counties, &mut accounts);
    of_schools(schools, &counties, &mut accounts);
    accounts
}

fn account(name: &str, post: String, role: Role, division: DivisionCode) -> AccountRow {
    AccountRow {
        account: name.to_owned(),
        display_name: post,
        role,
        division,
        unit: None,
        inspector: None,
        mail: format!("{name}@hainan.example"),
        language: "zh-CN",
    }
}

fn with_unit(account: AccountRow, unit: &impl ToString) -> AccountRow {
    AccountRow { unit: Some(unit.to_string()), ..account }
}

fn provincial(province: DivisionCode) -> Vec<AccountRow> {
    let office = UnitKey::office(province);
    let at_office = |name: &str, post: &str, role| with_unit(account(name, post.to_owned(), role, province), &office);
    vec![
        at_office("admin.460000", "省教督委办公室管理员", Role::ProvinceOfficeAdmin),
        at_office("desk1.460000", "省教督委办公室督管员一", Role::DeskOfficer),
        at_office("desk2.460000", "省教督委办公室督管员二", Role::DeskOfficer),
        at_office("publicity.460000", "省教督委办公室信息公开负责人", Role::PublicityOfficer),
        with_unit(
            account("chair.460000", "省教督委主任".to_owned(), Role::CommitteeChair, province),
            &UnitKey::government(province),
        ),
        with_unit(
            account("gov.460000", "省政府办公厅教育督导联络员".to_owned(), Role::CompetentDepartmentOfficer, province),
            &UnitKey::government(province),
        ),
        with_unit(
            account("edu.460000", "省教育厅督导整改负责人".to_owned(), Role::CompetentDepartmentOfficer, province),
            &UnitKey::education_bureau(province),
        ),
        AccountRow { language: "en", ..account("auditor.460000", "审计人员".to_owned(), Role::Auditor, province) },
        account("operator.460000", "平台运维人员".to_owned(), Role::Operator, province),
    ]
}

fn of_county(policy: &Policy, county: &Division, accounts: &mut Vec<AccountRow>) {
    let code = county.code;
    let name = |key: &UnitKey| policy.unit(key.as_str()).map_or_else(|| key.to_string(), |it| it.name.clone());
    let government = UnitKey::government(code);
    let office = UnitKey::office(code);
    let bureau = UnitKey::education_bureau(code);
    for (prefix, unit, post, role) in [
        ("admin", &office, "督导办管理员", Role::CountyOfficeAdmin),
        ("desk", &office, "督管员", Role::DeskOfficer),
        ("principal", &government, "分管教育工作负责人", Role::UnitPrincipal),
        ("contact", &government, "教育督导整改联络员", Role::UnitContact),
        ("edu", &bureau, "督导室负责人", Role::CompetentDepartmentOfficer),
    ] {
        let owner = match role {
            // The agency's own name is too long for a post.
            Role::CountyOfficeAdmin | Role::DeskOfficer => county.short_name.clone(),
            _ => name(unit),
        };
        accounts.push(with_unit(account(&format!("{prefix}.{code}"), format!("{owner}{post}"), role, code), unit));
    }
}

/// Six inspectors of the province, six of the first county unit and one of each other: all in
/// their term and trained, so that teams can be formed at once.
fn of_inspectors(
    inspectors: &[InspectorRow],
    province: DivisionCode,
    counties: &[&Division],
    accounts: &mut Vec<AccountRow>,
) {
    let places = [(province, 6)]
        .into_iter()
        .chain(counties.iter().enumerate().map(|(index, county)| (county.code, if index == 0 { 6 } else { 1 })));
    for (division, count) in places {
        let fit = inspectors
            .iter()
            .filter(|it| it.division == division && it.in_term_on(SCHOOL_YEAR) && it.training_hours >= 40);
        for inspector in fit.take(count) {
            let name = inspector.number.to_lowercase().replace("hn-", "inspector.");
            accounts.push(AccountRow {
                inspector: Some(inspector.number.clone()),
                ..with_unit(
                    account(&name, inspector.name.clone(), Role::Inspector, division),
                    &UnitKey::office(division),
                )
            });
        }
    }
}

/// Principal and contact of some forty schools: the first primary school of every county unit and
/// some more of the first, all with the same county's education bureau above them.
fn of_schools(schools: &[SchoolRow], counties: &[&Division], accounts: &mut Vec<AccountRow>) {
    for (index, county) in counties.iter().enumerate() {
        let count = if index == 0 { 20 } else { 1 };
        let primary =
            schools.iter().filter(|it| it.county == county.code && it.kind == SchoolKind::Primary && it.public);
        for school in primary.take(count) {
            for (prefix, post, role) in
                [("principal", "校长", Role::UnitPrincipal), ("contact", "整改联络员", Role::UnitContact)]
            {
                accounts.push(with_unit(
                    account(
                        &format!("{prefix}.{}", school.code),
                        format!("{}{post}", school.name),
                        role,
                        school.division,
                    ),
                    &school.code,
                ));
            }
        }
    }
}

fn province(policy: &Policy) -> DivisionCode {
    policy
        .units
        .iter()
        .find(|it| it.kind == UnitKind::Government && it.competent.is_none())
        .map_or(DivisionCode::HAINAN, |it| it.division)
}

//! The generated province is what the import may rely on.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
};

use calamine::{Data, Reader, Xlsx};
use domain::code::CheckState;

use super::*;

fn open(bytes: Vec<u8>) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let tables = Province::generate(7).tables();
    let again = Province::generate(7).tables();
    assert_eq!(tables.units_xlsx().unwrap(), again.units_xlsx().unwrap());
    assert_eq!(tables.inspectors_xlsx().unwrap(), again.inspectors_xlsx().unwrap());
    assert_eq!(tables.accounts_csv().unwrap(), again.accounts_csv().unwrap());
    assert_ne!(tables.schools, Province::generate(8).tables().schools);
}

#[test]
fn sizes_and_proportions_are_hainans() {
    let province = Province::generate(1);
    assert_eq!(province.divisions.len(), 29);
    assert_eq!(province.units.len(), 85);
    assert_eq!(province.county_units().count(), 20);
    assert!((4_400..=4_600).contains(&province.schools.len()), "{}", province.schools.len());
    assert_eq!(province.inspectors.len(), 1_000);
    let kindergartens = province.schools.iter().filter(|it| it.kind == SchoolKind::Kindergarten).count();
    assert!((2_400..=2_700).contains(&kindergartens));
    for county in province.county_units() {
        let here: Vec<&SchoolRow> = province.schools.iter().filter(|it| it.county == county.code).collect();
        assert!(here.iter().any(|it| it.kind == SchoolKind::Kindergarten), "{}", county.name);
        assert!(here.iter().any(|it| it.kind == SchoolKind::Primary), "{}", county.name);
        // Measure 16: at least one inspector for five schools, a fifth of them full time.
        let inspectors: Vec<&InspectorRow> =
            province.inspectors.iter().filter(|it| it.division == county.code).collect();
        assert!(inspectors.len() * 5 + 4 >= here.len(), "{}", county.name);
    }
    let full_time = province.inspectors.iter().filter(|it| it.full_time).count();
    assert!(full_time * 5 >= province.inspectors.len());
}

#[test]
fn every_reference_resolves_and_every_key_is_unique() {
    let province = Province::generate(2);
    let codes: BTreeSet<String> = province.schools.iter().map(|it| it.code.to_string()).collect();
    let names: BTreeSet<&str> = province.schools.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(codes.len(), province.schools.len());
    assert_eq!(names.len(), province.schools.len());
    let units: BTreeSet<&str> = province.units.iter().map(|it| it.unit.key.as_str()).collect();
    let divisions: BTreeSet<DivisionCode> = province.divisions.iter().map(|it| it.code).collect();
    let mut credits = BTreeSet::new();
    for school in &province.schools {
        assert_eq!(school.code.kind(), school.kind);
        assert!(divisions.contains(&school.division) && units.contains(school.competent.as_str()));
        let division = province.divisions.iter().find(|it| it.code == school.division).unwrap();
        assert!(school.county == school.division || division.parent == Some(school.county));
        if let Some(credit) = &school.credit {
            assert_eq!(credit.check(), CheckState::Passed);
            assert!(credits.insert(credit.as_str()), "{credit}");
        }
    }
    assert!(credits.len() * 10 > province.schools.len() * 7);
    let inspectors: BTreeSet<&str> = province.inspectors.iter().map(|it| it.number.as_str()).collect();
    let mut accounts = BTreeSet::new();
    for account in &province.accounts {
        assert!(accounts.insert(&account.account), "{}", account.account);
        assert!(account.mail.ends_with("@hainan.example"));
        if let Some(unit) = &account.unit {
            assert!(units.contains(unit.as_str()) || codes.contains(unit), "{unit}");
        }
        let inspector = account.inspector.as_deref();
        assert_eq!(inspector.is_some(), account.role == Role::Inspector);
        assert!(inspector.is_none_or(|it| inspectors.contains(it)));
    }
}

/// What the story needs: every role, an administrator for each of 21 areas, teams of three
/// wherever a case is opened, forty schools with principal and contact.
#[test]
fn the_accounts_of_the_story_are_there() {
    let province = Province::generate(3);
    let mut roles: BTreeMap<Role, usize> = BTreeMap::new();
    for account in &province.accounts {
        *roles.entry(account.role).or_default() += 1;
    }
    for role in Role::ALL {
        assert!(roles.contains_key(&role), "{}", role.word());
    }
    assert_eq!(roles[&Role::ProvinceOfficeAdmin], 1);
    assert_eq!(roles[&Role::CountyOfficeAdmin], 20);
    assert!((28..=34).contains(&roles[&Role::Inspector]), "{}", roles[&Role::Inspector]);
    let school_principals = province
        .accounts
        .iter()
        .filter(|it| it.role == Role::UnitPrincipal)
        .filter(|it| it.unit.as_ref().is_some_and(|unit| !unit.starts_with("gov-")))
        .count();
    assert!((38..=40).contains(&school_principals), "{school_principals}");
    for code in ["460000", "460100"] {
        let fit = province
            .accounts
            .iter()
            .filter(|it| it.role == Role::Inspector && it.division.to_string() == code)
            .filter_map(|it| {
                let number = it.inspector.as_ref()?;
                province.inspectors.iter().find(|row| row.number == *number)
            })
            .filter(|it| it.in_term_on(jiff::civil::date(2026, 11, 1)) && it.training_hours >= 40)
            .count();
        assert!(fit >= 3, "{code}: {fit}");
    }
}

#[test]
fn the_files_read_back_as_the_columns_say() {
    let province = Province::generate(4);
    let tables = province.tables();
    let mut units = open(tables.units_xlsx().unwrap());
    assert_eq!(units.sheet_names(), ["行政区划", "部门", "学校"]);
    for table in [&tables.divisions, &tables.units, &tables.schools] {
        let range = units.worksheet_range(table.name).unwrap();
        let headers: Vec<String> = range.headers().unwrap();
        assert_eq!(headers, table.headers);
        assert_eq!(range.height(), table.rows.len() + 1);
    }
    let schools = units.worksheet_range("学校").unwrap();
    let first = &province.schools[0];
    assert_eq!(schools.get((1, 0)), Some(&Data::String(first.code.to_string())));
    assert_eq!(schools.get((1, 6)), Some(&Data::Float(f64::from(first.students))));
    let mut inspectors = open(tables.inspectors_xlsx().unwrap());
    let range = inspectors.worksheet_range("督学").unwrap();
    assert!(matches!(range.get((1, 5)), Some(Data::DateTime(_))));
    let accounts = tables.accounts_csv().unwrap();
    let text = String::from_utf8(accounts).unwrap();
    assert!(text.starts_with("\u{feff}账号,显示名,角色,区划代码,单位,督学编号,邮箱,语言\n"));
    assert_eq!(text.lines().count(), province.accounts.len() + 1);
}

#[test]
fn spoilt_rows_are_exactly_those_listed() {
    let province = Province::generate(5);
    let clean = province.tables();
    let (spoilt, expected) = province.tables_with_faults(9, 60);
    assert_eq!(expected.len(), 60);
    for kind in FaultKind::ALL {
        assert_eq!(expected.iter().filter(|it| it.kind == kind).count(), 5);
    }
    let mut changed = Vec::new();
    for (before, after) in [
        (&clean.divisions, &spoilt.divisions),
        (&clean.units, &spoilt.units),
        (&clean.schools, &spoilt.schools),
        (&clean.inspectors, &spoilt.inspectors),
        (&clean.accounts, &spoilt.accounts),
    ] {
        for (index, (old, new)) in before.rows.iter().zip(&after.rows).enumerate() {
            for (column, header) in before.headers.iter().enumerate() {
                if old[column] != new[column] {
                    changed.push((after.name, index + 2, *header));
                }
            }
        }
    }
    let mut listed: Vec<_> = expected.iter().map(|it| (it.sheet, it.row, it.column)).collect();
    listed.sort_unstable();
    changed.sort_unstable();
    assert_eq!(changed, listed);
}

#[test]
fn each_spoilt_cell_is_wrong_as_its_kind_says() {
    let province = Province::generate(5);
    let (tables, expected) = province.tables_with_faults(9, 36);
    let mut units = open(tables.units_xlsx().unwrap());
    let schools = units.worksheet_range("学校").unwrap();
    for fault in expected.iter().filter(|it| it.sheet == "学校") {
        let cell = |header: &str| {
            let position = (fault.row - 1, tables.schools.column(header));
            schools.get(position).unwrap().to_string()
        };
        let text = cell(fault.column);
        match fault.kind {
            FaultKind::CreditCheck => {
                assert_ne!(CreditCode::parse(&text).unwrap().check(), CheckState::Passed);
            }
            FaultKind::UnknownDivision => {
                let code: DivisionCode = text.parse().unwrap();
                assert!(province.divisions.iter().all(|it| it.code != code));
            }
            FaultKind::DuplicateCode => {
                let same = |it: &&Vec<Cell>| it[0] == Cell::Text(text.clone());
                assert_eq!(tables.schools.rows.iter().filter(same).count(), 2);
            }
            FaultKind::MissingName => assert_eq!(text, ""),
            FaultKind::UnknownKind => assert_eq!(SchoolKind::from_zh(&text), None),
            FaultKind::KindContradictsCode => {
                let code: SchoolCode = cell("学校标识码").parse().unwrap();
                assert_ne!(SchoolKind::from_zh(&text), Some(code.kind()));
            }
            FaultKind::ShortSchoolCode => assert!(text.parse::<SchoolCode>().is_err()),
            FaultKind::FormulaError => {
                let position = (fault.row - 1, tables.schools.column(fault.column));
                assert!(matches!(schools.get(position), Some(Data::Error(_))), "{text}");
            }
            FaultKind::UnknownCompetent => {
                assert!(province.units.iter().all(|it| it.unit.key.as_str() != text));
            }
            FaultKind::NoDate | FaultKind::UnknownEmployment | FaultKind::UnknownRole => {
                panic!("not a fault of schools: {:?}", fault.kind);
            }
        }
    }
}

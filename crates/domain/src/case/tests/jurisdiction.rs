//! Who may supervise whom.

use super::*;

#[test]
fn the_table_of_measure_2() {
    let haikou =
        Agency { unit_id: UnitId::new(Uuid::from_u128(2)), level: AgencyLevel::County, division: "460100".to_owned() };
    let own_province = UnitClass::Department { level: AgencyLevel::Province };
    let own_county = UnitClass::Department { level: AgencyLevel::County };
    let lower = UnitClass::SupervisionAgency { level: AgencyLevel::County };
    let higher = UnitClass::SupervisionAgency { level: AgencyLevel::Province };
    // Unit, administered by, may the province, may Haikou.
    let table = [
        (UnitClass::CountyGovernment, "460100", true, false),
        (UnitClass::HigherEducation, "460000", true, false),
        (UnitClass::HigherEducation, "460100", true, false),
        (UnitClass::School, "460100", true, true),
        (UnitClass::School, "460000", true, false),
        (UnitClass::School, "460200", true, false),
        (UnitClass::School, "440100", false, false),
        (own_province, "460000", true, false),
        (own_county, "460100", false, true),
        (own_county, "460200", false, false),
        (lower, "460200", true, false),
        (lower, "460100", true, false),
        (higher, "460000", false, false),
    ];
    for (class, administered_by, by_province, by_haikou) in table {
        let unit = unit(class, administered_by);
        let may = |agency: &Agency| may_supervise(agency, &unit).is_ok();
        assert_eq!(may(&province()), by_province, "{class:?} {administered_by}");
        assert_eq!(may(&haikou), by_haikou, "{class:?} {administered_by}");
    }
    let mut itself = unit(lower, "460000");
    itself.unit_id = province().unit_id;
    assert!(may_supervise(&province(), &itself).is_err());
}

#[test]
fn a_case_without_jurisdiction_or_matters_is_not_planned() {
    let mut facts = plan_facts(SupervisionKind::Special);
    facts.agency.level = AgencyLevel::County;
    facts.agency.division = "460100".to_owned();
    facts.unit.class = UnitClass::CountyGovernment;
    let refusal = Case::plan(facts).unwrap_err();
    assert_eq!(refusal.key(), "jurisdiction");
    assert!(refusal.zh().contains("由省级教育督导机构督导"));
    let mut facts = plan_facts(SupervisionKind::Special);
    facts.matters = vec![" ".to_owned()];
    assert_eq!(Case::plan(facts), Err(CaseRefusal::Missing("matters")));
}

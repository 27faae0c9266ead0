//! Layers, their order and the provisional years.

use jiff::civil::date;

use super::*;

const NATIONAL: &str = r#"
id = "national-2026"
level = "national"
year = 2026
status = "published"
source = "notice"
[[day]]
from = "2026-10-01"
to = "2026-10-07"
kind = "rest"
name = "国庆节"
[[day]]
from = "2026-10-10"
kind = "work"
name = "国庆节调休"
"#;

const PROVINCE: &str = r#"
id = "hainan"
level = "province"
area = "460000"
status = "published"
source = "order of the province"
[[day]]
from = "2026-09-08"
to = "2026-09-09"
kind = "closure"
name = "台风停工"
"#;

const COUNTY: &str = r#"
id = "county-469028"
level = "county"
area = "469028"
status = "published"
source = "notice of the county"
[[day]]
from = "2026-04-20"
kind = "rest"
name = "三月三"
[[day]]
from = "2026-09-09"
kind = "work"
name = "复工"
"#;

fn set() -> CalendarSet {
    CalendarSet::load_from_texts([("county.toml", COUNTY), ("national.toml", NATIONAL), ("hainan.toml", PROVINCE)])
        .unwrap()
}

#[test]
fn county_wins_over_province_wins_over_national() {
    let set = set();
    let lingshui = set.for_division("469028");
    assert_eq!(lingshui.day(date(2026, 9, 8)).class, DayClass::Closure);
    assert_eq!(lingshui.day(date(2026, 9, 9)).class, DayClass::Weekday);
    assert_eq!(lingshui.day(date(2026, 4, 20)).class, DayClass::Holiday);
    let haikou = set.for_division("460100");
    assert_eq!(haikou.day(date(2026, 9, 9)).class, DayClass::Closure);
    assert!(haikou.is_working(date(2026, 4, 20)));
    assert!(set.national().is_working(date(2026, 9, 9)));
    assert_eq!(haikou.day(date(2026, 10, 10)).class, DayClass::MakeUpWork);
    assert_eq!(lingshui.day(date(2026, 4, 20)).entry.unwrap().source, "notice of the county");
}

#[test]
fn yangpu_without_a_layer_of_its_own_follows_its_first_six_digits() {
    let mut texts = COUNTY.replace("469028", "460400");
    texts = texts.replace("三月三", "儋州");
    let set = CalendarSet::load_from_texts([("a.toml", texts.as_str()), ("n.toml", NATIONAL)]).unwrap();
    let yangpu = set.for_division("460400499");
    assert_eq!(yangpu.area(), "460400499");
    assert_eq!(yangpu.day(date(2026, 4, 20)).class, DayClass::Holiday);
}

#[test]
fn a_year_without_its_notice_is_provisional() {
    let set = set();
    let calendar = set.national();
    assert!(!calendar.is_provisional(date(2026, 12, 31)));
    assert!(calendar.is_provisional(date(2027, 1, 1)));
    let missing = NATIONAL.replace("published", "missing").split("[[day]]").next().unwrap().to_owned();
    let set = CalendarSet::load_from_texts([("n.toml", missing.as_str())]).unwrap();
    assert!(set.national().is_provisional(date(2026, 6, 1)));
}

#[test]
fn the_version_names_the_content() {
    let version = set().for_division("469028").version().to_owned();
    assert_eq!(version, set().for_division("469028").version());
    assert_ne!(version, set().for_division("469029").version());
    let other = NATIONAL.replace("2026-10-10", "2026-10-11");
    let changed = CalendarSet::load_from_texts([
        ("county.toml", COUNTY),
        ("national.toml", other.as_str()),
        ("hainan.toml", PROVINCE),
    ])
    .unwrap();
    assert_ne!(version, changed.for_division("469028").version());
}

#[test]
fn every_fault_of_every_file_is_reported_with_file_and_line() {
    let unknown = NATIONAL.replace("name = \"国庆节\"", "nome = \"国庆节\"");
    let backwards = PROVINCE.replace("to = \"2026-09-09\"", "to = \"2026-09-01\"");
    let twice = COUNTY.replace("2026-09-09", "2026-04-20");
    let faults = CalendarSet::load_from_texts([
        ("n.toml", unknown.as_str()),
        ("p.toml", backwards.as_str()),
        ("c.toml", twice.as_str()),
    ])
    .unwrap_err();
    let text = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(text.contains("n.toml: TOML parse error at line 11"), "{text}");
    assert!(text.contains("nome"), "{text}");
    assert!(text.contains("2026-09-08 to 2026-09-01"), "{text}");
    assert!(text.contains("2026-04-20 is given twice"), "{text}");
    assert_eq!(faults.len(), 3);
}

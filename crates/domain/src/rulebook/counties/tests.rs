//! A county's own periods go before the province's, on its days, and say whose they are.

use jiff::civil::date;

use super::*;
use crate::rulebook::{Clock, ProcedureClock, parse};
use crate::severity::Severity;

const HAINAN: &str = include_str!("../../../../../rulebook/hainan-2021/rulebook.toml");

const LINGSHUI: &str = r#"
division = "469028"
version = "469028.2"
title = "陵水"
effective_from = "2027-01-01"
effective_to = "2027-12-31"

[[override]]
rule = "severity.major.finish"
period = { calendar_days = 20 }
article = "陵府办〔2026〕9号第三条"

[[override]]
rule = "procedure.plea"
period = { working_days = 7 }
article = "陵府办〔2026〕9号第四条"

[[override]]
rule = "clocks.investigation_group"
period = { calendar_days = 45 }
article = "陵府办〔2026〕9号第五条"

[[override]]
rule = "ladder.3.wait"
period = { working_days = 2 }
article = "陵府办〔2026〕9号第六条"
"#;

fn hainan() -> Rulebook {
    parse("hainan-2021/rulebook.toml", HAINAN).unwrap()
}

fn with(files: &[(&str, &str)]) -> Result<Rulebook, Vec<String>> {
    let files = files
        .iter()
        .map(|(file, text)| CountyRules::parse(file, text).map(|rules| ((*file).to_owned(), rules)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|fault| vec![fault.to_string()])?;
    hainan().with_counties(files).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn the_county_s_rule_applies_on_its_days_and_says_so() {
    let book = with(&[("h/counties/469028.toml", LINGSHUI)]).unwrap();
    let own = book.for_division("469028", date(2027, 5, 1));
    let finish = own.finish_rule(Severity::Major);
    assert_eq!(finish.period, Period::calendar_days(20));
    assert_eq!(finish.rule_id, "severity.major.finish@469028.2");
    assert_eq!(finish.article, "陵府办〔2026〕9号第三条");
    assert_eq!(finish.rulebook_version, "hainan-2021.1");
    assert_eq!(own.procedure_rule(ProcedureClock::Plea).rule_id, "procedure.plea@469028.2");
    assert_eq!(own.clock_rule(Clock::InvestigationGroup).unwrap().period, Period::calendar_days(45));
    assert_eq!(own.ladder_rule(3).unwrap().rule_id, "ladder.3.wait@469028.2");
    // What the county leaves alone stays the province's.
    assert_eq!(own.finish_rule(Severity::Minor), book.finish_rule(Severity::Minor));
    for (code, day) in [
        ("469028", date(2026, 12, 31)),
        ("469028", date(2028, 1, 1)),
        ("469029", date(2027, 5, 1)),
        ("460000", date(2027, 5, 1)),
    ] {
        assert!(matches!(book.for_division(code, day), Cow::Borrowed(_)), "{code} {day}");
    }
    assert!(matches!(book.for_division("469028499", date(2027, 5, 1)), Cow::Owned(_)));
}

#[test]
fn an_unknown_key_is_refused_with_file_and_line() {
    let found = with(&[("h/counties/469028.toml", &LINGSHUI.replacen("period", "periode", 1))]).unwrap_err();
    assert!(found[0].starts_with("h/counties/469028.toml: TOML parse error at line 10, column 1"), "{found:?}");
    let wrong =
        LINGSHUI.replacen("procedure.plea", "procedure.please", 1).replacen("working_days = 2", "working_days = 0", 1);
    let found = with(&[("h/counties/469028.toml", &wrong)]).unwrap_err();
    assert_eq!(
        found,
        [
            "h/counties/469028.toml: override, line 14: no single period has the key procedure.please",
            "h/counties/469028.toml: override, line 24: ladder.3.wait: zero days (write same_day or hours = 0), or more \
             than ten years",
        ]
    );
}

#[test]
fn every_fault_of_a_county_is_reported() {
    let wrong = LINGSHUI
        .replacen("\"469028\"", "\"110101\"", 1)
        .replacen("procedure.plea", "severity.major.finish", 1)
        .replacen("陵府办〔2026〕9号第六条", " ", 1)
        .replacen("2027-12-31", "2026-12-31", 1);
    let found = with(&[("h/counties/469028.toml", &wrong)]).unwrap_err().join("\n");
    for part in [
        "division: is no division code",
        "division: is 110101, but the file is named 469028",
        "version: must begin",
        "effective_to: lies before",
        "line 14: severity.major.finish is set twice",
        "names no article",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
}

#[test]
fn two_files_of_a_county_must_not_overlap() {
    let next = LINGSHUI.replacen("469028.2", "469028.3", 1);
    let found = with(&[("h/counties/469028.toml", LINGSHUI), ("h/counties/469028-2028.toml", &next)]).unwrap_err();
    assert_eq!(
        found,
        [
            "h/counties/469028-2028.toml: effective_from: applies on days on which h/counties/469028.toml applies as well"
        ]
    );
    let next = next.replacen("2027-01-01", "2028-01-01", 1).replacen("2027-12-31", "2028-12-31", 1);
    let book = with(&[("h/counties/469028.toml", LINGSHUI), ("h/counties/469028-2028.toml", &next)]).unwrap();
    let rule = book.for_division("469028", date(2028, 1, 1)).finish_rule(Severity::Major).rule_id;
    assert_eq!(rule, "severity.major.finish@469028.3");
}

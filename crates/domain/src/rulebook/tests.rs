//! The rulebook of the province reads, and wrong ones say everything that is wrong.

use jiff::civil::date;

use super::*;

const HAINAN: &str = include_str!("../../../../rulebook/hainan-2021/rulebook.toml");

fn hainan() -> Rulebook {
    parse("hainan-2021/rulebook.toml", HAINAN).unwrap()
}

#[test]
fn the_table_of_periods_is_the_handbooks() {
    let book = hainan();
    let row = |severity| {
        (
            book.acknowledge_rule(severity).period,
            book.plan_rule(severity).map(|rule| rule.period),
            book.finish_rule(severity).period,
            book.verification_rule(severity).period,
            book.urging_after_due_rule(severity).period,
            book.urging_limit(severity).period,
        )
    };
    let wd = Period::working_days;
    assert_eq!(row(Severity::Minor), (wd(3), None, wd(15), wd(10), wd(1), wd(5)));
    assert_eq!(row(Severity::Major), (wd(3), Some(wd(10)), Period::calendar_days(30), wd(15), wd(1), wd(10)));
    assert_eq!(row(Severity::Serious), (wd(2), Some(wd(10)), Period::months(3), wd(20), wd(1), wd(15)));
    assert_eq!(
        row(Severity::Immediate),
        (Period::hours(2), Some(Period::SameDay), Period::SameDay, wd(2), Period::hours(0), Period::hours(24))
    );
}

#[test]
fn a_rule_carries_its_id_article_and_version() {
    let rule = hainan().finish_rule(Severity::Major);
    assert_eq!(rule.rule_id, "severity.major.finish");
    assert_eq!(rule.rulebook_version, "hainan-2021.1");
    assert!(rule.article.contains("第二十二条"));
    let plea = hainan().procedure_rule(ProcedureClock::Plea);
    assert_eq!((plea.rule_id.as_str(), plea.period), ("procedure.plea", Period::working_days(10)));
    assert_eq!(hainan().ladder_rule(2).unwrap().period, Period::hours(0));
    assert_eq!(hainan().ladder_rule(5), None);
}

#[test]
fn an_unknown_key_is_refused_with_file_and_line() {
    let wrong = HAINAN.replacen("plea = {", "please = {", 1);
    let line = wrong.lines().position(|line| line.starts_with("please")).unwrap() + 1;
    let faults = parse("x/rulebook.toml", &wrong).unwrap_err();
    let text = faults[0].to_string();
    assert!(text.starts_with("x/rulebook.toml: "), "{text}");
    assert!(text.contains(&format!("line {line}")), "{text}");
    assert!(text.contains("please"), "{text}");
}

#[test]
fn every_fault_is_reported_at_once() {
    let wrong = HAINAN
        .replacen("working_days_before = [3, 1]", "working_days_before = [1, 3]", 1)
        .replacen("sample_percent = 20", "sample_percent = 120", 1)
        .replacen("article = \"实施方案第13项\"", "article = \" \"", 1)
        .replacen("decided_by = \"committee_leader\"", "decided_by = \"system\"", 1)
        .replacen("plea = { period = { working_days = 10 }", "plea = { period = { working_days = 0 }", 1)
        .replacen("effective_from", "effective_to = \"2020-01-01\"\neffective_from", 1);
    let faults = parse("r", &wrong).unwrap_err();
    let rules: Vec<_> = faults
        .iter()
        .map(|fault| match fault {
            RulebookFault::Rule { rule, .. } => rule.as_str(),
            RulebookFault::Unreadable { detail, .. } => detail.as_str(),
        })
        .collect();
    assert_eq!(
        rules,
        [
            "effective_to",
            "procedure.plea",
            "severity.minor.reminders",
            "severity.minor.look_back.sample_percent",
            "ladder.2",
            "ladder.4",
        ]
    );
}

#[test]
fn the_folder_gives_the_version_of_the_day() {
    let newer = HAINAN
        .replace("hainan-2021.1", "hainan-2021.2")
        .replace("effective_from = \"2021-04-15\"", "effective_from = \"2027-01-01\"");
    let folder = RuleFolder::load_from_texts([
        ("hainan-2021/rulebook.toml", HAINAN),
        ("hainan-2027/rulebook.toml", newer.as_str()),
        ("hainan-2021/measures.toml", "belongs to another reader"),
        ("calendars/n.toml", include_str!("../../../../rulebook/calendars/national-2026.toml")),
    ])
    .unwrap();
    let on = |day| folder.rulebook_on("460000", day).map(|book| book.version.as_str());
    assert_eq!(on(date(2021, 4, 14)), None);
    assert_eq!(on(date(2026, 12, 31)), Some("hainan-2021.1"));
    assert_eq!(on(date(2027, 1, 1)), Some("hainan-2021.2"));
    assert_eq!(folder.rulebook_on("470000", date(2026, 1, 1)), None);
    assert!(folder.rulebook("hainan-2021.1").is_some());
    assert!(!folder.calendars().national().is_provisional(date(2026, 1, 1)));
    let faults = RuleFolder::load_from_texts([
        ("a/rulebook.toml", HAINAN),
        ("b/rulebook.toml", HAINAN),
        ("calendars/x.toml", "id = 3"),
    ])
    .unwrap_err();
    assert_eq!(faults.len(), 2);
}

#[test]
fn every_calendar_of_the_folder_reads() {
    let folder = RuleFolder::load_from_texts([
        ("hainan-2021/rulebook.toml", HAINAN),
        ("calendars/1.toml", include_str!("../../../../rulebook/calendars/national-2024.toml")),
        ("calendars/2.toml", include_str!("../../../../rulebook/calendars/national-2025.toml")),
        ("calendars/3.toml", include_str!("../../../../rulebook/calendars/national-2026.toml")),
        ("calendars/4.toml", include_str!("../../../../rulebook/calendars/national-2027.toml")),
        ("calendars/5.toml", include_str!("../../../../rulebook/calendars/hainan.toml")),
        ("calendars/6.toml", include_str!("../../../../rulebook/calendars/county-469028.toml")),
    ])
    .unwrap();
    let lingshui = folder.calendars().for_division("469028");
    assert!(!lingshui.is_working(date(2023, 4, 20)));
    assert!(folder.calendars().for_division("460100").is_working(date(2023, 4, 20)));
    assert!(lingshui.is_provisional(date(2027, 1, 4)));
}

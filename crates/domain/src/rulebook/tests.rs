//! The rulebook of the province reads, and wrong ones say everything that is wrong.

use jiff::civil::date;

use super::*;
use crate::proof::AnchorEvent;

const HAINAN: &str = include_str!("../../../../rulebook/hainan-2021/rulebook.toml");
const MACHINES: &str = include_str!("../../../../rulebook/hainan-2021/machines.toml");
const LINGSHUI: &str = include_str!("../../../../rulebook/hainan-2021/counties/469028.toml");

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
        ("hainan-2021/machines.toml", MACHINES),
        ("hainan-2027/rulebook.toml", newer.as_str()),
        ("hainan-2027/machines.toml", MACHINES),
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
        ("a/machines.toml", MACHINES),
        ("b/rulebook.toml", HAINAN),
        ("b/machines.toml", MACHINES),
        ("calendars/x.toml", "id = 3"),
    ])
    .unwrap_err();
    assert_eq!(faults.len(), 2);
}

#[test]
fn every_calendar_of_the_folder_reads() {
    let folder = RuleFolder::load_from_texts([
        ("hainan-2021/rulebook.toml", HAINAN),
        ("hainan-2021/machines.toml", MACHINES),
        ("hainan-2021/counties/469028.toml", LINGSHUI),
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

#[test]
fn the_clocks_are_the_handbooks() {
    use {AnchorEvent as At, Clock as C, Owner as O};
    let book = hainan();
    let (wd, cd) = (Period::working_days, Period::calendar_days);
    let expected = [
        (C::InvestigationGroup, O::CommitteeOffice, At::SupervisionEnded, cd(60)),
        (C::AccountabilityPlea, O::Accountable, At::AccountabilityNoticeReceived, wd(10)),
        (C::ReviewRequest, O::Accountable, At::DecisionReceived, cd(30)),
        (C::ReviewDecision, O::CommitteeOffice, At::ReviewRequested, cd(30)),
        (C::AppealAfterReview, O::Accountable, At::ReviewDecisionReceived, cd(15)),
        (C::AppealDirect, O::Accountable, At::DecisionReceived, cd(15)),
        (C::AppealDecision, O::HigherOffice, At::AppealReceived, cd(60)),
        (C::AccountabilityCorrection, O::CommitteeOffice, At::AppealDecisionReceived, cd(15)),
        (C::AccountabilityArchive, O::CommitteeOffice, At::RemediesEnded, cd(30)),
        (C::InspectorTerm, O::Agency, At::AppointmentBegan, Period::months(36)),
        (C::EmergencyReport, O::Inspector, At::EmergencyLearned, Period::hours(0)),
        (C::SchoolReportForwarding, O::Inspector, At::ReportReceived, cd(3)),
        (C::UnitPublication, O::Unit, At::ClosedOut, wd(20)),
        (C::PetitionRegistration, O::Agency, At::PetitionReceived, cd(15)),
        (C::PetitionTransferObjection, O::PetitionBody, At::PetitionTransferred, wd(5)),
        (C::PetitionHandling, O::PetitionBody, At::PetitionAccepted, cd(60)),
        (C::PetitionExtension, O::PetitionBody, At::DueDatePassed, cd(30)),
        (C::PetitionReexaminationRequest, O::Complainant, At::PetitionAnswerReceived, cd(30)),
        (C::PetitionReexamination, O::HigherAgency, At::ReexaminationRequested, cd(30)),
        (C::PetitionReviewRequest, O::Complainant, At::ReexaminationReceived, cd(30)),
        (C::PetitionReview, O::HigherOffice, At::PetitionReviewRequested, cd(30)),
    ];
    for (clock, owner, anchor, period) in expected {
        let rule = book.clocks.get(clock);
        assert_eq!((rule.owner, rule.anchor, rule.due.period()), (owner, anchor, Some(period)), "{clock:?}");
        let applied = book.clock_rule(clock).unwrap();
        assert_eq!((applied.rule_id, applied.period), (format!("clocks.{}", clock.key()), period));
    }
    let schedule = |clock| match &book.clocks.get(clock).due {
        Due::Schedule(schedule) => schedule.clone(),
        Due::Period(period) => panic!("{clock:?} is the period {period}"),
    };
    assert_eq!(schedule(C::HalfMonthlySheet), Schedule::MonthDays(vec![DayOfMonth(15), DayOfMonth(30)]));
    assert_eq!(schedule(C::SchoolComprehensive), Schedule::EveryYears(Years(5)));
    assert_eq!(schedule(C::RegularVisitsPerSemester), Schedule::TimesPerSemester(Times(2)));
    assert_eq!(book.clock_rule(C::HalfMonthlySheet), None);
    assert_eq!(book.numbers.inspector_terms_in_a_row.value, 3);
    assert_eq!(book.numbers.inspector_training.value, 40);
}

#[test]
fn every_rule_has_its_own_key_a_title_and_an_article() {
    let entries = hainan().entries();
    let keys: std::collections::BTreeSet<_> = entries.iter().map(|entry| entry.key.clone()).collect();
    assert_eq!(keys.len(), entries.len());
    assert!(entries.iter().all(|entry| !entry.title.is_empty() && !entry.article.trim().is_empty()));
    for entry in entries {
        let set = hainan().set_period(&entry.key, Period::working_days(1), "x");
        let single = entry.due.period().is_some() && !entry.key.ends_with("look_back");
        assert_eq!(set, single, "{}", entry.key);
    }
}

#[test]
fn a_clock_with_a_wrong_key_unit_or_owner_is_refused_with_its_line() {
    for (right, wrong) in [
        ("review_request = {", "review_requests = {"),
        (r#"owner = "higher_office""#, r#"owner = "nobody""#),
        ("half_monthly_sheet = { schedule", "half_monthly_sheet = { period"),
        (r#"anchor = "appeal_received""#, r#"anchor = "appeal_lost""#),
    ] {
        let text = HAINAN.replacen(right, wrong, 1);
        let line = text.lines().position(|line| line.contains(wrong)).unwrap() + 1;
        let fault = parse("r.toml", &text).unwrap_err()[0].to_string();
        assert!(fault.starts_with("r.toml: ") && fault.contains(&format!("line {line},")), "{wrong}: {fault}");
    }
    let both = HAINAN.replacen("half_monthly_sheet = { ", "half_monthly_sheet = { period = \"same_day\", ", 1);
    assert!(parse("r.toml", &both).unwrap_err()[0].to_string().contains("either a period or a schedule"));
    let none = HAINAN.replacen("schedule = { month_days = [15, 30]", "schedule = { month_days = [30, 15]", 1).replacen(
        "value = 40",
        "value = 0",
        1,
    );
    let faults: Vec<_> = parse("r.toml", &none).unwrap_err().iter().map(ToString::to_string).collect();
    assert!(faults[0].starts_with("r.toml: clocks.half_monthly_sheet: "), "{faults:?}");
    assert_eq!(faults[1], "r.toml: numbers.inspector_training: is zero");
}

#[test]
fn a_folder_says_what_is_missing_beside_a_rulebook() {
    let said = |files: &[(&str, &str)]| -> Vec<String> {
        RuleFolder::load_from_texts(files.iter().copied()).unwrap_err().iter().map(ToString::to_string).collect()
    };
    assert_eq!(said(&[("h/rulebook.toml", HAINAN)]), ["h/machines.toml: is missing: every wait must name its owner"]);
    assert_eq!(
        said(&[("h/rulebook.toml", HAINAN), ("h/machines.toml", MACHINES), ("i/counties/469028.toml", LINGSHUI)]),
        ["i/counties/469028.toml: there is no rulebook.toml that it belongs to"]
    );
    let wrong = LINGSHUI.replacen("division", "divizion", 1);
    let found = said(&[
        ("h/rulebook.toml", HAINAN),
        ("h/machines.toml", "machines = 1"),
        ("h/counties/469028.toml", wrong.as_str()),
    ]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().any(|text| text.starts_with("h/counties/469028.toml: TOML parse error at line 9")),
        "{found:?}"
    );
}

//! The next days in advance: what the clock will do to the cases of an installation, on a copy in memory.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use clockwork::cases::{self, ArmedCase};
use clockwork::changes::{self, ChangeKind};
use domain::calendar::Calendar;
use domain::rectification::Workbook;
use domain::rehearsal::{Notices, Rehearsal, RehearsedCase, SilentRule};
use domain::rulebook::{RuleFolder, Rulebook};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use service_kit::rule_texts::RuleTexts;

use crate::installation::ServiceEntry;

/// What stands in the place of a county for units of the province.
const PROVINCE: &str = "省本级";

/// Everything that a rehearsal came to, ready to be shown.
#[derive(Debug, Serialize)]
pub struct Report {
    /// From when on, by the installation's legal time.
    pub from: Timestamp,
    /// The first instant that is not rehearsed.
    pub until: Timestamp,
    /// Cases with an armed clock.
    pub cases: u64,
    /// Cases that will open for competent departments.
    pub opened: u64,
    /// How often the clock will act.
    pub firings: u64,
    /// Notices to come, by month.
    pub months: Vec<Month>,
    /// Work to come, by county and week.
    pub weeks: Vec<Week>,
    /// How often each rule's clock will run out.
    pub fired: Vec<FiredRule>,
    /// Rules in force whose clock will not run out once.
    pub silent: Vec<SilentRule>,
    /// Limits whose day is provisional, by their last day.
    pub provisional: Vec<ProvisionalDay>,
    /// Cases that the rules cannot decide, by cause.
    pub failed: Vec<FailedCases>,
}

/// The notices of a month.
#[derive(Debug, Serialize)]
pub struct Month {
    /// Its first day.
    pub month: Date,
    /// How many.
    #[serde(flatten)]
    pub notices: Notices,
}

/// The notices of a county in a week.
#[derive(Debug, Serialize)]
pub struct Week {
    /// The county.
    pub county: String,
    /// The Monday.
    pub week: Date,
    /// How many.
    #[serde(flatten)]
    pub notices: Notices,
}

/// A rule whose clock will run out.
#[derive(Debug, Serialize)]
pub struct FiredRule {
    /// Its key.
    pub rule_id: String,
    /// How often.
    pub times: u64,
}

/// A last day that is provisional.
#[derive(Debug, Serialize)]
pub struct ProvisionalDay {
    /// The day.
    pub due_on: Date,
    /// How many limits end on it.
    pub limits: u64,
}

/// Cases that the rules cannot decide.
#[derive(Debug, Serialize)]
pub struct FailedCases {
    /// Why.
    pub cause: String,
    /// How many.
    pub cases: u64,
}

/// Rehearses the coming days of a service's cases, under the rules of a folder with the changes in effect over it.
pub async fn rehearse(service: &ServiceEntry, rules: &Path, days: u16) -> anyhow::Result<Report> {
    let mut texts = RuleTexts::read(rules)?;
    let database = service.connect().await?;
    let mut connection = database.pool().acquire().await.context("the database of deadlines")?;
    let from = postgres::legal_now(&mut connection).await.context("legal time")?;
    for change in changes::in_effect(&mut connection).await.context("the changes in effect")? {
        match change.kind {
            ChangeKind::Calendar => texts.put_calendar(&change.content)?,
            ChangeKind::Rulebook => texts.add_rulebook(&change.content)?,
        };
    }
    let cases = cases::armed(&mut connection).await.context("the cases")?;
    drop(connection);
    database.pool().close().await;
    let folder = texts.rules()?;
    tokio::task::spawn_blocking(move || play(cases, &folder, from, days)).await.context("the rehearsal")
}

/// Rehearses cases in as many parts as the machine has processors, and adds up.
fn play(cases: Vec<ArmedCase>, folder: &RuleFolder, from: Timestamp, days: u16) -> Report {
    let mut calendars: HashMap<String, Arc<Calendar>> = HashMap::new();
    for case in &cases {
        for division in [&case.rectification.letter.division, &case.agency_area_code] {
            if !calendars.contains_key(division) {
                calendars.insert(division.clone(), Arc::new(folder.calendars().for_division(division)));
            }
        }
    }
    let parts = std::thread::available_parallelism().map_or(1, usize::from);
    let size = cases.len().div_ceil(parts).max(1);
    let mut rest = cases.into_iter();
    let chunks: Vec<Vec<ArmedCase>> =
        std::iter::from_fn(|| Some(rest.by_ref().take(size).collect::<Vec<_>>()).filter(|chunk| !chunk.is_empty()))
            .collect();
    let mut whole = Rehearsal::new(from, days);
    std::thread::scope(|scope| {
        let calendars = &calendars;
        let handles: Vec<_> =
            chunks.into_iter().map(|chunk| scope.spawn(move || part(chunk, folder, calendars, from, days))).collect();
        for handle in handles {
            match handle.join() {
                Ok(part) => whole.add(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    report(whole, folder)
}

fn part(
    cases: Vec<ArmedCase>,
    folder: &RuleFolder,
    calendars: &HashMap<String, Arc<Calendar>>,
    from: Timestamp,
    days: u16,
) -> Rehearsal {
    let (mut rehearsal, workbook) = (Rehearsal::new(from, days), Workbook::new());
    for case in cases {
        let version = &case.rectification.rulebook_version;
        let unit_calendar = calendars.get(&case.rectification.letter.division);
        let agency_calendar = calendars.get(&case.agency_area_code);
        let (Some(rulebook), Some(unit_calendar), Some(agency_calendar)) =
            (folder.rulebook(version), unit_calendar, agency_calendar)
        else {
            let cause = format!("the folder of rules has no rulebook {version}");
            *rehearsal.failed.entry(cause).or_default() += 1;
            continue;
        };
        let county = case.county_name.as_deref().unwrap_or(PROVINCE);
        let rectification = case.rectification;
        rehearsal.play(RehearsedCase { rectification, county, rulebook, unit_calendar, agency_calendar }, &workbook);
    }
    rehearsal
}

fn report(whole: Rehearsal, folder: &RuleFolder) -> Report {
    let on = domain::local_time::local_date(whole.from);
    let in_force: Option<&Rulebook> = folder.rulebooks().iter().rev().find(|rulebook| rulebook.is_effective_on(on));
    Report {
        from: whole.from,
        until: whole.until,
        cases: whole.cases,
        opened: whole.opened,
        firings: whole.firings,
        silent: in_force.map(|rulebook| whole.silent(rulebook)).unwrap_or_default(),
        months: whole.months.into_iter().map(|(month, notices)| Month { month, notices }).collect(),
        weeks: whole.weeks.into_iter().map(|((county, week), notices)| Week { county, week, notices }).collect(),
        fired: whole.fired.into_iter().map(|(rule_id, times)| FiredRule { rule_id, times }).collect(),
        provisional: whole.provisional.into_iter().map(|(due_on, limits)| ProvisionalDay { due_on, limits }).collect(),
        failed: whole.failed.into_iter().map(|(cause, cases)| FailedCases { cause, cases }).collect(),
    }
}

/// The columns of notices, for a table.
pub const COLUMNS: [&str; 8] = [
    "提醒 reminders",
    "逾期 overdue",
    "方案逾期 plans",
    "督办单 orders",
    "提请升级 proposals",
    "连带责任 departments",
    "回头看 look-backs",
    "办理催办 duties",
];

/// The counts of those columns.
pub fn row(notices: &Notices) -> [u64; 8] {
    [
        notices.reminders,
        notices.overdue,
        notices.plans_overdue,
        notices.urging_orders,
        notices.proposals,
        notices.department_cases,
        notices.look_backs,
        notices.duties,
    ]
}

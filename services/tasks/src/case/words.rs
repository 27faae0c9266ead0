//! The parts of a case as its documents say them.

use documents::content::{Finding, Member, Visit};
use domain::ids::FindingId;
use domain::local_time::{date_zh, local_date};
use domain::period::Period;
use domain::rulebook::Rulebook;

use super::Record;
use super::record::PleaEntry;

/// What a title says that it is about: the unit and the supervision, the unit's name once.
pub(super) fn about(record: &Record) -> String {
    let (unit, title) = (record.unit.name.as_str(), record.title.as_str());
    if title.contains(unit) { title.to_owned() } else { format!("{unit}{title}") }
}

/// The group (督导小组).
pub(super) fn team(record: &Record) -> Vec<Member> {
    let member = |entry: &super::record::TeamEntry| Member {
        duty: Some(if entry.leader { "组长" } else { "组员" }.to_owned()),
        name: entry.name.clone(),
        post: None,
    };
    record.team.iter().map(member).collect()
}

/// The visits.
pub(super) fn visits(record: &Record) -> Vec<Visit> {
    let visit = |visit: &super::record::VisitRecord| Visit {
        arrived_at: visit.arrived_at,
        left_at: Some(visit.left_at),
        place: visit.place.clone(),
    };
    record.visit_records.iter().map(visit).collect()
}

/// The identities of the findings.
pub(super) fn finding_ids(record: &Record) -> Vec<FindingId> {
    record.findings.iter().map(|finding| finding.finding_id).collect()
}

/// The findings; with the rules also the limit of each in words. The day itself is not known before the receipt.
pub(super) fn findings(record: &Record, rules: Option<&Rulebook>) -> Vec<Finding> {
    record
        .findings
        .iter()
        .map(|finding| Finding {
            advice: given(&finding.advice),
            basis: given(&finding.basis),
            category: given(&finding.category),
            demand: given(&finding.demand),
            due_on: None,
            limit: rules.map(|rules| limit(rules.finish_rule(finding.severity).period)),
            number: finding.number.unsigned_abs(),
            problem: finding.description.clone(),
            responsible_unit: given(&finding.responsible_unit_name),
            severity: Some(finding.severity.zh().to_owned()),
        })
        .collect()
}

/// What the unit said to the preliminary opinion, who for it, and when.
pub(super) fn plea(plea: &PleaEntry) -> String {
    let said = match &plea.text {
        Some(text) if !plea.waived => text.as_str(),
        Some(_) | None => "书面声明放弃申辩。",
    };
    format!("{said}（{}，{}）", plea.by, date_zh(local_date(plea.at)))
}

fn limit(period: Period) -> String {
    if period == Period::SameDay { "签收当日".to_owned() } else { format!("自签收之日起{}", period.zh()) }
}

fn given(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

//! Findings (问题) while they are a draft.

use access::Permit;
use domain::case::CaseState;
use domain::ids::{FindingId, UnitId};
use domain::severity::Severity;
use postgres::Tx;
use problem::{Problem, Text};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::record::Finding;
use super::refuse::refuse_for;
use super::standing::office_or_team;
use super::{Case, Record, store};
use crate::app::AppState;
use crate::checks::{Fields, LONG_TEXT, SHORT_TEXT};
use crate::office::{actor, unknown_unit};
use crate::registry::store as copies;

/// A finding as written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFinding {
    /// Severity.
    pub severity: Severity,
    /// Category, for instance 安全管理.
    pub category: String,
    /// What was found.
    pub description: String,
    /// The standard or article breached.
    pub basis: String,
    /// The demand (整改要求).
    pub demand: String,
    /// Advice.
    #[serde(default)]
    pub advice: String,
    /// The unit that must rectify.
    pub responsible_unit_id: UnitId,
}

fn unknown() -> Problem {
    Problem::unknown_resource(Text::new("没有这个问题。", "There is no such finding."))
}

/// New findings come from the visit; after the preliminary opinion the unit could no longer plead to them.
fn may_add(record: &Record) -> Result<(), Problem> {
    match record.machine.state {
        CaseState::OnSite | CaseState::Deliberating { .. } => Ok(()),
        CaseState::Planned | CaseState::Notified => Err(refuse_for(
            record,
            "no_visit",
            Text::new("问题应在现场督导之后提出", "findings come from the visit, which was not recorded yet"),
        )),
        CaseState::Feedback { .. } | CaseState::Pleading { .. } | CaseState::Lettered { .. } => Err(refuse_for(
            record,
            "fed_back",
            Text::new(
                "初步督导意见已反馈，不得再增加被督导单位未能申辩的问题",
                "the preliminary opinion is out; the unit could not plead to a new finding",
            ),
        )),
    }
}

/// A plea may change or remove a finding; the letter freezes it.
fn may_change(record: &Record) -> Result<(), Problem> {
    if record.is_lettered() {
        return Err(refuse_for(
            record,
            "lettered",
            Text::new("整改决定已下达，问题不可更改", "the letter is issued; its findings are frozen"),
        ));
    }
    Ok(())
}

async fn checked(tx: &mut Tx, new: &NewFinding) -> problem::Result<String> {
    let mut fields = Fields::default();
    fields.text("/category", &new.category, SHORT_TEXT);
    fields.text("/description", &new.description, LONG_TEXT);
    fields.text("/basis", &new.basis, LONG_TEXT);
    fields.text("/demand", &new.demand, LONG_TEXT);
    fields.optional_text("/advice", &new.advice, LONG_TEXT);
    let unit = copies::unit(tx, new.responsible_unit_id).await?;
    if unit.is_none() {
        fields.add("/responsible_unit_id", unknown_unit(new.responsible_unit_id));
    }
    fields.check()?;
    Ok(unit.map(|unit| unit.name).unwrap_or_default())
}

fn finding(finding_id: FindingId, number: i32, new: NewFinding, unit_name: String) -> Finding {
    Finding {
        finding_id,
        number,
        severity: new.severity,
        category: new.category,
        description: new.description,
        basis: new.basis,
        demand: new.demand,
        advice: new.advice,
        responsible_unit_id: new.responsible_unit_id,
        responsible_unit_name: unit_name,
    }
}

fn renumber(record: &mut Record) {
    for (number, finding) in (1..).zip(&mut record.findings) {
        finding.number = number;
    }
}

/// Adds a finding.
pub(super) async fn add(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    case: &mut Case,
    new: NewFinding,
) -> problem::Result<()> {
    office_or_team(permit, &case.record)?;
    may_add(&case.record)?;
    let unit_name = checked(tx, &new).await?;
    case.record.findings.push(finding(FindingId::new(state.ids.new_id()), 0, new, unit_name));
    renumber(&mut case.record);
    let note = json!({"event": "finding_added", "finding": case.record.findings.last()});
    store::save_noted(tx, case, note, &actor(permit.caller())).await?;
    Ok(())
}

/// Rewrites a finding.
pub(super) async fn edit(
    tx: &mut Tx,
    permit: &Permit,
    case: &mut Case,
    id: FindingId,
    new: NewFinding,
) -> problem::Result<()> {
    office_or_team(permit, &case.record)?;
    may_change(&case.record)?;
    let unit_name = checked(tx, &new).await?;
    let found = case.record.finding_mut(id).ok_or_else(unknown)?;
    let before = found.clone();
    *found = finding(id, found.number, new, unit_name);
    let note = json!({"event": "finding_changed", "before": before, "finding": found});
    store::save_noted(tx, case, note, &actor(permit.caller())).await?;
    Ok(())
}

/// Drops a finding.
pub(super) async fn remove(tx: &mut Tx, permit: &Permit, case: &mut Case, id: FindingId) -> problem::Result<()> {
    office_or_team(permit, &case.record)?;
    may_change(&case.record)?;
    let removed = case.record.finding_mut(id).ok_or_else(unknown)?.clone();
    case.record.findings.retain(|finding| finding.finding_id != id);
    renumber(&mut case.record);
    let note = json!({"event": "finding_removed", "finding": removed});
    store::save_noted(tx, case, note, &actor(permit.caller())).await?;
    Ok(())
}

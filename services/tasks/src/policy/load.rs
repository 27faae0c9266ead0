//! Puts the plan of the rulebook folder into the database; a second time changes nothing.

use domain::code::DivisionCode;
use domain::policy::{DutySource, Policy, UnitGroup, UnitKey};
use postgres::Database;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::store::{self, DutyRow, MeasureRow};

/// Loads the plan when its content differs from what is stored.
pub(crate) async fn load(database: &Database, policy: &Policy) -> anyhow::Result<()> {
    let mut tx = database.begin().await?;
    store::lock(&mut tx).await?;
    let measures: Vec<MeasureRow> =
        (1..).zip(policy.sources()).map(|(n, source)| measure_row(policy, n, source)).collect();
    let duties: Vec<DutyRow> = policy.sources().flat_map(|source| duty_rows(policy, source)).collect();
    let content = json!({
        "document": policy.document, "goals": policy.goals, "principles": policy.principles,
        "measures": measures, "duties": duties,
    });
    let sha256 = hex::encode(Sha256::digest(content.to_string()));
    let key = &policy.document.key;
    if store::stored_sha256(&mut tx, key).await?.as_deref() == Some(sha256.as_str()) {
        return Ok(());
    }
    store::clear(&mut tx, key).await?;
    let at = tx.at();
    store::save_plan(
        &mut tx,
        key,
        &sha256,
        &serde_json::to_value(&policy.document)?,
        &serde_json::to_value(&policy.goals)?,
        &serde_json::to_value(&policy.principles)?,
        at,
    )
    .await?;
    store::save_measures(&mut tx, key, &measures).await?;
    store::save_duties(&mut tx, key, &duties).await?;
    tx.commit().await?;
    tracing::info!(plan = %policy.document.number, duties = duties.len(), "the implementation plan was loaded");
    Ok(())
}

fn measure_row(policy: &Policy, position: i32, source: DutySource<'_>) -> MeasureRow {
    let (kind, section, as_named) = match source {
        DutySource::Measure(measure) => ("measure", Some(measure.section), &measure.as_named),
        DutySource::Requirement(requirement) => ("requirement", None, &requirement.as_named),
    };
    let section_title =
        section.and_then(|no| policy.sections.iter().find(|it| it.no == no)).map(|section| section.title.clone());
    MeasureRow {
        key: source.key(),
        position,
        kind: kind.to_owned(),
        section: section.map(i32::from),
        section_title,
        title: source.title().to_owned(),
        text: source.text().to_owned(),
        as_named: as_named.clone(),
    }
}

/// The cells of one measure: the units named, then those of the groups. 各市县 binds the government of each county
/// unit with its supervision agency and its education bureau, which do the work for it.
fn duty_rows(policy: &Policy, source: DutySource<'_>) -> Vec<DutyRow> {
    let (named, groups) = match source {
        DutySource::Measure(measure) => (&measure.units, &measure.groups),
        DutySource::Requirement(requirement) => (&requirement.units, &requirement.groups),
    };
    let mut cells: Vec<(String, String, Option<&'static str>)> = Vec::new();
    let mut add = |key: &UnitKey, group: Option<&'static str>| {
        if let Some(unit) = policy.unit(key.as_str())
            && !cells.iter().any(|(known, _, _)| known == key.as_str())
        {
            cells.push((key.as_str().to_owned(), unit.name.clone(), group));
        }
    };
    for key in named {
        add(key, None);
    }
    for group in groups {
        match group {
            UnitGroup::CountyUnits => {
                for county in policy.county_units() {
                    for key in county_keys(county.code) {
                        add(&key, Some("county_units"));
                    }
                }
            }
            UnitGroup::CommitteeMembers => {
                policy.group(*group).iter().for_each(|unit| add(&unit.key, Some("committee_members")));
            }
            UnitGroup::ProvincialDepartments => {
                policy.group(*group).iter().for_each(|unit| add(&unit.key, Some("provincial_departments")));
            }
        }
    }
    (1..)
        .zip(cells)
        .map(|(position, (unit_key, unit_name, group))| DutyRow {
            measure_key: source.key(),
            position,
            unit_key,
            unit_name,
            named_as: group.map(str::to_owned),
        })
        .collect()
}

fn county_keys(code: DivisionCode) -> [UnitKey; 3] {
    [UnitKey::government(code), UnitKey::office(code), UnitKey::education_bureau(code)]
}

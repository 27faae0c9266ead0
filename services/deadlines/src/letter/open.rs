//! The receipt of the letter starts the clocks (measures 9 and 10; Regulation art. 21 and 22).

use std::sync::Arc;

use contracts::Actor;
use contracts::tasks::LetterIssued;
use domain::doc_number::DocNumber;
use domain::ids::LetterId;
use domain::local_time::local_date;
use domain::rectification::{FindingFacts, LetterFacts, Rectification, Rules, Workbook};
use messaging::ApplyError;
use postgres::Tx;

use super::store;
use crate::merger;
use crate::rectification::dossier::Dossier;
use crate::rectification::{publish, store as dossiers};
use crate::rules::Ruling;

/// Opens the rectification when letter and receipt are both here; else, or when it is open already, does nothing.
pub(crate) async fn open_if_received(
    tx: &mut Tx,
    ruling: &Ruling,
    letter_id: LetterId,
    actor: &Actor,
) -> Result<(), ApplyError> {
    let Some((mut letter, received_at)) = store::received_letter(tx, letter_id).await? else { return Ok(()) };
    let rectification_id = Rectification::id_of(letter_id);
    if dossiers::lock(tx, rectification_id).await?.is_some() {
        return Ok(());
    }
    let mut agency = store::agency(tx, letter.document.issuing_unit_id)
        .await?
        .ok_or_else(|| ApplyError::NotYet(format!("agency {}", letter.document.issuing_unit_id)))?;
    // Issued in a county that has become a part of another one meanwhile.
    let at = tx.at();
    let successor = merger::carry_letter(tx, &mut letter, &mut agency, at).await?;
    if ruling.agency_word(&agency.unit_key).is_none() {
        // Found now, not in the night in which its first order is due.
        return Err(ApplyError::Refused(format!("agencies.toml has no code word for {}", agency.unit_key)));
    }
    let rulebook = ruling
        .rulebook_at(received_at)
        .ok_or_else(|| ApplyError::Refused(format!("no rulebook is in force at {received_at}")))?;
    let rulebook =
        &*rulebook.for_division(ruling.division(letter.unit.county_code.as_deref()), local_date(received_at));
    let unit_calendar = ruling.calendar(ruling.division(letter.unit.county_code.as_deref()));
    let agency_calendar = ruling.calendar(&agency.area_code);
    let facts = facts(&letter, ruling)?;
    let workbook = Workbook::new();
    let rules =
        Rules { rulebook, unit_calendar: &unit_calendar, agency_calendar: &agency_calendar, workbook: &workbook };
    let (rectification, events) = Rectification::open(None, facts, received_at, rules)
        .map_err(|refusal| ApplyError::Refused(refusal.to_string()))?
        .into_parts();
    let dossier =
        Dossier { successor, ..Dossier::new(rectification, Arc::new(letter), agency.area_code, agency.unit_key) };
    dossiers::insert(tx, &[&dossier], &workbook, at).await?;
    publish::publish(
        tx,
        actor,
        &[publish::Change { dossier: &dossier, version: 1, events: &events, calendar: &unit_calendar }],
    )
    .await?;
    Ok(())
}

fn facts(letter: &LetterIssued, rules: &Ruling) -> Result<LetterFacts, ApplyError> {
    let letter_number: DocNumber = letter
        .document
        .doc_no
        .parse()
        .map_err(|error| ApplyError::Refused(format!("document number {}: {error}", letter.document.doc_no)))?;
    let findings = letter
        .findings
        .iter()
        .map(|finding| {
            let number = u32::try_from(finding.number)
                .map_err(|_| ApplyError::Refused(format!("finding number {}", finding.number)))?;
            Ok(FindingFacts {
                finding_id: finding.finding_id,
                number,
                severity: finding.severity,
                responsible_unit: finding.responsible_unit_id,
                limit: None,
            })
        })
        .collect::<Result<_, ApplyError>>()?;
    Ok(LetterFacts {
        letter_id: letter.letter_id,
        case_id: letter.case_id,
        letter_number,
        issuing_agency: letter.document.issuing_unit_id,
        supervised_unit: letter.unit.unit_id,
        competent_department: letter.unit.competent_unit_id,
        division: rules.division(letter.unit.county_code.as_deref()).to_owned(),
        findings,
    })
}

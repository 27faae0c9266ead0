//! The opinion letter (督导意见书, Regulation art. 21).

use access::Permit;
use contracts::shared::DocumentKind;
use contracts::tasks::{FindingFact, LetterIssued};
use documents::content::OpinionLetter;
use domain::case::{CaseState, LetterDraft, LetterFinding, Plea};
use domain::doc_number::{DocNumber, DocNumberError};
use domain::ids::{AccountId, DocumentId, LetterId};
use domain::local_time::local_date;
use domain::rulebook::ProcedureClock;
use jiff::Timestamp;
use postgres::Tx;
use problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use super::feedback::rulebook_of;
use super::record::LetterEntry;
use super::{Case, Record, plea, standing, store, words};
use crate::app::AppState;
use crate::checks::{Fields, LONG_TEXT};
use crate::document::{self, Draft};
use crate::office::actor;
use crate::registry::store as copies;

const DEMAND: &str =
    "请按照整改要求逐项整改，并在整改期限内报告整改情况；整改期限自签收本意见书之日起计算，签收当日不计入。";

/// The letter as written; its findings are those of the case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLetter {
    /// Overall evaluation.
    pub evaluation: String,
    /// How the plea was treated, where that was not decided before.
    pub plea_treatment: Option<String>,
}

/// The letter as the machine judges it.
pub(super) fn draft(
    record: &Record,
    letter_id: LetterId,
    number: DocNumber,
    evaluation: &str,
    signed_by: AccountId,
    issued_at: Timestamp,
) -> LetterDraft {
    LetterDraft {
        letter_id,
        number,
        evaluation: evaluation.to_owned(),
        findings: record
            .findings
            .iter()
            .map(|finding| LetterFinding {
                finding_id: finding.finding_id,
                number: finding.number.unsigned_abs(),
                severity: finding.severity,
                problem: finding.description.clone(),
                demand: finding.demand.clone(),
                responsible_unit: finding.responsible_unit_id,
                limit: None,
            })
            .collect(),
        signed_by,
        issued_at,
    }
}

/// A number that stands in while the guards are asked, so that a refused letter takes none.
pub(super) fn standing_in(at: Timestamp) -> Result<DocNumber, DocNumberError> {
    DocNumber::try_new("意见书", None, local_date(at).year(), 1)
}

/// Issues the letter: guards, number, frozen text, event.
pub(super) async fn issue(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    case: &mut Case,
    new: NewLetter,
) -> problem::Result<()> {
    standing::office(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.text("/evaluation", &new.evaluation, LONG_TEXT);
    if let Some(treatment) = &new.plea_treatment {
        fields.text("/plea_treatment", treatment, LONG_TEXT);
    }
    fields.check()?;
    let at = tx.at();
    let signed_by = permit.caller().account_id;
    let document_id = DocumentId::new(state.ids.new_id());
    let letter_id = LetterId::new(document_id.as_uuid());
    let mut history = Vec::new();
    let undecided = matches!(case.record.machine.state, CaseState::Pleading { plea: Plea::Filed { .. }, .. });
    if let Some(treatment) = new.plea_treatment.filter(|_| undecided) {
        plea::answer(tx, permit, case, &mut history, treatment)?;
    }
    let number = standing_in(at).map_err(|error| Problem::internal(&error))?;
    let judged = draft(&case.record, letter_id, number, &new.evaluation, signed_by, at);
    case.clone().act(&mut Vec::new(), |machine| machine.issue_letter(judged))?;

    let record = &case.record;
    let agency = copies::unit(tx, record.agency.unit_id).await?.ok_or_else(standing::unknown)?;
    let actor = actor(permit.caller());
    let treatment = record.plea.as_ref().and_then(|plea| plea.treatment.clone());
    let document =
        document::issue(tx, &state.rules, &actor, paper(state, case, &agency, document_id, &new.evaluation)?).await?;
    let number = document.doc_no.parse().map_err(|error: DocNumberError| Problem::internal(&error))?;
    let letter = draft(&case.record, letter_id, number, &new.evaluation, signed_by, at);
    case.act(&mut history, |machine| machine.issue_letter(letter))?;
    case.record.letter = Some(LetterEntry {
        document: document.clone(),
        evaluation: new.evaluation.clone(),
        plea_treatment: treatment,
        received_at: None,
    });
    store::save(tx, case, &history, &actor).await?;
    messaging::append(tx, &actor, &event(&case.record, case, letter_id, document, new.evaluation)).await?;
    Ok(())
}

/// The paper, with facts, reasons, basis, findings and the right to object.
fn paper<'a>(
    state: &AppState,
    case: &Case,
    agency: &'a crate::registry::Unit,
    document_id: DocumentId,
    evaluation: &str,
) -> problem::Result<Draft<'a>> {
    let record = &case.record;
    let rules = rulebook_of(state, record)?;
    let objection = rules.procedure_rule(ProcedureClock::Objection).period.zh();
    Ok(Draft {
        document_id,
        kind: DocumentKind::OpinionLetter,
        title: format!("关于{}的督导意见书", words::about(record)),
        agency,
        addressee: record.unit.name.clone(),
        copies: record.unit.competent_unit_name.iter().cloned().collect(),
        case_id: Some(case.case_id),
        plan_id: None,
        finding_ids: words::finding_ids(record),
        legal_basis: &["《教育督导条例》第二十一条", "第二十二条"],
        contact: None,
        publication: None,
        body: OpinionLetter {
            advice: None,
            case_title: record.title.clone(),
            demand: Some(DEMAND.to_owned()),
            evaluation: evaluation.to_owned(),
            facts: None,
            findings: words::findings(record, Some(rules)),
            objection_right: Some(format!("对本意见书有异议的，可以自收到之日起{objection}内向本机构书面提出。")),
            plea: record.plea.as_ref().map(words::plea),
            plea_treatment: record.plea.as_ref().and_then(|plea| plea.treatment.clone()),
            reasons: None,
            supervision_kind: Some(record.kind.zh().to_owned()),
            team: words::team(record),
            unit: record.unit.name.clone(),
            visits: words::visits(record),
            votes_for: None,
            votes_total: None,
        }
        .into(),
    })
}

fn event(
    record: &Record,
    case: &Case,
    letter_id: LetterId,
    document: contracts::shared::DocumentRef,
    evaluation: String,
) -> LetterIssued {
    let visited_on = record.visit_records.iter().map(|visit| local_date(visit.arrived_at)).min();
    LetterIssued {
        letter_id,
        version: 1,
        case_id: case.case_id,
        issued_at: document.issued_at,
        document,
        case_title: record.title.clone(),
        supervision_kind: record.kind,
        visited_on: visited_on.unwrap_or(record.visit_on),
        unit: record.unit.clone(),
        evaluation,
        findings: record
            .findings
            .iter()
            .map(|finding| FindingFact {
                finding_id: finding.finding_id,
                number: finding.number,
                severity: finding.severity,
                category: finding.category.clone(),
                description: finding.description.clone(),
                basis: finding.basis.clone(),
                demand: finding.demand.clone(),
                advice: finding.advice.clone(),
                responsible_unit_id: finding.responsible_unit_id,
                responsible_unit_name: finding.responsible_unit_name.clone(),
            })
            .collect(),
    }
}

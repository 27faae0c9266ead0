//! The unit signed for a paper (签收): the plea window starts, or the letter is received.

use contracts::Actor;
use contracts::shared::DocumentKind;
use domain::ids::{AccountId, CaseId, DocumentId, UnitId};
use domain::proof::{AnchorEvent, ProofSheet};
use domain::rulebook::ProcedureClock;
use jiff::Timestamp;
use messaging::ApplyError;
use postgres::Tx;

use super::{Case, store};
use crate::rules::Rules;
use crate::{assignment, document};

/// A signature as `notifications` reports it.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub document_id: DocumentId,
    pub kind: DocumentKind,
    pub unit_id: UnitId,
    pub signed_at: Timestamp,
    pub signed_by: AccountId,
    pub signer_name: String,
}

/// Marks the document received; the first receipt stands.
pub(crate) async fn receive(tx: &mut Tx, rules: &Rules, receipt: &Receipt) -> Result<(), ApplyError> {
    if receipt.kind.is_of_deadlines() {
        return Ok(());
    }
    let Some(found) = document::store::find(tx, receipt.document_id).await? else {
        return Err(ApplyError::NotYet(format!("document {}", receipt.document_id)));
    };
    let case = match (found.assignment_id, found.case_id) {
        (Some(assignment_id), _) => {
            served_on(assignment::unit_of(tx, assignment_id).await?, receipt)?;
            None
        }
        (None, Some(case_id)) => Some(case_for(tx, case_id, receipt).await?),
        (None, None) => None,
    };
    let first = document::store::save_receipt(
        tx,
        receipt.document_id,
        receipt.unit_id,
        receipt.signed_at,
        &receipt.signer_name,
    )
    .await?;
    let Some(mut case) = case.filter(|_| first) else { return Ok(()) };
    let mut history = Vec::new();
    mark(&mut case, rules, receipt, &mut history)?;
    let actor = Actor::Person { account_id: receipt.signed_by, name: receipt.signer_name.clone() };
    store::save(tx, &mut case, &history, &actor).await?;
    Ok(())
}

async fn case_for(tx: &mut Tx, case_id: CaseId, receipt: &Receipt) -> Result<Case, ApplyError> {
    let case = store::find_for_update(tx, case_id)
        .await?
        .ok_or_else(|| ApplyError::Refused(format!("the document's case {case_id} is gone")))?;
    served_on(Some(case.record.unit.unit_id), receipt)?;
    Ok(case)
}

/// Refuses the signature of another unit than the one that the paper was served on.
fn served_on(unit: Option<UnitId>, receipt: &Receipt) -> Result<(), ApplyError> {
    match unit {
        Some(unit) if unit == receipt.unit_id => Ok(()),
        Some(unit) => Err(ApplyError::Refused(format!("unit {} signed for a paper of unit {unit}", receipt.unit_id))),
        None => Err(ApplyError::Refused(format!("nobody knows on whom document {} was served", receipt.document_id))),
    }
}

fn mark(
    case: &mut Case,
    rules: &Rules,
    receipt: &Receipt,
    history: &mut Vec<domain::case::CaseEvent>,
) -> Result<(), ApplyError> {
    let at = receipt.signed_at;
    let refused = |problem: problem::Problem| ApplyError::Refused(problem.detail().en.to_string());
    match receipt.kind {
        DocumentKind::SupervisionNotification => {
            if let Some(notification) = &mut case.record.notification {
                notification.received_at = Some(at);
            }
        }
        DocumentKind::PreliminaryOpinion => {
            let proof = plea_proof(case, rules, at)?;
            let until = proof.due_at;
            case.act(history, |machine| machine.receive_opinion(at, until)).map_err(refused)?;
            if let Some(opinion) = &mut case.record.preliminary_opinion {
                opinion.received_at = Some(at);
                opinion.plea_due_on = proof.due_on;
                opinion.plea_due_at = Some(proof.due_at);
                opinion.proof = Some(proof);
            }
        }
        DocumentKind::OpinionLetter | DocumentKind::RectificationNotice => {
            case.act(history, |machine| machine.receive_letter(receipt.signed_by, at)).map_err(refused)?;
            if let Some(letter) = &mut case.record.letter {
                letter.received_at = Some(at);
            }
        }
        DocumentKind::Plan
        | DocumentKind::UrgingOrder
        | DocumentKind::InterviewNotice
        | DocumentKind::Circular
        | DocumentKind::SupervisionReport
        | DocumentKind::AcceptanceOpinion
        | DocumentKind::ClosingApproval => {}
    }
    Ok(())
}

/// Ten working days from the receipt, by the calendar of the unit's place.
fn plea_proof(case: &Case, rules: &Rules, received_at: Timestamp) -> Result<ProofSheet, ApplyError> {
    let record = &case.record;
    let rulebook = rules
        .rulebook(&record.rulebook_version)
        .ok_or_else(|| ApplyError::NotYet(format!("rulebook {}", record.rulebook_version)))?;
    let calendar = rules.calendar(record.unit.county_code.as_deref());
    let rule = rulebook.procedure_rule(ProcedureClock::Plea);
    ProofSheet::derive(rule, AnchorEvent::PreliminaryOpinionReceived, received_at, &calendar)
        .map_err(|error| ApplyError::Refused(error.to_string()))
}

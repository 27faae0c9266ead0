//! A fact becomes one message, once, in its place.

use contracts::Envelope;
use messaging::{ApplyError, trace};
use postgres::Tx;

use super::{State, sha256, store};
use crate::national::{ComposeError, compose};
use crate::papers::Papers;

/// Stores the message of an event; an event that was seen under another identifier changes nothing, nor does one that
/// comes after the closure, with which the case ends for the platform.
pub(crate) async fn enqueue(tx: &mut Tx, event: &Envelope, sender: &str, papers: &Papers) -> Result<(), ApplyError> {
    let composed = match compose(event, sender, papers) {
        Ok(Some(composed)) => composed,
        Ok(None) => return Ok(()),
        Err(ComposeError::Read(error)) => return Err(error.into()),
        Err(ComposeError::Contradiction(reason)) => return Err(ApplyError::Refused(reason.to_owned())),
    };
    let message = &composed.message;
    let payload = serde_json::to_string(message).map_err(|error| ApplyError::Refused(error.to_string()))?;
    let faults = message.faults();
    let accepted_through = store::lock_case(tx, message.case.case_id).await?;
    if store::is_settled(tx, message.message_id, message.case.case_id, message.case.sequence).await? {
        return Ok(());
    }
    let state = if !faults.is_empty() {
        State::Invalid
    } else if accepted_through + 1 == message.case.sequence {
        State::Ready
    } else {
        State::Held
    };
    let mut unit_ids = vec![composed.unit.unit_id.as_uuid()];
    unit_ids.extend(composed.unit.competent_unit_id.map(uuid::Uuid::from));
    let new = store::NewMessage {
        message,
        state,
        doc_no: &composed.doc_no,
        area_path: composed.unit.area_path.iter().map(domain::ids::AreaId::as_uuid).collect(),
        unit_ids,
        sha256: &sha256(&payload),
        payload: &payload,
        // The span of consuming, where traces are kept; else the trace goes on as it came.
        traceparent: trace::current_traceparent().or_else(|| event.traceparent.clone()),
        faults: &faults,
    };
    if store::insert(tx, &new).await? {
        return Ok(());
    }
    Err(ApplyError::Refused(format!(
        "case {} has another message number {} already",
        message.case.case_id, message.case.sequence
    )))
}

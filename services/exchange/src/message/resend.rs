//! A person sends a refused message again, with corrections where they are needed.

use access::{Permit, Resource};
use contracts::Actor;
use domain::ids::{AreaId, MessageId, UnitId};
use postgres::Tx;
use problem::{Problem, Text};
use serde_json::Value;
use service_kit::etag::IfMatch;

use super::http::{Correction, Resend};
use super::{Message, State, sha256, store};
use crate::national;

/// What says which message this is: a correction of it would make another message.
const FIXED: [&str; 6] = ["/format", "/message_id", "/sender", "/case/case_id", "/case/sequence", "/unit/unit_id"];

/// What the permission to read or to resend is asked on.
pub(crate) fn resource(message: &Message) -> Resource {
    let mut resource = Resource::in_area(message.area_path.iter().copied().map(AreaId::from));
    for unit in &message.unit_ids {
        resource = resource.concerning(UnitId::from(*unit));
    }
    resource
}

/// 404: no such message, or none that the caller may know of.
pub(crate) fn unknown() -> Problem {
    Problem::unknown_resource(Text::new("没有这条上报报文。", "There is no such message."))
}

/// Checks the payload with its corrections and puts the message back into its line.
pub(crate) async fn resend(
    tx: &mut Tx,
    permit: &Permit,
    message_id: MessageId,
    if_match: IfMatch,
    command: Resend,
) -> problem::Result<Message> {
    let message = store::lock(tx, message_id).await?.ok_or_else(unknown)?;
    permit.on(&resource(&message))?;
    if_match.check(message.version)?;
    match message.state {
        State::Rejected | State::Invalid => {}
        State::Ready if command.corrections.is_empty() => {
            store::try_now(tx, message_id).await?;
            return store::find(tx, message_id).await?.ok_or_else(unknown);
        }
        State::Ready | State::Held | State::Accepted => {
            return Err(Problem::state_refuses(
                Text::new(
                    format!("该报文当前为“{}”，不需要也不能重新上报。", message.state.zh()),
                    format!("The message is {}; it cannot be sent again.", message.state.as_str()),
                ),
                message.state.as_str(),
            ));
        }
    }
    let payload = corrected(&message.payload, &command.corrections)?;
    let checked = national::Message::read(payload.as_bytes()).map_err(|faults| {
        let detail = Text::new(
            "报文仍未通过校验，请更正所列字段后再上报。",
            "The message is still not valid; correct the fields named.",
        );
        faults.into_iter().fold(Problem::new(problem::ProblemKind::InvalidFields, detail), |problem, fault| {
            problem.field(format!("/payload{}", fault.field), Text::new(fault.reason_zh, fault.reason_en))
        })
    })?;
    let caller = permit.caller();
    let actor = Actor::Person { account_id: caller.account_id, name: caller.display_name.clone() };
    let at = tx.at();
    store::save_correction(tx, &message, at, &actor, &command).await?;
    let accepted_through = store::lock_case(tx, checked.case.case_id).await?;
    let state = if accepted_through + 1 == message.sequence { State::Ready } else { State::Held };
    store::put_back(tx, &message, state, &payload, &sha256(&payload)).await?;
    store::find(tx, message_id).await?.ok_or_else(unknown)
}

/// The payload with single values replaced. Refuses what does not name a single value, and what must stay.
fn corrected(payload: &str, corrections: &[Correction]) -> problem::Result<String> {
    if corrections.is_empty() {
        return Ok(payload.to_owned());
    }
    let mut document: Value = serde_json::from_str(payload).map_err(|error| Problem::internal(&error))?;
    for (n, correction) in corrections.iter().enumerate() {
        let refuse = |zh: &'static str, en: &'static str| {
            Err(Problem::invalid_field(format!("/corrections/{n}/field"), Text::new(zh, en)))
        };
        if FIXED.contains(&correction.field.as_str()) {
            return refuse(
                "该字段标识报文本身，不能更正",
                "this field says which message it is and cannot be corrected",
            );
        }
        let single = |value: &Value| !value.is_object() && !value.is_array();
        match document.pointer_mut(&correction.field) {
            Some(place) if single(place) && single(&correction.value) => *place = correction.value.clone(),
            Some(_) => return refuse("只能更正单个值", "only single values can be corrected"),
            None => return refuse("报文中没有这个字段", "the payload has no such field"),
        }
    }
    // Through the typed form once more, so that the keys keep their order; what does not fit is named by the caller.
    let text = document.to_string();
    match serde_json::from_str::<national::Message>(&text) {
        Ok(message) => serde_json::to_string(&message).map_err(|error| Problem::internal(&error)),
        Err(_) => Ok(text),
    }
}

//! The unit's plea and its treatment (申辩, Regulation art. 20 and 21).

use access::{Permit, Resource};
use domain::case::PleaAnswer;
use domain::ids::FileId;
use postgres::Tx;
use problem::{Problem, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::record::PleaEntry;
use super::{Case, standing, store};
use crate::checks::{Fields, LONG_TEXT};
use crate::office::actor;

/// What the unit says to the preliminary opinion: a text, or that it gives up its plea.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlea {
    /// The plea in writing.
    pub text: Option<String>,
    /// Gives up the plea in writing (书面放弃).
    #[serde(default)]
    pub waived: bool,
}

/// How the plea was treated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTreatment {
    /// Accepted, partly or not, with the reasons.
    pub treatment: String,
}

/// 403 unless the caller may plead for the unit; 404 for a case that the unit was not told of.
pub(super) fn for_unit(permit: &Permit, case: &Case) -> Result<(), Problem> {
    permit.on(&Resource::default().concerning(case.record.unit.unit_id))?;
    if case.record.is_told() { Ok(()) } else { Err(standing::unknown()) }
}

/// The unit pleads or waives.
pub(super) async fn plead(tx: &mut Tx, permit: &Permit, case: &mut Case, new: NewPlea) -> problem::Result<()> {
    for_unit(permit, case)?;
    let mut fields = Fields::default();
    match (&new.text, new.waived) {
        (Some(text), false) => fields.text("/text", text, LONG_TEXT),
        (None, true) => {}
        (None, false) | (Some(_), true) => fields.add(
            "/text",
            Text::new(
                "请填写申辩内容，或者声明放弃申辩（waived），二者择一",
                "either a text or waived: true, not both",
            ),
        ),
    }
    fields.check()?;
    let (by, at, case_id) = (permit.caller().account_id, tx.at(), case.case_id);
    let mut history = Vec::new();
    if let Some(text) = new.text.clone() {
        case.act(&mut history, |machine| machine.plead(by, text, at))?;
    } else {
        // The statement in writing is this very record, kept with account and instant.
        let statement = FileId::derived(&["plea-waiver", &case_id.to_string()]);
        case.act(&mut history, |machine| machine.waive_plea(by, statement, at))?;
    }
    case.record.plea = Some(PleaEntry {
        text: new.text,
        waived: new.waived,
        by: permit.caller().display_name.clone(),
        at,
        treatment: None,
        decided_at: None,
    });
    store::save(tx, case, &history, &actor(permit.caller())).await?;
    Ok(())
}

/// The agency decides on the plea.
pub(super) async fn decide(tx: &mut Tx, permit: &Permit, case: &mut Case, new: NewTreatment) -> problem::Result<()> {
    standing::office(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.text("/treatment", &new.treatment, LONG_TEXT);
    fields.check()?;
    let mut history = Vec::new();
    answer(tx, permit, case, &mut history, new.treatment)?;
    store::save(tx, case, &history, &actor(permit.caller())).await?;
    Ok(())
}

/// Answers the plea in the machine and in the record.
pub(super) fn answer(
    tx: &Tx,
    permit: &Permit,
    case: &mut Case,
    history: &mut Vec<domain::case::CaseEvent>,
    treatment: String,
) -> problem::Result<()> {
    let reply = PleaAnswer { by: permit.caller().account_id, at: tx.at(), text: treatment.clone() };
    case.act(history, |machine| machine.answer_plea(reply))?;
    if let Some(plea) = &mut case.record.plea {
        plea.treatment = Some(treatment);
        plea.decided_at = Some(tx.at());
    }
    Ok(())
}

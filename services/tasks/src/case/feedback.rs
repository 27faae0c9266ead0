//! Deliberation and preliminary opinion (评议、初步督导意见, Regulation art. 20).

use access::Permit;
use contracts::shared::DocumentKind;
use contracts::tasks::PreliminaryOpinionIssued;
use documents::content::Publication;
use domain::case::{Deliberation, PreliminaryFinding, PreliminaryOpinion};
use domain::ids::{DocumentId, OpinionId};
use domain::period::count;
use domain::rulebook::{ProcedureClock, Rulebook};
use jiff::civil::Date;
use postgres::Tx;
use problem::{Problem, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::record::OpinionEntry;
use super::{Case, Record, standing, store, words};
use crate::app::AppState;
use crate::checks::{Fields, LONG_TEXT};
use crate::document::{self, Draft};
use crate::office::actor;
use crate::registry::store as copies;

const PLEA_RIGHT: &str = "你单位对本初步督导意见有异议的，可以提出书面申辩（《教育督导条例》第二十条）。";

/// The preliminary opinion as written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOpinion {
    /// Evaluation.
    pub evaluation: String,
    /// Minutes of the group's deliberation.
    pub deliberation: String,
}

/// The rules that the case began with.
pub(crate) fn rulebook_of<'a>(state: &'a AppState, record: &Record) -> problem::Result<&'a Rulebook> {
    state.rules.rulebook(&record.rulebook_version).ok_or_else(|| {
        Problem::state_refuses(
            Text::new(
                format!("规则库版本 {} 未载入。", record.rulebook_version),
                format!("The rulebook version {} is not loaded.", record.rulebook_version),
            ),
            record.state(),
        )
    })
}

/// Feeds the preliminary opinion back to the unit.
pub(super) async fn feed_back(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    case: &mut Case,
    new: NewOpinion,
) -> problem::Result<()> {
    standing::office(permit, &case.record)?;
    let mut fields = Fields::default();
    fields.text("/evaluation", &new.evaluation, LONG_TEXT);
    fields.text("/deliberation", &new.deliberation, LONG_TEXT);
    fields.check()?;
    let at = tx.at();
    let document_id = DocumentId::new(state.ids.new_id());
    let mut history = Vec::new();
    let deliberation = Deliberation { at, minutes: new.deliberation.clone() };
    case.act(&mut history, |machine| machine.deliberate(deliberation))?;
    let opinion = PreliminaryOpinion {
        opinion_id: OpinionId::new(document_id.as_uuid()),
        evaluation: new.evaluation.clone(),
        findings: case
            .record
            .findings
            .iter()
            .map(|finding| PreliminaryFinding {
                finding_id: finding.finding_id,
                problem: finding.description.clone(),
                severity: finding.severity,
            })
            .collect(),
        fed_back_at: at,
    };
    case.act(&mut history, |machine| machine.feed_back(opinion))?;
    let plea_due_on = expected_plea_due(state, &case.record, at)?;
    let plea_period = rulebook_of(state, &case.record)?.procedure_rule(ProcedureClock::Plea).period;
    let record = &case.record;
    let agency = copies::unit(tx, record.agency.unit_id).await?.ok_or_else(standing::unknown)?;
    let actor = actor(permit.caller());
    let document = document::issue(
        tx,
        &state.rules,
        &actor,
        Draft {
            document_id,
            kind: DocumentKind::PreliminaryOpinion,
            title: format!("关于{}的初步督导意见", words::about(record)),
            agency: &agency,
            addressee: record.unit.name.clone(),
            // Need-to-know: the preliminary opinion goes to the unit alone.
            copies: Vec::new(),
            case_id: Some(case.case_id),
            plan_id: None,
            assignment_id: None,
            finding_ids: words::finding_ids(record),
            legal_basis: &["《教育督导条例》第二十条"],
            contact: None,
            phone: None,
            signer: None,
            publication: Some(Publication::Closed),
            body: documents::content::PreliminaryOpinion {
                case_title: record.title.clone(),
                evaluation: new.evaluation.clone(),
                findings: words::findings(record, None),
                plea_address: Some(agency.name.clone()),
                plea_limit: Some(format!("自收到之日起{}内", plea_period.zh())),
                plea_right: Some(PLEA_RIGHT.to_owned()),
                unit: record.unit.name.clone(),
            }
            .into(),
        },
    )
    .await?
    .document;
    case.record.preliminary_opinion = Some(OpinionEntry {
        document: document.clone(),
        evaluation: new.evaluation,
        deliberation: new.deliberation,
        received_at: None,
        plea_due_on,
        plea_due_at: None,
        proof: None,
    });
    store::save(tx, case, &history, &actor).await?;
    let event = PreliminaryOpinionIssued {
        case_id: case.case_id,
        version: case.version,
        document,
        case_title: case.record.title.clone(),
        unit: case.record.unit.clone(),
        plea_due_on,
    };
    messaging::append(tx, &actor, &event).await?;
    Ok(())
}

/// The last day of the plea if the unit receives the opinion today; the receipt decides.
fn expected_plea_due(state: &AppState, record: &Record, at: jiff::Timestamp) -> problem::Result<Date> {
    let period = rulebook_of(state, record)?.procedure_rule(ProcedureClock::Plea).period;
    let calendar = state.rules.calendar(record.unit.county_code.as_deref());
    Ok(count(at, period, &calendar).map_err(|error| Problem::internal(&error))?.due_on)
}

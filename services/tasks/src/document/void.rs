//! Voiding (作废) and replacing (替换): the paper no longer holds, its number stays used, what it said stays kept.

use access::Permit;
use contracts::Actor;
use contracts::shared::{RegisterEntry, VoidCause, Voiding};
use contracts::tasks::DocumentVoided;
use documents::content::Publication;
use documents::{CorrectionError, Frozen};
use domain::ids::DocumentId;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};

use super::issue::{Numbered, Place};
use super::{http, store};
use crate::app::AppState;
use crate::office::{actor, require_office};
use crate::registry::store as copies;

/// Longest reason, in characters.
const LONGEST: usize = 1_000;

/// What is decided about a document.
pub(super) struct Decision<'a> {
    pub(super) cause: VoidCause,
    pub(super) reason: &'a str,
    /// Words by name that a document in its place says otherwise; none voids without replacement.
    pub(super) corrections: &'a [(String, String)],
}

/// Voids a document, and issues the corrected one in its place when words are corrected.
///
/// Another person of the issuing agency than the one who issued it decides. A document that a clock runs from is replaced or
/// stays: the clock is ended by the acts that are there for it, never by way of the paper.
pub(super) async fn void(
    tx: &mut Tx,
    state: &AppState,
    permit: &Permit,
    document_id: DocumentId,
    decision: Decision<'_>,
) -> problem::Result<()> {
    if !store::lock(tx, document_id).await? {
        return Err(http::unknown());
    }
    let found = store::find(tx, document_id).await?.ok_or_else(http::unknown)?;
    http::check_readable(tx, permit, &found).await?;
    let agency = copies::unit(tx, found.document.issuing_unit_id).await?.ok_or_else(http::unknown)?;
    require_office(permit, &agency.area_path)?;
    let reason = decision.reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST {
        return Err(Problem::invalid_field(
            "/reason",
            Text::new("请填写作废理由，不超过1000个字。", "Give the reason, in at most 1000 characters."),
        ));
    }
    let caller = permit.caller();
    if matches!(&found.issued_by, Actor::Person { account_id, .. } if *account_id == caller.account_id) {
        return Err(Problem::new(
            ProblemKind::SeparationOfDuties,
            Text::new(
                "这份文书由您印发，作废或者替换须由本机构其他负责人员决定。",
                "You issued this document; another person of the agency decides on voiding or replacing it.",
            ),
        ));
    }
    if let Some(voided) = &found.voided {
        return Err(already(voided));
    }
    let frozen = Frozen::read(found.content.as_bytes()).map_err(|error| Problem::internal(&error))?;
    let content = frozen.content();
    if decision.corrections.is_empty() && content.kind().carries_a_clock() {
        return Err(Problem::state_refuses(
            Text::new(
                format!(
                    "{}是期限、权利或者程序的依据，不能只作废。文字有误的，请填写更正内容，以更正后的文书替换；\
                     需要改变期限或者终止整改的，请另行申请延期、中止或者免于整改。",
                    content.kind().zh()
                ),
                "A limit, a right or a step runs from this document, so it cannot just be voided. If its words are wrong, give \
                 the corrections and let the corrected document replace it; to change a limit or to end a rectification, \
                 request an extension, a pause or a waiver.",
            ),
            "issued",
        )
        .with("guard", "clock_runs_from_it"));
    }
    let by = actor(caller);
    let replaced_by = if decision.corrections.is_empty() {
        None
    } else {
        let numbered = Numbered::take(tx, &state.rules, &agency, found.document.kind).await?;
        let words = decision.corrections.iter().map(|(field, text)| (field.as_str(), text.as_str()));
        let corrected = content
            .corrected(words, numbered.number.clone(), numbered.date, numbered.template)
            .map_err(|error| wrong(decision.corrections, &error))?;
        let place = Place {
            document_id: DocumentId::new(state.ids.new_id()),
            case_id: found.case_id,
            plan_id: found.plan_id,
            assignment_id: found.assignment_id,
        };
        Some(numbered.keep(tx, &by, &agency, &place, corrected).await?.document)
    };
    let voided = Voiding {
        at: tx.at(),
        cause: decision.cause,
        reason: reason.to_owned(),
        by: caller.display_name.clone(),
        replaced_by,
    };
    store::insert_void(tx, document_id, &voided, &by).await?;
    let open = content.head.publication == Some(Publication::Open);
    let entry = RegisterEntry {
        version: 2,
        kept_as: document_id.into(),
        area_path: agency.area_path.clone(),
        open,
        content: open.then(|| frozen.text().to_owned()),
        document: found.document,
        voided: Some(voided),
    };
    messaging::append(tx, &by, &DocumentVoided(entry)).await?;
    Ok(())
}

fn already(voided: &Voiding) -> Problem {
    match &voided.replaced_by {
        Some(other) => Problem::state_refuses(
            Text::new(
                format!("这份文书已被{}替代，请对现行的文书办理。", other.doc_no),
                format!("{} stands in the place of this document already; act on that one.", other.doc_no),
            ),
            "replaced",
        ),
        None => {
            Problem::state_refuses(Text::new("这份文书已经作废。", "The document has been voided already."), "void")
        }
    }
}

/// The refusal at the correction that it is about.
fn wrong(corrections: &[(String, String)], error: &CorrectionError) -> Problem {
    let (CorrectionError::Field(field) | CorrectionError::Same(field) | CorrectionError::Empty(field)) = error;
    let place = corrections.iter().position(|(name, _)| name == field).unwrap_or_default();
    let member = if matches!(error, CorrectionError::Field(_)) { "field" } else { "text" };
    Problem::invalid_field(format!("/corrections/{place}/{member}"), Text::bilingual(&error.to_string()))
}

//! Issued documents over HTTP.

use access::{Permit, Resource};
use axum::extract::State;
use axum::response::Response;
use contracts::shared::{DocumentKind, DocumentRef, VoidCause, Voiding};
use documents::Frozen;
use domain::ids::DocumentId;
use jiff::Timestamp;
use postgres::Tx;
use problem::{Json, Path, Problem, Text};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service_kit::idempotency::{Begun, Idempotent};
use utoipa::ToSchema;

use super::{store, void};
use crate::app::AppState;
use crate::{case, plan};

/// An issued document (文书).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    /// Number, kind, title, agency, instant.
    document: DocumentRef,
    /// SHA-256 of the canonical content, 64 hexadecimal digits.
    sha256: String,
    /// The frozen content: canonical JSON, byte for byte what was hashed.
    #[schema(value_type = Object)]
    content: Box<RawValue>,
    /// The code for verification (核验码) on the portal.
    code: String,
    /// Whether it can only be replaced, because a limit, a right or a step runs from it.
    carries_a_clock: bool,
    /// The words that a correction may change.
    correctable: Vec<Correctable>,
    /// When the unit signed for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
    /// Who signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_by: Option<String>,
    /// That it no longer holds, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<Voiding>,
}

/// Words of a document that a correction may change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Correctable {
    /// Name of the field.
    field: &'static str,
    /// What stands there.
    text: String,
}

/// A decision that a document no longer holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVoid {
    /// The kind of reason; it is public.
    cause: VoidCause,
    /// Why, in words; for the offices.
    reason: String,
    /// What the document in its place says otherwise (更正); without any it is voided and nothing takes its place.
    #[serde(default)]
    corrections: Vec<NewCorrection>,
}

/// Corrected words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCorrection {
    /// Name of the field, one of `correctable`.
    field: String,
    /// What is to stand there.
    text: String,
}

/// 404: also for a document that the caller may not know about.
pub(super) fn unknown() -> Problem {
    Problem::unknown_resource(Text::new("没有这份文书。", "There is no such document."))
}

/// Whether the caller may read the document, by the case or plan that it belongs to.
pub(super) async fn check_readable(tx: &mut Tx, permit: &Permit, found: &store::StoredDocument) -> problem::Result<()> {
    let readable = if let Some(case_id) = found.case_id {
        let case = case::store::find(tx, case_id).await?.ok_or_else(unknown)?;
        let standing = case::reading(permit, &case.record).map_err(|_| unknown())?;
        match found.document.kind {
            DocumentKind::PreliminaryOpinion => standing.sees_opinion(),
            // A step of the ladder is no matter of the inspectors of the area: part-time ones work in its schools.
            DocumentKind::InterviewNotice => {
                standing.sees_opinion() || case::reading_without_inspection(permit, &case.record).is_ok()
            }
            DocumentKind::OpinionLetter
            | DocumentKind::RectificationNotice
            | DocumentKind::SupervisionNotification
            | DocumentKind::Circular
            | DocumentKind::SupervisionReport
            | DocumentKind::Plan
            | DocumentKind::UrgingOrder
            | DocumentKind::AcceptanceOpinion
            | DocumentKind::ClosingApproval => true,
        }
    } else if let Some(plan_id) = found.plan_id {
        let plan = plan::store::find(tx, plan_id).await?.ok_or_else(unknown)?;
        permit.on(&Resource::in_area(plan.area_path.iter().copied())).is_ok()
    } else {
        false
    };
    if readable { Ok(()) } else { Err(unknown()) }
}

fn view(found: store::StoredDocument) -> problem::Result<DocumentView> {
    let frozen = Frozen::read(found.content.as_bytes()).map_err(|error| Problem::internal(&error))?;
    let words = frozen.content().correctable();
    Ok(DocumentView {
        sha256: found.document.content_sha256.clone(),
        code: frozen.code().to_string(),
        document: found.document,
        carries_a_clock: frozen.content().kind().carries_a_clock(),
        correctable: words.into_iter().map(|(field, text)| Correctable { field, text }).collect(),
        content: RawValue::from_string(found.content).map_err(|error| Problem::internal(&error))?,
        received_at: found.received_at,
        received_by: found.received_by,
        voided: found.voided,
    })
}

/// 查看文书
#[utoipa::path(get, path = "/v1/documents/{document_id}", tag = "文书", params(("document_id" = DocumentId, Path)), responses((status = 200, body = DocumentView)))]
pub(crate) async fn get_document(
    State(state): State<AppState>,
    permit: Permit,
    Path(document_id): Path<DocumentId>,
) -> problem::Result<Json<DocumentView>> {
    let mut tx = state.database.begin().await?;
    let found = store::find(&mut tx, document_id).await?.ok_or_else(unknown)?;
    check_readable(&mut tx, &permit, &found).await?;
    Ok(Json(view(found)?))
}

/// 作废或者替换文书
#[utoipa::path(post, path = "/v1/documents/{document_id}/void", tag = "文书", params(("document_id" = DocumentId, Path)), request_body = NewVoid, responses((status = 200, body = DocumentView)))]
pub(crate) async fn void_document(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(document_id): Path<DocumentId>,
    Json(new): Json<NewVoid>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let corrections: Vec<_> = new.corrections.into_iter().map(|one| (one.field, one.text)).collect();
    let decision = void::Decision { cause: new.cause, reason: &new.reason, corrections: &corrections };
    void::void(&mut work, &state, &permit, document_id, decision).await?;
    tracing::info!(document.id = %document_id, account.id = %permit.caller().account_id, "document voided");
    let found = store::find(&mut work, document_id).await?.ok_or_else(unknown)?;
    work.commit(Json(view(found)?)).await
}

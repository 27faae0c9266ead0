//! Reading an issued document.

use access::{Permit, Resource};
use axum::extract::State;
use contracts::shared::{DocumentKind, DocumentRef};
use domain::ids::DocumentId;
use jiff::Timestamp;
use problem::{Json, Path, Problem, Text};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::store;
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
    /// When the unit signed for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    received_at: Option<Timestamp>,
    /// Who signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_by: Option<String>,
}

/// 查看文书
#[utoipa::path(get, path = "/v1/documents/{document_id}", tag = "文书", params(("document_id" = DocumentId, Path)), responses((status = 200, body = DocumentView)))]
pub(crate) async fn get_document(
    State(state): State<AppState>,
    permit: Permit,
    Path(document_id): Path<DocumentId>,
) -> problem::Result<Json<DocumentView>> {
    let unknown = || Problem::unknown_resource(Text::new("没有这份文书。", "There is no such document."));
    let mut tx = state.database.begin().await?;
    let found = store::find(&mut tx, document_id).await?.ok_or_else(unknown)?;
    let readable = if let Some(case_id) = found.case_id {
        let case = case::store::find(&mut tx, case_id).await?.ok_or_else(unknown)?;
        let standing = case::reading(&permit, &case.record).map_err(|_| unknown())?;
        match found.document.kind {
            DocumentKind::PreliminaryOpinion => standing.sees_opinion(),
            // A step of the ladder is no matter of the inspectors of the area: part-time ones work in its schools.
            DocumentKind::InterviewNotice => {
                standing.sees_opinion() || case::reading_without_inspection(&permit, &case.record).is_ok()
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
        let plan = plan::store::find(&mut tx, plan_id).await?.ok_or_else(unknown)?;
        permit.on(&Resource::in_area(plan.area_path.iter().copied())).is_ok()
    } else {
        false
    };
    if !readable {
        return Err(unknown());
    }
    Ok(Json(DocumentView {
        document: found.document,
        sha256: found.sha256,
        content: RawValue::from_string(found.content).map_err(|error| Problem::internal(&error))?,
        received_at: found.received_at,
        received_by: found.received_by,
    }))
}

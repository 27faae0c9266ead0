//! Documents over HTTP.

use access::{Permit, Resource};
use axum::extract::State;
use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use contracts::tasks::LetterIssued;
use documents::Frozen;
use domain::ids::{DocumentId, ItemId, RectificationId};
use problem::{Json, Path, Problem, Text};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::store;
use crate::app::AppState;
use crate::rectification::dossier::Dossier;
use crate::rectification::http::visible;

/// An issued document (文书).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    document: DocumentRef,
    rectification_id: RectificationId,
    /// The item, of a paper about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<ItemId>,
    unit: UnitRef,
    /// The frozen content, as it was issued.
    #[schema(value_type = Object)]
    content: Box<RawValue>,
    /// SHA-256 of the content's bytes.
    content_sha256: String,
    /// The code for verification (核验码) on the portal.
    code: String,
}

/// A document of a case in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedPaper {
    document: DocumentRef,
    /// The item, of a paper about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<ItemId>,
}

/// Whether the caller may read it: the form of a closing stays with the offices, everything else goes to the unit.
fn readable(permit: &Permit, kind: DocumentKind, letter: &LetterIssued) -> bool {
    let office = || permit.on(&Resource::in_area(letter.unit.area_path.iter().copied())).is_ok();
    kind != DocumentKind::ClosingApproval || office()
}

/// The documents of a case that the caller may read.
pub(crate) async fn of_case(
    connection: &mut sqlx::PgConnection,
    permit: &Permit,
    rectification_id: RectificationId,
    dossier: &Dossier,
) -> Result<Vec<IssuedPaper>, sqlx::Error> {
    let found = store::of(connection, rectification_id).await?;
    Ok(found
        .into_iter()
        .filter(|found| readable(permit, found.kind, &dossier.letter))
        .map(|found| IssuedPaper { document: found.reference(dossier), item_id: found.item_id })
        .collect())
}

/// 查看整改文书（整改验收意见、销号审批表）
#[utoipa::path(get, path = "/v1/documents/{document_id}", tag = "整改", params(("document_id" = DocumentId, Path)),
    responses((status = 200, body = DocumentView)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    permit: Permit,
    Path(document_id): Path<DocumentId>,
) -> Result<Json<DocumentView>, Problem> {
    let unknown = || {
        Problem::unknown_resource(Text::new(
            "没有这份文书，或您无权查看。",
            "There is no such document, or you may not see it.",
        ))
    };
    let mut connection = state.database.pool().acquire().await?;
    let found = store::find(&mut connection, document_id).await?.ok_or_else(unknown)?;
    let stored = visible(&mut connection, &permit, found.rectification_id).await.map_err(|_| unknown())?;
    let letter = &stored.dossier.letter;
    if !readable(&permit, found.kind, letter) {
        return Err(unknown());
    }
    let frozen = Frozen::read(found.content.as_bytes()).map_err(|error| Problem::internal(&error))?;
    Ok(Json(DocumentView {
        code: frozen.code().to_string(),
        document: found.reference(&stored.dossier),
        rectification_id: found.rectification_id,
        item_id: found.item_id,
        unit: letter.unit.clone(),
        content: RawValue::from_string(found.content).map_err(|error| Problem::internal(&error))?,
        content_sha256: found.content_sha256,
    }))
}

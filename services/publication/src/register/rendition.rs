//! Files that were made of documents (文书文件): believed by the signature of the room that made them, whoever hands it in.

use std::sync::Arc;

use access::Permit;
use axum::extract::State;
use documents::Rendition;
use http::StatusCode;
use messaging::JournalPublicKey;
use problem::{Json, Problem, Text};
use serde::Deserialize;
use utoipa::ToSchema;

use super::store;
use crate::app::AppState;

/// The public keys of the room that renders: the present one, and those of before.
pub(crate) type Keys = Arc<[JournalPublicKey]>;

/// What the room that renders stated about a file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    /// The header `dudao-rendition` of the answer that brought the file: the statement, a blank, its signature in hexadecimal
    /// digits.
    rendition: String,
}

/// 登记文书文件
///
/// Handing the same statement in again changes nothing, so no idempotency key is asked for.
#[utoipa::path(post, path = "/v1/renditions", tag = "文书", summary = "登记文书文件", request_body = Statement,
    responses((status = 204, description = "The portal's page of verification knows the file from now on.")))]
pub(crate) async fn add_rendition(
    State(state): State<AppState>,
    _permit: Permit,
    Json(body): Json<Statement>,
) -> problem::Result<StatusCode> {
    let rendition = believed(&body.rendition, &state.rendition_keys).ok_or_else(|| {
        Problem::invalid_field(
            "/rendition",
            Text::new(
                "这不是本平台文书服务签名的说明，不予登记。",
                "This is no statement signed by the platform's room for documents.",
            ),
        )
    })?;
    let mut tx = state.database.begin().await?;
    store::add_rendition(&mut tx, &rendition).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The statement, when one of the keys signed it.
fn believed(text: &str, keys: &[JournalPublicKey]) -> Option<Rendition> {
    let (statement, signature) = text.rsplit_once(' ')?;
    let signature = hex::decode(signature).ok()?;
    keys.iter().any(|key| key.verifies(statement.as_bytes(), &signature)).then(|| statement.parse().ok())?
}

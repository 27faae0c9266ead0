//! Rectifications over HTTP.

pub(crate) mod evidence;
pub(crate) mod item;
pub(crate) mod read;
pub(crate) mod request;
pub(crate) mod step;

use access::Permit;
use axum::response::Response;
use domain::ids::RectificationId;
use problem::{Json, Problem};
use service_kit::etag::{IfMatch, Versioned};
use service_kit::idempotency::{Begun, Idempotent};

use super::act::{self, Act};
use super::evidence as files;
use super::store::{self, Stored};
use super::view::RectificationView;
use crate::app::AppState;
use crate::document;
use crate::rules::RuleSet;

/// What the caller may not see does not exist for him.
pub(crate) async fn visible(
    connection: &mut sqlx::PgConnection,
    permit: &Permit,
    rectification_id: RectificationId,
) -> Result<Stored, Problem> {
    let stored = store::find(connection, rectification_id).await?.ok_or_else(act::unknown)?;
    permit.on(&stored.dossier.resource()).map_err(|_| act::unknown())?;
    Ok(stored)
}

/// The rectification as it stands, with its version as `ETag`.
async fn answer(
    connection: &mut sqlx::PgConnection,
    permit: &Permit,
    rules: &RuleSet,
    stored: &Stored,
) -> Result<Versioned<Json<RectificationView>>, Problem> {
    let rectification_id = stored.dossier.rectification.rectification_id;
    let evidence = files::of(connection, rectification_id).await?;
    let papers = document::http::of_case(connection, permit, rectification_id, &stored.dossier).await?;
    Ok(Versioned(stored.version, Json(RectificationView::of(stored, &rules.current(), evidence, papers))))
}

/// One act: begun once, done once, answered with the rectification after it.
async fn perform(
    state: &AppState,
    permit: &Permit,
    if_match: IfMatch,
    idempotent: &Idempotent,
    rectification_id: RectificationId,
    act: Act,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let stored = act::perform(&mut work, &state.rules, permit, if_match, rectification_id, act).await?;
    let answer = answer(&mut work, permit, &state.rules, &stored).await?;
    work.commit(answer).await
}

//! Urging orders over HTTP.

use access::Permit;
use axum::extract::State;
use axum::response::Response;
use contracts::deadlines::UrgingOrderFact;
use contracts::shared::{UnitRef, VoidCause, Voiding};
use documents::Frozen;
use domain::ids::{RectificationId, UrgingOrderId};
use garde::Validate;
use problem::{Json, Path, Problem, Text, ValidJson};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use service_kit::idempotency::{Begun, Idempotent};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::void;
use crate::app::AppState;
use crate::rectification::http::visible;

/// An issued urging order (督办单).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UrgingOrderView {
    order: UrgingOrderFact,
    rectification_id: RectificationId,
    unit: UnitRef,
    /// The frozen content, as it was issued.
    #[schema(value_type = Object)]
    content: Box<RawValue>,
    /// SHA-256 of the content's bytes.
    content_sha256: String,
    /// The code for verification (核验码) on the portal.
    code: String,
    /// Numbers of its items that are not done: while there is one, the order cannot be voided.
    resting: Vec<u32>,
    /// That it no longer holds, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<Voiding>,
}

/// A decision that an order no longer holds (作废).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVoid {
    /// The kind of reason; it is public.
    #[garde(skip)]
    cause: VoidCause,
    /// Why, in words; for the offices.
    #[garde(length(chars, min = 1, max = 1_000))]
    reason: String,
}

pub(super) fn unknown() -> Problem {
    Problem::unknown_resource(Text::new(
        "没有这份督办单，或您无权查看。",
        "There is no such urging order, or you may not see it.",
    ))
}

/// 督办单
#[utoipa::path(get, path = "/v1/urging-orders/{urging_order_id}", tag = "督办", params(("urging_order_id" = UrgingOrderId, Path)),
    responses((status = 200, body = UrgingOrderView)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    permit: Permit,
    Path(urging_order_id): Path<UrgingOrderId>,
) -> Result<Json<UrgingOrderView>, Problem> {
    let mut connection = state.database.pool().acquire().await?;
    view(&mut connection, &permit, urging_order_id).await.map(Json)
}

/// 作废督办单
#[utoipa::path(post, path = "/v1/urging-orders/{urging_order_id}/void", tag = "督办", params(("urging_order_id" = UrgingOrderId, Path)),
    request_body = NewVoid, responses((status = 200, body = UrgingOrderView)))]
pub(crate) async fn void_order(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(urging_order_id): Path<UrgingOrderId>,
    ValidJson(new): ValidJson<NewVoid>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    void::void(&mut work, &permit, urging_order_id, new.cause, new.reason.trim()).await?;
    let view = view(&mut work, &permit, urging_order_id).await?;
    work.commit(Json(view)).await
}

async fn view(
    connection: &mut PgConnection,
    permit: &Permit,
    urging_order_id: UrgingOrderId,
) -> Result<UrgingOrderView, Problem> {
    let row = sqlx::query!(
        "SELECT rectification_id, content, content_sha256 FROM urging_orders WHERE urging_order_id = $1",
        Uuid::from(urging_order_id)
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or_else(unknown)?;
    let rectification_id = row.rectification_id.into();
    let stored = visible(connection, permit, rectification_id).await.map_err(|_| unknown())?;
    let order =
        stored.dossier.orders.iter().find(|order| order.urging_order_id == urging_order_id).ok_or_else(unknown)?;
    let voided = void::find(connection, urging_order_id).await?;
    let frozen = Frozen::read(row.content.as_bytes()).map_err(|error| Problem::internal(&error))?;
    Ok(UrgingOrderView {
        order: order.clone(),
        rectification_id,
        unit: stored.dossier.letter.unit.clone(),
        content: RawValue::from_string(row.content).map_err(|error| Problem::internal(&error))?,
        content_sha256: row.content_sha256,
        code: frozen.code().to_string(),
        resting: stored.dossier.rectification.resting_on(urging_order_id),
        voided,
    })
}

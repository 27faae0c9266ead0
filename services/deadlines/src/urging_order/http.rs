//! Urging orders over HTTP.

use access::Permit;
use axum::extract::State;
use contracts::deadlines::UrgingOrderFact;
use contracts::shared::UnitRef;
use domain::ids::{RectificationId, UrgingOrderId};
use problem::{Json, Path, Problem, Text};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

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
}

/// 督办单
#[utoipa::path(get, path = "/v1/urging-orders/{urging_order_id}", tag = "督办", params(("urging_order_id" = UrgingOrderId, Path)),
    responses((status = 200, body = UrgingOrderView)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    permit: Permit,
    Path(urging_order_id): Path<UrgingOrderId>,
) -> Result<Json<UrgingOrderView>, Problem> {
    let unknown = || {
        Problem::unknown_resource(Text::new(
            "没有这份督办单，或您无权查看。",
            "There is no such urging order, or you may not see it.",
        ))
    };
    let mut connection = state.database.pool().acquire().await?;
    let row = sqlx::query!(
        "SELECT rectification_id, content, content_sha256 FROM urging_orders WHERE urging_order_id = $1",
        Uuid::from(urging_order_id)
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or_else(unknown)?;
    let rectification_id = row.rectification_id.into();
    let stored = visible(&mut connection, &permit, rectification_id).await.map_err(|_| unknown())?;
    let order =
        stored.dossier.orders.iter().find(|order| order.urging_order_id == urging_order_id).ok_or_else(unknown)?;
    Ok(Json(UrgingOrderView {
        order: order.clone(),
        rectification_id,
        unit: stored.dossier.letter.unit.clone(),
        content: RawValue::from_string(row.content).map_err(|error| Problem::internal(&error))?,
        content_sha256: row.content_sha256,
    }))
}

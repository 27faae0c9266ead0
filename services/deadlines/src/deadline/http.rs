//! Why is it due on that day? The answer, stored with the limit and the same for everyone.

use access::Permit;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use clockwork::sheets::{self, Recomputed};
use domain::ids::{DeadlineId, ItemId, RectificationId};
use domain::proof::ProofSheet;
use http::header;
use jiff::Timestamp;
use jiff::civil::Date;
use problem::{Json, Path, Problem, Text};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::AppState;
use crate::rectification::http::visible;

/// A limit with its derivation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadlineView {
    deadline_id: DeadlineId,
    rectification_id: RectificationId,
    item_id: ItemId,
    /// 0 for the first limit of the item, one more each time.
    round: i32,
    /// What set it: `letter`, `returned`, `extended`, `reopened`, `joint_liability`, `urging_order`, `step` or `lifted`.
    basis: String,
    #[schema(value_type = String, format = Date)]
    due_on: Date,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// A year's holiday notice is missing: the date may still move later.
    provisional: bool,
    /// The derivation in plain Chinese.
    explanation: String,
    /// The proof sheet: rule, article, anchor, calendar, every day counted or skipped.
    #[schema(value_type = Object)]
    proof: ProofSheet,
}

fn unknown() -> Problem {
    Problem::unknown_resource(Text::new(
        "没有这个期限，或您无权查看。",
        "There is no such deadline, or you may not see it.",
    ))
}

fn unreadable(error: &serde_json::Error) -> Problem {
    Problem::internal(error)
}

/// 期限及计算书
#[utoipa::path(get, path = "/v1/deadlines/{deadline_id}", tag = "期限", params(("deadline_id" = DeadlineId, Path)),
    responses((status = 200, body = DeadlineView)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    permit: Permit,
    Path(deadline_id): Path<DeadlineId>,
) -> Result<Json<DeadlineView>, Problem> {
    let mut connection = state.database.pool().acquire().await?;
    let row = sqlx::query!(
        "SELECT rectification_id, item_id, round, basis, due_on, due_at, provisional, proof
         FROM deadlines JOIN sheets USING (sheet_id) WHERE deadline_id = $1",
        Uuid::from(deadline_id)
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or_else(unknown)?;
    let rectification_id = row.rectification_id.into();
    visible(&mut connection, &permit, rectification_id).await.map_err(|_| unknown())?;
    let proof: ProofSheet = serde_json::from_str(&row.proof).map_err(|error| unreadable(&error))?;
    Ok(Json(DeadlineView {
        deadline_id,
        rectification_id,
        item_id: row.item_id.into(),
        round: row.round,
        basis: row.basis,
        due_on: row.due_on.to_jiff(),
        due_at: row.due_at.to_jiff(),
        provisional: row.provisional,
        explanation: proof.explain_zh(),
        proof,
    }))
}

/// 期限计算书原文（公开，逐字节一致）
#[utoipa::path(get, path = "/v1/deadlines/{deadline_id}/proof", tag = "期限", params(("deadline_id" = DeadlineId, Path)),
    responses((status = 200, description = "规范化 JSON", content_type = "application/json")))]
pub(crate) async fn proof(
    State(state): State<AppState>,
    Path(deadline_id): Path<DeadlineId>,
) -> Result<Response, Problem> {
    // The sheet names rule, days and dates, no unit and no person; whoever knows the identifier may re-compute it.
    let text = sqlx::query_scalar!(
        "SELECT proof FROM deadlines JOIN sheets USING (sheet_id) WHERE deadline_id = $1",
        Uuid::from(deadline_id)
    )
    .fetch_optional(state.database.pool())
    .await?
    .ok_or_else(unknown)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// 重新计算的期限计算书（公开，当场重算）
#[utoipa::path(get, path = "/v1/deadlines/{deadline_id}/recomputed", tag = "期限",
    params(("deadline_id" = DeadlineId, Path)),
    responses((status = 200, description = "规范化 JSON；与原文逐字节一致", content_type = "application/json")))]
pub(crate) async fn recomputed(
    State(state): State<AppState>,
    Path(deadline_id): Path<DeadlineId>,
) -> Result<Response, Problem> {
    let recomputed = recompute(&state, deadline_id).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], recomputed.text).into_response())
}

/// 期限计算书（公开，可打印）
#[utoipa::path(get, path = "/v1/deadlines/{deadline_id}/sheet", tag = "期限",
    params(("deadline_id" = DeadlineId, Path)),
    responses((status = 200, description = "期限计算书，逐日列明", content_type = "text/plain")))]
pub(crate) async fn sheet(
    State(state): State<AppState>,
    Path(deadline_id): Path<DeadlineId>,
) -> Result<Response, Problem> {
    let recomputed = recompute(&state, deadline_id).await?;
    let verdict = if recomputed.identical {
        "本计算书已当场重新计算，与告知的逐字节一致。"
    } else {
        "注意：当场重新计算的结果与告知的不一致，请联系督导机构。"
    };
    let text = format!("{}\n{verdict}\n", recomputed.sheet.print_zh());
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// Computes the sheet of a limit again, on the calendar version that it names.
async fn recompute(state: &AppState, deadline_id: DeadlineId) -> Result<Recomputed, Problem> {
    let mut connection = state.database.pool().acquire().await?;
    let kept = sheets::find(&mut connection, deadline_id.into()).await?.ok_or_else(unknown)?;
    sheets::recompute(&kept).map_err(|fault| Problem::internal(&fault))
}

//! Steps of the ladder over HTTP: the clock proposes, people decide.

use access::Permit;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{ProposalId, RectificationId};
use garde::Validate;
use problem::{Path, Problem, ValidJson};
use serde::Deserialize;
use service_kit::etag::IfMatch;
use service_kit::idempotency::Idempotent;
use utoipa::ToSchema;

use super::perform;
use crate::app::AppState;
use crate::rectification::act::Act;
use crate::rectification::view::RectificationView;

/// The decision to take a proposed step (约谈、通报、问责).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStepDecision {
    /// What was done.
    #[garde(length(chars, min = 1, max = 5_000))]
    note: String,
}

/// 决定升级措施（约谈、通报、问责）
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/steps/{proposal_id}/decision", tag = "督办",
    params(("rectification_id" = RectificationId, Path), ("proposal_id" = ProposalId, Path)),
    request_body = NewStepDecision, responses((status = 200, body = RectificationView)))]
pub(crate) async fn decide(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path((rectification_id, proposal_id)): Path<(RectificationId, ProposalId)>,
    ValidJson(body): ValidJson<NewStepDecision>,
) -> Result<Response, Problem> {
    perform(&state, &permit, if_match, &idempotent, rectification_id, Act::TakeStep { proposal_id, note: body.note })
        .await
}

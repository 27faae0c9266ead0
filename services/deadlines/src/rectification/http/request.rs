//! Requests that another person decides, over HTTP.

use access::Permit;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{ItemId, ProposalId, RectificationId, RequestId};
use domain::period::Period;
use domain::rectification::RequestSubject;
use domain::rulebook::PauseReason;
use garde::Validate;
use jiff::civil::Date;
use problem::{Path, Problem, ValidJson};
use serde::Deserialize;
use service_kit::etag::IfMatch;
use service_kit::idempotency::Idempotent;
use utoipa::ToSchema;

use super::perform;
use crate::app::AppState;
use crate::rectification::act::Act;
use crate::rectification::view::RectificationView;

/// A request (申请).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(tag = "subject", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum NewRequest {
    /// More time for an item (延期).
    Extension {
        /// The item.
        #[garde(skip)]
        item_id: ItemId,
        /// How much more, counted from the last day of the limit in force, e.g. `{"working_days": 5}`.
        #[garde(skip)]
        period: Period,
        /// Why.
        #[garde(length(chars, min = 1, max = 5_000))]
        reason: String,
    },
    /// An item need not be rectified (免于整改).
    Waiver {
        /// The item.
        #[garde(skip)]
        item_id: ItemId,
        /// Why.
        #[garde(length(chars, min = 1, max = 5_000))]
        reason: String,
    },
    /// The clock of the whole rectification stops (中止).
    Pause {
        /// Why, as the rulebook knows it.
        #[garde(skip)]
        pause: PauseReason,
        /// Until the end of which day.
        #[garde(skip)]
        #[schema(value_type = String, format = Date)]
        until: Date,
        /// The particulars.
        #[garde(length(chars, min = 1, max = 5_000))]
        reason: String,
    },
    /// The clock runs again before its time (恢复).
    Resume {
        /// Why.
        #[garde(length(chars, min = 1, max = 5_000))]
        reason: String,
    },
    /// A step of the ladder is lifted (解除升级措施).
    Lift {
        /// The step.
        #[garde(skip)]
        proposal_id: ProposalId,
        /// Why.
        #[garde(length(chars, min = 1, max = 5_000))]
        reason: String,
    },
}

impl From<NewRequest> for Act {
    fn from(body: NewRequest) -> Self {
        let (subject, reason) = match body {
            NewRequest::Extension { item_id, period, reason } => {
                (RequestSubject::Extension { item_id, period }, reason)
            }
            NewRequest::Waiver { item_id, reason } => (RequestSubject::Waiver { item_id }, reason),
            NewRequest::Pause { pause, until, reason } => (RequestSubject::Pause { pause, until }, reason),
            NewRequest::Resume { reason } => (RequestSubject::Resume, reason),
            NewRequest::Lift { proposal_id, reason } => (RequestSubject::Lift { proposal_id }, reason),
        };
        Self::Ask { subject, reason }
    }
}

/// The decision on a request (审批).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRuling {
    /// Whether it is granted.
    #[garde(skip)]
    granted: bool,
    /// The opinion; needed for a refusal.
    #[serde(default)]
    #[garde(length(chars, max = 5_000))]
    note: String,
}

/// 提出申请（延期、免于整改、中止、恢复、解除升级措施）
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/requests", tag = "申请",
    params(("rectification_id" = RectificationId, Path)),
    request_body = NewRequest, responses((status = 200, body = RectificationView)))]
pub(crate) async fn ask(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(rectification_id): Path<RectificationId>,
    ValidJson(body): ValidJson<NewRequest>,
) -> Result<Response, Problem> {
    perform(&state, &permit, if_match, &idempotent, rectification_id, body.into()).await
}

/// 审批申请
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/requests/{request_id}/decision", tag = "申请",
    params(("rectification_id" = RectificationId, Path), ("request_id" = RequestId, Path)),
    request_body = NewRuling, responses((status = 200, body = RectificationView)))]
pub(crate) async fn decide(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path((rectification_id, request_id)): Path<(RectificationId, RequestId)>,
    ValidJson(body): ValidJson<NewRuling>,
) -> Result<Response, Problem> {
    let act = Act::DecideRequest { request_id, granted: body.granted, note: body.note };
    perform(&state, &permit, if_match, &idempotent, rectification_id, act).await
}

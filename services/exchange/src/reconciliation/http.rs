//! Reconciliation over HTTP.

use access::Permit;
use axum::extract::State;
use domain::ids::{CaseId, MessageId};
use domain::local_time::local_date;
use jiff::civil::Date;
use problem::{Json, Query};
use serde::{Deserialize, Serialize};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store;
use crate::app::AppState;
use crate::message::http::scope_of;

/// What was told of a day (对账单).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reconciliation {
    /// Legal day of the facts.
    #[schema(value_type = String, format = Date)]
    on: Date,
    /// Messages by kind and state.
    counts: Vec<Count>,
    /// SHA-256 over the lines `<message_id> <sha256> <receipt_no>` of all accepted messages, ordered by message, each
    /// line with its line feed.
    accepted_manifest_sha256: String,
    /// The messages one by one.
    messages: Page<Line>,
}

/// How many messages of a kind are in a state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    /// `opinion_letter`, `rectification`, `urging_order`, `closure`.
    pub kind: String,
    /// `held`, `ready`, `accepted`, `rejected`, `invalid`.
    pub state: String,
    /// How many.
    pub messages: i64,
}

/// One message of the day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// The message.
    pub message_id: MessageId,
    /// The case.
    pub case_id: CaseId,
    /// What is told.
    pub kind: String,
    /// Place within the case.
    pub sequence: i32,
    /// State.
    pub state: String,
    /// SHA-256 of the payload.
    pub sha256: String,
    /// The platform's receipt number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_no: Option<String>,
}

/// Which day.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReconciliationQuery {
    /// Legal day of the facts; today when absent.
    #[param(value_type = Option<String>, format = Date)]
    on: Option<Date>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// 查看上报对账单
#[utoipa::path(get, path = "/v1/reconciliation", tag = "国家平台上报", params(ReconciliationQuery), responses((status = 200, body = Reconciliation)))]
pub(crate) async fn reconciliation(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<ReconciliationQuery>,
) -> problem::Result<Json<Reconciliation>> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<Uuid>()?;
    let (areas, units) = scope_of(&permit);
    let mut tx = state.database.begin().await?;
    let on = query.on.unwrap_or_else(|| local_date(tx.at()));
    let of = store::Of { on, areas: &areas, units: &units };
    let counts = store::counts(&mut tx, &of).await?;
    let accepted_manifest_sha256 = store::manifest(&mut tx, &of).await?;
    let lines = store::lines(&mut tx, &of, &page).await?;
    let messages = Page::new(lines, &page, |line| line.message_id.as_uuid());
    Ok(Json(Reconciliation { on, counts, accepted_manifest_sha256, messages }))
}

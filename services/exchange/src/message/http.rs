//! Messages over HTTP.

use access::Permit;
use axum::extract::State as AppStateOf;
use axum::response::Response;
use domain::ids::{CaseId, MessageId};
use jiff::Timestamp;
use jiff::civil::Date;
use problem::{Json, Path, Problem, Query, Text};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::etag::{IfMatch, Versioned, etag_header};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::page::{Page, PageQuery};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::resend::{self, resource, unknown};
use super::{Message, State, store};
use crate::app::AppState;
use crate::national::{Fault, Kind};

/// A message in a list (上报报文).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageSummary {
    /// The message.
    message_id: MessageId,
    /// Version, for `If-Match`.
    version: i64,
    /// The supervision case.
    case_id: CaseId,
    /// Name of the supervision.
    case_title: String,
    /// What is told.
    kind: Kind,
    /// Its Chinese name.
    kind_zh: &'static str,
    /// Place within the case, from 1.
    sequence: i32,
    /// State.
    state: State,
    /// Its Chinese name.
    state_zh: &'static str,
    /// Supervised unit.
    unit_name: String,
    /// Number of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    doc_no: Option<String>,
    /// Legal time of the fact.
    #[schema(value_type = String, format = DateTime)]
    occurred_at: Timestamp,
    /// Its day.
    #[schema(value_type = String, format = Date)]
    occurred_on: Date,
    /// Attempts so far.
    attempts: i32,
    /// When it is tried next, by the machine's clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    /// Outcome of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_outcome: Option<String>,
    /// What the platform said, or the last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What our own check found.
    faults: Vec<Fault>,
    /// SHA-256 of the payload.
    sha256: String,
    /// The platform's receipt number.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt_no: Option<String>,
    /// Legal time of acceptance.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Timestamp>,
}

/// A message with everything that happened to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageView {
    #[serde(flatten)]
    summary: MessageSummary,
    /// What is sent, in the form `national/v1`.
    payload: Value,
    /// Attempts, oldest first.
    history: Vec<AttemptView>,
    /// Corrections, oldest first.
    corrections: Vec<CorrectionView>,
}

/// One attempt to send.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttemptView {
    /// Number, from 1.
    pub attempt: i32,
    /// Begin, by the machine's clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// End, by the machine's clock.
    #[schema(value_type = String, format = DateTime)]
    pub finished_at: Timestamp,
    /// `accepted`, `duplicate`, `rejected`, or how it failed.
    pub outcome: String,
    /// HTTP status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<i16>,
    /// The beginning of the answer, or the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// What a person changed before sending again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CorrectionView {
    /// Legal time.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// Who.
    pub made_by: String,
    /// Why.
    pub reason: String,
    /// What.
    pub changes: Vec<Correction>,
    /// SHA-256 of the payload before.
    pub sha256_before: String,
}

/// One value of the payload to be replaced.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Correction {
    /// JSON pointer into the payload, for instance `/unit/code`.
    pub field: String,
    /// The value that is right.
    pub value: Value,
}

/// To send a message again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resend {
    /// Why; kept with the message.
    pub reason: String,
    /// What is to be corrected first.
    #[serde(default)]
    pub corrections: Vec<Correction>,
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// In this state only.
    state: Option<State>,
    /// Of this kind only.
    kind: Option<Kind>,
    /// Of this case only.
    case_id: Option<CaseId>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

fn summary(message: Message) -> MessageSummary {
    MessageSummary {
        message_id: message.message_id,
        version: message.version,
        case_id: message.case_id,
        case_title: message.case_title,
        kind: message.kind,
        kind_zh: message.kind.zh(),
        sequence: message.sequence,
        state: message.state,
        state_zh: message.state.zh(),
        unit_name: message.unit_name,
        doc_no: message.doc_no,
        occurred_at: message.occurred_at,
        occurred_on: message.occurred_on,
        attempts: message.attempts,
        next_attempt_at: message.next_attempt_at,
        last_outcome: message.last_outcome,
        reason: message.reason,
        faults: message.faults,
        sha256: message.sha256,
        receipt_no: message.receipt_no,
        accepted_at: message.accepted_at,
    }
}

async fn view(tx: &mut PgConnection, message: Message) -> problem::Result<MessageView> {
    let history = store::attempts(tx, message.message_id).await?;
    let corrections = store::corrections(tx, message.message_id).await?;
    let payload = serde_json::from_str(&message.payload).map_err(|error| Problem::internal(&error))?;
    Ok(MessageView { summary: summary(message), payload, history, corrections })
}

/// The areas and units of the caller's scope, for list queries.
pub(crate) fn scope_of(permit: &Permit) -> (Vec<Uuid>, Vec<Uuid>) {
    let scope = permit.scope();
    (
        scope.areas.iter().map(domain::ids::AreaId::as_uuid).collect(),
        scope.units.iter().map(domain::ids::UnitId::as_uuid).collect(),
    )
}

/// 查询上报报文
#[utoipa::path(get, path = "/v1/messages", tag = "国家平台上报", params(MessageQuery), responses((status = 200, body = Page<MessageSummary>)))]
pub(crate) async fn list_messages(
    AppStateOf(state): AppStateOf<AppState>,
    permit: Permit,
    Query(query): Query<MessageQuery>,
) -> problem::Result<Json<Page<MessageSummary>>> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<store::Cursor>()?;
    let (areas, units) = scope_of(&permit);
    let filter = store::Filter {
        areas: &areas,
        units: &units,
        state: query.state,
        kind: query.kind,
        case_id: query.case_id.map(|id| id.as_uuid()),
    };
    let mut connection = state.database.pool().acquire().await?;
    let messages = store::list(&mut connection, &filter, &page).await?;
    let messages = Page::new(messages, &page, |message| (message.occurred_at, message.message_id.as_uuid()));
    Ok(Json(messages.map(summary)))
}

/// 查看上报报文
#[utoipa::path(get, path = "/v1/messages/{message_id}", tag = "国家平台上报", params(("message_id" = MessageId, Path)), responses((status = 200, body = MessageView)))]
pub(crate) async fn get_message(
    AppStateOf(state): AppStateOf<AppState>,
    permit: Permit,
    Path(message_id): Path<MessageId>,
) -> problem::Result<Versioned<Json<MessageView>>> {
    let mut tx = state.database.begin().await?;
    let message = store::find(&mut tx, message_id).await?.ok_or_else(unknown)?;
    permit.on(&resource(&message)).map_err(|_| unknown())?;
    let view = view(&mut tx, message).await?;
    Ok(Versioned(view.summary.version, Json(view)))
}

/// 重新上报
#[utoipa::path(post, path = "/v1/messages/{message_id}/resend", tag = "国家平台上报", params(("message_id" = MessageId, Path)), request_body = Resend, responses((status = 200, body = MessageView)))]
pub(crate) async fn resend_message(
    AppStateOf(state): AppStateOf<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(message_id): Path<MessageId>,
    Json(command): Json<Resend>,
) -> problem::Result<Response> {
    if command.reason.trim().is_empty() || command.reason.chars().count() > 500 {
        return Err(Problem::invalid_field(
            "/reason",
            Text::new("请填写重新上报的原因，不超过 500 字。", "Say why, in at most 500 characters."),
        ));
    }
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let message = resend::resend(&mut work, &permit, message_id, if_match, command).await?;
    let view = view(&mut work, message).await?;
    work.commit((etag_header(view.summary.version), Json(view))).await
}

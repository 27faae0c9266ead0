//! Delivery states over HTTP, for the offices.

use access::Permit;
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use problem::{Json, Path, Problem, ProblemKind, Query, Text};
use serde::{Deserialize, Serialize};
use service_kit::{
    idempotency::{Begun, Idempotent},
    page::{Page, PageQuery},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    About, mend,
    store::{self, DeliveryRow},
    sweep::{self, RULES},
};
use crate::{
    app::AppState,
    language::Language,
    message::{http::title, text::one_line},
    receipt,
    rules::Channel,
    template::Template,
};

/// Which deliveries; one of the three identifiers is required, unless the state is `failed`.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Of a document.
    pub document_id: Option<Uuid>,
    /// Of a rectification.
    pub rectification_id: Option<Uuid>,
    /// Of a supervision.
    pub case_id: Option<Uuid>,
    /// Only those in a state: `held`, `queued`, `sending`, `delivered`, `digested`, `failed`, `discarded`, `no_recipient`.
    #[param(inline)]
    pub state: Option<DeliveryState>,
    /// Rows of the page, 1 to 200; 50 when absent.
    pub limit: Option<u16>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its hours or for a digest (待放行).
    Held,
    /// Waits for a sender (待发).
    Queued,
    /// On its way (发送中).
    Sending,
    /// Accepted (已送达).
    Delivered,
    /// Went into a digest (已收入摘要).
    Digested,
    /// Given up, waits for a person (未送达).
    Failed,
    /// A person left it at that (已处置).
    Discarded,
    /// There was nobody to tell (无人可告知).
    NoRecipient,
}

impl DeliveryState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Digested => "digested",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
            Self::NoRecipient => "no_recipient",
        }
    }
}

/// A message on its way to one recipient through one channel (送达情况).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON members")]
pub struct Delivery {
    /// The delivery.
    pub delivery_id: Uuid,
    /// The message; absent when there was nobody to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Uuid>,
    /// Kind of message.
    pub template: String,
    /// The kind in Chinese.
    pub title: String,
    /// `to`, `copy`, `inform` or `fallback`.
    pub capacity: String,
    /// Subject.
    pub subject: String,
    /// Name of the account, or of the unit that has none.
    pub recipient: String,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Uuid>,
    /// The supervised unit.
    pub unit_id: Uuid,
    /// Its name.
    pub unit_name: String,
    /// `in_app`, `mail`, `sms`, `webhook`, `wecom` or `dingtalk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// `held`, `queued`, `sending`, `delivered`, `digested`, `failed`, `discarded` or `no_recipient`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i32,
    /// Next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// When it may leave, if it waits for its hours or for a digest; legal time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub not_before: Option<Timestamp>,
    /// Who accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// How often a person sent it again.
    pub redrives: i32,
    /// Why a person left it at that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discard_reason: Option<String>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Legal time of the message.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// When it was read in the console.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<Timestamp>,
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Self {
        let moment = |at: Option<jiff_sqlx::Timestamp>| at.map(jiff_sqlx::Timestamp::to_jiff);
        let language = Language::of_account(&row.language);
        let kind = row.template.parse::<Template>().map(|template| template.title(language));
        let subject = one_line(&match (kind, language) {
            (Ok(kind), Language::En) => format!("[{kind}] {} {}", row.doc_no, row.unit_name),
            (Ok(kind), Language::ZhHans | Language::ZhHant) => format!("【{kind}】{} {}", row.doc_no, row.unit_name),
            (Err(_), _) => row.doc_no.clone(),
        });
        Self {
            delivery_id: row.delivery_id,
            message_id: row.message_id,
            title: title(&row.template),
            template: row.template,
            capacity: row.capacity,
            subject,
            recipient: row.recipient,
            account_id: row.account_id,
            unit_id: row.unit_id,
            unit_name: row.unit_name,
            channel: row.channel,
            state: row.state,
            attempts: row.attempts,
            next_attempt_at: moment(row.next_attempt_at),
            last_error: row.last_error,
            not_before: moment(row.not_before),
            provider: row.provider,
            redrives: row.redrives,
            discard_reason: row.discard_reason,
            created_at: row.created_at.to_jiff(),
            delivered_at: moment(row.delivered_at),
            read_at: moment(row.read_at),
        }
    }
}

/// How many deliveries are in which state.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryCounts {
    /// Waiting for their hours or for a digest.
    pub held: i64,
    /// Waiting.
    pub queued: i64,
    /// On their way.
    pub sending: i64,
    /// Delivered.
    pub delivered: i64,
    /// Gone into a digest.
    pub digested: i64,
    /// Given up.
    pub failed: i64,
    /// A person left it at that.
    pub discarded: i64,
    /// Units without anybody to tell.
    pub no_recipient: i64,
}

/// Delivery states of a document, a rectification or a supervision.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Deliveries {
    /// Counts over all pages.
    pub counts: DeliveryCounts,
    /// The acknowledged receipts.
    pub receipts: Vec<receipt::http::Receipt>,
    /// A page of deliveries, newest first.
    pub items: Vec<Delivery>,
    /// Cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Who was told, by which way, and what became of it.
#[utoipa::path(get, operation_id = "deliveries_list", path = "/v1/deliveries", tag = "送达", summary = "送达情况", params(DeliveryQuery),
    responses((status = 200, body = Deliveries)))]
pub async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<DeliveryQuery>,
) -> problem::Result<Json<Deliveries>> {
    let about =
        About { document_id: query.document_id, rectification_id: query.rectification_id, case_id: query.case_id };
    let named = about.document_id.or(about.rectification_id).or(about.case_id).is_some();
    if !named && query.state != Some(DeliveryState::Failed) {
        let text = Text::new(
            "请给出 document_id、rectification_id 或 case_id 之一，或者 state=failed。",
            "Give one of document_id, rectification_id or case_id, or state=failed.",
        );
        return Err(Problem::new(ProblemKind::InvalidParameters, text.clone()).field("query/document_id", text));
    }
    let request = PageQuery { limit: query.limit, after: query.after }.request::<(Timestamp, Uuid)>()?;
    let scope = permit.scope();
    let mut tx = state.database.begin().await?;
    let at = tx.at();
    let counts = store::counts(&mut tx, about, &scope).await?;
    let receipts = if named { receipt::store::about(&mut tx, about, &scope).await? } else { Vec::new() };
    let state = query.state.map(DeliveryState::as_str);
    let rows = store::page(&mut tx, about, state, &scope, request.after, request.fetch()).await?;
    let page = Page::new(rows, &request, |row| (row.created_at.to_jiff(), row.delivery_id)).map(Delivery::from);
    Ok(Json(Deliveries {
        counts: DeliveryCounts {
            held: counts.held,
            queued: counts.queued,
            sending: counts.sending,
            delivered: counts.delivered,
            digested: counts.digested,
            failed: counts.failed,
            discarded: counts.discarded,
            no_recipient: counts.no_recipient,
        },
        receipts: receipts.into_iter().map(|row| receipt::http::Receipt::at(row, at)).collect(),
        items: page.items,
        next: page.next,
    }))
}

/// Sends a delivery that was given up again.
#[utoipa::path(post, operation_id = "deliveries_redrive", path = "/v1/deliveries/{delivery_id}/redrive", tag = "送达", summary = "重新发送",
    params(("delivery_id" = Uuid, Path)), responses((status = 200, body = Delivery)))]
pub async fn redrive(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(delivery_id): Path<Uuid>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let row = mend::redrive(&mut work, &permit, delivery_id).await?;
    work.commit(Json(Delivery::from(row)).into_response()).await
}

/// Why a delivery is left at that.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Discard {
    /// The reason, at most 500 characters.
    pub reason: String,
}

/// Leaves a delivery that was given up at that.
#[utoipa::path(post, operation_id = "deliveries_discard", path = "/v1/deliveries/{delivery_id}/discard", tag = "送达", summary = "不再发送",
    params(("delivery_id" = Uuid, Path)), request_body = Discard, responses((status = 200, body = Delivery)))]
pub async fn discard(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(delivery_id): Path<Uuid>,
    Json(body): Json<Discard>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let row = mend::discard(&mut work, &permit, delivery_id, &body.reason).await?;
    work.commit(Json(Delivery::from(row)).into_response()).await
}

/// Which deliveries are sent again.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedriveAll {
    /// Only those of a channel.
    pub channel: Option<Channel>,
}

/// How many deliveries are sent again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Redriven {
    /// How many; call again while it is 10,000.
    pub count: u64,
}

/// Sends everything in one's area that was given up again, after a provider was out for days.
#[utoipa::path(post, operation_id = "deliveries_redrive_all", path = "/v1/deliveries/redrive", tag = "送达", summary = "批量重新发送",
    request_body = RedriveAll, responses((status = 200, body = Redriven)))]
pub async fn redrive_all(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Json(body): Json<RedriveAll>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let count = store::redrive_all(&mut work, &permit.scope(), body.channel, 10_000).await?;
    work.commit(Json(Redriven { count }).into_response()).await
}

/// One thing that must not be, and whether it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SweepLine {
    /// The stable key, as in the metric `dudao_notifications_violations`.
    pub name: String,
    /// What must not be, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
    /// How many there are.
    pub count: i64,
    /// Some of their identifiers.
    pub offenders: Vec<Uuid>,
}

/// The last sweep (送达核对): whether every notice has reached an end or is being tried.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SweepView {
    /// Legal time of the sweep.
    #[schema(value_type = String, format = DateTime)]
    pub swept_at: Timestamp,
    /// Whether nothing was found.
    pub holds: bool,
    /// Deliveries that wait or are tried.
    pub open: i64,
    /// What was looked for.
    pub findings: Vec<SweepLine>,
}

/// Whether every notice has reached an end or is being tried, and which ones have not.
#[utoipa::path(get, operation_id = "sweeps_latest", path = "/v1/sweeps/latest", tag = "送达", summary = "最近一次送达核对",
    responses((status = 200, body = SweepView)))]
pub async fn latest_sweep(State(state): State<AppState>, permit: Permit) -> problem::Result<Json<SweepView>> {
    permit.on(&access::Resource::installation())?;
    let mut db = state.database.pool().acquire().await?;
    let sweep = sweep::latest(&mut db)
        .await?
        .ok_or_else(|| Problem::unknown_resource(Text::new("尚未进行过核对。", "No sweep has been made yet.")))?;
    let findings = RULES.iter().filter_map(|rule| {
        let found = sweep.findings.iter().find(|found| found.name == rule.name)?;
        Some(SweepLine {
            name: found.name.clone(),
            zh: rule.zh.to_owned(),
            en: rule.en.to_owned(),
            count: found.count,
            offenders: found.offenders.clone(),
        })
    });
    Ok(Json(SweepView {
        swept_at: sweep.swept_at,
        holds: sweep.findings.iter().all(|found| found.count == 0),
        open: sweep.open,
        findings: findings.collect(),
    }))
}

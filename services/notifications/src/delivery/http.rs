//! Delivery states over HTTP, for the offices.

use access::Permit;
use axum::extract::State;
use jiff::Timestamp;
use problem::{Json, Problem, ProblemKind, Query, Text};
use serde::{Deserialize, Serialize};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    About,
    store::{self, DeliveryRow},
};
use crate::{app::AppState, message::http::title, receipt};

/// Which deliveries; one of the three identifiers is required.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// Of a document.
    pub document_id: Option<Uuid>,
    /// Of a rectification.
    pub rectification_id: Option<Uuid>,
    /// Of a supervision.
    pub case_id: Option<Uuid>,
    /// Rows of the page, 1 to 200; 50 when absent.
    pub limit: Option<u16>,
    /// The `next` of the page before.
    pub after: Option<String>,
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
    /// `in_app` or `mail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// `queued`, `sending`, `delivered`, `failed` or `no_recipient`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i32,
    /// Next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
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
        Self {
            delivery_id: row.delivery_id,
            message_id: row.message_id,
            title: title(&row.template),
            template: row.template,
            capacity: row.capacity,
            subject: row.subject,
            recipient: row.recipient,
            account_id: row.account_id,
            unit_id: row.unit_id,
            unit_name: row.unit_name,
            channel: row.channel,
            state: row.state,
            attempts: row.attempts,
            next_attempt_at: moment(row.next_attempt_at),
            last_error: row.last_error,
            created_at: row.created_at.to_jiff(),
            delivered_at: moment(row.delivered_at),
            read_at: moment(row.read_at),
        }
    }
}

/// How many deliveries are in which state.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryCounts {
    /// Waiting.
    pub queued: i64,
    /// On their way.
    pub sending: i64,
    /// Delivered.
    pub delivered: i64,
    /// Given up.
    pub failed: i64,
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
    if about.document_id.or(about.rectification_id).or(about.case_id).is_none() {
        let text = Text::new(
            "请给出 document_id、rectification_id 或 case_id 之一。",
            "Give one of document_id, rectification_id or case_id.",
        );
        return Err(Problem::new(ProblemKind::InvalidParameters, text.clone()).field("query/document_id", text));
    }
    let request = PageQuery { limit: query.limit, after: query.after }.request::<(Timestamp, Uuid)>()?;
    let scope = permit.scope();
    let mut tx = state.database.begin().await?;
    let at = tx.at();
    let counts = store::counts(&mut tx, about, &scope).await?;
    let receipts = receipt::store::about(&mut tx, about, &scope).await?;
    let rows = store::page(&mut tx, about, &scope, request.after, request.fetch()).await?;
    let page = Page::new(rows, &request, |row| (row.created_at.to_jiff(), row.delivery_id)).map(Delivery::from);
    Ok(Json(Deliveries {
        counts: DeliveryCounts {
            queued: counts.queued,
            sending: counts.sending,
            delivered: counts.delivered,
            failed: counts.failed,
            no_recipient: counts.no_recipient,
        },
        receipts: receipts.into_iter().map(|row| receipt::http::Receipt::at(row, at)).collect(),
        items: page.items,
        next: page.next,
    }))
}

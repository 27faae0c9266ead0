//! Receipts over HTTP.

use access::Permit;
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use contracts::shared::DocumentKind;
use jiff::{Timestamp, civil::Date};
use problem::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use service_kit::{
    idempotency::{Begun, Idempotent},
    page::{Page, PageQuery},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store::{self, ReceiptRow};
use crate::app::AppState;

/// Whether a receipt is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// The document waits for the signature (待签收).
    Open,
    /// The unit has acknowledged it (已签收).
    Signed,
}

/// Which receipts.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReceiptQuery {
    /// `open` or `signed`; both when absent.
    #[param(inline)]
    pub state: Option<ReceiptState>,
    /// Rows of the page, 1 to 200; 50 when absent.
    pub limit: Option<u16>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A receipt (签收).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON members")]
pub struct Receipt {
    /// The receipt.
    pub receipt_id: Uuid,
    /// The document.
    pub document_id: Uuid,
    /// Its kind.
    pub document_kind: String,
    /// The kind in Chinese.
    pub document_kind_zh: String,
    /// Its number.
    pub doc_no: String,
    /// Its title.
    pub title: String,
    /// The unit that has to sign.
    pub unit_id: Uuid,
    /// Its name.
    pub unit_name: String,
    /// The issuing agency.
    pub issuing_unit_id: Uuid,
    /// Its name.
    pub issuing_unit_name: String,
    /// The supervision.
    pub case_id: Uuid,
    /// The rectification, for an urging order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rectification_id: Option<Uuid>,
    /// When the document was issued.
    #[schema(value_type = String, format = DateTime)]
    pub issued_at: Timestamp,
    /// Last day for the signature.
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
    /// The first instant that is late.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Timestamp,
    /// Not signed in time.
    pub overdue: bool,
    /// Open or signed.
    pub state: ReceiptState,
    /// When it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub signed_at: Option<Timestamp>,
    /// The account that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<Uuid>,
    /// The name of whoever signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer_name: Option<String>,
    /// How it was signed: `account`, `link` or `paper`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// When the office recorded a paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recorded_at: Option<Timestamp>,
    /// What the office noted of a paper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How often it was chased since its limit passed.
    pub chases: i32,
    /// When it is chased next, while it is not signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_chase_at: Option<Timestamp>,
}

impl Receipt {
    /// The receipt as it stands at a legal instant.
    pub(crate) fn at(row: ReceiptRow, at: Timestamp) -> Self {
        let (due_at, signed_at) = (row.due_at.to_jiff(), row.signed_at.map(jiff_sqlx::Timestamp::to_jiff));
        let kind_zh = DocumentKind::of(&row.document_kind).map_or("文书", |kind| kind.zh());
        Self {
            receipt_id: row.receipt_id,
            document_id: row.document_id,
            document_kind: row.document_kind,
            document_kind_zh: kind_zh.to_owned(),
            doc_no: row.doc_no,
            title: row.title,
            unit_id: row.unit_id,
            unit_name: row.unit_name,
            issuing_unit_id: row.issuing_unit_id,
            issuing_unit_name: row.issuing_unit_name,
            case_id: row.case_id,
            rectification_id: row.rectification_id,
            issued_at: row.issued_at.to_jiff(),
            due_on: row.due_on.to_jiff(),
            due_at,
            overdue: signed_at.unwrap_or(at) >= due_at,
            state: if signed_at.is_some() { ReceiptState::Signed } else { ReceiptState::Open },
            signed_at,
            signed_by: row.signed_by,
            signer_name: row.signer_name,
            method: row.method,
            recorded_at: row.recorded_at.map(jiff_sqlx::Timestamp::to_jiff),
            note: row.note,
            chases: row.chases,
            next_chase_at: row.next_chase_at.map(jiff_sqlx::Timestamp::to_jiff),
        }
    }
}

/// The documents that the caller's units have to acknowledge or have acknowledged.
#[utoipa::path(get, operation_id = "receipts_list", path = "/v1/receipts", tag = "签收", summary = "本单位文书签收", params(ReceiptQuery),
    responses((status = 200, body = Page<Receipt>)))]
pub async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<ReceiptQuery>,
) -> problem::Result<Json<Page<Receipt>>> {
    let request = PageQuery { limit: query.limit, after: query.after }.request::<(Timestamp, Uuid)>()?;
    let units: Vec<Uuid> = permit.scope().units.into_iter().map(Uuid::from).collect();
    let signed = query.state.map(|state| state == ReceiptState::Signed);
    let mut tx = state.database.begin().await?;
    let at = tx.at();
    let rows = store::of_units(&mut tx, &units, signed, request.after, request.fetch()).await?;
    let page = Page::new(rows, &request, |row| (row.issued_at.to_jiff(), row.receipt_id));
    Ok(Json(page.map(|row| Receipt::at(row, at))))
}

/// Acknowledges receipt of a document.
#[utoipa::path(post, operation_id = "receipts_sign", path = "/v1/receipts/{document_id}/sign", tag = "签收", summary = "签收文书",
    params(("document_id" = Uuid, Path)), responses((status = 200, body = Receipt)))]
pub async fn sign(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(document_id): Path<Uuid>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let row = super::sign(&mut work, &permit, document_id.into()).await?;
    let at = work.at();
    work.commit(Json(Receipt::at(row, at)).into_response()).await
}

/// What a paper says (纸质签收登记).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperReceipt {
    /// When the unit received it; the unit's clock begins there.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Who signed.
    pub signer_name: String,
    /// How it was served, and where the paper is kept.
    pub note: String,
}

/// Records that a document was signed on paper.
#[utoipa::path(post, operation_id = "receipts_record_paper", path = "/v1/receipts/{document_id}/paper", tag = "签收",
    summary = "登记纸质签收", params(("document_id" = Uuid, Path)), request_body = PaperReceipt, responses((status = 200, body = Receipt)))]
pub async fn record_paper(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(document_id): Path<Uuid>,
    Json(body): Json<PaperReceipt>,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let paper = super::paper::Paper {
        received_at: service_kit::clock::to_microseconds(body.received_at),
        signer_name: &body.signer_name,
        note: &body.note,
    };
    let row = super::record(&mut work, &permit, document_id.into(), paper).await?;
    let at = work.at();
    work.commit(Json(Receipt::at(row, at)).into_response()).await
}

/// What a one-time link says.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkToken {
    /// What the link carries as its `code`.
    pub token: String,
}

/// What a one-time link is for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LinkView {
    /// The kind of document in Chinese.
    pub document_kind_zh: String,
    /// Its number.
    pub doc_no: String,
    /// Its title.
    pub title: String,
    /// The unit that receives it.
    pub unit_name: String,
    /// The issuing agency.
    pub issuing_unit_name: String,
    /// In whose name the link signs.
    pub signer_name: String,
    /// Open or signed.
    pub state: ReceiptState,
    /// Last day for the signature.
    #[schema(value_type = String, format = Date)]
    pub due_on: Date,
    /// Whether the link still signs.
    pub usable: bool,
}

impl LinkView {
    fn new(row: ReceiptRow, signer_name: String, usable: bool) -> Self {
        Self {
            document_kind_zh: DocumentKind::of(&row.document_kind).map_or("文书", |kind| kind.zh()).to_owned(),
            doc_no: row.doc_no,
            title: row.title,
            unit_name: row.unit_name,
            issuing_unit_name: row.issuing_unit_name,
            signer_name,
            state: if row.signed_at.is_some() { ReceiptState::Signed } else { ReceiptState::Open },
            due_on: row.due_on.to_jiff(),
            usable: usable && row.signed_at.is_none(),
        }
    }
}

/// Path of looking at a link.
pub const LINK_SHOW: &str = "/v1/receipt-links/show";
/// Path of signing by a link.
pub const LINK_SIGN: &str = "/v1/receipt-links/sign";

/// What a one-time link is for; uses nothing up.
#[utoipa::path(post, operation_id = "receipt_links_show", path = "/v1/receipt-links/show", tag = "签收", summary = "查看签收链接",
    request_body = LinkToken, responses((status = 200, body = LinkView)))]
pub async fn show_link(State(state): State<AppState>, Json(body): Json<LinkToken>) -> problem::Result<Json<LinkView>> {
    let mut tx = state.database.begin().await?;
    let (row, name, usable) = super::link::show(&mut tx, &body.token).await?;
    tx.rollback().await?;
    Ok(Json(LinkView::new(row, name, usable)))
}

/// Acknowledges receipt by a one-time link.
#[utoipa::path(post, operation_id = "receipt_links_sign", path = "/v1/receipt-links/sign", tag = "签收", summary = "用链接签收",
    request_body = LinkToken, responses((status = 200, body = LinkView)))]
pub async fn sign_by_link(
    State(state): State<AppState>,
    Json(body): Json<LinkToken>,
) -> problem::Result<Json<LinkView>> {
    let mut tx = state.database.begin().await?;
    let row = super::link::sign(&mut tx, &body.token).await?;
    tx.commit().await?;
    let name = row.signer_name.clone().unwrap_or_default();
    Ok(Json(LinkView::new(row, name, false)))
}

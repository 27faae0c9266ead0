//! Receipts over HTTP.

use access::Permit;
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
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
}

impl Receipt {
    /// The receipt as it stands at a legal instant.
    pub(crate) fn at(row: ReceiptRow, at: Timestamp) -> Self {
        let (due_at, signed_at) = (row.due_at.to_jiff(), row.signed_at.map(jiff_sqlx::Timestamp::to_jiff));
        let kind_zh = super::open::kind_of(&row.document_kind).map_or("文书", |kind| kind.zh());
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

//! The SQL of receipts.

use access::Scope;
use contracts::shared::DocumentRef;
use domain::ids::{AccountId, DocumentId, ReceiptId};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::open::kind_key;
use crate::{delivery::About, message::Matter};

/// A receipt as stored.
#[derive(Debug, Clone)]
pub struct ReceiptRow {
    pub receipt_id: Uuid,
    pub document_id: Uuid,
    pub document_kind: String,
    pub doc_no: String,
    pub title: String,
    pub unit_id: Uuid,
    pub unit_name: String,
    pub area_path: Vec<Uuid>,
    pub issuing_unit_id: Uuid,
    pub issuing_unit_name: String,
    pub case_id: Uuid,
    pub rectification_id: Option<Uuid>,
    pub issued_at: jiff_sqlx::Timestamp,
    pub due_on: jiff_sqlx::Date,
    pub due_at: jiff_sqlx::Timestamp,
    pub signed_at: Option<jiff_sqlx::Timestamp>,
    pub signed_by: Option<Uuid>,
    pub signer_name: Option<String>,
}

/// Writes a receipt unless the document has one.
pub async fn insert(
    db: &mut PgConnection,
    matter: &Matter,
    document: &DocumentRef,
    due_on: Date,
    due_at: Timestamp,
) -> Result<(), sqlx::Error> {
    let unit = &matter.unit;
    let id = ReceiptId::derived(&[&document.document_id.to_string(), &unit.unit_id.to_string()]);
    let path: Vec<Uuid> = unit.area_path.iter().copied().map(Uuid::from).collect();
    let units: Vec<Uuid> = [Some(unit.unit_id), unit.competent_unit_id].into_iter().flatten().map(Uuid::from).collect();
    sqlx::query!(
        "INSERT INTO receipts (receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, unit_ids,
                               issuing_unit_id, issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (document_id) DO NOTHING",
        Uuid::from(id),
        Uuid::from(document.document_id),
        kind_key(document.kind),
        document.doc_no,
        document.title,
        Uuid::from(unit.unit_id),
        unit.name,
        &path,
        &units,
        Uuid::from(document.issuing_unit_id),
        document.issuing_unit_name,
        Uuid::from(matter.case_id),
        matter.rectification_id.map(Uuid::from),
        document.issued_at.to_sqlx() as _,
        due_on.to_sqlx() as _,
        due_at.to_sqlx() as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The receipt of a document, locked.
pub async fn lock(db: &mut PgConnection, document: DocumentId) -> Result<Option<ReceiptRow>, sqlx::Error> {
    sqlx::query_as!(
        ReceiptRow,
        "SELECT receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, issuing_unit_id,
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name
         FROM receipts WHERE document_id = $1 FOR UPDATE",
        Uuid::from(document)
    )
    .fetch_optional(db)
    .await
}

/// Writes the signature.
pub async fn sign(tx: &mut Tx, row: &ReceiptRow, by: AccountId, name: &str) -> Result<ReceiptRow, sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query_as!(
        ReceiptRow,
        "UPDATE receipts SET signed_at = $2, signed_by = $3, signer_name = $4 WHERE receipt_id = $1 AND signed_at IS NULL
         RETURNING receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, issuing_unit_id,
                   issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name",
        row.receipt_id,
        at as _,
        Uuid::from(by),
        name,
    )
    .fetch_one(&mut **tx)
    .await
}

/// A page of receipts of units, newest first. `signed`: only such, only others, or all.
pub async fn of_units(
    db: &mut PgConnection,
    units: &[Uuid],
    signed: Option<bool>,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<ReceiptRow>, sqlx::Error> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at.to_sqlx()), Some(id)));
    sqlx::query_as!(
        ReceiptRow,
        "SELECT receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, issuing_unit_id,
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name
         FROM receipts
         WHERE unit_id = ANY($1) AND ($2::boolean IS NULL OR (signed_at IS NOT NULL) = $2)
           AND ($3::timestamptz IS NULL OR (issued_at, receipt_id) < ($3, $4::uuid))
         ORDER BY issued_at DESC, receipt_id DESC LIMIT $5",
        units,
        signed,
        at as _,
        id,
        limit,
    )
    .fetch_all(db)
    .await
}

/// The receipts of a document, case or rectification that lie in the scope, oldest first; at most 200.
pub async fn about(db: &mut PgConnection, about: About, scope: &Scope) -> Result<Vec<ReceiptRow>, sqlx::Error> {
    let areas: Vec<Uuid> = scope.areas.iter().copied().map(Uuid::from).collect();
    let units: Vec<Uuid> = scope.units.iter().copied().map(Uuid::from).collect();
    sqlx::query_as!(
        ReceiptRow,
        "SELECT receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, issuing_unit_id,
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name
         FROM receipts
         WHERE ($1::uuid IS NULL OR document_id = $1) AND ($2::uuid IS NULL OR rectification_id = $2)
           AND ($3::uuid IS NULL OR case_id = $3) AND (area_path && $4 OR unit_ids && $5)
         ORDER BY issued_at, receipt_id LIMIT 200",
        about.document_id,
        about.rectification_id,
        about.case_id,
        &areas,
        &units,
    )
    .fetch_all(db)
    .await
}

//! The SQL of receipts.

use access::Scope;
use contracts::shared::DocumentRef;
use domain::ids::{AccountId, DocumentId, ReceiptId};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

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
    pub method: Option<String>,
    pub recorded_at: Option<jiff_sqlx::Timestamp>,
    pub note: Option<String>,
    pub chases: i32,
    pub next_chase_at: Option<jiff_sqlx::Timestamp>,
    /// The unit as the document named it, as JSON.
    pub unit: Option<String>,
    pub case_title: String,
    pub content_sha256: String,
}

/// A receipt before it is written.
#[derive(Debug, Clone, Copy)]
pub struct NewReceipt<'m> {
    pub matter: &'m Matter,
    pub document: &'m DocumentRef,
    pub due_on: Date,
    pub due_at: Timestamp,
}

/// Who signs, and how.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// `account`, `link` or `paper`.
    pub method: &'static str,
    /// When it was received.
    pub at: Timestamp,
    /// The account that signs, or that records a paper.
    pub by: AccountId,
    /// The signer's name.
    pub name: &'a str,
    /// What was said of a paper.
    pub note: Option<&'a str>,
}

/// A one-time link.
#[derive(Debug, Clone)]
pub struct LinkRow {
    pub document_id: Uuid,
    pub account_id: Uuid,
    pub display_name: String,
    pub active: bool,
    pub expires_at: jiff_sqlx::Timestamp,
    pub used_at: Option<jiff_sqlx::Timestamp>,
}

/// Writes receipts of notices that are written already, unless their documents have them.
pub async fn insert(tx: &mut Tx, new: &[NewReceipt<'_>]) -> Result<(), sqlx::Error> {
    if new.is_empty() {
        return Ok(());
    }
    let mut columns = Columns::default();
    for NewReceipt { matter, document, due_on, due_at } in new {
        let unit = &matter.unit;
        let id = ReceiptId::derived(&[&document.document_id.to_string(), &unit.unit_id.to_string()]);
        columns.ids.push(id.into());
        columns.documents.push(document.document_id.into());
        columns.kinds.push(document.kind.as_str().to_owned());
        columns.doc_nos.push(document.doc_no.clone());
        columns.titles.push(document.title.clone());
        columns.issuing.push(document.issuing_unit_id.into());
        columns.issuing_names.push(document.issuing_unit_name.clone());
        columns.issued.push(document.issued_at.to_sqlx());
        columns.due_on.push(due_on.to_sqlx());
        columns.due_at.push(due_at.to_sqlx());
        columns.units.push(serde_json::to_string(unit).map_err(|error| sqlx::Error::Encode(Box::new(error)))?);
        columns.case_titles.push(matter.case_title.clone());
        columns.hashes.push(document.content_sha256.clone());
    }
    // Areas and units are lists of their own length each, which no array of arrays carries: they come from the notice.
    sqlx::query!(
        "INSERT INTO receipts (receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, unit_ids,
                               issuing_unit_id, issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, unit,
                               case_title, next_chase_at, content_sha256)
         SELECT DISTINCT ON (r.document) r.id, r.document, r.kind, r.doc_no, r.title, n.unit_id, n.unit_name, n.area_path,
                n.unit_ids, r.issuing, r.issuing_name, n.case_id, n.rectification_id, r.issued, r.due_on, r.due_at, r.unit,
                r.case_title, r.due_at, r.sha256
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[],
                     $9::date[], $10::timestamptz[], $11::text[], $12::text[], $13::text[])
              AS r(id, document, kind, doc_no, title, issuing, issuing_name, issued, due_on, due_at, unit, case_title, sha256)
         JOIN notices n ON n.document_id = r.document
         ON CONFLICT (document_id) DO NOTHING",
        &columns.ids,
        &columns.documents,
        &columns.kinds,
        &columns.doc_nos,
        &columns.titles,
        &columns.issuing,
        &columns.issuing_names,
        &columns.issued as &[jiff_sqlx::Timestamp],
        &columns.due_on as &[jiff_sqlx::Date],
        &columns.due_at as &[jiff_sqlx::Timestamp],
        &columns.units,
        &columns.case_titles,
        &columns.hashes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

#[derive(Debug, Default)]
struct Columns {
    ids: Vec<Uuid>,
    documents: Vec<Uuid>,
    kinds: Vec<String>,
    doc_nos: Vec<String>,
    titles: Vec<String>,
    issuing: Vec<Uuid>,
    issuing_names: Vec<String>,
    issued: Vec<jiff_sqlx::Timestamp>,
    due_on: Vec<jiff_sqlx::Date>,
    due_at: Vec<jiff_sqlx::Timestamp>,
    units: Vec<String>,
    case_titles: Vec<String>,
    hashes: Vec<String>,
}

/// The receipt of a document, locked.
pub async fn lock(db: &mut PgConnection, document: DocumentId) -> Result<Option<ReceiptRow>, sqlx::Error> {
    sqlx::query_as!(
        ReceiptRow,
        "SELECT receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, issuing_unit_id,
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name,
                method, recorded_at, note, chases, next_chase_at, unit, case_title, content_sha256
         FROM receipts WHERE document_id = $1 FOR UPDATE",
        Uuid::from(document)
    )
    .fetch_optional(db)
    .await
}

/// Writes the signature; the chase ends.
pub async fn sign(tx: &mut Tx, row: &ReceiptRow, signature: Signature<'_>) -> Result<ReceiptRow, sqlx::Error> {
    let recorded = (signature.method == "paper").then(|| (Uuid::from(signature.by), tx.at().to_sqlx()));
    let (recorded_by, recorded_at) = recorded.unzip();
    sqlx::query_as!(
        ReceiptRow,
        "UPDATE receipts SET signed_at = $2, signed_by = $3, signer_name = $4, method = $5, note = $6, recorded_by = $7,
                recorded_at = $8, next_chase_at = NULL
         WHERE receipt_id = $1 AND signed_at IS NULL
         RETURNING receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, issuing_unit_id,
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name,
                method, recorded_at, note, chases, next_chase_at, unit, case_title, content_sha256",
        row.receipt_id,
        signature.at.to_sqlx() as _,
        Uuid::from(signature.by),
        signature.name,
        signature.method,
        signature.note,
        recorded_by,
        recorded_at as _,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Locks unsigned receipts whose next instant has come, the longest due first.
pub async fn lock_chased(tx: &mut Tx, limit: i64) -> Result<Vec<ReceiptRow>, sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query_as!(
        ReceiptRow,
        "SELECT receipt_id, document_id, document_kind, doc_no, title, unit_id, unit_name, area_path, issuing_unit_id,
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name,
                method, recorded_at, note, chases, next_chase_at, unit, case_title, content_sha256
         FROM receipts WHERE next_chase_at <= $1 ORDER BY next_chase_at, receipt_id LIMIT $2 FOR UPDATE SKIP LOCKED",
        at as _,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
}

/// One more thing was done for each; their next instants are armed in the same statement.
pub async fn mark_chased(
    tx: &mut Tx,
    receipts: &[Uuid],
    next_chase_at: &[jiff_sqlx::Timestamp],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE receipts r SET chases = r.chases + 1, next_chase_at = c.at
         FROM unnest($1::uuid[], $2::timestamptz[]) AS c(id, at) WHERE r.receipt_id = c.id",
        receipts,
        next_chase_at as &[jiff_sqlx::Timestamp],
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What is known of a receipt's unit, for receipts of before it was kept beside them.
pub async fn unit_of(db: &mut PgConnection, unit: Uuid) -> Result<Option<(Option<Uuid>, Option<String>)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT u.competent_unit_id, c.name AS "competent_name?" FROM units u LEFT JOIN units c ON c.unit_id = u.competent_unit_id
           WHERE u.unit_id = $1"#,
        unit,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.competent_unit_id, row.competent_name)))
}

/// Keeps the hashes of one-time links unless they are kept.
pub async fn insert_links(
    db: &mut PgConnection,
    hashes: &[Vec<u8>],
    receipts: &[Uuid],
    accounts: &[Uuid],
    messages: &[Uuid],
    days: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO receipt_links (token_sha256, receipt_id, account_id, message_id, created_at, expires_at)
         SELECT l.hash, l.receipt, l.account, l.message, n.at, n.at + make_interval(days => $5)
         FROM unnest($1::bytea[], $2::uuid[], $3::uuid[], $4::uuid[]) AS l(hash, receipt, account, message),
              (SELECT messaging.legal_now() AS at OFFSET 0) AS n
         ON CONFLICT DO NOTHING",
        hashes,
        receipts,
        accounts,
        messages,
        days,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A one-time link by the hash of what it says, locked.
pub async fn lock_link(db: &mut PgConnection, hash: &[u8]) -> Result<Option<LinkRow>, sqlx::Error> {
    sqlx::query_as!(
        LinkRow,
        "SELECT r.document_id, l.account_id, a.display_name, a.active, l.expires_at, l.used_at
         FROM receipt_links l JOIN receipts r USING (receipt_id) JOIN accounts a USING (account_id)
         WHERE l.token_sha256 = $1 FOR UPDATE OF l",
        hash,
    )
    .fetch_optional(db)
    .await
}

/// The link has been used; never again.
pub async fn use_link(tx: &mut Tx, hash: &[u8]) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!("UPDATE receipt_links SET used_at = $2 WHERE token_sha256 = $1", hash, at as _)
        .execute(&mut **tx)
        .await?;
    Ok(())
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
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name,
                method, recorded_at, note, chases, next_chase_at, unit, case_title, content_sha256
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
                issuing_unit_name, case_id, rectification_id, issued_at, due_on, due_at, signed_at, signed_by, signer_name,
                method, recorded_at, note, chases, next_chase_at, unit, case_title, content_sha256
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

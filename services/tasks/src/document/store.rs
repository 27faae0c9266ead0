//! SQL of documents, their numbers and their receipts.

use contracts::Actor;
use contracts::shared::{DocumentKind, DocumentRef, Voiding};
use domain::ids::{AssignmentId, CaseId, DocumentId, PlanId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

pub(crate) struct NewDocument<'a> {
    pub document: &'a DocumentRef,
    pub agency_word: &'a str,
    pub kind_word: &'a str,
    pub year: i16,
    pub serial: i32,
    pub case_id: Option<CaseId>,
    pub plan_id: Option<PlanId>,
    pub assignment_id: Option<AssignmentId>,
    pub content: &'a str,
    pub actor: &'a Actor,
}

/// A document as stored, with its receipt.
pub(crate) struct StoredDocument {
    pub document: DocumentRef,
    pub case_id: Option<CaseId>,
    pub plan_id: Option<PlanId>,
    pub assignment_id: Option<AssignmentId>,
    pub content: String,
    pub issued_by: Actor,
    pub received_at: Option<Timestamp>,
    pub received_by: Option<String>,
    pub voided: Option<Voiding>,
}

fn encoded(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}

fn decoded(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// The kind that a row names.
fn kind_of(text: &str) -> sqlx::Result<DocumentKind> {
    DocumentKind::of(text).ok_or_else(|| sqlx::Error::Decode(format!("there is no kind of document {text:?}").into()))
}

pub(crate) async fn next_serial(
    tx: &mut PgConnection,
    agency_word: &str,
    kind_word: &str,
    year: i16,
) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "INSERT INTO document_serials (agency_word, kind_word, year, last) VALUES ($1, $2, $3, 1)
         ON CONFLICT (agency_word, kind_word, year) DO UPDATE SET last = document_serials.last + 1
         RETURNING last",
        agency_word,
        kind_word,
        year,
    )
    .fetch_one(tx)
    .await
}

pub(crate) async fn insert(tx: &mut PgConnection, new: &NewDocument<'_>) -> sqlx::Result<()> {
    let document = new.document;
    sqlx::query!(
        "INSERT INTO documents (document_id, kind, agency_word, kind_word, year, serial, doc_no, title, issuing_unit_id,
             issuing_unit_name, case_id, plan_id, assignment_id, content, sha256, issued_at, issued_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        document.document_id.as_uuid(),
        document.kind.as_str(),
        new.agency_word,
        new.kind_word,
        new.year,
        new.serial,
        document.doc_no,
        document.title,
        document.issuing_unit_id.as_uuid(),
        document.issuing_unit_name,
        new.case_id.map(|id| id.as_uuid()),
        new.plan_id.map(|id| id.as_uuid()),
        new.assignment_id.map(|id| id.as_uuid()),
        new.content,
        document.content_sha256,
        document.issued_at.to_sqlx() as _,
        serde_json::to_value(new.actor).map_err(encoded)?,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Locks a document against being voided twice at once; `false` when there is none.
pub(crate) async fn lock(tx: &mut PgConnection, id: DocumentId) -> sqlx::Result<bool> {
    let found = sqlx::query!("SELECT document_id FROM documents WHERE document_id = $1 FOR UPDATE", id.as_uuid());
    Ok(found.fetch_optional(tx).await?.is_some())
}

pub(crate) async fn find(tx: &mut PgConnection, id: DocumentId) -> sqlx::Result<Option<StoredDocument>> {
    let row = sqlx::query!(
        r#"SELECT d.document_id, d.kind, d.doc_no, d.title, d.issuing_unit_id, d.issuing_unit_name, d.case_id, d.plan_id,
                  d.assignment_id, d.content, d.sha256, d.issued_at, d.issued_by, r.received_at AS "received_at?",
                  r.signer_name AS "signer_name?", v.voided_at AS "voided_at?", v.cause AS "cause?", v.reason AS "reason?",
                  v.voided_by AS "voided_by?", v.replaced_by
           FROM documents d LEFT JOIN receipts r USING (document_id) LEFT JOIN document_voids v USING (document_id)
           WHERE d.document_id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let voided = match (row.voided_at, row.cause, row.reason, row.voided_by) {
        (Some(at), Some(cause), Some(reason), Some(by)) => Some(Voiding {
            at: at.to_jiff(),
            cause: serde_json::from_value(serde_json::Value::String(cause)).map_err(decoded)?,
            reason,
            by: name_of(serde_json::from_value(by).map_err(decoded)?),
            replaced_by: match row.replaced_by {
                Some(id) => reference(tx, id.into()).await?,
                None => None,
            },
        }),
        _ => None,
    };
    Ok(Some(StoredDocument {
        document: DocumentRef {
            document_id: row.document_id.into(),
            kind: kind_of(&row.kind)?,
            doc_no: row.doc_no,
            title: row.title,
            issuing_unit_id: row.issuing_unit_id.into(),
            issuing_unit_name: row.issuing_unit_name,
            issued_at: row.issued_at.to_jiff(),
            content_sha256: row.sha256,
        },
        case_id: row.case_id.map(CaseId::from),
        plan_id: row.plan_id.map(PlanId::from),
        assignment_id: row.assignment_id.map(AssignmentId::from),
        content: row.content,
        issued_by: serde_json::from_value(row.issued_by).map_err(decoded)?,
        received_at: row.received_at.map(jiff_sqlx::Timestamp::to_jiff),
        received_by: row.signer_name,
        voided,
    }))
}

fn name_of(actor: Actor) -> String {
    match actor {
        Actor::Person { name, .. } => name,
        Actor::System { worker } => worker,
    }
}

/// A document as others refer to it.
async fn reference(tx: &mut PgConnection, id: DocumentId) -> sqlx::Result<Option<DocumentRef>> {
    let row = sqlx::query!(
        "SELECT document_id, kind, doc_no, title, issuing_unit_id, issuing_unit_name, issued_at, sha256 FROM documents
         WHERE document_id = $1",
        id.as_uuid(),
    )
    .fetch_optional(tx)
    .await?;
    row.map(|row| {
        Ok(DocumentRef {
            document_id: row.document_id.into(),
            kind: kind_of(&row.kind)?,
            doc_no: row.doc_no,
            title: row.title,
            issuing_unit_id: row.issuing_unit_id.into(),
            issuing_unit_name: row.issuing_unit_name,
            issued_at: row.issued_at.to_jiff(),
            content_sha256: row.sha256,
        })
    })
    .transpose()
}

/// Stores that a document no longer holds.
pub(crate) async fn insert_void(
    tx: &mut PgConnection,
    id: DocumentId,
    voided: &Voiding,
    by: &Actor,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO document_voids (document_id, voided_at, cause, reason, voided_by, replaced_by)
         VALUES ($1, $2, $3, $4, $5, $6)",
        id.as_uuid(),
        voided.at.to_sqlx() as _,
        voided.cause.key(),
        voided.reason,
        serde_json::to_value(by).map_err(encoded)?,
        voided.replaced_by.as_ref().map(|document| document.document_id.as_uuid()),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Stores the first receipt of a document; `false` when there was one already.
pub(crate) async fn save_receipt(
    tx: &mut PgConnection,
    id: DocumentId,
    unit: UnitId,
    received_at: Timestamp,
    signer_name: &str,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO receipts (document_id, received_at, signer_name, unit_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (document_id) DO NOTHING",
        id.as_uuid(),
        received_at.to_sqlx() as _,
        signer_name,
        unit.as_uuid(),
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The paper of an assignment that is in force, where one was issued.
pub(crate) async fn of_assignment(tx: &mut PgConnection, id: AssignmentId) -> sqlx::Result<Option<DocumentRef>> {
    let document_id = sqlx::query_scalar!(
        "SELECT document_id FROM documents
         WHERE assignment_id = $1 AND document_id NOT IN (SELECT document_id FROM document_voids)
         ORDER BY issued_at DESC, document_id LIMIT 1",
        id.as_uuid(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(document_id) = document_id else { return Ok(None) };
    Ok(find(tx, document_id.into()).await?.map(|found| found.document))
}

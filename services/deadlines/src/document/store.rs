//! Every statement about documents and their numbers.

use contracts::shared::{DocumentKind, DocumentRef};
use domain::doc_number::DocNumber;
use domain::ids::{DocumentId, ItemId, RectificationId};
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::rectification::dossier::Dossier;

pub(crate) struct NewDocument<'a> {
    pub(crate) document: &'a DocumentRef,
    pub(crate) rectification_id: RectificationId,
    pub(crate) item_id: Option<ItemId>,
    pub(crate) number: &'a DocNumber,
    pub(crate) kind_word: &'a str,
    pub(crate) content: &'a str,
}

/// A document as it is kept.
pub(crate) struct StoredDocument {
    pub(crate) document_id: DocumentId,
    pub(crate) kind: DocumentKind,
    pub(crate) rectification_id: RectificationId,
    pub(crate) item_id: Option<ItemId>,
    pub(crate) doc_no: String,
    pub(crate) title: String,
    pub(crate) issued_at: jiff::Timestamp,
    pub(crate) content: String,
    pub(crate) content_sha256: String,
}

impl StoredDocument {
    /// As others refer to it; the case says who issued it.
    pub(crate) fn reference(&self, dossier: &Dossier) -> DocumentRef {
        let (issuing_unit_id, issuing_unit_name) = dossier.issuer_at(self.issued_at);
        DocumentRef {
            document_id: self.document_id,
            kind: self.kind,
            doc_no: self.doc_no.clone(),
            title: self.title.clone(),
            issuing_unit_id,
            issuing_unit_name: issuing_unit_name.to_owned(),
            issued_at: self.issued_at,
            content_sha256: self.content_sha256.clone(),
        }
    }
}

pub(crate) async fn next_serial(
    connection: &mut PgConnection,
    agency_word: &str,
    kind_word: &str,
    year: i16,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO number_series (agency_word, kind_word, year, last) VALUES ($1, $2, $3, 1)
         ON CONFLICT (agency_word, kind_word, year) DO UPDATE SET last = number_series.last + 1
         RETURNING last",
        agency_word,
        kind_word,
        year
    )
    .fetch_one(connection)
    .await
}

pub(crate) async fn insert(connection: &mut PgConnection, new: &NewDocument<'_>) -> Result<(), sqlx::Error> {
    let (document, number) = (new.document, new.number);
    sqlx::query!(
        "INSERT INTO documents
             (document_id, kind, rectification_id, item_id, agency_word, kind_word, year, serial, doc_no, title, issued_at,
              content, content_sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        Uuid::from(document.document_id),
        document.kind.as_str(),
        Uuid::from(new.rectification_id),
        new.item_id.map(Uuid::from),
        number.agency_word(),
        new.kind_word,
        number.year(),
        i32::try_from(number.serial()).unwrap_or(i32::MAX),
        document.doc_no,
        document.title,
        document.issued_at.to_sqlx() as _,
        new.content,
        new.document.content_sha256,
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Row {
    document_id: Uuid,
    kind: String,
    rectification_id: Uuid,
    item_id: Option<Uuid>,
    doc_no: String,
    title: String,
    issued_at: jiff_sqlx::Timestamp,
    content: String,
    content_sha256: String,
}

impl TryFrom<Row> for StoredDocument {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let kind = DocumentKind::of(&row.kind)
            .ok_or_else(|| sqlx::Error::Decode(format!("there is no kind of document {:?}", row.kind).into()))?;
        Ok(Self {
            document_id: row.document_id.into(),
            kind,
            rectification_id: row.rectification_id.into(),
            item_id: row.item_id.map(ItemId::from),
            doc_no: row.doc_no,
            title: row.title,
            issued_at: row.issued_at.to_jiff(),
            content: row.content,
            content_sha256: row.content_sha256,
        })
    }
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    document_id: DocumentId,
) -> Result<Option<StoredDocument>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT document_id, kind, rectification_id, item_id, doc_no, title, issued_at, content, content_sha256
         FROM documents WHERE document_id = $1",
        Uuid::from(document_id)
    )
    .fetch_optional(connection)
    .await?;
    row.map(StoredDocument::try_from).transpose()
}

/// The documents of a case, oldest first.
pub(crate) async fn of(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<Vec<StoredDocument>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT document_id, kind, rectification_id, item_id, doc_no, title, issued_at, content, content_sha256
         FROM documents WHERE rectification_id = $1 ORDER BY issued_at, kind DESC, document_id",
        Uuid::from(rectification_id)
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StoredDocument::try_from).collect()
}

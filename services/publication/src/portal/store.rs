//! SQL of the portal: the published bytes, and nothing of a page that is not public.

use contracts::shared::VoidCause;
use jiff::Timestamp;
use postgres::Database;
use uuid::Uuid;

use super::PortalError;
use crate::publication::PageContent;

/// A public page.
#[derive(Debug, Clone)]
pub(super) struct PublicPage {
    pub content: PageContent,
    pub text: String,
    pub sha256: String,
    pub version: i64,
    pub published_at: Timestamp,
}

/// What is at an address.
#[derive(Debug)]
pub(super) enum Found {
    Published(Box<PublicPage>),
    /// It was withdrawn at that time. A draft that was never public counts as unknown.
    Withdrawn(Timestamp),
}

/// A document as the register has it, and as far as the public is told.
#[derive(Debug, Clone)]
pub(super) struct Registered {
    pub code: String,
    pub kind: String,
    pub doc_no: String,
    /// Its title, of a document that is open.
    pub title: Option<String>,
    pub agency: String,
    pub issued_at: Timestamp,
    pub content_sha256: String,
    pub voided: Option<(Timestamp, VoidCause)>,
    /// Number and code of the document in its place.
    pub replaced_by: Option<(String, String)>,
    /// Hash and format of the files that were made of it.
    pub files: Vec<(String, String)>,
    /// The frozen content, of a document that is open.
    pub content: Option<String>,
}

/// A line of the list of open documents.
#[derive(Debug, Clone)]
pub(super) struct OpenLine {
    pub code: String,
    pub kind: String,
    pub doc_no: String,
    pub title: String,
    pub agency: String,
    pub issued_at: Timestamp,
    pub voided: bool,
    pub replaced: bool,
}

/// The filter of the list.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub county: Option<String>,
    pub status: Option<String>,
}

/// A line of the list.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub publication_id: Uuid,
    pub content: PageContent,
    pub published_at: Timestamp,
}

/// How many pages stand where.
#[derive(Debug, Clone)]
pub(super) struct Count {
    pub code: Option<String>,
    pub name: String,
    pub open: i64,
    pub urged: i64,
    pub closed: i64,
}

/// A page of the list.
#[derive(Debug)]
pub(super) struct List {
    pub lines: Vec<Line>,
    /// Lines that pass the filter.
    pub total: i64,
    /// Counts of all that is public, by county.
    pub counts: Vec<Count>,
    /// When the newest was published.
    pub newest: Option<Timestamp>,
}

struct PageRow {
    version: i64,
    content: String,
    content_sha256: String,
    published_at: jiff_sqlx::Timestamp,
}

impl TryFrom<PageRow> for PublicPage {
    type Error = serde_json::Error;

    fn try_from(row: PageRow) -> Result<Self, serde_json::Error> {
        Ok(Self {
            content: serde_json::from_str(&row.content)?,
            text: row.content,
            sha256: row.content_sha256,
            version: row.version,
            published_at: row.published_at.to_jiff(),
        })
    }
}

/// A number that grows with every change of any publication: versions only ever grow, and rows never go away.
pub(super) async fn portal_version(database: &Database) -> sqlx::Result<String> {
    sqlx::query_scalar!(r#"SELECT coalesce(sum(version), 0)::text AS "version!" FROM publications"#)
        .fetch_one(database.pool())
        .await
}

/// The hash of a page with its version; `None` when it is not public.
pub(super) async fn page_version(database: &Database, id: Uuid) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"SELECT version || ':' || content_sha256 AS "version!" FROM publications
           WHERE publication_id = $1 AND state = 'published'"#,
        id
    )
    .fetch_optional(database.pool())
    .await
}

/// What is at an address.
pub(super) async fn page(database: &Database, id: Uuid) -> Result<Option<Found>, PortalError> {
    let row = sqlx::query_as!(
        PageRow,
        r#"SELECT version, content AS "content!", content_sha256 AS "content_sha256!", published_at AS "published_at!"
           FROM publications WHERE publication_id = $1 AND state = 'published'"#,
        id
    )
    .fetch_optional(database.pool())
    .await?;
    if let Some(row) = row {
        return Ok(Some(Found::Published(Box::new(row.try_into()?))));
    }
    let withdrawn_at = sqlx::query_scalar!(
        r#"SELECT withdrawn_at AS "withdrawn_at!" FROM publications p
           WHERE publication_id = $1 AND state = 'withdrawn'
               AND EXISTS (SELECT 1 FROM published_versions v WHERE v.publication_id = p.publication_id)"#,
        id
    )
    .fetch_optional(database.pool())
    .await?;
    Ok(withdrawn_at.map(|at| Found::Withdrawn(at.to_jiff())))
}

/// A page of the list with its counts.
pub(super) async fn list(database: &Database, filter: &Filter, limit: i64, skip: i64) -> Result<List, PortalError> {
    let rows = sqlx::query!(
        r#"SELECT publication_id, content AS "content!", published_at AS "published_at!"
           FROM publications
           WHERE state = 'published'
               AND ($1::text IS NULL OR county_code = $1 OR ($1 = 'province' AND county_code IS NULL))
               AND ($2::text IS NULL OR public_status = $2)
           ORDER BY letter_issued_at DESC, publication_id
           LIMIT $3 OFFSET $4"#,
        filter.county,
        filter.status,
        limit,
        skip,
    )
    .fetch_all(database.pool())
    .await?;
    let lines = rows
        .into_iter()
        .map(|row| {
            Ok(Line {
                publication_id: row.publication_id,
                content: serde_json::from_str(&row.content)?,
                published_at: row.published_at.to_jiff(),
            })
        })
        .collect::<Result<_, serde_json::Error>>()?;
    let counts = sqlx::query_as!(
        Count,
        r#"SELECT county_code AS code, coalesce(max(county_name), county_code, '省本级') AS "name!",
               count(*) FILTER (WHERE public_status = 'open') AS "open!",
               count(*) FILTER (WHERE public_status = 'urged') AS "urged!",
               count(*) FILTER (WHERE public_status = 'closed') AS "closed!"
           FROM publications WHERE state = 'published'
           GROUP BY county_code ORDER BY county_code NULLS FIRST"#
    )
    .fetch_all(database.pool())
    .await?;
    let row = sqlx::query!(
        r#"SELECT count(*) AS "total!", max(published_at) AS newest FROM publications
           WHERE state = 'published'
               AND ($1::text IS NULL OR county_code = $1 OR ($1 = 'province' AND county_code IS NULL))
               AND ($2::text IS NULL OR public_status = $2)"#,
        filter.county,
        filter.status,
    )
    .fetch_one(database.pool())
    .await?;
    Ok(List { lines, total: row.total, counts, newest: row.newest.map(jiff_sqlx::Timestamp::to_jiff) })
}

/// All public pages, those changed last first.
pub(super) async fn all(database: &Database, limit: Option<i64>) -> Result<Vec<PublicPage>, PortalError> {
    let rows = sqlx::query_as!(
        PageRow,
        r#"SELECT version, content AS "content!", content_sha256 AS "content_sha256!", published_at AS "published_at!"
           FROM publications WHERE state = 'published' ORDER BY published_at DESC, publication_id LIMIT $1"#,
        limit as _
    )
    .fetch_all(database.pool())
    .await?;
    Ok(rows.into_iter().map(TryInto::try_into).collect::<Result<_, serde_json::Error>>()?)
}

/// What a document's page depends on; `None` when no document has the code.
pub(super) async fn document_version(database: &Database, code: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"SELECT d.version || ':' || (SELECT count(*) FROM renditions r WHERE r.content_sha256 = d.content_sha256) AS "version!"
           FROM documents d WHERE code = $1 ORDER BY issued_at, document_id LIMIT 1"#,
        code
    )
    .fetch_optional(database.pool())
    .await
}

/// The document of a code. Should two ever share one, it is the older's.
pub(super) async fn document(database: &Database, code: &str) -> sqlx::Result<Option<Registered>> {
    let row = sqlx::query!(
        r#"SELECT code, kind, doc_no, CASE WHEN open THEN title END AS title, issuing_unit_name, issued_at, content_sha256,
                  voided_at, void_cause, replaced_by_no, replaced_by_code, content
           FROM documents WHERE code = $1 ORDER BY issued_at, document_id LIMIT 1"#,
        code
    )
    .fetch_optional(database.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let files = sqlx::query!(
        "SELECT file_sha256, format FROM renditions WHERE content_sha256 = $1
         ORDER BY array_position(ARRAY['pdf', 'docx', 'txt'], format), known_at, file_sha256",
        row.content_sha256
    )
    .fetch_all(database.pool())
    .await?;
    let cause = row.void_cause.map(|cause| serde_json::from_value(serde_json::Value::String(cause))).transpose();
    let cause: Option<VoidCause> = cause.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Some(Registered {
        code: row.code,
        kind: row.kind,
        doc_no: row.doc_no,
        title: row.title,
        agency: row.issuing_unit_name,
        issued_at: row.issued_at.to_jiff(),
        content_sha256: row.content_sha256,
        voided: row.voided_at.map(jiff_sqlx::Timestamp::to_jiff).zip(cause),
        replaced_by: row.replaced_by_no.zip(row.replaced_by_code),
        files: files.into_iter().map(|file| (file.file_sha256, file.format)).collect(),
        content: row.content,
    }))
}

/// A number that changes with every open document.
pub(super) async fn open_version(database: &Database) -> sqlx::Result<String> {
    sqlx::query_scalar!(r#"SELECT coalesce(sum(version), 0)::text AS "version!" FROM documents WHERE open"#)
        .fetch_one(database.pool())
        .await
}

/// Open documents, the newest first.
pub(super) async fn open_documents(database: &Database, limit: i64, skip: i64) -> sqlx::Result<Vec<OpenLine>> {
    let rows = sqlx::query!(
        r#"SELECT code, kind, doc_no, title, issuing_unit_name, issued_at, voided_at IS NOT NULL AS "voided!",
                  replaced_by_id IS NOT NULL AS "replaced!"
           FROM documents WHERE open ORDER BY issued_at DESC, document_id LIMIT $1 OFFSET $2"#,
        limit,
        skip
    )
    .fetch_all(database.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| OpenLine {
            code: row.code,
            kind: row.kind,
            doc_no: row.doc_no,
            title: row.title,
            agency: row.issuing_unit_name,
            issued_at: row.issued_at.to_jiff(),
            voided: row.voided,
            replaced: row.replaced,
        })
        .collect())
}

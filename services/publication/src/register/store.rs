//! SQL of the register and of renditions.

use access::Scope;
use contracts::registry::AreaMerged;
use contracts::shared::RegisterEntry;
use documents::Rendition;
use domain::doc_number::DocNumber;
use domain::ids::AreaId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::record::{Recorded, code_of};

/// An entry as its row has it.
#[derive(Debug)]
pub(super) struct Row<'a> {
    keeper: &'a str,
    entry: &'a RegisterEntry,
    kind: String,
    code: String,
    number: Option<DocNumber>,
    replaced_by_code: Option<String>,
}

impl<'a> Row<'a> {
    /// Refuses a hash that is none: nothing could be verified by it.
    pub(super) fn of(recorded: &'a Recorded) -> Result<Self, String> {
        let (document, voided) = (&recorded.entry.document, &recorded.entry.voided);
        let other = voided.as_ref().and_then(|voided| voided.replaced_by.as_ref());
        Ok(Self {
            keeper: &recorded.keeper,
            entry: &recorded.entry,
            kind: key(&document.kind)?,
            code: code_of(&document.content_sha256)?.to_string(),
            number: document.doc_no.parse().ok(),
            replaced_by_code: other
                .map(|other| code_of(&other.content_sha256))
                .transpose()?
                .map(|code| code.to_string()),
        })
    }
}

/// The word of a kind in the database, the same as in JSON.
pub(super) fn key(kind: &impl serde::Serialize) -> Result<String, String> {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(other) => Err(format!("{other} is no key")),
        Err(error) => Err(error.to_string()),
    }
}

/// Gives the papers of a county that became a part of another one to the office that takes over; what they say stays.
pub(crate) async fn hand_over(tx: &mut Tx, merged: &AreaMerged) -> sqlx::Result<()> {
    let path: Vec<Uuid> = merged.path.iter().map(AreaId::as_uuid).collect();
    // Whoever is writing comes to an end first; whoever writes next sees the merger.
    sqlx::query!("LOCK TABLE documents IN SHARE ROW EXCLUSIVE MODE").execute(&mut **tx).await?;
    sqlx::query!(
        "INSERT INTO area_mergers (area_id, path) VALUES ($1, $2) ON CONFLICT (area_id) DO NOTHING",
        merged.area_id.as_uuid(),
        &path,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE documents SET area_path = $2 || area_path[array_position(area_path, $1) + 1:]
         WHERE area_path @> ARRAY[$1::uuid] AND area_path[:cardinality($2::uuid[])] <> $2",
        merged.area_id.as_uuid(),
        &path,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes entries, each the newest of its document; an older one leaves the row as it is.
pub(super) async fn save(tx: &mut Tx, rows: &[Row<'_>]) -> sqlx::Result<()> {
    let documents: Vec<_> = rows.iter().map(|row| &row.entry.document).collect();
    let voided: Vec<_> = rows.iter().map(|row| row.entry.voided.as_ref()).collect();
    let others: Vec<_> = voided.iter().map(|voided| voided.and_then(|voided| voided.replaced_by.as_ref())).collect();
    // An array of arrays would need equal lengths.
    let areas: Vec<String> = rows
        .iter()
        .map(|row| row.entry.area_path.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
        .collect();
    sqlx::query!(
        "INSERT INTO documents AS d (document_id, version, keeper, kept_as, kind, code, doc_no, word, year, serial, title,
             open, issuing_unit_id, issuing_unit_name, area_path, issued_at, content_sha256, voided_at, void_cause,
             void_reason, voided_by, replaced_by_id, replaced_by_no, replaced_by_code, content)
         SELECT n.id, n.version, n.keeper, n.kept_as, n.kind, n.code, n.doc_no, n.word, n.year, n.serial, n.title, n.open,
                n.unit, n.unit_name, string_to_array(n.areas, ',')::uuid[], n.issued_at, n.sha256, n.voided_at, n.cause,
                n.reason, n.by, n.other, n.other_no, n.other_code, n.content
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::smallint[], $10::int[], $11::text[], $12::bool[], $13::uuid[], $14::text[], $15::text[],
                     $16::timestamptz[], $17::text[], $18::timestamptz[], $19::text[], $20::text[], $21::text[],
                     $22::uuid[], $23::text[], $24::text[], $25::text[])
              AS n(id, version, keeper, kept_as, kind, code, doc_no, word, year, serial, title, open, unit, unit_name, areas,
                   issued_at, sha256, voided_at, cause, reason, by, other, other_no, other_code, content)
         ON CONFLICT (document_id) DO UPDATE SET
             version = excluded.version, voided_at = excluded.voided_at, void_cause = excluded.void_cause,
             void_reason = excluded.void_reason, voided_by = excluded.voided_by, replaced_by_id = excluded.replaced_by_id,
             replaced_by_no = excluded.replaced_by_no, replaced_by_code = excluded.replaced_by_code
         WHERE d.version < excluded.version",
        &documents.iter().map(|one| one.document_id.into()).collect::<Vec<Uuid>>(),
        &rows.iter().map(|row| row.entry.version).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.keeper).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.entry.kept_as).collect::<Vec<_>>(),
        &rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>() as _,
        &documents.iter().map(|one| one.doc_no.as_str()).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.number.as_ref().map(DocNumber::agency_word)).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.number.as_ref().map(DocNumber::year)).collect::<Vec<_>>() as _,
        &rows
            .iter()
            .map(|row| row.number.as_ref().map(|number| i32::try_from(number.serial()).unwrap_or(i32::MAX)))
            .collect::<Vec<_>>() as _,
        &documents.iter().map(|one| one.title.as_str()).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.entry.open).collect::<Vec<_>>(),
        &documents.iter().map(|one| one.issuing_unit_id.into()).collect::<Vec<Uuid>>(),
        &documents.iter().map(|one| one.issuing_unit_name.as_str()).collect::<Vec<_>>() as _,
        &areas,
        &documents.iter().map(|one| one.issued_at.to_sqlx()).collect::<Vec<_>>() as _,
        &documents.iter().map(|one| one.content_sha256.as_str()).collect::<Vec<_>>() as _,
        &voided.iter().map(|one| one.map(|voided| voided.at.to_sqlx())).collect::<Vec<_>>() as _,
        &voided.iter().map(|one| one.map(|voided| voided.cause.key())).collect::<Vec<_>>() as _,
        &voided.iter().map(|one| one.map(|voided| voided.reason.as_str())).collect::<Vec<_>>() as _,
        &voided.iter().map(|one| one.map(|voided| voided.by.as_str())).collect::<Vec<_>>() as _,
        &others.iter().map(|one| one.map(|other| Uuid::from(other.document_id))).collect::<Vec<_>>() as _,
        &others.iter().map(|one| one.map(|other| other.doc_no.as_str())).collect::<Vec<_>>() as _,
        &rows.iter().map(|row| row.replaced_by_code.as_deref()).collect::<Vec<_>>() as _,
        // What is not open says nothing here, whoever sends it.
        &rows.iter().map(|row| row.entry.content.as_deref().filter(|_| row.entry.open)).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What an office wants to see.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter<'a> {
    pub(super) agency: Option<Uuid>,
    pub(super) kind: Option<&'a str>,
    pub(super) year: Option<i16>,
    pub(super) state: Option<&'a str>,
}

/// A line of the register.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) document_id: Uuid,
    pub(super) keeper: String,
    pub(super) kept_as: Uuid,
    pub(super) kind: String,
    pub(super) code: String,
    pub(super) doc_no: String,
    pub(super) title: String,
    pub(super) issuing_unit_id: Uuid,
    pub(super) issuing_unit_name: String,
    pub(super) issued_at: jiff_sqlx::Timestamp,
    pub(super) content_sha256: String,
    pub(super) voided_at: Option<jiff_sqlx::Timestamp>,
    pub(super) void_cause: Option<String>,
    pub(super) void_reason: Option<String>,
    pub(super) voided_by: Option<String>,
    pub(super) replaced_by_id: Option<Uuid>,
    pub(super) replaced_by_no: Option<String>,
}

fn areas(scope: &Scope) -> Vec<Uuid> {
    scope.areas.iter().map(AreaId::as_uuid).collect()
}

/// The lines in scope, the newest first.
pub(super) async fn list(
    tx: &mut PgConnection,
    scope: &Scope,
    filter: Filter<'_>,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> sqlx::Result<Vec<Line>> {
    sqlx::query_as!(
        Line,
        "SELECT document_id, keeper, kept_as, kind, code, doc_no, title, issuing_unit_id, issuing_unit_name, issued_at,
            content_sha256, voided_at, void_cause, void_reason, voided_by, replaced_by_id, replaced_by_no
         FROM documents
         WHERE area_path && $1
            AND ($2::uuid IS NULL OR issuing_unit_id = $2)
            AND ($3::text IS NULL OR kind = $3)
            AND ($4::smallint IS NULL OR year = $4)
            AND ($5::text IS NULL OR $5 = CASE WHEN replaced_by_id IS NOT NULL THEN 'replaced'
                                               WHEN voided_at IS NOT NULL THEN 'void' ELSE 'genuine' END)
            AND ($6::timestamptz IS NULL OR (issued_at, document_id) < ($6, $7::uuid))
         ORDER BY issued_at DESC, document_id DESC
         LIMIT $8",
        &areas(scope) as _,
        filter.agency as _,
        filter.kind as _,
        filter.year as _,
        filter.state as _,
        after.map(|(at, _)| at.to_sqlx()) as _,
        after.map(|(_, id)| id) as _,
        limit,
    )
    .fetch_all(tx)
    .await
}

/// The agencies whose documents are in scope.
pub(super) async fn agencies(tx: &mut PgConnection, scope: &Scope) -> sqlx::Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!(
        r#"SELECT issuing_unit_id, max(issuing_unit_name) AS "name!" FROM documents WHERE area_path && $1
           GROUP BY issuing_unit_id ORDER BY 2"#,
        &areas(scope) as _
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.issuing_unit_id, row.name)).collect())
}

/// The kinds of documents in scope.
pub(super) async fn kinds(tx: &mut PgConnection, scope: &Scope) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!("SELECT DISTINCT kind FROM documents WHERE area_path && $1 ORDER BY kind", &areas(scope) as _)
        .fetch_all(tx)
        .await
}

/// A series of numbers, counted.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) word: String,
    pub(super) year: i16,
    pub(super) last: i32,
    pub(super) entries: i64,
    pub(super) distinct: i64,
    pub(super) voided: i64,
}

/// The series that have documents in scope, each counted as a whole.
pub(super) async fn series(tx: &mut PgConnection, scope: &Scope, filter: Filter<'_>) -> sqlx::Result<Vec<Series>> {
    sqlx::query_as!(
        Series,
        r#"SELECT d.word AS "word!", d.year AS "year!", max(d.serial) AS "last!", count(*) AS "entries!",
                  count(DISTINCT d.serial) AS "distinct!", count(d.voided_at) AS "voided!"
           FROM documents d
           JOIN (SELECT DISTINCT word, year FROM documents
                 WHERE area_path && $1 AND word IS NOT NULL AND ($2::uuid IS NULL OR issuing_unit_id = $2)
                     AND ($3::text IS NULL OR kind = $3) AND ($4::smallint IS NULL OR year = $4)) s
               ON s.word = d.word AND s.year = d.year
           GROUP BY d.word, d.year ORDER BY d.year DESC, d.word"#,
        &areas(scope) as _,
        filter.agency as _,
        filter.kind as _,
        filter.year as _,
    )
    .fetch_all(tx)
    .await
}

/// Serials of a series from 1 to its last that no entry has, at most so many.
pub(super) async fn missing(tx: &mut PgConnection, series: &Series, most: i64) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        r#"SELECT n AS "n!" FROM generate_series(1, $3::int) AS n
           WHERE NOT EXISTS (SELECT FROM documents d WHERE d.word = $1 AND d.year = $2 AND d.serial = n)
           ORDER BY n LIMIT $4"#,
        series.word,
        series.year,
        series.last,
        most,
    )
    .fetch_all(tx)
    .await
}

/// Takes a file into the register unless it is there.
pub(super) async fn add_rendition(tx: &mut Tx, rendition: &Rendition) -> sqlx::Result<()> {
    let at = tx.at();
    sqlx::query!(
        "INSERT INTO renditions (content_sha256, file_sha256, format, state, known_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
        rendition.content_sha256,
        rendition.file_sha256,
        rendition.format,
        rendition.state.key(),
        at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

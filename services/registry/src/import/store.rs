//! Every statement about imports themselves.

use jiff_sqlx::ToSqlx as _;
use serde_json::value::RawValue;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::report::Report;

/// Lets changes of the whole register happen one after the other: two at once would meet each other's half of it.
pub(crate) async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('registry.import', 0))").execute(connection).await?;
    Ok(())
}

/// Who imported, from where the permission comes.
#[derive(Debug)]
pub(super) struct By<'a> {
    pub account_id: Uuid,
    pub name: &'a str,
    pub area_path: &'a [Uuid],
}

/// Keeps the report.
pub(super) async fn put(
    connection: &mut PgConnection,
    report: &Report,
    file_sha256: &[u8],
    by: &By<'_>,
) -> Result<(), sqlx::Error> {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    sqlx::query!(
        "INSERT INTO imports (import_id, kind, file_name, file_sha256, imported_at, account_id, imported_by, area_path, rows,
                              created, changed, unchanged, rejected_rows, report)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        Uuid::from(report.import_id),
        report.kind.word(),
        report.file_name,
        file_sha256,
        report.imported_at.to_sqlx() as _,
        by.account_id,
        by.name,
        by.area_path,
        count(report.rows),
        count(report.created),
        count(report.changed),
        count(report.unchanged),
        count(report.rejected_rows),
        Json(report) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A line of the list of imports.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub import_id: Uuid,
    pub kind: String,
    pub file_name: String,
    pub imported_at: jiff_sqlx::Timestamp,
    pub imported_by: String,
    pub rows: i32,
    pub created: i32,
    pub changed: i32,
    pub unchanged: i32,
    pub rejected_rows: i32,
}

/// A page of imports, the newest first.
pub(super) async fn page(
    connection: &mut PgConnection,
    areas: &[Uuid],
    before: Option<(jiff::Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<Listed>, sqlx::Error> {
    let (at, id) = before.map_or((None, None), |(at, id)| (Some(at.to_sqlx()), Some(id)));
    sqlx::query_as!(
        Listed,
        "SELECT import_id, kind, file_name, imported_at, imported_by, rows, created, changed, unchanged, rejected_rows
         FROM imports
         WHERE area_path && $1 AND ($2::timestamptz IS NULL OR (imported_at, import_id) < ($2, $3::uuid))
         ORDER BY imported_at DESC, import_id DESC LIMIT $4",
        areas,
        at as _,
        id,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// The stored report, and what decides who may read it.
pub(super) async fn report(
    connection: &mut PgConnection,
    import_id: Uuid,
) -> Result<Option<(Vec<Uuid>, Box<RawValue>)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT area_path, report AS "report: Json<Box<RawValue>>" FROM imports WHERE import_id = $1"#,
        import_id,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.area_path, row.report.0)))
}

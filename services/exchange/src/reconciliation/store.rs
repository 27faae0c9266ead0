//! SQL of the reconciliation.

use domain::ids::{CaseId, MessageId};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use service_kit::page::PageRequest;
use sqlx::PgConnection;
use uuid::Uuid;

use super::http::{Count, Line};

/// The day and the scope of the caller.
pub(super) struct Of<'a> {
    pub on: Date,
    pub areas: &'a [Uuid],
    pub units: &'a [Uuid],
}

pub(super) async fn counts(tx: &mut PgConnection, of: &Of<'_>) -> sqlx::Result<Vec<Count>> {
    sqlx::query_as!(
        Count,
        r#"SELECT kind, state, count(*) AS "messages!" FROM messages
           WHERE occurred_on = $1 AND (area_path && $2 OR unit_ids && $3)
           GROUP BY kind, state ORDER BY kind, state"#,
        of.on.to_sqlx() as _,
        of.areas,
        of.units,
    )
    .fetch_all(tx)
    .await
}

/// SHA-256 over one line for each accepted message, ordered by message.
pub(super) async fn manifest(tx: &mut PgConnection, of: &Of<'_>) -> sqlx::Result<String> {
    sqlx::query_scalar!(
        r#"SELECT encode(sha256(convert_to(coalesce(
               string_agg(message_id::text || ' ' || sha256 || ' ' || receipt_no || E'\n', '' ORDER BY message_id),
               ''), 'UTF8')), 'hex') AS "manifest!"
           FROM messages
           WHERE occurred_on = $1 AND (area_path && $2 OR unit_ids && $3) AND state = 'accepted'"#,
        of.on.to_sqlx() as _,
        of.areas,
        of.units,
    )
    .fetch_one(tx)
    .await
}

pub(super) async fn lines(tx: &mut PgConnection, of: &Of<'_>, page: &PageRequest<Uuid>) -> sqlx::Result<Vec<Line>> {
    let rows = sqlx::query!(
        "SELECT message_id, case_id, kind, sequence, state, sha256, receipt_no FROM messages
         WHERE occurred_on = $1 AND (area_path && $2 OR unit_ids && $3) AND ($4::uuid IS NULL OR message_id > $4)
         ORDER BY message_id LIMIT $5",
        of.on.to_sqlx() as _,
        of.areas,
        of.units,
        page.after,
        page.fetch(),
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Line {
            message_id: MessageId::from(row.message_id),
            case_id: CaseId::from(row.case_id),
            kind: row.kind,
            sequence: row.sequence,
            state: row.state,
            sha256: row.sha256,
            receipt_no: row.receipt_no,
        })
        .collect())
}

//! Every statement about mergers.

use contracts::registry::MergerState;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Merger, state_word};
use crate::area::store::day;

/// A merger as it shall be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub merger_id: Uuid,
    pub area_id: Uuid,
    pub into_area_id: Uuid,
    pub effective_on: Date,
    pub ground: String,
    pub announced_by: String,
}

/// Records an announced merger; nothing when the area has one already.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    draft: &Draft,
    at: Timestamp,
) -> Result<Option<Merger>, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO area_mergers (merger_id, version, area_id, into_area_id, effective_on, ground, state, announced_by,
                                   announced_at, changed_at)
         VALUES ($1, 1, $2, $3, $4, $5, 'announced', $6, $7, $7) ON CONFLICT DO NOTHING",
        draft.merger_id,
        draft.area_id,
        draft.into_area_id,
        day(draft.effective_on) as _,
        draft.ground,
        draft.announced_by,
        at.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(None);
    }
    find(connection, draft.merger_id).await
}

/// Brings a merger to another state.
pub(crate) async fn set_state(
    connection: &mut PgConnection,
    merger_id: Uuid,
    state: MergerState,
    at: Timestamp,
) -> Result<Merger, sqlx::Error> {
    sqlx::query!(
        "UPDATE area_mergers SET state = $2, version = version + 1, changed_at = $3 WHERE merger_id = $1",
        merger_id,
        state_word(state),
        at.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    find(connection, merger_id).await?.ok_or(sqlx::Error::RowNotFound)
}

async fn find(connection: &mut PgConnection, merger_id: Uuid) -> Result<Option<Merger>, sqlx::Error> {
    sqlx::query_as!(
        Merger,
        "SELECT m.merger_id, m.version, m.area_id, a.code AS area_code, a.name AS area_name, m.into_area_id,
                i.code AS into_code, i.name AS into_name, m.effective_on, m.ground, m.state, m.announced_by
         FROM area_mergers m JOIN areas a ON a.area_id = m.area_id JOIN areas i ON i.area_id = m.into_area_id
         WHERE m.merger_id = $1",
        merger_id,
    )
    .fetch_optional(connection)
    .await
}

/// Locks a merger for a change.
pub(crate) async fn lock(connection: &mut PgConnection, merger_id: Uuid) -> Result<Option<Merger>, sqlx::Error> {
    let found = sqlx::query_scalar!("SELECT merger_id FROM area_mergers WHERE merger_id = $1 FOR UPDATE", merger_id)
        .fetch_optional(&mut *connection)
        .await?;
    match found {
        Some(id) => find(connection, id).await,
        None => Ok(None),
    }
}

/// Whether the day of any merger has come.
pub(crate) async fn is_due(connection: &mut PgConnection, today: Date) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM area_mergers WHERE state = 'announced' AND effective_on <= $1) AS "due!""#,
        day(today) as _,
    )
    .fetch_one(connection)
    .await
}

/// Locks the earliest merger whose day has come.
pub(crate) async fn lock_due(connection: &mut PgConnection, today: Date) -> Result<Option<Merger>, sqlx::Error> {
    let due = sqlx::query_scalar!(
        "SELECT merger_id FROM area_mergers WHERE state = 'announced' AND effective_on <= $1
         ORDER BY effective_on, announced_at, merger_id LIMIT 1 FOR UPDATE",
        day(today) as _,
    )
    .fetch_optional(&mut *connection)
    .await?;
    match due {
        Some(id) => find(connection, id).await,
        None => Ok(None),
    }
}

/// The day on which the first of these areas ends as a county unit, if that is announced.
pub(crate) async fn ends_on(connection: &mut PgConnection, areas: &[Uuid]) -> Result<Option<Date>, sqlx::Error> {
    let day = sqlx::query_scalar!(
        r#"SELECT min(effective_on) AS "day: jiff_sqlx::Date" FROM area_mergers
           WHERE state = 'announced' AND area_id = ANY($1)"#,
        areas,
    )
    .fetch_one(connection)
    .await?;
    Ok(day.map(jiff_sqlx::Date::to_jiff))
}

/// A page of mergers, the latest day first.
pub(crate) async fn page(
    connection: &mut PgConnection,
    before: Option<(Date, Uuid)>,
    limit: i64,
) -> Result<Vec<Merger>, sqlx::Error> {
    let (on, id) = before.unzip();
    sqlx::query_as!(
        Merger,
        "SELECT m.merger_id, m.version, m.area_id, a.code AS area_code, a.name AS area_name, m.into_area_id,
                i.code AS into_code, i.name AS into_name, m.effective_on, m.ground, m.state, m.announced_by
         FROM area_mergers m JOIN areas a ON a.area_id = m.area_id JOIN areas i ON i.area_id = m.into_area_id
         WHERE $1::date IS NULL OR (m.effective_on, m.merger_id) < ($1, $2::uuid)
         ORDER BY m.effective_on DESC, m.merger_id DESC LIMIT $3",
        on.map(day) as _,
        id,
        limit,
    )
    .fetch_all(connection)
    .await
}

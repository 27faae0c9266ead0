//! SQL of the implementation plan.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

/// A measure or requirement.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MeasureRow {
    pub key: String,
    pub position: i32,
    pub kind: String,
    pub section: Option<i32>,
    pub section_title: Option<String>,
    pub title: String,
    pub text: String,
    pub as_named: String,
}

/// One cell of the matrix measure × unit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DutyRow {
    pub measure_key: String,
    pub position: i32,
    pub unit_key: String,
    pub unit_name: String,
    pub named_as: Option<String>,
}

/// The heading of the stored plan.
pub(crate) struct PlanRow {
    pub key: String,
    pub document: Value,
    pub goals: Value,
    pub principles: Value,
}

/// Replicas that start at once load one after the other.
pub(crate) async fn lock(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(r#"SELECT pg_advisory_xact_lock(hashtext('tasks.implementation_plan')) AS "done!: ()""#)
        .fetch_one(tx)
        .await?;
    Ok(())
}

pub(crate) async fn stored_sha256(tx: &mut PgConnection, key: &str) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT content_sha256 FROM implementation_plans WHERE key = $1", key).fetch_optional(tx).await
}

pub(crate) async fn clear(tx: &mut PgConnection, key: &str) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM duties WHERE plan_key = $1", key).execute(&mut *tx).await?;
    sqlx::query!("DELETE FROM plan_measures WHERE plan_key = $1", key).execute(&mut *tx).await?;
    sqlx::query!("DELETE FROM implementation_plans WHERE key = $1", key).execute(tx).await?;
    Ok(())
}

pub(crate) async fn save_plan(
    tx: &mut PgConnection,
    key: &str,
    sha256: &str,
    document: &Value,
    goals: &Value,
    principles: &Value,
    at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO implementation_plans (key, content_sha256, document, goals, principles, loaded_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        key,
        sha256,
        document,
        goals,
        principles,
        at.to_sqlx() as _,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn save_measures(tx: &mut PgConnection, plan: &str, rows: &[MeasureRow]) -> sqlx::Result<()> {
    for row in rows {
        sqlx::query!(
            "INSERT INTO plan_measures (plan_key, key, position, kind, section, section_title, title, body, as_named)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            plan,
            row.key,
            row.position,
            row.kind,
            row.section,
            row.section_title,
            row.title,
            row.text,
            row.as_named,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

pub(crate) async fn save_duties(tx: &mut PgConnection, plan: &str, rows: &[DutyRow]) -> sqlx::Result<()> {
    let column = |pick: fn(&DutyRow) -> &String| -> Vec<String> { rows.iter().map(pick).cloned().collect() };
    let positions: Vec<i32> = rows.iter().map(|row| row.position).collect();
    let named_as: Vec<Option<String>> = rows.iter().map(|row| row.named_as.clone()).collect();
    sqlx::query!(
        "INSERT INTO duties (plan_key, measure_key, position, unit_key, unit_name, named_as)
         SELECT $1, r.* FROM unnest($2::text[], $3::integer[], $4::text[], $5::text[], $6::text[]) AS r",
        plan,
        &column(|row| &row.measure_key),
        &positions,
        &column(|row| &row.unit_key),
        &column(|row| &row.unit_name),
        &named_as as _,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The stored plan; the newest loaded when there are several.
pub(crate) async fn plan(tx: &mut PgConnection) -> sqlx::Result<Option<PlanRow>> {
    sqlx::query_as!(
        PlanRow,
        "SELECT key, document, goals, principles FROM implementation_plans ORDER BY loaded_at DESC, key LIMIT 1"
    )
    .fetch_optional(tx)
    .await
}

pub(crate) async fn measures(tx: &mut PgConnection, plan: &str) -> sqlx::Result<Vec<MeasureRow>> {
    sqlx::query_as!(
        MeasureRow,
        r#"SELECT key, position, kind, section, section_title, title, body AS "text", as_named
           FROM plan_measures WHERE plan_key = $1 ORDER BY position"#,
        plan,
    )
    .fetch_all(tx)
    .await
}

pub(crate) async fn duties(tx: &mut PgConnection, plan: &str) -> sqlx::Result<Vec<DutyRow>> {
    sqlx::query_as!(
        DutyRow,
        "SELECT measure_key, position, unit_key, unit_name, named_as FROM duties
         WHERE plan_key = $1 ORDER BY measure_key, position",
        plan,
    )
    .fetch_all(tx)
    .await
}

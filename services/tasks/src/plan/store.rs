//! SQL of plans.

use contracts::registry::AreaMerged;
use contracts::tasks::SupervisionKind;
use domain::ids::{AreaId, DocumentId, PlanId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use service_kit::page::PageRequest;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Plan, PlanItem};
use crate::case::{kind_of, kind_text};
use crate::document;
use crate::registry::store::uuids;

/// The sort key of lists: newest first.
pub(crate) type Cursor = (Timestamp, Uuid);

struct PlanRow {
    plan_id: Uuid,
    version: i64,
    year: i16,
    title: String,
    agency_id: Uuid,
    agency_name: String,
    area_path: Vec<Uuid>,
    document_id: Option<Uuid>,
    created_at: jiff_sqlx::Timestamp,
}

pub(super) async fn insert(tx: &mut PgConnection, plan: &Plan) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO plans (plan_id, version, year, title, agency_id, agency_name, area_path, unit_ids, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, '{}', $8)",
        plan.plan_id.as_uuid(),
        plan.version,
        plan.year,
        plan.title,
        plan.agency_id.as_uuid(),
        plan.agency_name,
        &uuids(&plan.area_path),
        plan.created_at.to_sqlx() as _,
    )
    .execute(&mut *tx)
    .await?;
    for item in &plan.items {
        sqlx::query!(
            "INSERT INTO plan_items (plan_item_id, plan_id, number, supervision_kind, matter, target_unit_ids, window_from,
                 window_to)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            item.plan_item_id.as_uuid(),
            plan.plan_id.as_uuid(),
            item.number,
            kind_text(item.supervision_kind),
            item.matter,
            &uuids(&item.target_unit_ids),
            item.window_from.to_sqlx() as _,
            item.window_to.to_sqlx() as _,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

pub(crate) async fn find_for_update(tx: &mut PgConnection, id: PlanId) -> sqlx::Result<Option<Plan>> {
    sqlx::query!("SELECT plan_id FROM plans WHERE plan_id = $1 FOR UPDATE", id.as_uuid())
        .fetch_optional(&mut *tx)
        .await?;
    find(tx, id).await
}

pub(crate) async fn find(tx: &mut PgConnection, id: PlanId) -> sqlx::Result<Option<Plan>> {
    let row = sqlx::query_as!(
        PlanRow,
        "SELECT plan_id, version, year, title, agency_id, agency_name, area_path, document_id, created_at
         FROM plans WHERE plan_id = $1",
        id.as_uuid(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    match row {
        Some(row) => whole(tx, row).await.map(Some),
        None => Ok(None),
    }
}

/// Plans in these areas, newest first.
pub(super) async fn list(
    tx: &mut PgConnection,
    areas: &[AreaId],
    year: Option<i16>,
    page: &PageRequest<Cursor>,
) -> sqlx::Result<Vec<Plan>> {
    let (after_at, after_id) = page.after.unzip();
    let rows = sqlx::query_as!(
        PlanRow,
        "SELECT plan_id, version, year, title, agency_id, agency_name, area_path, document_id, created_at
         FROM plans
         WHERE area_path && $1 AND ($2::smallint IS NULL OR year = $2)
           AND ($3::timestamptz IS NULL OR (created_at, plan_id) < ($3, $4))
         ORDER BY created_at DESC, plan_id DESC LIMIT $5",
        &uuids(areas),
        year,
        after_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        after_id,
        page.fetch(),
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut plans = Vec::with_capacity(rows.len());
    for row in rows {
        plans.push(whole(tx, row).await?);
    }
    Ok(plans)
}

async fn whole(tx: &mut PgConnection, row: PlanRow) -> sqlx::Result<Plan> {
    let items = sqlx::query!(
        "SELECT plan_item_id, number, supervision_kind, matter, target_unit_ids, window_from, window_to
         FROM plan_items WHERE plan_id = $1 ORDER BY number",
        row.plan_id,
    )
    .fetch_all(&mut *tx)
    .await?;
    let document = match row.document_id {
        Some(id) => document::store::find(tx, DocumentId::new(id)).await?.map(|found| found.document),
        None => None,
    };
    Ok(Plan {
        plan_id: row.plan_id.into(),
        version: row.version,
        year: row.year,
        title: row.title,
        agency_id: row.agency_id.into(),
        agency_name: row.agency_name,
        area_path: row.area_path.into_iter().map(AreaId::from).collect(),
        items: items
            .into_iter()
            .map(|item| PlanItem {
                plan_item_id: item.plan_item_id.into(),
                number: item.number,
                // The column's check constraint admits no other word.
                supervision_kind: kind_of(&item.supervision_kind).unwrap_or(SupervisionKind::Special),
                matter: item.matter,
                target_unit_ids: item.target_unit_ids.into_iter().map(UnitId::from).collect(),
                window_from: item.window_from.to_jiff(),
                window_to: item.window_to.to_jiff(),
            })
            .collect(),
        document,
        created_at: row.created_at.to_jiff(),
    })
}

pub(super) async fn set_issued(
    tx: &mut PgConnection,
    id: PlanId,
    version: i64,
    document: DocumentId,
) -> sqlx::Result<()> {
    let done = sqlx::query!(
        "UPDATE plans SET version = $2, document_id = $3 WHERE plan_id = $1 AND version = $2::bigint - 1",
        id.as_uuid(),
        version,
        document.as_uuid(),
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

/// Gives the plans of a county that became a part of another one to the office that takes over. They keep the name of the agency
/// that made them.
pub(crate) async fn hand_over(tx: &mut PgConnection, merged: &AreaMerged) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE plans SET area_path = $2 || area_path[array_position(area_path, $1) + 1:]
         WHERE area_path @> ARRAY[$1::uuid] AND area_path[:cardinality($2::uuid[])] <> $2",
        merged.area_id.as_uuid(),
        &uuids(&merged.path),
    )
    .execute(tx)
    .await?;
    Ok(())
}

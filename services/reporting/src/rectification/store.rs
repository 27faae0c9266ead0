//! SQL of the copies: the newest version wins, whatever the order of arrival.

use contracts::deadlines::RectificationSnapshot;
use contracts::publication::PagePublished;
use domain::ids::{AreaId, ItemId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::PROVINCIAL;

/// Saves a snapshot with its ledger rows; an older or the same version changes nothing.
pub(crate) async fn save(tx: &mut PgConnection, snapshot: &RectificationSnapshot) -> sqlx::Result<()> {
    let rectification_id = snapshot.rectification_id.as_uuid();
    let json = serde_json::to_value(snapshot).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let area_path: Vec<Uuid> = snapshot.unit.area_path.iter().map(AreaId::as_uuid).collect();
    let unit_ids = [snapshot.unit.unit_id.as_uuid()];
    let reader_ids: Vec<Uuid> = snapshot.unit.competent_unit_id.iter().map(UnitId::as_uuid).collect();
    let newer = sqlx::query!(
        "INSERT INTO rectifications (rectification_id, version, snapshot, area_path, unit_ids, reader_ids, county_code,
             urging_orders)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (rectification_id) DO UPDATE SET version = excluded.version, snapshot = excluded.snapshot,
             area_path = excluded.area_path, unit_ids = excluded.unit_ids, reader_ids = excluded.reader_ids,
             county_code = excluded.county_code, urging_orders = excluded.urging_orders
         WHERE rectifications.version < excluded.version",
        rectification_id,
        snapshot.version,
        json,
        &area_path,
        &unit_ids,
        &reader_ids,
        snapshot.unit.county_code,
        i32::try_from(snapshot.urging_orders.len()).unwrap_or(i32::MAX),
    )
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if newer == 0 {
        return Ok(());
    }
    sqlx::query!("DELETE FROM ledger_rows WHERE rectification_id = $1", rectification_id).execute(&mut *tx).await?;
    // The items come out of the snapshot in the database: one statement, however many there are.
    sqlx::query!(
        "INSERT INTO ledger_rows (item_id, rectification_id, number, area_path, unit_ids, reader_ids, case_title,
             supervision_kind, visited_on, county_code, county_name, unit_id, unit_name, unit_code, description,
             category, severity, basis, demand, responsible_unit_name, competent_unit_name, letter_no,
             letter_issued_at, first_due_on, due_on, due_at, provisional, state, ever_late, reported_at, report,
             verified_at, verified_by, closed_at, returned, urging_order_no, urged_at, paused, reopened, extensions,
             joint_liability, interview, circular, accountability)
         SELECT i.item_id, r.rectification_id, i.number, r.area_path, r.unit_ids, r.reader_ids,
             r.snapshot->>'case_title', r.snapshot->>'supervision_kind', (r.snapshot->>'visited_on')::date,
             r.county_code, coalesce(r.snapshot#>>'{unit,county_name}', r.county_code, $2),
             (r.snapshot#>>'{unit,unit_id}')::uuid, r.snapshot#>>'{unit,name}', r.snapshot#>>'{unit,code}',
             i.description, i.category, i.severity, i.basis, i.demand, i.responsible_unit_name,
             r.snapshot#>>'{unit,competent_unit_name}', r.snapshot#>>'{letter,doc_no}',
             (r.snapshot#>>'{letter,issued_at}')::timestamptz, i.first_due_on, i.due_on, i.due_at, i.provisional,
             i.state, i.late, i.reported_at, i.report, i.verified_at, i.verified_by, i.closed_at, i.returned,
             i.urging_order_no,
             (SELECT max((o#>>'{document,issued_at}')::timestamptz)
                FROM jsonb_array_elements(r.snapshot->'urging_orders') AS o
                WHERE o->'items' @> jsonb_build_array(jsonb_build_object('item_id', i.item_id))
                    AND NOT EXISTS (SELECT FROM look_backs b WHERE b.item_id = i.item_id AND NOT b.passed
                        AND b.found_at >= (o#>>'{document,issued_at}')::timestamptz)),
             r.snapshot->>'paused_until' IS NOT NULL, coalesce(i.reopened, 0), coalesce(i.extensions, 0),
             r.snapshot->>'liable_for' IS NOT NULL, newest_step(r.snapshot, i.number, 2),
             newest_step(r.snapshot, i.number, 3), newest_step(r.snapshot, i.number, 4)
         FROM rectifications r, jsonb_to_recordset(r.snapshot->'items') AS i(item_id uuid, number integer,
             description text, category text, severity text, basis text, demand text, responsible_unit_name text,
             first_due_on date, due_on date, due_at timestamptz, provisional boolean, state text, late boolean,
             reported_at timestamptz, report text, verified_at timestamptz, verified_by text, closed_at timestamptz,
             returned integer, urging_order_no text, reopened integer, extensions integer)
         WHERE r.rectification_id = $1",
        rectification_id,
        PROVINCIAL,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Remembers what a look-back found. A problem that is back begins anew: the urging orders of before say nothing about it
/// any more.
pub(crate) async fn save_look_back(
    tx: &mut PgConnection,
    item_id: ItemId,
    found_at: Timestamp,
    passed: bool,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO look_backs (item_id, found_at, passed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        item_id.as_uuid(),
        found_at.to_sqlx() as _,
        passed,
    )
    .execute(&mut *tx)
    .await?;
    if !passed {
        // A newer snapshot may be here already.
        sqlx::query!(
            "UPDATE ledger_rows SET urged_at = NULL WHERE item_id = $1 AND urged_at <= $2",
            item_id.as_uuid(),
            found_at.to_sqlx() as _,
        )
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Remembers where the public page is.
pub(crate) async fn save_page(tx: &mut PgConnection, page: &PagePublished) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO public_pages (rectification_id, version, path) VALUES ($1, $2, $3)
         ON CONFLICT (rectification_id) DO UPDATE SET version = excluded.version, path = excluded.path
         WHERE public_pages.version < excluded.version",
        page.rectification_id.as_uuid(),
        page.version,
        page.path,
    )
    .execute(tx)
    .await?;
    Ok(())
}

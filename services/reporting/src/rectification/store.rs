//! SQL of the copies: the newest version wins, whatever the order of arrival.

use contracts::deadlines::RectificationSnapshot;
use contracts::publication::PagePublished;
use domain::ids::ItemId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::PROVINCIAL;

/// Saves snapshots, one of each rectification, with their ledger rows; an older or the same version changes nothing.
pub(crate) async fn save<'a>(
    tx: &mut PgConnection,
    snapshots: impl Iterator<Item = &'a RectificationSnapshot>,
) -> sqlx::Result<()> {
    let snapshots: Vec<String> = snapshots
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    // In the order of the names, so that two replicas with the same rectifications wait for each other instead of locking up.
    let newer: Vec<Uuid> = sqlx::query_scalar!(
        "INSERT INTO rectifications (rectification_id, version, snapshot, area_path, unit_ids, reader_ids, county_code,
             urging_orders)
         SELECT (s.s->>'rectification_id')::uuid AS rectification_id, (s.s->>'version')::bigint, s.s,
             ARRAY(SELECT a.id::uuid FROM jsonb_array_elements_text(s.s#>'{unit,area_path}') WITH ORDINALITY AS a(id, n)
                   ORDER BY a.n),
             ARRAY[(s.s#>>'{unit,unit_id}')::uuid],
             array_remove(ARRAY[(s.s#>>'{unit,competent_unit_id}')::uuid], NULL),
             s.s#>>'{unit,county_code}', jsonb_array_length(s.s->'urging_orders')
         FROM (SELECT t::jsonb AS s FROM unnest($1::text[]) AS t) AS s
         ORDER BY rectification_id
         ON CONFLICT (rectification_id) DO UPDATE SET version = excluded.version, snapshot = excluded.snapshot,
             area_path = excluded.area_path, unit_ids = excluded.unit_ids, reader_ids = excluded.reader_ids,
             county_code = excluded.county_code, urging_orders = excluded.urging_orders
         WHERE rectifications.version < excluded.version
         RETURNING rectification_id",
        &snapshots,
    )
    .fetch_all(&mut *tx)
    .await?;
    if newer.is_empty() {
        return Ok(());
    }
    sqlx::query!("DELETE FROM ledger_rows WHERE rectification_id = ANY($1)", &newer).execute(&mut *tx).await?;
    // The items come out of the snapshot in the database: one statement, however many snapshots and items there are.
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
         WHERE r.rectification_id = ANY($1)",
        &newer,
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

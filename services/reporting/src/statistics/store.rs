//! SQL of the statistics.

use access::Scope;
use domain::ids::{AreaId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::ledger::DUE_SOON_DAYS;

/// The counts of one county; `county_code` is `None` for provincial units.
#[derive(Debug, Clone)]
pub(crate) struct CountyCounts {
    pub county_code: Option<String>,
    pub county_name: String,
    pub items: i64,
    pub in_progress: i64,
    pub reported: i64,
    pub verified: i64,
    pub closed: i64,
    pub waived: i64,
    pub paused: i64,
    pub reopened: i64,
    pub due_soon: i64,
    pub late: i64,
    pub on_time: i64,
    pub on_time_base: i64,
    pub rectifications: i64,
    pub urging_orders: i64,
}

/// The counts of each county at `at`, in one statement and so of one moment.
pub(crate) async fn by_county(
    tx: &mut PgConnection,
    scope: &Scope,
    county: Option<&str>,
    at: Timestamp,
) -> sqlx::Result<Vec<CountyCounts>> {
    let areas: Vec<Uuid> = scope.areas.iter().map(AreaId::as_uuid).collect();
    let units: Vec<Uuid> = scope.units.iter().map(UnitId::as_uuid).collect();
    sqlx::query_as!(
        CountyCounts,
        r#"WITH items AS (
            SELECT l.county_code, max(l.county_name) AS county_name, count(*) AS items,
                count(*) FILTER (WHERE l.state = 'in_progress') AS in_progress,
                count(*) FILTER (WHERE l.state = 'reported') AS reported,
                count(*) FILTER (WHERE l.state = 'verified') AS verified,
                count(*) FILTER (WHERE l.state = 'closed') AS closed,
                count(*) FILTER (WHERE l.state = 'waived') AS waived,
                count(*) FILTER (WHERE l.state = 'in_progress' AND l.paused) AS paused,
                count(*) FILTER (WHERE l.reopened > 0) AS reopened,
                count(*) FILTER (WHERE item_is_due_soon(l, $1, $2)) AS due_soon,
                count(*) FILTER (WHERE item_is_late(l, $1)) AS late,
                count(*) FILTER (WHERE l.reported_at IS NOT NULL AND NOT l.ever_late) AS on_time,
                count(*) FILTER (WHERE item_is_judged(l, $1)) AS on_time_base
            FROM ledger_rows l
            WHERE (l.area_path && $3 OR l.unit_ids && $4 OR l.reader_ids && $4)
                AND ($5::text IS NULL OR l.county_code = $5 OR ($5 = 'province' AND l.county_code IS NULL))
            GROUP BY l.county_code
        ), orders AS (
            SELECT r.county_code, count(*) AS rectifications, sum(r.urging_orders) AS urging_orders
            FROM rectifications r
            WHERE (r.area_path && $3 OR r.unit_ids && $4 OR r.reader_ids && $4)
            GROUP BY r.county_code
        )
        SELECT i.county_code, i.county_name AS "county_name!", i.items AS "items!", i.in_progress AS "in_progress!",
            i.reported AS "reported!", i.verified AS "verified!", i.closed AS "closed!", i.waived AS "waived!",
            i.paused AS "paused!", i.reopened AS "reopened!", i.due_soon AS "due_soon!",
            i.late AS "late!", i.on_time AS "on_time!", i.on_time_base AS "on_time_base!",
            o.rectifications AS "rectifications!", o.urging_orders AS "urging_orders!"
        FROM items i JOIN orders o ON o.county_code IS NOT DISTINCT FROM i.county_code
        ORDER BY i.county_code NULLS FIRST"#,
        at.to_sqlx() as _,
        DUE_SOON_DAYS,
        &areas as _,
        &units as _,
        county as _,
    )
    .fetch_all(tx)
    .await
}

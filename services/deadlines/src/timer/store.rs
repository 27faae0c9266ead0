//! Every statement about watching the clocks.

use access::Scope;
use domain::ids::{RectificationId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use uuid::Uuid;

/// Whose timers are seen: of these areas and units with their names, of everybody without.
#[derive(Debug)]
pub(super) struct Reach {
    areas: Vec<Uuid>,
    units: Vec<Uuid>,
    everybody: bool,
}

impl Reach {
    pub(super) fn of(scope: &Scope, everybody: bool) -> Self {
        Self {
            areas: scope.areas.iter().copied().map(Uuid::from).collect(),
            units: scope.units.iter().copied().map(Uuid::from).collect(),
            everybody,
        }
    }
}

/// Which timers.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) reach: &'a Reach,
    pub(super) state: Option<&'static str>,
    pub(super) kind: Option<&'static str>,
    pub(super) county: Option<&'a str>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) at: Timestamp,
    pub(super) late_before: Timestamp,
}

/// Whose case it is.
#[derive(Debug)]
pub(super) struct Whose {
    pub(super) unit_id: UnitId,
    pub(super) unit_name: String,
    pub(super) letter_no: String,
}

impl Whose {
    fn of(unit_id: Uuid, unit_name: String, letter_no: String) -> Self {
        Self { unit_id: unit_id.into(), unit_name, letter_no }
    }
}

/// A timer with its case.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) rectification_id: RectificationId,
    /// Nothing when the caller sees the clock only.
    pub(super) whose: Option<Whose>,
    pub(super) county_code: Option<String>,
    pub(super) kind: String,
    pub(super) number: i32,
    pub(super) round: i32,
    pub(super) step: i32,
    pub(super) due_at: Timestamp,
    /// Its case is set aside.
    pub(super) stuck: bool,
}

impl Row {
    pub(super) fn cursor(&self) -> super::http::Cursor {
        (self.due_at, self.rectification_id.into(), self.kind.clone(), self.number, self.round, self.step)
    }
}

/// A case that is set aside.
#[derive(Debug)]
pub(super) struct StuckRow {
    pub(super) rectification_id: RectificationId,
    pub(super) whose: Option<Whose>,
    pub(super) county_code: Option<String>,
    pub(super) since: Timestamp,
    pub(super) due_at: Option<Timestamp>,
    pub(super) cause: String,
}

/// A page of timers, the earliest first. The armed instant of a case is its earliest: an end of the span leaves the rest out
/// by the index before any state is opened.
pub(super) async fn timers(
    connection: &mut PgConnection,
    wanted: &Wanted<'_>,
    after: Option<&super::http::Cursor>,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT t.rectification_id AS "rectification_id!", t.kind AS "kind!", t.number AS "number!", t.round AS "round!",
                  t.step AS "step!", t.due_at AS "due_at!", r.stuck_at IS NOT NULL AS "stuck!", d.county_code,
                  (d.area_path && $1 OR d.unit_ids && $2) AS "named!",
                  (d.letter -> 'unit' ->> 'unit_id')::uuid AS "unit_id!", d.letter -> 'unit' ->> 'name' AS "unit_name!",
                  d.letter -> 'document' ->> 'doc_no' AS "letter_no!"
           FROM rectifications r JOIN dossiers d USING (rectification_id) JOIN timers t USING (rectification_id)
           WHERE (d.area_path && $1 OR d.unit_ids && $2 OR $3)
             AND ($4::text IS NULL OR d.county_code = $4)
             AND ($5::text IS NULL OR t.kind = $5)
             AND ($6::timestamptz IS NULL OR t.due_at >= $6)
             AND ($7::timestamptz IS NULL OR (t.due_at < $7 AND r.next_timer_at < $7))
             AND ($8::text IS NULL
                  OR ($8 = 'armed' AND t.due_at > $9)
                  OR ($8 = 'stuck' AND t.due_at <= $9 AND r.stuck_at IS NOT NULL)
                  OR ($8 = 'late' AND t.due_at < $10 AND r.stuck_at IS NULL)
                  OR ($8 = 'due' AND t.due_at <= $9 AND t.due_at >= $10 AND r.stuck_at IS NULL))
             AND ($8 IS NULL OR $8 = 'armed' OR r.next_timer_at <= $9)
             AND ($11::timestamptz IS NULL
                  OR (t.due_at, t.rectification_id, t.kind, t.number, t.round, t.step) > ($11, $12, $13, $14, $15, $16))
           ORDER BY t.due_at, t.rectification_id, t.kind, t.number, t.round, t.step LIMIT $17"#,
        &wanted.reach.areas,
        &wanted.reach.units,
        wanted.reach.everybody,
        wanted.county,
        wanted.kind,
        wanted.from.map(ToSqlx::to_sqlx) as _,
        wanted.to.map(ToSqlx::to_sqlx) as _,
        wanted.state,
        wanted.at.to_sqlx() as _,
        wanted.late_before.to_sqlx() as _,
        after.map(|after| after.0.to_sqlx()) as _,
        after.map(|after| after.1),
        after.map(|after| after.2.as_str()),
        after.map(|after| after.3),
        after.map(|after| after.4),
        after.map(|after| after.5),
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Row {
            rectification_id: row.rectification_id.into(),
            whose: row.named.then(|| Whose::of(row.unit_id, row.unit_name, row.letter_no)),
            county_code: row.county_code,
            kind: row.kind,
            number: row.number,
            round: row.round,
            step: row.step,
            due_at: row.due_at.to_jiff(),
            stuck: row.stuck,
        })
        .collect())
}

/// The cases that are set aside, the longest first.
pub(super) async fn stuck(
    connection: &mut PgConnection,
    reach: &Reach,
    county: Option<&str>,
) -> Result<Vec<StuckRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT r.rectification_id, r.stuck_at AS "since!", r.next_timer_at, coalesce(r.stuck_cause, '') AS "cause!",
                  d.county_code, (d.area_path && $1 OR d.unit_ids && $2) AS "named!",
                  (d.letter -> 'unit' ->> 'unit_id')::uuid AS "unit_id!", d.letter -> 'unit' ->> 'name' AS "unit_name!",
                  d.letter -> 'document' ->> 'doc_no' AS "letter_no!"
           FROM rectifications r JOIN dossiers d USING (rectification_id)
           WHERE r.stuck_at IS NOT NULL AND (d.area_path && $1 OR d.unit_ids && $2 OR $3)
             AND ($4::text IS NULL OR d.county_code = $4)
           ORDER BY r.next_timer_at, r.rectification_id LIMIT 100"#,
        &reach.areas,
        &reach.units,
        reach.everybody,
        county,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| StuckRow {
            rectification_id: row.rectification_id.into(),
            whose: row.named.then(|| Whose::of(row.unit_id, row.unit_name, row.letter_no)),
            county_code: row.county_code,
            since: row.since.to_jiff(),
            due_at: row.next_timer_at.map(jiff_sqlx::Timestamp::to_jiff),
            cause: row.cause,
        })
        .collect())
}

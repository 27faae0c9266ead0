//! Every statement about rectifications, limits and proof sheets. Set-based: one act and a storm of thousands take the same
//! few statements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contracts::tasks::LetterIssued;
use domain::ids::{AccountId, RectificationId, SheetId};
use domain::rectification::{Item, Rectification, Workbook};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::dossier::{Dossier, Successor};
use super::snapshot::deadline_id;
use crate::urging_order::kept::{self, Kept};

/// A dossier with the version of its row.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) version: i64,
    pub(crate) dossier: Dossier,
}

/// A change to write: what was before, what is now.
pub(crate) struct Save<'a> {
    pub(crate) before: Option<&'a Rectification>,
    pub(crate) after: &'a Dossier,
    /// The version from now on: the next one, or the same when nobody is told anything.
    pub(crate) version: i64,
}

/// A case as its rows say, before anything is read out of the texts.
pub(crate) struct Row {
    pub(crate) rectification_id: RectificationId,
    version: i64,
    state: String,
    people: String,
    letter: String,
    agency_area_code: String,
    agency_key: String,
    successor: Option<String>,
    closed_at: Option<jiff_sqlx::Timestamp>,
    orders: Vec<Kept>,
}

/// What a row holds is not what this version writes.
#[derive(Debug, thiserror::Error)]
#[error("rectification {rectification_id}: column {column} cannot be read: {source}")]
pub(crate) struct UnreadableRow {
    rectification_id: RectificationId,
    column: &'static str,
    source: serde_json::Error,
}

impl From<UnreadableRow> for sqlx::Error {
    fn from(unreadable: UnreadableRow) -> Self {
        Self::Decode(Box::new(unreadable))
    }
}

impl Row {
    /// Reads the texts; apart from loading, so that a storm can do it beside the database's next work.
    pub(crate) fn read(self) -> Result<Stored, UnreadableRow> {
        let rectification_id = self.rectification_id;
        let fault = |column| move |source| UnreadableRow { rectification_id, column, source };
        let rectification: Rectification = serde_json::from_str(&self.state).map_err(fault("state"))?;
        let letter: LetterIssued = serde_json::from_str(&self.letter).map_err(fault("letter"))?;
        let people: BTreeMap<AccountId, String> = serde_json::from_str(&self.people).map_err(fault("people"))?;
        let successor: Option<Successor> =
            self.successor.as_deref().map(serde_json::from_str).transpose().map_err(fault("successor"))?;
        let facts = self.orders.into_iter().map(|order| order.fact(&rectification, &letter, successor.as_ref()));
        let orders = facts.collect::<Result<_, _>>().map_err(fault("content"))?;
        Ok(Stored {
            version: self.version,
            dossier: Dossier {
                rectification,
                letter: Arc::new(letter),
                agency_area_code: self.agency_area_code,
                agency_key: self.agency_key,
                successor,
                orders,
                people,
                closed_at: self.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
            },
        })
    }
}

macro_rules! row {
    ($row:expr) => {
        Row {
            rectification_id: $row.rectification_id.into(),
            version: $row.version,
            state: $row.state,
            people: $row.people,
            letter: $row.letter,
            agency_area_code: $row.agency_area_code,
            agency_key: $row.agency_key,
            successor: $row.successor,
            closed_at: $row.closed_at,
            orders: Vec::new(),
        }
    };
}

/// Locks a case. Its dossier is locked as well, so that who waited for a hand-over to another office sees the office of after it.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<Option<Stored>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT r.rectification_id, r.version, r.state, r.people::text AS "people!", d.letter::text AS "letter!",
                  d.agency_area_code, d.agency_key, d.successor::text AS successor, r.closed_at
           FROM rectifications r JOIN dossiers d USING (rectification_id)
           WHERE r.rectification_id = $1 FOR UPDATE OF r FOR SHARE OF d"#,
        Uuid::from(rectification_id)
    )
    .fetch_optional(&mut *connection)
    .await?;
    one(connection, row.map(|row| row!(row))).await
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<Option<Stored>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT r.rectification_id, r.version, r.state, r.people::text AS "people!", d.letter::text AS "letter!",
                  d.agency_area_code, d.agency_key, d.successor::text AS successor, r.closed_at
           FROM rectifications r JOIN dossiers d USING (rectification_id) WHERE r.rectification_id = $1"#,
        Uuid::from(rectification_id)
    )
    .fetch_optional(&mut *connection)
    .await?;
    one(connection, row.map(|row| row!(row))).await
}

async fn one(connection: &mut PgConnection, row: Option<Row>) -> Result<Option<Stored>, sqlx::Error> {
    let Some(row) = row else { return Ok(None) };
    let mut rows = vec![row];
    load_orders(connection, &mut rows).await?;
    Ok(rows.pop().map(Row::read).transpose()?)
}

/// Takes up to `limit` cases that have something due, the longest due first; those that another replica works on are
/// left to it. The row locks end with the transaction, or with the connection when the process dies. A case that the rules
/// in force have not counted yet waits for that.
///
/// The rows are taken before their dossiers are looked up, one by one by the key: a join would leave it to the planner's guess
/// whether each batch reads and sorts everything that is due.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    at: Timestamp,
    rules_version: i64,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH due AS MATERIALIZED (
               SELECT rectification_id, version, state, people, closed_at, next_timer_at FROM rectifications
               WHERE next_timer_at <= $1 AND (stuck_at IS NULL OR stuck_at < $1 - interval '1 minute')
                 AND (rules_version = $3 OR closed_at IS NOT NULL)
               ORDER BY next_timer_at LIMIT $2 FOR UPDATE SKIP LOCKED)
           SELECT r.rectification_id AS "rectification_id!", r.version AS "version!", r.state AS "state!",
                  r.people::text AS "people!", d.letter AS "letter!", d.agency_area_code AS "agency_area_code!",
                  d.agency_key AS "agency_key!", d.successor, r.closed_at
           FROM due r CROSS JOIN LATERAL (
               SELECT letter::text AS letter, agency_area_code, agency_key, successor::text AS successor FROM dossiers
               WHERE rectification_id = r.rectification_id LIMIT 1) d
           ORDER BY r.next_timer_at"#,
        at.to_sqlx() as _,
        limit,
        rules_version
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut rows: Vec<Row> = rows.into_iter().map(|row| row!(row)).collect();
    load_orders(connection, &mut rows).await?;
    Ok(rows)
}

/// Takes up to `limit` open cases that are still counted by older rules, with the version of those; what is due first
/// comes first.
pub(crate) async fn take_behind(
    connection: &mut PgConnection,
    at: Timestamp,
    rules_version: i64,
    limit: i64,
) -> Result<Vec<(Row, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH behind AS MATERIALIZED (
               SELECT rectification_id, version, state, people, closed_at, next_timer_at, rules_version FROM rectifications
               WHERE rules_version < $2 AND closed_at IS NULL
                 AND (stuck_at IS NULL OR stuck_at < $1::timestamptz - interval '1 minute')
               ORDER BY next_timer_at LIMIT $3 FOR UPDATE SKIP LOCKED)
           SELECT r.rectification_id AS "rectification_id!", r.version AS "version!", r.state AS "state!",
                  r.people::text AS "people!", d.letter AS "letter!", d.agency_area_code AS "agency_area_code!",
                  d.agency_key AS "agency_key!", d.successor, r.closed_at, r.rules_version AS "rules_version!"
           FROM behind r CROSS JOIN LATERAL (
               SELECT letter::text AS letter, agency_area_code, agency_key, successor::text AS successor FROM dossiers
               WHERE rectification_id = r.rectification_id LIMIT 1) d
           ORDER BY r.next_timer_at"#,
        at.to_sqlx() as _,
        rules_version,
        limit
    )
    .fetch_all(&mut *connection)
    .await?;
    let (mut rows, versions): (Vec<Row>, Vec<i64>) = rows
        .into_iter()
        .map(|row| {
            let version = row.rules_version;
            (row!(row), version)
        })
        .unzip();
    load_orders(connection, &mut rows).await?;
    Ok(rows.into_iter().zip(versions).collect())
}

/// A page of the open cases, in the order of their names; locks nothing.
pub(crate) async fn open_after(
    connection: &mut PgConnection,
    after: Option<RectificationId>,
    limit: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT r.rectification_id, r.version, r.state, r.people::text AS "people!", d.letter::text AS "letter!",
                  d.agency_area_code, d.agency_key, d.successor::text AS successor, r.closed_at
           FROM rectifications r JOIN dossiers d USING (rectification_id)
           WHERE r.closed_at IS NULL AND ($1::uuid IS NULL OR r.rectification_id > $1)
           ORDER BY r.rectification_id LIMIT $2"#,
        after.map(Uuid::from),
        limit
    )
    .fetch_all(&mut *connection)
    .await?;
    Ok(rows.into_iter().map(|row| row!(row)).collect())
}

/// Notes that locked cases are counted by the rules in force, when that changed nothing about them.
pub(crate) async fn mark_counted(connection: &mut PgConnection, ids: &[RectificationId]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().copied().map(Uuid::from).collect();
    sqlx::query!(
        "UPDATE rectifications
         SET rules_version = (SELECT version FROM rules_in_force), stuck_at = NULL, stuck_since = NULL, stuck_cause = NULL
         WHERE rectification_id = ANY($1)",
        &ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether an open case is still counted by older rules than those.
pub(crate) async fn is_behind(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
    rules_version: i64,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM rectifications
                          WHERE rectification_id = $1 AND closed_at IS NULL AND rules_version < $2) AS "behind!""#,
        Uuid::from(rectification_id),
        rules_version
    )
    .fetch_one(connection)
    .await
}

/// Brings the urging orders of those cases that have any; in a first storm that is none, and nothing is asked.
async fn load_orders(connection: &mut PgConnection, rows: &mut [Row]) -> Result<(), sqlx::Error> {
    let mut urged = Vec::new();
    for row in &*rows {
        // The count is left out while it is zero, and quotation marks inside texts are escaped: this is the key itself.
        if row.state.contains("\"urging_orders\":") {
            let Orders { urging_orders } = serde_json::from_str(&row.state).map_err(|source| UnreadableRow {
                rectification_id: row.rectification_id,
                column: "state",
                source,
            })?;
            urged.push((row.rectification_id, urging_orders));
        }
    }
    if urged.is_empty() {
        return Ok(());
    }
    let mut by_case = kept::load(connection, &urged).await?;
    for row in rows {
        row.orders = by_case.remove(&row.rectification_id).unwrap_or_default();
    }
    Ok(())
}

/// Of a state, how many orders were issued.
#[derive(serde::Deserialize)]
struct Orders {
    urging_orders: u32,
}

/// Sets a locked rectification aside, with the cause; it is tried again after a minute.
pub(crate) async fn set_aside(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
    cause: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rectifications SET stuck_at = $2, stuck_since = coalesce(stuck_since, $2), stuck_cause = $3
         WHERE rectification_id = $1",
        Uuid::from(rectification_id),
        at.to_sqlx() as _,
        cause
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Rectifications that are set aside.
pub(crate) async fn stuck(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM rectifications WHERE stuck_at IS NOT NULL"#)
        .fetch_one(connection)
        .await
}

/// Writes cases that have just begun, at version 1.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    dossiers: &[&Dossier],
    workbook: &Workbook,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    // One at a time: the columns of lists cannot travel in arrays, and openings come one by one.
    for dossier in dossiers {
        let rectification = &dossier.rectification;
        let uuids = |ids: &[domain::ids::UnitId]| ids.iter().copied().map(Uuid::from).collect::<Vec<_>>();
        let resource = dossier.resource();
        let area_path: Vec<Uuid> = resource.area_path.iter().copied().map(Uuid::from).collect();
        sqlx::query!(
            "INSERT INTO dossiers
                 (rectification_id, letter_id, liable_for, letter, agency_area_code, agency_key, area_path, unit_ids,
                  reader_ids, county_code, search_text, received_at, successor)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            Uuid::from(rectification.rectification_id),
            Uuid::from(rectification.letter.letter_id),
            dossier.liable_for().map(Uuid::from),
            Json(dossier.letter.as_ref()) as _,
            dossier.agency_area_code,
            dossier.agency_key,
            &area_path,
            &uuids(&resource.unit_ids),
            &uuids(&resource.reader_ids),
            dossier.letter.unit.county_code,
            dossier.search_text(),
            rectification.received_at.to_sqlx() as _,
            dossier.successor.as_ref().map(Json) as _,
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query!(
            "INSERT INTO rectifications
                 (rectification_id, version, state, next_timer_at, late_from, changed_at, rules_version)
             VALUES ($1, 1, $2, $3, $4, $5, (SELECT version FROM rules_in_force))",
            Uuid::from(rectification.rectification_id),
            text(rectification)?,
            rectification.next_timer_at().map(ToSqlx::to_sqlx) as _,
            dossier.late_from().map(ToSqlx::to_sqlx) as _,
            at.to_sqlx() as _,
        )
        .execute(&mut *connection)
        .await?;
    }
    let saves: Vec<Save<'_>> =
        dossiers.iter().map(|dossier| Save { before: None, after: dossier, version: 1 }).collect();
    write_limits(connection, &saves, workbook).await
}

/// Writes changes of locked cases.
pub(crate) async fn save(
    connection: &mut PgConnection,
    changes: &[Save<'_>],
    workbook: &Workbook,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut ids = Vec::with_capacity(changes.len());
    let mut versions = Vec::with_capacity(changes.len());
    let mut states = Vec::with_capacity(changes.len());
    let mut people = Vec::with_capacity(changes.len());
    let mut next = Vec::with_capacity(changes.len());
    let mut late = Vec::with_capacity(changes.len());
    let mut closed = Vec::with_capacity(changes.len());
    for change in changes {
        ids.push(Uuid::from(change.after.rectification.rectification_id));
        versions.push(change.version);
        states.push(text(&change.after.rectification)?);
        people.push(text(&change.after.people)?);
        next.push(change.after.rectification.next_timer_at().map(ToSqlx::to_sqlx));
        late.push(change.after.late_from().map(ToSqlx::to_sqlx));
        closed.push(change.after.closed_at.map(ToSqlx::to_sqlx));
    }
    let done = sqlx::query!(
        "UPDATE rectifications r
         SET version = c.version, state = c.state, people = c.people::jsonb, next_timer_at = c.next_timer_at,
             late_from = c.late_from, closed_at = c.closed_at, changed_at = $8, stuck_at = NULL, stuck_since = NULL,
             stuck_cause = NULL, rules_version = (SELECT version FROM rules_in_force)
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
                     $7::timestamptz[])
              AS c(rectification_id, version, state, people, next_timer_at, late_from, closed_at)
         WHERE r.rectification_id = c.rectification_id AND r.version IN (c.version - 1, c.version)",
        &ids,
        &versions,
        &states,
        &people,
        &next as _,
        &late as _,
        &closed as _,
        at.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() != changes.len() as u64 {
        // The rows are locked by this transaction, so another version can only be a fault of our own.
        return Err(sqlx::Error::Protocol("a locked rectification had another version".to_owned()));
    }
    write_limits(connection, changes, workbook).await
}

/// Writes a locked case that went over to another county: who is in charge of it, under its next version. Its limits and
/// what the rules have counted stay as they are.
pub(crate) async fn hand_over(
    connection: &mut PgConnection,
    after: &Dossier,
    version: i64,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let (rectification, resource) = (&after.rectification, after.resource());
    let area_path: Vec<Uuid> = resource.area_path.iter().copied().map(Uuid::from).collect();
    let reader_ids: Vec<Uuid> = resource.reader_ids.iter().copied().map(Uuid::from).collect();
    sqlx::query!(
        "UPDATE dossiers SET letter = $2, agency_area_code = $3, agency_key = $4, area_path = $5, reader_ids = $6,
             county_code = $7, successor = $8
         WHERE rectification_id = $1",
        Uuid::from(rectification.rectification_id),
        Json(after.letter.as_ref()) as _,
        after.agency_area_code,
        after.agency_key,
        &area_path,
        &reader_ids,
        after.letter.unit.county_code,
        after.successor.as_ref().map(Json) as _,
    )
    .execute(&mut *connection)
    .await?;
    let done = sqlx::query!(
        "UPDATE rectifications SET version = $2, state = $3, changed_at = $4
         WHERE rectification_id = $1 AND version = $2::bigint - 1",
        Uuid::from(rectification.rectification_id),
        version,
        text(rectification)?,
        at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    if done.rows_affected() != 1 {
        return Err(sqlx::Error::Protocol("a locked rectification had another version".to_owned()));
    }
    Ok(())
}

/// Notes that people made these changes, not the clock.
pub(crate) async fn note_acted(connection: &mut PgConnection, changes: &[Save<'_>]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = changes.iter().map(|change| change.after.rectification.rectification_id.into()).collect();
    sqlx::query!("UPDATE rectifications SET acted_version = version WHERE rectification_id = ANY($1)", &ids)
        .execute(connection)
        .await?;
    Ok(())
}

/// The version that people made last; later ones are the clock's.
pub(crate) async fn acted_version(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT acted_version FROM rectifications WHERE rectification_id = $1",
        Uuid::from(rectification_id)
    )
    .fetch_one(connection)
    .await
}

fn text(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

#[derive(Default)]
struct LimitColumns {
    id: Vec<Uuid>,
    rectification_id: Vec<Uuid>,
    item_id: Vec<Uuid>,
    round: Vec<i32>,
    basis: Vec<String>,
    set_at: Vec<jiff_sqlx::Timestamp>,
    due_on: Vec<jiff_sqlx::Date>,
    due_at: Vec<jiff_sqlx::Timestamp>,
    provisional: Vec<bool>,
    sheet_id: Vec<Uuid>,
}

impl LimitColumns {
    fn push_new(&mut self, rectification_id: RectificationId, before: Option<&Item>, item: &Item) {
        let known = before.map_or(0, |before| before.limits.len());
        for limit in item.limits.iter().skip(known) {
            self.id.push(deadline_id(item.item_id, limit.round).into());
            self.rectification_id.push(rectification_id.into());
            self.item_id.push(item.item_id.into());
            self.round.push(i32::try_from(limit.round).unwrap_or(i32::MAX));
            self.basis.push(limit.basis.key().to_owned());
            self.set_at.push(limit.set_at.to_sqlx());
            self.due_on.push(limit.due_on().to_sqlx());
            self.due_at.push(limit.due_at().to_sqlx());
            self.provisional.push(limit.provisional);
            self.sheet_id.push(limit.sheet.into());
        }
    }
}

/// The new limits with their sheets.
async fn write_limits(
    connection: &mut PgConnection,
    changes: &[Save<'_>],
    workbook: &Workbook,
) -> Result<(), sqlx::Error> {
    let mut limit = LimitColumns::default();
    // In order of their names, so that two rounds that write the same sheets wait for each other instead of locking up.
    let mut sheets: BTreeMap<SheetId, Arc<domain::rectification::Sheet>> = BTreeMap::new();
    for change in changes {
        let after = &change.after.rectification;
        for item in &after.items {
            let before = change.before.and_then(|before| before.item(item.item_id));
            if before == Some(item) {
                continue;
            }
            limit.push_new(after.rectification_id, before, item);
            let named = item.limits.iter().map(|limit| limit.sheet).chain(item.plan.iter().map(|plan| plan.sheet));
            // A sheet that was not derived in this unit of work was stored by an earlier one.
            sheets.extend(named.filter_map(|id| Some((id, workbook.sheet(id)?))));
        }
    }
    if !sheets.is_empty() {
        let ids: Vec<Uuid> = sheets.keys().copied().map(Uuid::from).collect();
        let proofs: Vec<String> = sheets.values().map(|sheet| sheet.text.clone()).collect();
        sqlx::query!(
            "INSERT INTO sheets (sheet_id, proof) SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING",
            &ids,
            &proofs
        )
        .execute(&mut *connection)
        .await?;
        keep_calendars(connection, sheets.values().map(|sheet| sheet.proof.calendar_version.as_str()), workbook)
            .await?;
    }
    if !limit.id.is_empty() {
        sqlx::query!(
            "INSERT INTO deadlines
                 (deadline_id, rectification_id, item_id, round, basis, set_at, due_on, due_at, provisional, sheet_id)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::timestamptz[],
                                  $7::date[], $8::timestamptz[], $9::bool[], $10::uuid[])",
            &limit.id,
            &limit.rectification_id,
            &limit.item_id,
            &limit.round,
            &limit.basis,
            &limit.set_at as _,
            &limit.due_on as _,
            &limit.due_at as _,
            &limit.provisional,
            &limit.sheet_id,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Keeps the calendars that sheets name, each version once, so that a sheet can be computed again whatever changes.
async fn keep_calendars(
    connection: &mut PgConnection,
    versions: impl Iterator<Item = &str>,
    workbook: &Workbook,
) -> Result<(), sqlx::Error> {
    let named: BTreeSet<&str> = versions.collect();
    let (mut versions, mut contents) = (Vec::new(), Vec::new());
    for calendar in named.into_iter().filter_map(|version| workbook.calendar(version)) {
        versions.push(calendar.version().to_owned());
        contents.push(calendar.to_kept().map_err(|error| sqlx::Error::Encode(Box::new(error)))?);
    }
    sqlx::query!(
        "INSERT INTO calendars (version, content)
         SELECT c.version, c.content::json FROM unnest($1::text[], $2::text[]) AS c(version, content)
         WHERE NOT EXISTS (SELECT FROM calendars k WHERE k.version = c.version)
         ON CONFLICT DO NOTHING",
        &versions,
        &contents
    )
    .execute(connection)
    .await?;
    Ok(())
}

//! Every statement about rectifications, items, limits and timers. Set-based: one act and a storm of thousands take the
//! same few statements.

use domain::ids::{RectificationId, TimerId};
use domain::rectification::{Item, LimitBasis, Rectification, Timer, timer_changes};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::dossier::Dossier;
use super::snapshot::deadline_id;

/// A dossier with the version of its row.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) version: i64,
    pub(crate) dossier: Dossier,
}

/// A change to write: before, after, and which timers fired (the others that are gone were moot).
pub(crate) struct Save<'a> {
    pub(crate) before: &'a Rectification,
    pub(crate) after: &'a Dossier,
    pub(crate) version: i64,
    pub(crate) fired: &'a [Timer],
}

pub(crate) async fn lock(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<Option<Stored>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT version, dossier AS "dossier: Json<Dossier>" FROM rectifications WHERE rectification_id = $1 FOR UPDATE"#,
        Uuid::from(rectification_id)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Stored { version: row.version, dossier: row.dossier.0 }))
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<Option<Stored>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT version, dossier AS "dossier: Json<Dossier>" FROM rectifications WHERE rectification_id = $1"#,
        Uuid::from(rectification_id)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Stored { version: row.version, dossier: row.dossier.0 }))
}

/// Takes up to `limit` dossiers that have something due, the longest due first; those that another replica works on are
/// left to it. The row locks end with the transaction, or with the connection when the process dies.
pub(crate) async fn take_due(
    connection: &mut PgConnection,
    at: Timestamp,
    limit: i64,
) -> Result<Vec<Stored>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT version, dossier AS "dossier: Json<Dossier>" FROM rectifications
           WHERE next_timer_at <= $1 AND (stuck_at IS NULL OR stuck_at < $1 - interval '1 minute')
           ORDER BY next_timer_at LIMIT $2 FOR UPDATE SKIP LOCKED"#,
        at.to_sqlx() as _,
        limit
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| Stored { version: row.version, dossier: row.dossier.0 }).collect())
}

/// Sets a locked rectification aside, with the cause; it is tried again after a minute.
pub(crate) async fn set_aside(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
    cause: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE rectifications SET stuck_at = $2, stuck_cause = $3 WHERE rectification_id = $1",
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

/// Writes a rectification that has just begun, at version 1.
pub(crate) async fn insert(connection: &mut PgConnection, dossier: &Dossier) -> Result<(), sqlx::Error> {
    let rectification = &dossier.rectification;
    let uuids = |ids: &[domain::ids::UnitId]| ids.iter().copied().map(Uuid::from).collect::<Vec<_>>();
    let resource = dossier.resource();
    let area_path: Vec<Uuid> = resource.area_path.iter().copied().map(Uuid::from).collect();
    sqlx::query!(
        "INSERT INTO rectifications
             (rectification_id, letter_id, version, dossier, area_path, unit_ids, reader_ids, county_code, search_text,
              received_at, next_timer_at, changed_at)
         VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $9)",
        Uuid::from(rectification.rectification_id),
        Uuid::from(rectification.letter.letter_id),
        Json(dossier) as _,
        &area_path,
        &uuids(&resource.unit_ids),
        &uuids(&resource.reader_ids),
        dossier.letter.unit.county_code,
        dossier.search_text(),
        rectification.received_at.to_sqlx() as _,
        rectification.next_timer_at().map(ToSqlx::to_sqlx) as _,
    )
    .execute(&mut *connection)
    .await?;
    let nothing = Rectification { items: Vec::new(), timers: Vec::new(), ..rectification.clone() };
    write_parts(
        connection,
        &[Save { before: &nothing, after: dossier, version: 1, fired: &[] }],
        rectification.received_at,
    )
    .await
}

/// Writes changes of locked dossiers.
pub(crate) async fn save(
    connection: &mut PgConnection,
    changes: &[Save<'_>],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut ids = Vec::with_capacity(changes.len());
    let mut versions = Vec::with_capacity(changes.len());
    let mut dossiers = Vec::with_capacity(changes.len());
    let mut next = Vec::with_capacity(changes.len());
    let mut closed = Vec::with_capacity(changes.len());
    for change in changes {
        ids.push(Uuid::from(change.after.rectification.rectification_id));
        versions.push(change.version);
        dossiers.push(serde_json::to_string(change.after).map_err(|error| sqlx::Error::Encode(Box::new(error)))?);
        next.push(change.after.rectification.next_timer_at().map(ToSqlx::to_sqlx));
        closed.push(change.after.closed_at.map(ToSqlx::to_sqlx));
    }
    let done = sqlx::query!(
        "UPDATE rectifications r
         SET version = c.version, dossier = c.dossier::jsonb, next_timer_at = c.next_timer_at, closed_at = c.closed_at,
             changed_at = $6, stuck_at = NULL, stuck_cause = NULL
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[])
              AS c(rectification_id, version, dossier, next_timer_at, closed_at)
         WHERE r.rectification_id = c.rectification_id AND r.version = c.version - 1",
        &ids,
        &versions,
        &dossiers,
        &next as _,
        &closed as _,
        at.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() != changes.len() as u64 {
        // The rows are locked by this transaction, so another version can only be a fault of our own.
        return Err(sqlx::Error::Protocol("a locked rectification had another version".to_owned()));
    }
    write_parts(connection, changes, at).await
}

#[derive(Default)]
struct Parts {
    timers_gone: Vec<Uuid>,
    timer: Columns,
    fired: Columns,
    item: ItemColumns,
    limit: LimitColumns,
}

#[derive(Default)]
struct Columns {
    id: Vec<Uuid>,
    rectification_id: Vec<Uuid>,
    item_id: Vec<Uuid>,
    kind: Vec<String>,
    due_at: Vec<jiff_sqlx::Timestamp>,
}

impl Columns {
    fn push(&mut self, rectification_id: RectificationId, timer: &Timer) {
        self.id.push(timer.timer_id.into());
        self.rectification_id.push(rectification_id.into());
        self.item_id.push(timer.item_id.into());
        self.kind.push(timer.kind.key().to_owned());
        self.due_at.push(timer.due_at.to_sqlx());
    }
}

#[derive(Default)]
struct ItemColumns {
    id: Vec<Uuid>,
    rectification_id: Vec<Uuid>,
    number: Vec<i32>,
    state: Vec<String>,
    awaits_unit: Vec<bool>,
    due_on: Vec<jiff_sqlx::Date>,
    due_at: Vec<jiff_sqlx::Timestamp>,
    urged: Vec<bool>,
}

impl ItemColumns {
    fn push(&mut self, rectification_id: RectificationId, item: &Item) {
        let Some(limit) = item.limit() else { return };
        self.id.push(item.item_id.into());
        self.rectification_id.push(rectification_id.into());
        self.number.push(i32::try_from(item.number).unwrap_or(i32::MAX));
        self.state.push(item.state.key().to_owned());
        self.awaits_unit.push(item.state.awaits_unit());
        self.due_on.push(limit.due_on().to_sqlx());
        self.due_at.push(limit.due_at().to_sqlx());
        self.urged.push(limit.is_urging());
    }
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
    proof: Vec<String>,
}

impl Parts {
    fn of(changes: &[Save<'_>]) -> Result<Self, sqlx::Error> {
        let mut parts = Self::default();
        for change in changes {
            let after = &change.after.rectification;
            let rectification_id = after.rectification_id;
            let timers = timer_changes(&change.before.timers, &after.timers);
            parts.timers_gone.extend(timers.disarmed.into_iter().map(|id: TimerId| Uuid::from(id)));
            for timer in &timers.armed {
                parts.timer.push(rectification_id, timer);
            }
            for timer in change.fired {
                parts.fired.push(rectification_id, timer);
            }
            for item in &after.items {
                let before = change.before.item(item.item_id);
                if before == Some(item) {
                    continue;
                }
                parts.item.push(rectification_id, item);
                parts.limit.push_new(rectification_id, before, item)?;
            }
        }
        Ok(parts)
    }
}

impl LimitColumns {
    fn push_new(
        &mut self,
        rectification_id: RectificationId,
        before: Option<&Item>,
        item: &Item,
    ) -> Result<(), sqlx::Error> {
        let known = before.map_or(0, |before| before.limits.len());
        for limit in item.limits.iter().skip(known) {
            self.id.push(deadline_id(item.item_id, limit.round).into());
            self.rectification_id.push(rectification_id.into());
            self.item_id.push(item.item_id.into());
            self.round.push(i32::try_from(limit.round).unwrap_or(i32::MAX));
            self.basis.push(
                match limit.basis {
                    LimitBasis::Letter => "letter",
                    LimitBasis::Returned => "returned",
                    LimitBasis::Extended => "extended",
                    LimitBasis::UrgingOrder { order_id: _ } => "urging_order",
                }
                .to_owned(),
            );
            self.set_at.push(limit.set_at.to_sqlx());
            self.due_on.push(limit.due_on().to_sqlx());
            self.due_at.push(limit.due_at().to_sqlx());
            self.provisional.push(limit.proof.provisional);
            self.proof.push(limit.proof.canonical_json().map_err(|error| sqlx::Error::Encode(Box::new(error)))?);
        }
        Ok(())
    }
}

async fn write_parts(connection: &mut PgConnection, changes: &[Save<'_>], at: Timestamp) -> Result<(), sqlx::Error> {
    let parts = Parts::of(changes)?;
    if !parts.timers_gone.is_empty() {
        sqlx::query!("DELETE FROM timers WHERE timer_id = ANY($1)", &parts.timers_gone)
            .execute(&mut *connection)
            .await?;
    }
    if !parts.timer.id.is_empty() {
        sqlx::query!(
            "INSERT INTO timers (timer_id, rectification_id, item_id, kind, due_at)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])",
            &parts.timer.id,
            &parts.timer.rectification_id,
            &parts.timer.item_id,
            &parts.timer.kind,
            &parts.timer.due_at as _,
        )
        .execute(&mut *connection)
        .await?;
    }
    if !parts.fired.id.is_empty() {
        // The primary key is what makes a second firing impossible, whatever else goes wrong.
        sqlx::query!(
            "INSERT INTO fired_timers (timer_id, rectification_id, item_id, kind, due_at, fired_at)
             SELECT t.*, $6 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[]) AS t",
            &parts.fired.id,
            &parts.fired.rectification_id,
            &parts.fired.item_id,
            &parts.fired.kind,
            &parts.fired.due_at as _,
            at.to_sqlx() as _,
        )
        .execute(&mut *connection)
        .await?;
    }
    if !parts.item.id.is_empty() {
        sqlx::query!(
            "INSERT INTO items (item_id, rectification_id, number, state, awaits_unit, due_on, due_at, urged)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bool[], $6::date[], $7::timestamptz[],
                                  $8::bool[])
             ON CONFLICT (item_id) DO UPDATE
             SET state = excluded.state, awaits_unit = excluded.awaits_unit, due_on = excluded.due_on, due_at = excluded.due_at, urged = excluded.urged",
            &parts.item.id,
            &parts.item.rectification_id,
            &parts.item.number,
            &parts.item.state,
            &parts.item.awaits_unit,
            &parts.item.due_on as _,
            &parts.item.due_at as _,
            &parts.item.urged,
        )
        .execute(&mut *connection)
        .await?;
    }
    if !parts.limit.id.is_empty() {
        sqlx::query!(
            "INSERT INTO deadlines
                 (deadline_id, rectification_id, item_id, round, basis, set_at, due_on, due_at, provisional, proof)
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::timestamptz[],
                                  $7::date[], $8::timestamptz[], $9::bool[], $10::text[])",
            &parts.limit.id,
            &parts.limit.rectification_id,
            &parts.limit.item_id,
            &parts.limit.round,
            &parts.limit.basis,
            &parts.limit.set_at as _,
            &parts.limit.due_on as _,
            &parts.limit.due_at as _,
            &parts.limit.provisional,
            &parts.limit.proof,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

//! SQL of cases, their history and their evidence.

use access::Scope;
use contracts::Actor;
use contracts::registry::AreaMerged;
use domain::case::CaseEvent;
use domain::ids::{AccountId, CaseId, PersonId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use serde_json::Value;
use service_kit::page::PageRequest;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Case, kind_text};
use crate::plan::store::Cursor;
use crate::registry::store::uuids;

fn encoded(error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::Encode(Box::new(error))
}

struct CaseRow {
    case_id: Uuid,
    version: i64,
    record: Value,
    created_at: jiff_sqlx::Timestamp,
}

impl TryFrom<CaseRow> for Case {
    type Error = sqlx::Error;

    fn try_from(row: CaseRow) -> sqlx::Result<Self> {
        Ok(Self {
            case_id: row.case_id.into(),
            version: row.version,
            created_at: row.created_at.to_jiff(),
            record: serde_json::from_value(row.record).map_err(|source| sqlx::Error::ColumnDecode {
                index: format!("cases.record of {}", row.case_id),
                source: Box::new(source),
            })?,
        })
    }
}

pub(crate) async fn insert(tx: &mut Tx, case: &Case, history: &[CaseEvent], actor: &Actor) -> sqlx::Result<()> {
    let record = &case.record;
    sqlx::query!(
        "INSERT INTO cases (case_id, version, state, supervision_kind, title, unit_id, plan_id, agency_area_path, area_path,
             unit_ids, reader_ids, team_ids, record, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        case.case_id.as_uuid(),
        case.version,
        record.state(),
        kind_text(record.kind),
        record.title,
        record.unit.unit_id.as_uuid(),
        record.plan_id.map(|id| id.as_uuid()),
        &uuids(&record.agency.area_path),
        &uuids(record.visible_areas()),
        &uuids(&record.visible_units()),
        &uuids(&record.readers()),
        &uuids(&record.team_ids()),
        serde_json::to_value(record).map_err(encoded)?,
        case.created_at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await?;
    save_history(tx, case, history, actor).await
}

/// Saves the record under its next version, with what happened.
pub(crate) async fn save(tx: &mut Tx, case: &mut Case, history: &[CaseEvent], actor: &Actor) -> sqlx::Result<()> {
    case.version += 1;
    let record = &case.record;
    let done = sqlx::query!(
        "UPDATE cases SET version = $2, state = $3, title = $4, area_path = $5, unit_ids = $6, reader_ids = $7,
             team_ids = $8, record = $9, agency_area_path = $10
         WHERE case_id = $1 AND version = $2::bigint - 1",
        case.case_id.as_uuid(),
        case.version,
        record.state(),
        record.title,
        &uuids(record.visible_areas()),
        &uuids(&record.visible_units()),
        &uuids(&record.readers()),
        &uuids(&record.team_ids()),
        serde_json::to_value(record).map_err(encoded)?,
        &uuids(&record.agency.area_path),
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() != 1 {
        return Err(sqlx::Error::RowNotFound);
    }
    save_history(tx, case, history, actor).await
}

/// Saves a change that the machine has no event for (findings while they are a draft), with a note of who changed what.
pub(crate) async fn save_noted(tx: &mut Tx, case: &mut Case, note: Value, actor: &Actor) -> sqlx::Result<()> {
    save(tx, case, &[], actor).await?;
    save_notes(tx, case, vec![note], actor).await
}

async fn save_history(tx: &mut Tx, case: &Case, history: &[CaseEvent], actor: &Actor) -> sqlx::Result<()> {
    let notes = history.iter().map(serde_json::to_value).collect::<Result<_, _>>().map_err(encoded)?;
    save_notes(tx, case, notes, actor).await
}

async fn save_notes(tx: &mut Tx, case: &Case, notes: Vec<Value>, actor: &Actor) -> sqlx::Result<()> {
    let at = tx.at();
    let actor = serde_json::to_value(actor).map_err(encoded)?;
    for (number, note) in (1..).zip(notes) {
        sqlx::query!(
            "INSERT INTO case_events (case_id, version, number, event, actor, occurred_at) VALUES ($1, $2, $3, $4, $5, $6)",
            case.case_id.as_uuid(),
            case.version,
            number,
            note,
            actor,
            at.to_sqlx() as _,
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub(crate) async fn find(tx: &mut PgConnection, id: CaseId) -> sqlx::Result<Option<Case>> {
    let row = sqlx::query_as!(
        CaseRow,
        "SELECT case_id, version, record, created_at FROM cases WHERE case_id = $1",
        id.as_uuid(),
    )
    .fetch_optional(tx)
    .await?;
    row.map(Case::try_from).transpose()
}

pub(crate) async fn find_for_update(tx: &mut PgConnection, id: CaseId) -> sqlx::Result<Option<Case>> {
    let row = sqlx::query_as!(
        CaseRow,
        "SELECT case_id, version, record, created_at FROM cases WHERE case_id = $1 FOR UPDATE",
        id.as_uuid(),
    )
    .fetch_optional(tx)
    .await?;
    row.map(Case::try_from).transpose()
}

/// Locks the cases that a merger of counties may concern, in the order of their names.
pub(crate) async fn concerned_by(tx: &mut PgConnection, merged: &AreaMerged) -> sqlx::Result<Vec<Case>> {
    let rows = sqlx::query_as!(
        CaseRow,
        "SELECT case_id, version, record, created_at FROM cases
         WHERE area_path @> ARRAY[$1::uuid] OR agency_area_path @> ARRAY[$1::uuid] OR record#>>'{unit,county_code}' = $2
         ORDER BY case_id FOR UPDATE",
        merged.area_id.as_uuid(),
        merged.code,
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Case::try_from).collect()
}

/// What a list of cases asks for.
pub(crate) struct Wanted<'a> {
    pub scope: &'a Scope,
    pub person: Option<PersonId>,
    pub state: Option<&'a str>,
    pub unit: Option<UnitId>,
}

/// Cases that the scope or the membership of a group shows, newest first.
pub(crate) async fn list(
    tx: &mut PgConnection,
    wanted: &Wanted<'_>,
    page: &PageRequest<Cursor>,
) -> sqlx::Result<Vec<Case>> {
    let (after_at, after_id) = page.after.unzip();
    let rows = sqlx::query_as!(
        CaseRow,
        "SELECT case_id, version, record, created_at FROM cases
         WHERE (area_path && $1 OR unit_ids && $2 OR reader_ids && $2 OR team_ids && $3)
           AND ($4::text IS NULL OR state = $4) AND ($5::uuid IS NULL OR unit_id = $5)
           AND ($6::timestamptz IS NULL OR (created_at, case_id) < ($6, $7))
         ORDER BY created_at DESC, case_id DESC LIMIT $8",
        &uuids(&wanted.scope.areas),
        &uuids(&wanted.scope.units),
        &uuids(wanted.person.as_slice()),
        wanted.state,
        wanted.unit.map(|id| id.as_uuid()),
        after_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        after_id,
        page.fetch(),
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Case::try_from).collect()
}

/// A file that is evidence of a case.
#[derive(Debug, Clone)]
pub(crate) struct EvidenceRow {
    pub sha256: String,
    pub bytes: i64,
    pub media_type: String,
    pub name: String,
    pub uploaded_at: Timestamp,
    pub uploader_name: String,
}

/// Adds evidence; the first author and time of a file stay.
pub(crate) async fn add_evidence(
    tx: &mut PgConnection,
    case: CaseId,
    row: &EvidenceRow,
    uploaded_by: AccountId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO evidence (case_id, sha256, bytes, media_type, name, uploaded_at, uploaded_by, uploader_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (case_id, sha256) DO NOTHING",
        case.as_uuid(),
        row.sha256,
        row.bytes,
        row.media_type,
        row.name,
        row.uploaded_at.to_sqlx() as _,
        uploaded_by.as_uuid(),
        row.uploader_name,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn evidence(tx: &mut PgConnection, case: CaseId) -> sqlx::Result<Vec<EvidenceRow>> {
    let rows = sqlx::query!(
        "SELECT sha256, bytes, media_type, name, uploaded_at, uploader_name FROM evidence
         WHERE case_id = $1 ORDER BY uploaded_at, sha256",
        case.as_uuid(),
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| EvidenceRow {
            sha256: row.sha256,
            bytes: row.bytes,
            media_type: row.media_type,
            name: row.name,
            uploaded_at: row.uploaded_at.to_jiff(),
            uploader_name: row.uploader_name,
        })
        .collect())
}

/// The cases that a file is evidence of, with its media type.
pub(crate) async fn cases_of_evidence(tx: &mut PgConnection, sha256: &str) -> sqlx::Result<Vec<(CaseId, String)>> {
    let rows = sqlx::query!("SELECT case_id, media_type FROM evidence WHERE sha256 = $1 ORDER BY case_id", sha256)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.case_id.into(), row.media_type)).collect())
}

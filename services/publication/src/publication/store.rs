//! SQL of publications.

use access::Scope;
use contracts::Actor;
use contracts::publication::PagePublished;
use domain::ids::{AreaId, PublicationId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::content::PageContent;
use super::state::{Approval, Page, Publication, State, Withdrawal};

/// Why a version was published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause {
    /// A person approved it.
    Approved,
    /// A state or date changed on an approved page.
    Status,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Status => "status",
        }
    }
}

/// A line of the list of drafts.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub publication_id: Uuid,
    pub version: i64,
    pub state: String,
    pub needs_approval: bool,
    pub rectification_id: Uuid,
    pub title: String,
    pub unit_name: String,
    pub county_code: Option<String>,
    pub county_name: Option<String>,
    pub letter_no: String,
    pub due_on: jiff_sqlx::Date,
    pub due_at: jiff_sqlx::Timestamp,
    pub marks: i32,
    pub published_at: Option<jiff_sqlx::Timestamp>,
}

/// A published version as the history lists it.
#[derive(Debug, Clone)]
pub(crate) struct VersionLine {
    pub version: i64,
    pub published_at: jiff_sqlx::Timestamp,
    pub content_sha256: String,
    pub cause: String,
}

fn json(value: &impl Serialize) -> sqlx::Result<Value> {
    serde_json::to_value(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// A column that does not parse is an inconsistency of ours; the error names column and row.
fn parse<T: DeserializeOwned>(column: &str, id: Uuid, value: Value) -> sqlx::Result<T> {
    serde_json::from_value(value).map_err(|error| inconsistent(column, id, &error.to_string()))
}

fn inconsistent(column: &str, id: Uuid, detail: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("publications.{column} of {id}: {detail}").into(),
    }
}

struct Row {
    publication_id: Uuid,
    version: i64,
    state: String,
    snapshot: Value,
    due_proof: Value,
    approval: Option<Value>,
    withdrawal: Option<Value>,
    content: Option<String>,
    content_sha256: Option<String>,
    published_at: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<Row> for Publication {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let id = row.publication_id;
        let approval: Option<Approval> = row.approval.map(|value| parse("approval", id, value)).transpose()?;
        let state = match (row.state.as_str(), approval) {
            ("draft", _) => State::Draft,
            ("published", Some(approval)) => {
                let (Some(text), Some(sha256), Some(published_at)) =
                    (row.content, row.content_sha256, row.published_at)
                else {
                    return Err(inconsistent("content", id, "a published page without content"));
                };
                let content: PageContent =
                    serde_json::from_str(&text).map_err(|error| inconsistent("content", id, &error.to_string()))?;
                State::Published {
                    approval,
                    page: Page { content, text, sha256, published_at: published_at.to_jiff() },
                }
            }
            ("withdrawn", approval) => {
                let withdrawal = row.withdrawal.ok_or_else(|| inconsistent("withdrawal", id, "missing"))?;
                State::Withdrawn { withdrawal: parse("withdrawal", id, withdrawal)?, approval }
            }
            (other, _) => return Err(inconsistent("state", id, other)),
        };
        Ok(Self {
            publication_id: id.into(),
            version: row.version,
            state,
            snapshot: parse("snapshot", id, row.snapshot)?,
            due: parse("due_proof", id, row.due_proof)?,
        })
    }
}

/// The publication, locked for a change.
pub(crate) async fn lock(tx: &mut PgConnection, id: PublicationId) -> sqlx::Result<Option<Publication>> {
    sqlx::query_as!(
        Row,
        "SELECT publication_id, version, state, snapshot, due_proof, approval, withdrawal, content, content_sha256,
            published_at
         FROM publications WHERE publication_id = $1 FOR UPDATE",
        id.as_uuid()
    )
    .fetch_optional(tx)
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// The publication, to be read.
pub(crate) async fn find(tx: &mut PgConnection, id: PublicationId) -> sqlx::Result<Option<Publication>> {
    sqlx::query_as!(
        Row,
        "SELECT publication_id, version, state, snapshot, due_proof, approval, withdrawal, content, content_sha256,
            published_at
         FROM publications WHERE publication_id = $1",
        id.as_uuid()
    )
    .fetch_optional(tx)
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// Writes a new draft; false when there is one already.
pub(crate) async fn insert(tx: &mut PgConnection, publication: &Publication) -> sqlx::Result<bool> {
    let snapshot = &publication.snapshot;
    let area_path: Vec<Uuid> = snapshot.unit.area_path.iter().map(AreaId::as_uuid).collect();
    let inserted = sqlx::query!(
        "INSERT INTO publications (publication_id, rectification_id, version, state, snapshot, area_path, unit_ids,
            title, unit_name, county_code, county_name, letter_no, letter_issued_at, marks, needs_approval, due_on,
            due_at, due_proof)
         VALUES ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, true, $14, $15, $16)
         ON CONFLICT DO NOTHING",
        publication.publication_id.as_uuid(),
        snapshot.rectification_id.as_uuid(),
        publication.version,
        json(snapshot)?,
        &area_path,
        &[snapshot.unit.unit_id.as_uuid()],
        publication.proposed().title,
        snapshot.unit.name,
        snapshot.unit.county_code,
        snapshot.unit.county_name,
        snapshot.letter.doc_no,
        snapshot.letter.issued_at.to_sqlx() as _,
        i32::try_from(publication.marks()).unwrap_or(i32::MAX),
        publication.due.due_on.to_sqlx() as _,
        publication.due.due_at.to_sqlx() as _,
        json(&publication.due)?,
    )
    .execute(tx)
    .await?
    .rows_affected();
    Ok(inserted == 1)
}

/// Writes the publication back, under its lock.
pub(crate) async fn save(tx: &mut PgConnection, publication: &Publication) -> sqlx::Result<()> {
    let snapshot = &publication.snapshot;
    let area_path: Vec<Uuid> = snapshot.unit.area_path.iter().map(AreaId::as_uuid).collect();
    let page = publication.page();
    let withdrawal = match &publication.state {
        State::Withdrawn { withdrawal, .. } => Some(withdrawal),
        State::Draft | State::Published { .. } => None,
    };
    sqlx::query!(
        "UPDATE publications SET version = $2, state = $3, snapshot = $4, area_path = $5, unit_ids = $6, title = $7,
            unit_name = $8, county_code = $9, county_name = $10, marks = $11, needs_approval = $12, approval = $13,
            withdrawal = $14, withdrawn_at = $15, content = $16, content_sha256 = $17, public_status = $18,
            published_at = $19
         WHERE publication_id = $1",
        publication.publication_id.as_uuid(),
        publication.version,
        publication.state.as_str(),
        json(snapshot)?,
        &area_path,
        &[snapshot.unit.unit_id.as_uuid()],
        publication.proposed().title,
        snapshot.unit.name,
        snapshot.unit.county_code,
        snapshot.unit.county_name,
        i32::try_from(publication.marks()).unwrap_or(i32::MAX),
        publication.needs_approval(),
        publication.approval().map(json).transpose()?,
        withdrawal.map(json).transpose()?,
        withdrawal.map(|withdrawal| withdrawal.at.to_sqlx()) as _,
        page.map(|page| page.text.as_str()),
        page.map(|page| page.sha256.as_str()),
        page.map(|page| page.content.status.as_str()),
        page.map(|page| page.published_at.to_sqlx()) as _,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Puts the public version into the history and tells the others.
pub(crate) async fn publish(tx: &mut Tx, actor: &Actor, publication: &Publication, cause: Cause) -> sqlx::Result<()> {
    let Some(page) = publication.page() else { return Ok(()) };
    sqlx::query!(
        "INSERT INTO published_versions (publication_id, version, published_at, cause, content, content_sha256)
         VALUES ($1, $2, $3, $4, $5, $6)",
        publication.publication_id.as_uuid(),
        publication.version,
        page.published_at.to_sqlx() as _,
        cause.as_str(),
        page.text,
        page.sha256,
    )
    .execute(&mut **tx)
    .await?;
    let event = PagePublished {
        publication_id: publication.publication_id,
        version: publication.version,
        rectification_id: publication.snapshot.rectification_id,
        path: path(publication.publication_id),
        content_sha256: page.sha256.clone(),
        published_at: page.published_at,
    };
    messaging::append(tx, actor, &event).await?;
    Ok(())
}

/// The path of a page below the portal's address.
pub(crate) fn path(id: PublicationId) -> String {
    format!("/rectifications/{id}")
}

pub(crate) async fn record_approval(
    tx: &mut PgConnection,
    publication: &Publication,
    approval: &Approval,
) -> sqlx::Result<()> {
    record(tx, publication, "approve", approval.by.into(), &approval.by_name, approval.at, json(approval)?).await
}

pub(crate) async fn record_withdrawal(
    tx: &mut PgConnection,
    publication: &Publication,
    withdrawal: &Withdrawal,
) -> sqlx::Result<()> {
    let Withdrawal { by, by_name, at, .. } = withdrawal;
    record(tx, publication, "withdraw", (*by).into(), by_name, *at, json(withdrawal)?).await
}

async fn record(
    tx: &mut PgConnection,
    publication: &Publication,
    kind: &str,
    account: Uuid,
    name: &str,
    at: Timestamp,
    detail: Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO decisions (publication_id, version, kind, account_id, name, decided_at, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        publication.publication_id.as_uuid(),
        publication.version,
        kind,
        account,
        name,
        at.to_sqlx() as _,
        detail,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Every version that was ever public, the newest first.
pub(crate) async fn history(tx: &mut PgConnection, id: PublicationId) -> sqlx::Result<Vec<VersionLine>> {
    sqlx::query_as!(
        VersionLine,
        "SELECT version, published_at, content_sha256, cause FROM published_versions WHERE publication_id = $1
         ORDER BY version DESC",
        id.as_uuid()
    )
    .fetch_all(tx)
    .await
}

/// The publications in scope, by the day on which they are due.
pub(crate) async fn list(
    tx: &mut PgConnection,
    scope: &Scope,
    state: Option<&str>,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> sqlx::Result<Vec<Line>> {
    let areas: Vec<Uuid> = scope.areas.iter().map(AreaId::as_uuid).collect();
    let units: Vec<Uuid> = scope.units.iter().map(UnitId::as_uuid).collect();
    sqlx::query_as!(
        Line,
        "SELECT publication_id, version, state, needs_approval, rectification_id, title, unit_name, county_code,
            county_name, letter_no, due_on, due_at, marks, published_at
         FROM publications
         WHERE (area_path && $1 OR unit_ids && $2)
            AND ($3::text IS NULL OR ($3 = 'needs_approval' AND needs_approval) OR state = $3)
            AND ($4::timestamptz IS NULL OR (due_at, publication_id) > ($4, $5::uuid))
         ORDER BY due_at, publication_id
         LIMIT $6",
        &areas as _,
        &units as _,
        state as _,
        after.map(|(at, _)| at.to_sqlx()) as _,
        after.map(|(_, id)| id) as _,
        limit,
    )
    .fetch_all(tx)
    .await
}

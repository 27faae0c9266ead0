//! Evidence of rectification (佐证材料): files by their content, with who brought them and when.

use access::Permit;
use domain::ids::{FileId, ItemId, RectificationId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use postgres::Tx;
use problem::{Problem, Text};
use serde::Serialize;
use service_kit::files::FileRef;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{act, store};

/// A piece of evidence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// Its identifier, named in a report.
    pub(crate) file_id: FileId,
    /// The item that it belongs to, when the uploader said so.
    pub(crate) item_id: Option<ItemId>,
    /// SHA-256 of the stored content.
    pub(crate) sha256: String,
    /// Media type.
    pub(crate) media_type: String,
    /// Size in bytes.
    pub(crate) bytes: i64,
    /// Name of the file as uploaded.
    pub(crate) name: String,
    /// Who uploaded it.
    pub(crate) uploaded_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) uploaded_at: Timestamp,
}

/// A file to be recorded.
#[derive(Debug)]
pub(crate) struct NewEvidence {
    pub(crate) file_id: FileId,
    pub(crate) item_id: Option<ItemId>,
    pub(crate) name: String,
    pub(crate) file: FileRef,
}

/// Records an uploaded file with a rectification that the caller may bring evidence to.
pub(crate) async fn record(
    tx: &mut Tx,
    permit: &Permit,
    rectification_id: RectificationId,
    new: &NewEvidence,
) -> Result<(), Problem> {
    let stored = store::lock(tx, rectification_id).await?.ok_or_else(act::unknown)?;
    permit.on(&stored.dossier.resource())?;
    if let Some(item_id) = new.item_id
        && stored.dossier.rectification.item(item_id).is_none()
    {
        return Err(Problem::invalid_field(
            "/item_id",
            Text::new("该整改中没有这一事项。", "The rectification has no such item."),
        ));
    }
    sqlx::query!(
        "INSERT INTO evidence
             (file_id, rectification_id, item_id, sha256, media_type, bytes, name, uploaded_by, uploader_name, uploaded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        Uuid::from(new.file_id),
        Uuid::from(rectification_id),
        new.item_id.map(Uuid::from),
        new.file.sha256,
        new.file.media_type,
        i64::try_from(new.file.bytes).unwrap_or(i64::MAX),
        new.name,
        Uuid::from(permit.caller().account_id),
        permit.caller().display_name,
        tx.at().to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Every file that a report names must have been uploaded to this rectification.
pub(crate) async fn check_known(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
    files: &[FileId],
) -> Result<(), Problem> {
    let ids: Vec<Uuid> = files.iter().copied().map(Uuid::from).collect();
    let known = sqlx::query_scalar!(
        "SELECT file_id FROM evidence WHERE rectification_id = $1 AND file_id = ANY($2)",
        Uuid::from(rectification_id),
        &ids
    )
    .fetch_all(connection)
    .await?;
    match ids.iter().position(|id| !known.contains(id)) {
        None => Ok(()),
        Some(index) => Err(Problem::invalid_field(
            format!("/evidence/{index}"),
            Text::new("这份佐证材料尚未上传，请先上传再报告。", "This file has not been uploaded; upload it first."),
        )),
    }
}

pub(crate) async fn of(
    connection: &mut PgConnection,
    rectification_id: RectificationId,
) -> Result<Vec<EvidenceView>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT file_id, item_id, sha256, media_type, bytes, name, uploader_name, uploaded_at
         FROM evidence WHERE rectification_id = $1 ORDER BY uploaded_at, file_id",
        Uuid::from(rectification_id)
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| EvidenceView {
            file_id: row.file_id.into(),
            item_id: row.item_id.map(ItemId::from),
            sha256: row.sha256,
            media_type: row.media_type,
            bytes: row.bytes,
            name: row.name,
            uploaded_by: row.uploader_name,
            uploaded_at: row.uploaded_at.to_jiff(),
        })
        .collect())
}

/// Where a file belongs, and what it is.
pub(crate) async fn find(
    connection: &mut PgConnection,
    file_id: FileId,
) -> Result<Option<(RectificationId, String, String)>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT rectification_id, sha256, media_type FROM evidence WHERE file_id = $1",
        Uuid::from(file_id)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.rectification_id.into(), row.sha256, row.media_type)))
}

//! Every statement about letters, receipts and agencies.

use contracts::notifications::ReceiptSigned;
use contracts::registry::UnitRecorded;
use contracts::tasks::LetterIssued;
use domain::ids::{LetterId, UnitId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

/// An agency that issues letters, with what its documents and clocks need.
#[derive(Debug, Clone)]
pub(crate) struct Agency {
    pub(crate) unit_key: String,
    pub(crate) area_code: String,
}

pub(crate) async fn keep_agency(connection: &mut PgConnection, unit: &UnitRecorded) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO agencies (unit_id, version, unit_key, area_code, province_area) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (unit_id) DO UPDATE
         SET version = excluded.version, unit_key = excluded.unit_key, area_code = excluded.area_code,
             province_area = excluded.province_area
         WHERE agencies.version < excluded.version",
        Uuid::from(unit.unit_id),
        unit.version,
        unit.key,
        unit.area_code,
        unit.area_path.first().copied().map(Uuid::from)
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn agency(connection: &mut PgConnection, unit_id: UnitId) -> Result<Option<Agency>, sqlx::Error> {
    sqlx::query_as!(Agency, "SELECT unit_key, area_code FROM agencies WHERE unit_id = $1", Uuid::from(unit_id))
        .fetch_optional(connection)
        .await
}

/// Keeps a letter, without the document's own content: its clocks need only the facts.
pub(crate) async fn keep_letter(connection: &mut PgConnection, letter: LetterIssued) -> Result<(), sqlx::Error> {
    let letter = LetterIssued { content: String::new(), ..letter };
    sqlx::query!(
        "INSERT INTO letters (letter_id, version, content) VALUES ($1, $2, $3)
         ON CONFLICT (letter_id) DO UPDATE SET version = excluded.version, content = excluded.content
         WHERE letters.version < excluded.version",
        Uuid::from(letter.letter_id),
        letter.version,
        Json(&letter) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the first receipt of a letter; that one started the clocks.
pub(crate) async fn keep_receipt(
    connection: &mut PgConnection,
    letter_id: LetterId,
    receipt: &ReceiptSigned,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO receipts (letter_id, unit_id, signed_at, signed_by, signer_name) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (letter_id) DO NOTHING",
        Uuid::from(letter_id),
        Uuid::from(receipt.unit_id),
        receipt.signed_at.to_sqlx() as _,
        Uuid::from(receipt.signed_by),
        receipt.signer_name
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets one transaction at a time deal with a letter: were letter and receipt kept at the same moment by two that do not
/// see each other, neither would open the rectification.
pub(crate) async fn lock_letter(connection: &mut PgConnection, letter_id: LetterId) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", letter_id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// A letter with the instant of its receipt, once both are known and the receipt is the supervised unit's.
pub(crate) async fn received_letter(
    connection: &mut PgConnection,
    letter_id: LetterId,
) -> Result<Option<(LetterIssued, Timestamp)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT l.content AS "content: Json<LetterIssued>", r.unit_id, r.signed_at
           FROM letters l JOIN receipts r USING (letter_id) WHERE l.letter_id = $1"#,
        Uuid::from(letter_id)
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        let letter = row.content.0;
        (Uuid::from(letter.unit.unit_id) == row.unit_id).then(|| (letter, row.signed_at.to_jiff()))
    }))
}

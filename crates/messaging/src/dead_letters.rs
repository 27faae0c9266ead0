//! Dead letters: events that a consumer could not read or apply, kept with their cause until a person settles them.

use jiff::Timestamp;
use postgres::Database;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// A dead letter, as shown to an operator.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadLetter {
    /// Its identifier.
    pub dead_letter_id: Uuid,
    /// The consumer that gave up.
    pub consumer: String,
    /// Subject on which the event came.
    pub subject: String,
    /// The event, when its envelope could be read.
    pub event_id: Option<Uuid>,
    /// The event's text; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// Why it could not be applied.
    pub cause: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub failed_at: Timestamp,
    /// `waiting`, `redriving`, `applied` or `discarded`.
    pub state: String,
}

/// The newest dead letters that nobody has settled, at most `limit`.
pub async fn list(database: &Database, limit: i64) -> Result<Vec<DeadLetter>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT dead_letter_id, consumer, subject, event_id, body, cause, failed_at, state
         FROM messaging.dead_letters WHERE state IN ('waiting', 'redriving') ORDER BY failed_at DESC LIMIT $1",
        limit
    )
    .fetch_all(database.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| DeadLetter {
            dead_letter_id: row.dead_letter_id,
            consumer: row.consumer,
            subject: row.subject,
            event_id: row.event_id,
            body: String::from_utf8_lossy(&row.body).into_owned(),
            cause: row.cause,
            failed_at: row.failed_at.to_jiff(),
            state: row.state,
        })
        .collect())
}

/// Sends a dead letter to its consumer again, with another text when `edited` is given.
///
/// Returns false when it is unknown or settled already.
pub async fn redrive(
    database: &Database,
    dead_letter_id: Uuid,
    edited: Option<&str>,
    by: &str,
) -> Result<bool, sqlx::Error> {
    let body = edited.map(str::as_bytes);
    let sha256 = body.map(|body| Sha256::digest(body).to_vec());
    let done = sqlx::query!(
        "UPDATE messaging.dead_letters
         SET state = 'redriving', body = coalesce($2, body), body_sha256 = coalesce($3, body_sha256),
             edited_by = CASE WHEN $2::bytea IS NULL THEN edited_by ELSE $4 END
         WHERE dead_letter_id = $1 AND state IN ('waiting', 'redriving')",
        dead_letter_id,
        body,
        sha256,
        by
    )
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Settles a dead letter without applying it. Returns false when it is unknown or settled already.
pub async fn discard(database: &Database, dead_letter_id: Uuid, by: &str) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE messaging.dead_letters SET state = 'discarded', edited_by = $2, settled_at = clock_timestamp()
         WHERE dead_letter_id = $1 AND state = 'waiting'",
        dead_letter_id,
        by
    )
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Number of dead letters that wait for a person.
pub async fn waiting(database: &Database) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!" FROM messaging.dead_letters WHERE state IN ('waiting', 'redriving')"#
    )
    .fetch_one(database.pool())
    .await
}

/// Keeps what could not be applied. The same bytes for the same consumer are kept once.
pub(crate) async fn keep(
    connection: &mut PgConnection,
    consumer: &str,
    subject: &str,
    event_id: Option<Uuid>,
    body: &[u8],
    cause: &str,
) -> Result<(), sqlx::Error> {
    let sha256 = Sha256::digest(body);
    let dead_letter_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &[consumer.as_bytes(), &sha256[..]].concat());
    sqlx::query!(
        "INSERT INTO messaging.dead_letters (dead_letter_id, consumer, subject, event_id, body, body_sha256, cause)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (consumer, body_sha256) DO NOTHING",
        dead_letter_id,
        consumer,
        subject,
        event_id,
        body,
        &sha256[..],
        cause
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(Debug)]
pub(crate) struct Redrive {
    pub(crate) dead_letter_id: Uuid,
    pub(crate) body: Vec<u8>,
}

/// Takes one letter that is to be applied again; its row stays locked until the caller's transaction ends.
pub(crate) async fn take_redrive(
    connection: &mut PgConnection,
    consumer: &str,
) -> Result<Option<Redrive>, sqlx::Error> {
    sqlx::query_as!(
        Redrive,
        "SELECT dead_letter_id, body FROM messaging.dead_letters
         WHERE consumer = $1 AND state = 'redriving' ORDER BY failed_at LIMIT 1 FOR UPDATE SKIP LOCKED",
        consumer
    )
    .fetch_optional(connection)
    .await
}

pub(crate) async fn settle(connection: &mut PgConnection, dead_letter_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE messaging.dead_letters SET state = 'applied', settled_at = clock_timestamp() WHERE dead_letter_id = $1",
        dead_letter_id
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn put_back(
    connection: &mut PgConnection,
    dead_letter_id: Uuid,
    cause: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE messaging.dead_letters SET state = 'waiting', cause = $2, failed_at = clock_timestamp() WHERE dead_letter_id = $1",
        dead_letter_id,
        cause
    )
    .execute(connection)
    .await?;
    Ok(())
}

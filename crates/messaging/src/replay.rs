//! Replay: publishing a journal again, for consumers that lost their effects (a database restored from an older backup).

use postgres::Database;
use sqlx::PgConnection;
use uuid::Uuid;

/// A replay that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) replay_id: Uuid,
    pub(crate) from_position: i64,
}

/// Asks the relay of this database's service to publish the journal again from a position on (0: all of it).
///
/// The relay serves it within seconds. Consumers that applied the events already do nothing.
pub async fn request(
    database: &Database,
    replay_id: Uuid,
    requested_by: &str,
    from_position: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO messaging.replays (replay_id, requested_by, from_position) VALUES ($1, $2, $3)
         ON CONFLICT (replay_id) DO NOTHING",
        replay_id,
        requested_by,
        from_position
    )
    .execute(database.pool())
    .await?;
    Ok(())
}

/// How many events a replay published, once it is finished.
pub async fn outcome(database: &Database, replay_id: Uuid) -> Result<Option<u64>, sqlx::Error> {
    let events = sqlx::query_scalar!(
        "SELECT events FROM messaging.replays WHERE replay_id = $1 AND finished_at IS NOT NULL",
        replay_id
    )
    .fetch_optional(database.pool())
    .await?;
    Ok(events.flatten().and_then(|events| events.try_into().ok()))
}

pub(crate) async fn open_requests(connection: &mut PgConnection) -> Result<Vec<Request>, sqlx::Error> {
    sqlx::query_as!(
        Request,
        "SELECT replay_id, from_position FROM messaging.replays WHERE finished_at IS NULL ORDER BY requested_at"
    )
    .fetch_all(connection)
    .await
}

pub(crate) async fn finish(connection: &mut PgConnection, replay_id: Uuid, events: u64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE messaging.replays SET finished_at = clock_timestamp(), events = $2 WHERE replay_id = $1",
        replay_id,
        i64::try_from(events).unwrap_or(i64::MAX)
    )
    .execute(connection)
    .await?;
    Ok(())
}

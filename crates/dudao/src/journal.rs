//! Verifying and replaying journals.

use std::time::Duration;

use messaging::{replay, verify};
use uuid::Uuid;

use crate::installation::{InstallationError, ServiceEntry};

/// Between two looks at a running replay.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why a journal could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The service or its database cannot be reached.
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// The journal's tables cannot be read or written.
    #[error("the journal of {service} cannot be used")]
    Storage {
        /// The service.
        service: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The relay did not serve the replay in time.
    #[error("the relay of {service} has not finished the replay within {seconds} s; is the service running?")]
    Unserved {
        /// The service.
        service: String,
        /// How long was waited.
        seconds: u64,
    },
}

/// Recomputes the audit chain of a service's journal from its rows.
pub async fn verify(service: &ServiceEntry) -> Result<verify::Report, JournalError> {
    let keys = service.journal_keys()?;
    let database = service.connect().await?;
    let report = verify::chain(&database, &keys).await.map_err(|source| storage(service, source));
    database.pool().close().await;
    report
}

/// Asks the service's relay to publish its whole journal again, and waits until it has; returns the number of events.
///
/// Consumers that have applied an event already do nothing.
pub async fn replay(service: &ServiceEntry, replay_id: Uuid, by: &str, limit: Duration) -> Result<u64, JournalError> {
    let database = service.connect().await?;
    replay::request(&database, replay_id, by, 0).await.map_err(|source| storage(service, source))?;
    let finished = tokio::time::timeout(limit, async {
        loop {
            match replay::outcome(&database, replay_id).await {
                Ok(Some(events)) => return Ok(events),
                Ok(None) => tokio::time::sleep(LOOK_EVERY).await,
                Err(source) => return Err(storage(service, source)),
            }
        }
    })
    .await;
    database.pool().close().await;
    finished.unwrap_or_else(|_| Err(JournalError::Unserved { service: service.name.clone(), seconds: limit.as_secs() }))
}

fn storage(service: &ServiceEntry, source: sqlx::Error) -> JournalError {
    JournalError::Storage { service: service.name.clone(), source }
}

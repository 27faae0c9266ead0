//! Why is it due on that day? The sheet of a limit, computed again from what is kept.

use clockwork::sheets::{self, KeptSheet, RecomputeFault, Recomputed};
use uuid::Uuid;

use crate::installation::{InstallationError, ServiceEntry};

/// Why a limit could not be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The service or its database cannot be reached.
    #[error(transparent)]
    Installation(#[from] InstallationError),
    /// The tables cannot be read.
    #[error("the database of {service} cannot be read; is the tool of the same version as the service?")]
    Storage {
        /// The service.
        service: String,
        /// Why.
        source: sqlx::Error,
    },
    /// There is no such limit.
    #[error("there is no deadline {0}")]
    Unknown(Uuid),
    /// Its sheet cannot be computed again.
    #[error("the sheet of deadline {deadline_id} cannot be computed again")]
    Recompute {
        /// The limit.
        deadline_id: Uuid,
        /// Why.
        source: RecomputeFault,
    },
}

/// Finds a limit and computes its sheet again.
pub async fn explain(service: &ServiceEntry, deadline_id: Uuid) -> Result<(KeptSheet, Recomputed), ExplainError> {
    let storage = |source| ExplainError::Storage { service: service.name.clone(), source };
    let database = service.connect().await?;
    let mut connection = database.pool().acquire().await.map_err(storage)?;
    let kept = sheets::find(&mut connection, deadline_id).await.map_err(storage)?;
    drop(connection);
    database.pool().close().await;
    let kept = kept.ok_or(ExplainError::Unknown(deadline_id))?;
    let recomputed = sheets::recompute(&kept).map_err(|source| ExplainError::Recompute { deadline_id, source })?;
    Ok((kept, recomputed))
}

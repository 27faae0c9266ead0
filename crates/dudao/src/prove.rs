//! Proving the standing invariants of `deadlines` on demand.

use clockwork::invariants::{self, Proof};

use crate::installation::{InstallationError, ServiceEntry};

/// Why no proof could be made.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
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
}

/// Proves every invariant on the service's database, at its legal time; writes nothing.
pub async fn prove(service: &ServiceEntry) -> Result<Proof, ProveError> {
    let storage = |source| ProveError::Storage { service: service.name.clone(), source };
    let database = service.connect().await?;
    let mut connection = database.pool().acquire().await.map_err(storage)?;
    let at = postgres::legal_now(&mut connection).await.map_err(storage)?;
    let proof = invariants::prove(&mut connection, at).await.map_err(storage)?;
    drop(connection);
    database.pool().close().await;
    Ok(proof)
}

//! Taking entries in: of each document the newest, whatever comes first.

use std::collections::BTreeMap;

use contracts::shared::RegisterEntry;
use documents::VerificationCode;
use domain::ids::DocumentId;
use messaging::ApplyError;
use postgres::Tx;

use super::store;

/// An entry with the service that keeps the paper.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) keeper: String,
    pub(crate) entry: RegisterEntry,
}

/// Takes entries in with one statement for all; what is older than the register is passed over.
pub(crate) async fn record(tx: &mut Tx, entries: Vec<Recorded>) -> Result<(), ApplyError> {
    let mut newest: BTreeMap<DocumentId, Recorded> = BTreeMap::new();
    for recorded in entries {
        let kept = newest.entry(recorded.entry.document.document_id).or_insert_with(|| recorded.clone());
        if kept.entry.version < recorded.entry.version {
            *kept = recorded;
        }
    }
    let rows = newest.values().map(store::Row::of).collect::<Result<Vec<_>, _>>().map_err(ApplyError::Refused)?;
    store::save(tx, &rows).await?;
    Ok(())
}

/// The code that follows from a hash.
pub(super) fn code_of(sha256: &str) -> Result<VerificationCode, String> {
    let mut digest = [0; 32];
    hex::decode_to_slice(sha256, &mut digest).map_err(|error| format!("content_sha256 {sha256:?}: {error}"))?;
    Ok(VerificationCode::of_digest(&digest))
}

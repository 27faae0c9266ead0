//! Accounts and units.

use contracts::{
    Envelope, Event as _,
    registry::{AccountRecorded, AreaMerged, UnitRecorded},
};
use messaging::{ApplyError, Handler};
use postgres::Tx;

use crate::directory::record;

/// Keeps the copies of accounts and units.
#[derive(Debug, Clone, Copy)]
pub struct Directory;

impl Handler for Directory {
    fn event_types(&self) -> Vec<&'static str> {
        vec![AccountRecorded::TYPE, UnitRecorded::TYPE, AreaMerged::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        match event.event_type.as_str() {
            AccountRecorded::TYPE => record::account(tx, &event.read()?).await?,
            UnitRecorded::TYPE => record::unit(tx, &event.read()?).await?,
            AreaMerged::TYPE => record::merger(tx, &event.read()?).await?,
            other => return Err(ApplyError::Refused(format!("not an event of this consumer: {other}"))),
        }
        Ok(())
    }
}

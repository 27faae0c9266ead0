//! Areas, units, inspectors and accounts: each event replaces an older copy. When a county becomes a part of another one, its
//! matters go over.

use contracts::registry::{AccountRecorded, AreaMerged, AreaRecorded, InspectorRecorded, UnitRecorded};
use contracts::{Envelope, Event as _};
use messaging::{ApplyError, Handler};
use postgres::Tx;

use crate::registry::store;
use crate::{case, plan};

/// Keeps the copies.
#[derive(Debug, Clone, Copy)]
pub struct RegistryCopies;

impl Handler for RegistryCopies {
    fn event_types(&self) -> Vec<&'static str> {
        vec![AreaRecorded::TYPE, UnitRecorded::TYPE, InspectorRecorded::TYPE, AccountRecorded::TYPE, AreaMerged::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        if event.is::<AreaRecorded>() {
            store::save_area(tx, &event.read()?).await?;
        } else if event.is::<UnitRecorded>() {
            store::save_unit(tx, &event.read()?).await?;
        } else if event.is::<InspectorRecorded>() {
            store::save_inspector(tx, &event.read()?).await?;
        } else if event.is::<AreaMerged>() {
            let merged: AreaMerged = event.read()?;
            case::merger::apply(tx, &merged, &event.actor).await?;
            plan::store::hand_over(tx, &merged).await?;
        } else {
            store::save_account(tx, &event.read::<AccountRecorded>()?).await?;
        }
        Ok(())
    }
}

//! What this service hears: letters, receipts, the agencies that issue, and counties that became a part of others.

use std::sync::Arc;

use contracts::notifications::ReceiptSigned;
use contracts::registry::{AreaMerged, UnitKind, UnitRecorded};
use contracts::tasks::LetterIssued;
use contracts::{Envelope, Event};
use messaging::{ApplyError, Handler};
use postgres::Tx;

use crate::rules::RuleSet;
use crate::{letter, merger};

/// Name of the durable consumer.
pub const CONSUMER: &str = "deadlines-intake";

/// The handler of everything this service hears.
#[derive(Debug)]
pub struct Intake {
    /// The rules that a new rectification begins with.
    pub rules: Arc<RuleSet>,
}

impl Handler for Intake {
    fn event_types(&self) -> Vec<&'static str> {
        vec![UnitRecorded::TYPE, AreaMerged::TYPE, LetterIssued::TYPE, ReceiptSigned::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        if event.is::<UnitRecorded>() {
            let unit: UnitRecorded = event.read()?;
            if unit.kind == UnitKind::SupervisionAgency {
                letter::store::keep_agency(tx, &unit).await?;
            }
        } else if event.is::<AreaMerged>() {
            merger::apply(tx, &event.read()?, &event.actor).await?;
        } else if event.is::<LetterIssued>() {
            let issued: LetterIssued = event.read()?;
            let ruling = self.rules.in_force(tx).await?;
            letter::store::lock_letter(tx, issued.letter_id).await?;
            let letter_id = issued.letter_id;
            letter::store::keep_letter(tx, issued).await?;
            letter::open::open_if_received(tx, &ruling, letter_id, &event.actor).await?;
        } else if event.is::<ReceiptSigned>() {
            let receipt: ReceiptSigned = event.read()?;
            if receipt.document_kind.opens_rectification() {
                let letter_id = receipt.document_id.as_uuid().into();
                let ruling = self.rules.in_force(tx).await?;
                letter::store::lock_letter(tx, letter_id).await?;
                letter::store::keep_receipt(tx, letter_id, &receipt).await?;
                letter::open::open_if_received(tx, &ruling, letter_id, &event.actor).await?;
            }
        }
        Ok(())
    }
}

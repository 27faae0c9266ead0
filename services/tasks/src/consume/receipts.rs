//! Acknowledged receipts (签收) of our papers.

use std::sync::Arc;

use contracts::notifications::ReceiptSigned;
use contracts::{Envelope, Event as _};
use messaging::{ApplyError, Handler};
use postgres::Tx;

use crate::case::{Receipt, receive};
use crate::rules::Rules;

/// Marks notice, preliminary opinion and letter received.
#[derive(Debug, Clone)]
pub struct Receipts {
    /// Periods and calendars: the receipt of a preliminary opinion starts the plea window.
    pub rules: Arc<Rules>,
}

impl Handler for Receipts {
    fn event_types(&self) -> Vec<&'static str> {
        vec![ReceiptSigned::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        let signed: ReceiptSigned = event.read()?;
        let receipt = Receipt {
            document_id: signed.document_id,
            kind: signed.document_kind,
            unit_id: signed.unit_id,
            signed_at: signed.signed_at,
            signed_by: signed.signed_by,
            signer_name: signed.signer_name,
        };
        receive(tx, &self.rules, &receipt).await
    }
}

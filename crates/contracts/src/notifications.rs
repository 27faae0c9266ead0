//! Events of `notifications`: what provably reached people.

use domain::ids::{AccountId, DocumentId, ReceiptId, UnitId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Event, shared::DocumentKind};

/// A unit acknowledged receipt (签收) of a document. For an opinion letter this starts the clocks of rectification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptSigned {
    /// The receipt.
    pub receipt_id: ReceiptId,
    /// Version of the receipt; a receipt is signed once, so this is 1.
    pub version: i64,
    /// The document received.
    pub document_id: DocumentId,
    /// Its kind.
    pub document_kind: DocumentKind,
    /// The unit that received it.
    pub unit_id: UnitId,
    /// Legal time of the signature.
    pub signed_at: Timestamp,
    /// The account that signed.
    pub signed_by: AccountId,
    /// The signer's name.
    pub signer_name: String,
}

impl Event for ReceiptSigned {
    const TYPE: &'static str = "notifications.receipt.signed.v1";
    fn aggregate_id(&self) -> Uuid {
        self.receipt_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

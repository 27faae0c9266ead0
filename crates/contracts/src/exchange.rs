//! Events of `exchange`: what the national platform has.

use domain::ids::{CaseId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Event;

/// The national platform accepted a message and gave a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAccepted {
    /// The message.
    pub message_id: MessageId,
    /// Version of the message.
    pub version: i64,
    /// The case that it belongs to.
    pub case_id: CaseId,
    /// What was sent, for instance `urging_order`.
    pub kind: String,
    /// The platform's receipt number.
    pub receipt_no: String,
    /// Legal time of acceptance.
    pub accepted_at: Timestamp,
}

impl Event for MessageAccepted {
    const TYPE: &'static str = "exchange.message.accepted.v1";
    fn aggregate_id(&self) -> Uuid {
        self.message_id.into()
    }
    fn aggregate_version(&self) -> i64 {
        self.version
    }
}

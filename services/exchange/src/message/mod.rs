//! Messages to the national platform: from the event that causes one to the receipt.
//!
//! ```mermaid
//! stateDiagram-v2
//!   [*] --> held: an earlier message of the case is missing or not accepted
//!   [*] --> ready: head of line
//!   [*] --> invalid: our own check found faults
//!   held --> ready: the message before it was accepted
//!   ready --> ready: failed, tried again later
//!   ready --> accepted: receipt
//!   ready --> rejected: the platform refused
//!   rejected --> ready: sent again by a person
//!   invalid --> ready: corrected by a person
//!   invalid --> held: corrected by a person, not yet its turn
//! ```

pub(crate) mod enqueue;
pub(crate) mod http;
pub(crate) mod resend;
pub(crate) mod store;

use contracts::exchange::MessageAccepted;
use domain::ids::{CaseId, MessageId};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::national::{Fault, Kind};

/// State of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Waits for the message before it in its case (待前序报文).
    Held,
    /// Head of line: being sent, or waiting for the next attempt (待上报).
    Ready,
    /// The platform gave a receipt (已接收).
    Accepted,
    /// The platform refused it (被退回).
    Rejected,
    /// Our own check refuses to send it (校验未通过).
    Invalid,
}

impl State {
    const ALL: [Self; 5] = [Self::Held, Self::Ready, Self::Accepted, Self::Rejected, Self::Invalid];

    /// Word in columns.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Ready => "ready",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Invalid => "invalid",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Chinese name.
    pub(crate) const fn zh(self) -> &'static str {
        match self {
            Self::Held => "待前序报文",
            Self::Ready => "待上报",
            Self::Accepted => "已接收",
            Self::Rejected => "被退回",
            Self::Invalid => "校验未通过",
        }
    }
}

/// A message as stored.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the names of the columns, and of the events")]
pub(crate) struct Message {
    pub message_id: MessageId,
    pub version: i64,
    pub case_id: CaseId,
    pub case_title: String,
    pub kind: Kind,
    pub sequence: i32,
    pub state: State,
    pub unit_name: String,
    pub doc_no: Option<String>,
    pub area_path: Vec<Uuid>,
    pub unit_ids: Vec<Uuid>,
    pub occurred_at: Timestamp,
    pub occurred_on: Date,
    pub payload: String,
    pub sha256: String,
    pub traceparent: Option<String>,
    pub attempts: i32,
    pub failures: i32,
    pub next_attempt_at: Option<Timestamp>,
    pub last_outcome: Option<String>,
    pub reason: Option<String>,
    pub faults: Vec<Fault>,
    pub receipt_no: Option<String>,
    pub accepted_at: Option<Timestamp>,
}

impl Message {
    /// The event of its acceptance.
    pub(crate) fn accepted_event(&self, version: i64, receipt_no: &str, accepted_at: Timestamp) -> MessageAccepted {
        MessageAccepted {
            message_id: self.message_id,
            version,
            case_id: self.case_id,
            kind: self.kind.as_str().to_owned(),
            receipt_no: receipt_no.to_owned(),
            accepted_at,
        }
    }
}

/// SHA-256 of a payload, in hexadecimal.
pub(crate) fn sha256(payload: &str) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(payload.as_bytes()))
}

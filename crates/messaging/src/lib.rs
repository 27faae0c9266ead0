//! The messaging core: how a change in one service reaches the others exactly once.
//!
//! ```mermaid
//! flowchart LR
//!   U[use case] -- one transaction --> J[(journal)]
//!   J -- relay, one at a time --> N[[JetStream]]
//!   N -- batches --> C[consumer]
//!   C -- one transaction: inbox rows + effect --> D[(database)]
//! ```
//!
//! - PostgreSQL is the truth, the broker is transport. Losing the broker's whole storage loses nothing: the relay notices
//!   the new stream and publishes the journal again; the inboxes keep anything from happening twice.
//! - The journal is append-only: history, outbox and audit in one table. The relay writes one row per published batch, with
//!   a Merkle root linked to the batch before and signed, so that a changed byte is found ([`verify`]).
//! - A consumer applies a batch in one transaction with its inbox rows and acknowledges afterwards. What cannot be read or
//!   applied becomes a dead letter with its cause ([`dead_letters`]), never a stop.
//!
//! Owns: the tables in schema `messaging`, streams and durable consumers. Does not own: what events mean.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

mod broker;
mod consumer;
pub mod dead_letters;
mod journal;
mod key;
mod merkle;
mod relay;
pub mod replay;
pub mod trace;
pub mod verify;

pub use broker::{Broker, BrokerError, BrokerOptions};
pub use consumer::{ApplyError, Batch, Consumer, Handler};
pub use journal::{append, append_all, ensure_epoch};
pub use key::{JournalKey, JournalPublicKey, KeyError};
pub use merkle::{Hash, leaf_hash, root};
pub use relay::{Backlog, Relay, ahead_of_clock, backlog, lag};

/// The tables of this crate; applied to every service's database before the service's own.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

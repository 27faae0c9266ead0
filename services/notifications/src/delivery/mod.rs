//! Deliveries (送达): a message on its way to one reader through one channel, and what became of it.
//!
//! ```mermaid
//! stateDiagram-v2
//!   [*] --> delivered: in_app
//!   [*] --> queued: it may leave
//!   [*] --> held: sending hours, or collected for a digest
//!   [*] --> failed: no address
//!   held --> queued: its instant has come
//!   held --> digested: it goes into a digest, which is a delivery of its own
//!   queued --> sending: a sender takes it
//!   sending --> delivered: the provider accepted it
//!   sending --> queued: a failure that may pass, after a growing pause
//!   sending --> held: outside of sending hours
//!   sending --> sending: the sender died; another takes it
//!   sending --> failed: refused for good, or tried too often; the next way begins
//!   failed --> queued: a person sends it again, or the account got another address
//!   failed --> discarded: a person decides, with a reason
//! ```
//!
//! A mail may arrive twice when a sender dies between the relay's answer and its commit; both carry the same Message-ID. Each
//! sender commits after each mail, on the very connection whose advisory lock says that it lives: more than one mail of a
//! sender can never be in doubt.

mod age;
pub mod carry;
mod digest;
pub mod gate;
pub mod gateway;
pub(crate) mod http;
pub mod mail;
mod mend;
pub(crate) mod plan;
mod send;
pub(crate) mod store;
pub mod sweep;
mod upkeep;

pub use age::age_worker;
pub use digest::collect_due;
pub use mail::{Mailer, Relays};
pub use send::{Outcome, Patience, Sender};
pub use upkeep::{fall_back_slow, release_held, upkeep_worker};

use uuid::Uuid;

/// Names of the mail senders; so many can there be in one process.
pub const SENDERS: [&str; 16] = [
    "mail-1", "mail-2", "mail-3", "mail-4", "mail-5", "mail-6", "mail-7", "mail-8", "mail-9", "mail-10", "mail-11",
    "mail-12", "mail-13", "mail-14", "mail-15", "mail-16",
];

/// What deliveries are asked about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// A document.
    pub document_id: Option<Uuid>,
    /// A rectification.
    pub rectification_id: Option<Uuid>,
    /// A supervision.
    pub case_id: Option<Uuid>,
}

//! Deliveries (送达): a message on its way through one channel, and what became of it.
//!
//! ```mermaid
//! stateDiagram-v2
//!   [*] --> delivered: in_app
//!   [*] --> queued: mail
//!   [*] --> failed: mail without an address
//!   queued --> sending: a sender takes it
//!   sending --> delivered: the relay accepted it
//!   sending --> queued: a failure that may pass, after a growing pause
//!   sending --> sending: the sender died; another takes it
//!   sending --> failed: refused for good, or tried too often
//!   failed --> queued: the account got another address
//! ```
//!
//! A mail may arrive twice when a sender dies between the relay's answer and its commit; both carry the same Message-ID.

mod age;
pub(crate) mod http;
mod mailer;
mod send;
pub(crate) mod store;

pub use age::age_worker;
pub use mailer::{Mailer, MailerError};
pub use send::{Claim, Outcome, Patience, claim, send_claimed, send_next, sender};

use uuid::Uuid;

/// Names of the senders; so many can there be in one process.
pub const SENDERS: [&str; 8] = ["mail-1", "mail-2", "mail-3", "mail-4", "mail-5", "mail-6", "mail-7", "mail-8"];

/// What deliveries are asked about: one of the three.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// A document.
    pub document_id: Option<Uuid>,
    /// A rectification.
    pub rectification_id: Option<Uuid>,
    /// A supervision.
    pub case_id: Option<Uuid>,
}

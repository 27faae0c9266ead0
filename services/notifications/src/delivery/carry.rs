//! What every channel is to a sender: a carrier that takes one parcel at a time and says what became of it.

use std::{pin::Pin, time::Duration};

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    language::Language,
    rules::{Capacity, Channel},
};

/// A delivery with all that carrying needs.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The delivery.
    pub delivery_id: Uuid,
    /// What names it to the receiver, however often it is sent: the message, or the digest.
    pub key: Uuid,
    /// The number of this attempt.
    pub attempt: i32,
    /// Definite refusals so far.
    pub refusals: i32,
    /// Mail address.
    pub email: Option<String>,
    /// Mobile number.
    pub phone: Option<String>,
    /// Name of the endpoint.
    pub endpoint: Option<String>,
    /// Language.
    pub language: Language,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The text of one breath.
    pub short: String,
    /// Where to act.
    pub link: String,
    /// The reader's own link to acknowledge receipt.
    pub sign_link: Option<String>,
    /// Legal time of the message.
    pub created_at: Timestamp,
    /// What machines are told.
    pub facts: Facts,
}

/// What a machine is told of a message: names and numbers, no findings, no persons.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The kind of message.
    pub template: String,
    /// In which capacity the endpoint's unit is told.
    pub capacity: Option<Capacity>,
    /// It has legal effect.
    pub legal: bool,
    /// It waits for no hours.
    pub urgent: bool,
    /// Division code of the unit's county.
    pub county: Option<String>,
    /// The document.
    pub document_id: Option<Uuid>,
    /// Its number or the letter's.
    pub doc_no: String,
    /// The supervision.
    pub case_id: Option<Uuid>,
    /// The rectification.
    pub rectification_id: Option<Uuid>,
    /// The supervised unit.
    pub unit_id: Option<Uuid>,
    /// Its name.
    pub unit_name: String,
}

/// Why something was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// There is nothing to send it to.
    #[error("{0}")]
    Address(String),
    /// It was refused for good.
    #[error("it was refused for good: {0}")]
    Refused(String),
    /// The provider or the way to it failed in a way that may pass.
    #[error("the provider could not take it: {0}")]
    Passing(String),
    /// Nothing came back in time.
    #[error("the provider did not answer within {} seconds", .0.as_secs())]
    Silent(Duration),
    /// Nobody may be asked just now; it was not an attempt.
    #[error("no provider may be asked for {} ms", .0.as_millis())]
    Throttled(Duration),
}

/// It was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// By whom.
    pub provider: String,
}

/// What carrying gives in the end.
pub type Carrying<'a> = Pin<Box<dyn Future<Output = Result<Accepted, CarryError>> + Send + 'a>>;

/// A channel.
pub trait Carrier: Send + Sync + 'static {
    /// Which one.
    fn channel(&self) -> Channel;

    /// Whether there is any use in taking work.
    fn is_ready(&self) -> bool;

    /// Carries one parcel, within a limit of time.
    fn carry<'a>(&'a self, parcel: &'a Parcel) -> Carrying<'a>;
}

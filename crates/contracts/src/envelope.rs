//! The envelope around every event, the same for all services.

use domain::ids::{AccountId, EventId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

/// A public event: a versioned payload that needs no history to be understood.
pub trait Event: Serialize + DeserializeOwned {
    /// Its type, `<service>.<aggregate>.<event>.v<n>`, which is also the subject that it travels on.
    const TYPE: &'static str;

    /// Identifier of the aggregate that changed.
    fn aggregate_id(&self) -> Uuid;

    /// Version of that aggregate after the change. Order within an aggregate is this number, never arrival.
    fn aggregate_version(&self) -> i64;
}

/// Who caused an event: a person through an account, or a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in person.
    Person {
        /// The account used.
        account_id: AccountId,
        /// Name shown on documents and in the audit.
        name: String,
    },
    /// The system itself, for instance a due date that passed.
    System {
        /// The worker that acted, for instance `deadlines.fire`.
        worker: String,
    },
}

impl Actor {
    /// The actor for a worker of the system.
    pub fn system(worker: &str) -> Self {
        Self::System { worker: worker.to_owned() }
    }
}

/// One event as it stands in a journal and on the wire.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Envelope {
    /// Identifier of the event; the key of de-duplication everywhere.
    pub event_id: EventId,
    /// Type and subject, see [`Event::TYPE`].
    pub event_type: String,
    /// The aggregate that changed.
    pub aggregate_id: Uuid,
    /// Its version after the change.
    pub aggregate_version: i64,
    /// Legal time of the change: the database's clock, microseconds.
    pub occurred_at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// W3C trace context of the change, so that one trace spans all services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The payload, byte for byte as journalled.
    pub payload: Box<RawValue>,
}

/// Why an envelope's payload could not be read as the wanted event.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The envelope carries another type.
    #[error("expected an event of type {expected}, found {found}")]
    OtherType {
        /// The type asked for.
        expected: &'static str,
        /// The type found.
        found: String,
    },
    /// The payload does not have the shape of its type.
    #[error("the payload of {event_type} cannot be read")]
    Payload {
        /// The type claimed.
        event_type: String,
        /// What is wrong and where.
        source: serde_path_to_error::Error<serde_json::Error>,
    },
}

impl Envelope {
    /// True when this envelope carries an event of type `E`.
    pub fn is<E: Event>(&self) -> bool {
        self.event_type == E::TYPE
    }

    /// Reads the payload as `E`.
    pub fn read<E: Event>(&self) -> Result<E, ReadError> {
        if !self.is::<E>() {
            return Err(ReadError::OtherType { expected: E::TYPE, found: self.event_type.clone() });
        }
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(self.payload.get()))
            .map_err(|source| ReadError::Payload { event_type: self.event_type.clone(), source })
    }
}

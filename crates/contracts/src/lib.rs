//! What crosses a service border: the event envelope, the versioned payloads of every event, and the names of subjects and streams.
//!
//! Owns: the shape of public events and how it may change (a new optional field is free, a new meaning is a new version).
//! Does not own: rules (`domain`), storage and transport (`messaging`), HTTP shapes (each service's own OpenAPI description).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod deadlines;
mod envelope;
pub mod exchange;
pub mod notifications;
pub mod publication;
pub mod registry;
pub mod shared;
pub mod subjects;
pub mod tasks;

pub use envelope::{Actor, Envelope, Event, ReadError};

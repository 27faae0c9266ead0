//! What the operator's tool `dudao` does, as functions: importing, verifying, replaying, looking for faults, making keys,
//! counting due dates, drawing the rulebook's state machines.
//!
//! Owns: the description of an installation ([`Installation`]). Does not own: any table; it reads the services' databases
//! as their own roles, and changes nothing but the request of a replay.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod cli;
pub mod diagrams;
pub mod doctor;
pub mod due;
pub mod explain;
pub mod import;
mod installation;
pub mod journal;
pub mod keys;
pub mod prove;
pub mod rehearse;
pub mod rules;

pub use installation::{BrokerEntry, DatabaseEntry, Installation, InstallationError, ServiceEntry};

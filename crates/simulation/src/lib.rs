//! The deadline engine under faults, twice: a deterministic simulation that plays whole years with crashes, clock steps and a
//! forgetful broker, and an exhaustive check of the ladder's protocol.
//!
//! The simulation divides the engine's work into the statements of the real one, lets a seeded generator choose who runs the
//! next statement and what breaks, and holds every commit against an oracle that counts days and climbs the ladder by itself.
//! A change of the domain's types reaches one file, `adaptor.rs`; the rules stand a second time in `reference.rs`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod adaptor;
pub mod days;
pub mod model;
pub mod options;
pub mod oracle;
pub mod rng;
pub mod world;

mod broker;
mod change;
mod consumer;
mod database;
mod env;
mod firing;
mod intake;
mod people;
mod reference;
mod relay;

pub use adaptor::Book;
pub use options::{Fault, Mutation, Options};
pub use world::{Failure, Summary, run, shrink};

//! The service through its events, its HTTP interface and a real mail server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    clippy::allow_attributes,
    reason = "tests may"
)]

mod api;
mod broker;
mod flow;
mod gateways;
mod killed;
mod languages;
mod mail;
// The story's mail server; by its file, because a service must not depend on the crate that knows all services.
#[path = "../../../../tests/src/mail_sink.rs"]
#[expect(dead_code, reason = "its HTTP side serves the story only")]
mod mail_sink;
mod receipts;
mod telling;
mod ways;
mod world;

//! `exchange` against real servers: PostgreSQL, NATS, and the simulator of the national platform over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "tests may"
)]

mod api;
mod facts;
mod ordering;
mod partner;
mod sending;
mod support;

/// The simulator that ships with the product, from its own file: these tests need nothing else of that crate.
#[path = "../../../../tests/src/national_platform.rs"]
mod national_platform;

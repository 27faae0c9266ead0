//! The messaging core against real servers: nothing missing, nothing twice, in order, and every tampering found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "tests may"
)]

mod chain;
mod consuming;
mod epochs;
mod relaying;
mod support;

//! The service over real PostgreSQL: from letter and receipt to close-out, and what the clock does alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "tests may"
)]

mod acts;
mod catalogue;
mod change;
mod closing;
mod documents;
mod firing;
mod handover;
mod liability;
mod look_back;
mod moments;
mod opening;
mod plan;
mod prove;
mod requests;
mod steps;
mod support;
mod timers;
mod tool;
mod voids;

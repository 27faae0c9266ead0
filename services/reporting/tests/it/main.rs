//! `reporting` through its router and its consumers, over a real database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    missing_docs,
    reason = "tests may"
)]

mod consuming;
mod exporting;
mod listing;
mod property;
mod support;

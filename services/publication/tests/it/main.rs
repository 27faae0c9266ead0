//! `publication` through its router and its consumer, over a real database.

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

mod browser;
mod deciding;
mod following;
mod portal;
mod register;
mod standby;
mod support;

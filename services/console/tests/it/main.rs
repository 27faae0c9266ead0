//! The console against services played by wiremock: every page, every form, every way that it can go wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    reason = "tests may"
)]

mod config;
mod doors;
mod forms;
mod pages;
mod rooms;
mod samples;
mod stage;

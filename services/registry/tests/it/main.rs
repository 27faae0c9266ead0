//! The registry through its HTTP interface, over a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod fixture;
mod imports;
mod mergers;
mod provider;
mod reads;
mod routes;
mod sign_in;
mod sign_on;

//! The service through HTTP and events, on a real PostgreSQL and a real broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::allow_attributes,
    clippy::unused_self,
    reason = "tests may"
)]

mod access;
mod assignments;
mod consumers;
mod evidence;
mod guards;
mod journey;
mod merger;
mod numbers;
mod papers;
mod plans;
mod policy;
mod voids;
mod world;

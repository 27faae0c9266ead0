//! The domain from outside: what services and the operator's tool build on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod recount;
mod rehearsal;
mod support;

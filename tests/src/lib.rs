//! Journeys across services, and what they are fed with.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod drill;
pub mod lives;
pub mod mail_sink;
pub mod national_platform;
pub mod province;
pub mod say;
pub mod world;

//! The pure rules of education supervision (教育督导): values, calendars, periods, rules and state machines.
//!
//! This crate owns every decision that has a legal effect: who may supervise whom, which step may follow which,
//! when something is due, and what happens when it is late. It owns no input or output: no database, no network,
//! no clock and no chance. Facts from elsewhere and the instant of an act come in as arguments, so that each rule
//! can be tried on any day.
#![warn(missing_docs, clippy::wildcard_enum_match_arm)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod agencies;
pub mod calendar;
pub mod case;
pub mod code;
pub mod doc_number;
pub mod ids;
pub mod local_time;
pub mod outcome;
pub mod period;
pub mod policy;
pub mod proof;
pub mod rectification;
pub mod rehearsal;
pub mod rulebook;
pub mod severity;
pub mod step_paper;

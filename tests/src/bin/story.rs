//! The whole chain on real processes: `story` plays it and checks every fact; `story --stay` plays it and stays up.
//!
//! Leaves `target/story/result.json`, prints a table, and ends with 0 only if every step's facts hold.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may"))]

#[path = "../story/mod.rs"]
mod story;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::install_crypto();
    Box::pin(story::run(story::Arguments::parse())).await
}

//! What the main function of every service does (服务底座): configuration, telemetry, clock and ids,
//! the HTTP server with its layers, health, the one HTTP client, files, idempotency, workers,
//! starting and stopping in the right order.
//!
//! Owns: no table (the one for idempotency keys belongs to `messaging`) and no rule of supervision.
//!
//! A service's main:
//!
//! ```text
//! struct Tasks;
//! impl service_kit::Service for Tasks {
//!     const NAME: &'static str = "tasks";
//!     type Config = Config;                       // service_kit::config! { … : Common { … } }
//!     fn migrator() -> &'static Migrator { &MIGRATOR }
//!     async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
//!         let state = AppState::new(config, &kit);
//!         Ok(Assembled::new(app::routes(kit.access.clone()), state.clone())
//!             .consumer(Consumer::new(kit.database, kit.broker, "tasks-registry", Units))
//!             .worker(Worker::every("tasks-reminders", PERIOD, move || state.clone().remind())))
//!     }
//! }
//! fn main() -> std::process::ExitCode { service_kit::run::<Tasks>() }
//! ```
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]
// The macros name the crate by its outside name, also from within.
extern crate self as service_kit;

pub mod admin;
mod assembled;
mod checks;
pub mod client;
pub mod clock;
pub mod clock_watch;
pub mod config;
pub mod etag;
pub mod files;
pub mod health;
pub mod http_client;
pub mod idempotency;
pub mod ids;
pub mod layers;
pub mod openapi;
pub mod page;
pub mod rule_texts;
mod run;
pub mod server;
mod stateless;
pub mod telemetry;
pub mod trace;
pub mod worker;

pub use assembled::{Assembled, Kit, Service, routes_of};
pub use run::run;
pub use stateless::{Pages, StatelessKit, StatelessService, run_stateless};
pub use worker::{Round, Worker};

/// Makes aws-lc-rs the cryptography of the process. Called by [`run`]; tests that use TLS or the
/// HTTP client call it themselves. Calling it again does nothing.
pub fn install_crypto() {
    // The error says that a provider is there already, which is what we want.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

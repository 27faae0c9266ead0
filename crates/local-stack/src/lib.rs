//! An installation on one machine: real PostgreSQL, real nats-server, every service as a process of its own.
//!
//! For the demo, the story and the fault tests. Owns: finding the servers' programs, free ports, starting, readiness,
//! supervision (a process that dies by itself or by [`Process::kill`] comes back), stopping, databases and roles,
//! passwords and key files, the rehearsal clock. Does not own: what stands in a service's configuration (the caller
//! writes it, see [`Stack::start`]), migrations (each service applies its own), or anything that runs in production.
//!
//! Everything lies in one folder and is found again by the next start: data, passwords, keys, ports. What a run that was
//! shot (kill -9) left running is recognised by its pid files and ended by the next start.
//!
//! PostgreSQL refuses to run as root; when this process is root, it runs as the user `postgres`.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

mod certificate;
mod clock;
mod database;
mod error;
mod folder;
mod interrupt;
mod leftover;
mod log;
mod nats;
mod object_store;
mod port;
mod postgres;
mod probe;
mod process;
mod program;
mod secret;
mod service;
mod signal;
mod stack;
mod tools;

pub use certificate::{Authority, Certificate};
pub use database::DatabaseAccess;
pub use error::Error;
pub use folder::{ScratchFolder, for_server as server_folder};
pub use interrupt::{Interrupted, interrupted, until_interrupted};
pub use log::tail;
pub use nats::{Nats, NatsNode, NatsOptions, NatsUser};
pub use object_store::{AccessKey, ObjectStore};
pub use port::free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use probe::Ready;
pub use process::Process;
pub use program::Program;
pub use secret::{KeyMakers, KeyTexts};
pub use service::ServiceProcess;
pub use signal::StopSignal;
pub use stack::{BrokerAccess, SERVICES, SIMULATORS, Settings, Stack, StackOptions};
pub use tools::{Tools, workspace_root};

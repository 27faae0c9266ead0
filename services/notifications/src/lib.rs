//! Tells people (告知): who must be told of an event, in the inbox and by mail, what became of each delivery, and the
//! acknowledged receipt (签收) of documents.
//!
//! Owns: messages, deliveries, receipts, preferences; copies of accounts, units and groups, as far as they decide who is
//! told. Who must be told is data (`rulebook/notifications.toml`). Does not own: accounts (`registry`), documents (`tasks`,
//! `deadlines`), clocks (`deadlines`; the limit of a receipt is only shown here).
//!
//! A message is written in the transaction of the event that it tells of; mail leaves afterwards, from a row that is locked
//! while it is sent. A repeated mail carries the same Message-ID.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod app;
pub mod config;
pub mod consume;
pub mod delivery;
mod directory;
mod message;
mod preference;
mod receipt;
pub mod rules;
pub mod template;

use std::sync::Arc;

use anyhow::Context as _;
use messaging::Consumer;
use service_kit::{Assembled, Kit, Service};
use sqlx::migrate::Migrator;

pub use config::Config;
pub use message::{Telling, catch_up};

use crate::{
    app::AppState,
    consume::{Directory, Matters},
    delivery::{Mailer, Patience, SENDERS},
    rules::Rules,
};

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The service.
#[derive(Debug)]
pub struct Notifications;

impl Service for Notifications {
    const NAME: &'static str = "notifications";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        build(&config, &kit)
    }
}

/// What telling needs, from the configuration.
pub fn telling(config: &Config) -> anyhow::Result<Telling> {
    Ok(Telling {
        rules: Rules::load(&config.rulebook.folder, &config.rulebook.province).context("rulebook.folder")?,
        console: config.links.console.trim_end_matches('/').to_owned(),
        support: config.mail.support.clone(),
    })
}

/// Puts the parts together.
pub fn build(config: &Config, kit: &Kit) -> anyhow::Result<Assembled> {
    let telling = Arc::new(telling(config)?);
    let state = AppState { database: kit.database.clone(), telling: Arc::clone(&telling) };
    let (database, broker) = (&kit.database, &kit.broker);
    let mut assembled = Assembled::new(app::routes(kit.access.clone()), state)
        .consumer(Consumer::new(database.clone(), broker.clone(), "notifications-directory", Directory))
        .consumer(Consumer::new(database.clone(), broker.clone(), "notifications-matters", Matters(telling)))
        .worker(message::catch_up_worker(database.clone()))
        .worker(delivery::age_worker(database.clone(), &kit.metrics.meter()));
    for name in SENDERS.iter().take(config.mail.workers) {
        let mailer = Mailer::try_new(config.mail.clone()).context("mail")?;
        let patience = Patience::from(&config.mail);
        assembled = assembled.worker(delivery::sender(name, database.clone(), mailer, patience));
    }
    Ok(assembled)
}

//! `reporting` accounts: the ledger of rectification (整改台账) with its export, and the statistics over it.
//!
//! Owns: read models made of the events of `deadlines`, `registry` and `publication`; they can be thrown away and made
//! again from the journals, in any order. Does not own: any fact. Whether an item is late is a question about an
//! instant, so it is never stored but asked against legal time; the definitions are SQL functions of the migration,
//! used by ledger, export and statistics alike.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]

pub mod app;
mod area;
pub mod config;
pub mod consume;
mod ledger;
mod rectification;
mod statistics;

use messaging::Consumer;
use service_kit::{Assembled, Kit, Service};
use sqlx::migrate::Migrator;

pub use config::Config;
pub use ledger::{COLUMNS, DUE_SOON_DAYS};

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The service, for [`service_kit::run`].
#[derive(Debug)]
pub struct Reporting;

impl Service for Reporting {
    const NAME: &'static str = "reporting";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        Ok(build(&config.links, kit))
    }
}

/// Joins routes and consumers.
pub fn build(links: &config::LinksSection, kit: Kit) -> Assembled {
    let state = app::AppState::new(&kit, links);
    let Kit { database, broker, access, .. } = kit;
    Assembled::new(app::routes(access), state)
        .consumer(Consumer::new(
            database.clone(),
            broker.clone(),
            consume::RECTIFICATIONS_CONSUMER,
            consume::Rectifications,
        ))
        .consumer(Consumer::new(database.clone(), broker.clone(), consume::AREAS_CONSUMER, consume::Areas))
        .consumer(Consumer::new(database, broker, consume::PAGES_CONSUMER, consume::Pages))
}

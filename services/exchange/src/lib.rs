//! `exchange` connects: it tells the national platform (国家平台) about each case, from the opinion letter to the
//! close-out, and is the only room of the system with a way out.
//!
//! Owns: outbound messages with their order, attempts, receipts and corrections; the form `national/v1`; the
//! signature of requests. Does not own: the facts (`tasks`, `deadlines`), which it takes from events and never asks
//! for.
//!
//! Exactly once: the message of a fact has an identity that follows from the fact and is the idempotency key of the
//! request; a receipt that was lost is asked for again under the same key. In order: a case has one message on its
//! way, its number is given by the fact.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]

mod app;
pub mod config;
pub mod consume;
mod measure;
mod message;
pub mod national;
mod papers;
mod reconciliation;
mod send;
pub mod signature;

use messaging::Consumer;
use service_kit::{Assembled, Kit, Service};
use sqlx::migrate::Migrator;

pub use config::Config;
pub use papers::Papers;

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The service, for [`service_kit::run`].
#[derive(Debug)]
pub struct Exchange;

impl Service for Exchange {
    const NAME: &'static str = "exchange";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        build(&config.platform, Papers::load(&config.documents)?, &kit)
    }
}

/// Joins routes, the consumer and the workers.
pub fn build(section: &config::PlatformSection, papers: Papers, kit: &Kit) -> anyhow::Result<Assembled> {
    let facts = consume::Facts { sender: section.province_code.clone(), papers };
    let mut assembled = Assembled::new(app::routes(kit.access.clone()), app::AppState::new(kit))
        .consumer(Consumer::new(kit.database.clone(), kit.broker.clone(), consume::FACTS_CONSUMER, facts))
        .worker(measure::worker(kit));
    for lane in send::lanes(kit, section)? {
        assembled = assembled.worker(lane);
    }
    Ok(assembled)
}

//! `tasks` does: annual plans, the province's own implementation plan, and supervision cases (督导) from the written
//! notice to the opinion letter, with team, visit, evidence, hearings, findings, plea, and the numbers of its papers; and
//! the list of what people must do because a clock said so (待办事项).
//!
//! Owns: plans, cases, findings until the letter, evidence, documents and their numbers, the duties of every unit.
//! Does not own: who exists (`registry`; copies are kept here), when rectification is due and what was decided about a
//! step or a look-back (`deadlines`; the assignments follow from its events), whether a paper arrived (`notifications`
//! says so), what the public sees (`publication`). The rules are `domain::case`'s.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]

pub mod app;
mod assignment;
mod bodies;
mod case;
mod checks;
pub mod config;
pub mod consume;
mod document;
mod office;
mod plan;
mod policy;
mod registry;
pub mod rules;

use std::sync::Arc;

use messaging::Consumer;
use service_kit::{Assembled, Kit, Service};
use sqlx::migrate::Migrator;

pub use config::Config;

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The service, for [`service_kit::run`].
#[derive(Debug)]
pub struct Tasks;

impl Service for Tasks {
    const NAME: &'static str = "tasks";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        build(&config.rulebook, kit).await
    }
}

/// Loads the rules, puts the implementation plan into the database, and joins routes and consumers.
pub async fn build(section: &config::RulebookSection, kit: Kit) -> anyhow::Result<Assembled> {
    let rules = Arc::new(rules::Rules::load(section)?);
    policy::load(&kit.database, &rules.policy).await?;
    let state = app::AppState::new(&kit, Arc::clone(&rules));
    Ok(Assembled::new(app::routes(kit.access.clone()), state)
        .consumer(Consumer::new(
            kit.database.clone(),
            kit.broker.clone(),
            consume::REGISTRY_CONSUMER,
            consume::RegistryCopies,
        ))
        .consumer(Consumer::new(
            kit.database.clone(),
            kit.broker.clone(),
            consume::ASSIGNMENTS_CONSUMER,
            consume::Assignments,
        ))
        .consumer(Consumer::new(kit.database, kit.broker, consume::RECEIPTS_CONSUMER, consume::Receipts { rules })))
}

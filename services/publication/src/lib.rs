//! `publication` shows: it prepares a public page for every rectification, lets a person approve it, and serves the
//! public portal (公开平台) with its open data.
//!
//! Owns: the public wording, who approved or withdrew it, every published version with its hash; the register of issued
//! documents (发文登记簿) with the page on which anyone verifies one, and what open documents say. Does not own: any fact of the
//! rectification (`deadlines`), nor what any other document says (the services that issue). What the portal shows is read from the published bytes alone, so that
//! nothing unapproved, withdrawn or masked can get out by another way.
//!
//! ```mermaid
//! stateDiagram-v2
//!   [*] --> draft: a rectification begins
//!   draft --> published: approve
//!   published --> published: approve (new wording), or a new status by itself
//!   draft --> withdrawn: withdraw
//!   published --> withdrawn: withdraw
//!   withdrawn --> published: approve
//! ```

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]

pub mod app;
pub mod config;
pub mod consume;
pub mod portal;
mod publication;
mod redact;
mod register;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use messaging::{Consumer, JournalPublicKey};
use postgres::Standby;
use service_kit::config::DatabaseSection;
use service_kit::{Assembled, Kit, Service};
use sqlx::migrate::Migrator;

pub use config::Config;
pub use publication::publication_id;
pub use rules::Rules;

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The service, for [`service_kit::run`].
#[derive(Debug)]
pub struct PublicationService;

impl Service for PublicationService {
    const NAME: &'static str = "publication";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        let standby = config.standby.as_ref().map(|section| standby(section, &config.common.database, &kit));
        build(&config.rulebook, &config.portal, standby.transpose().context("standby")?.map(Arc::new), kit)
    }
}

fn standby(section: &config::StandbySection, database: &DatabaseSection, kit: &Kit) -> Result<Standby, sqlx::Error> {
    let connect = database.options("dudao-publication-portal").connect()?.host(&section.host).port(section.port);
    let limit = Duration::from_secs(section.max_lag_seconds);
    Ok(Standby::new(kit.database.clone(), connect, section.max_connections, limit))
}

/// Loads the rules; joins routes, portal and consumer.
pub fn build(
    rulebook: &config::RulebookSection,
    portal: &config::PortalSection,
    standby: Option<Arc<Standby>>,
    kit: Kit,
) -> anyhow::Result<Assembled> {
    let rules = Arc::new(Rules::load(rulebook)?);
    let keys = portal.rendition_keys.iter().map(|key| JournalPublicKey::from_hex(key));
    let keys = keys.collect::<Result<Vec<_>, _>>().context("portal.rendition_keys")?;
    let state = app::AppState { database: kit.database.clone(), rendition_keys: keys.into() };
    let templates = documents::Templates::load(&rulebook.folder.join("documents"))?;
    let pages = portal::routes(portal, templates, kit.database.clone(), standby.clone());
    let assembled = Assembled::new(app::routes(kit.access.clone()), state);
    let assembled = match standby {
        Some(standby) => assembled.worker(portal::watch(standby, &kit.metrics)),
        None => assembled,
    };
    Ok(assembled
        .public_pages(pages)
        .without_idempotency("/v1/renditions")
        .consumer(Consumer::new(
            kit.database.clone(),
            kit.broker.clone(),
            consume::RECTIFICATIONS_CONSUMER,
            consume::Rectifications { rules },
        ))
        .consumer(Consumer::new(kit.database, kit.broker, consume::DOCUMENTS_CONSUMER, consume::Documents)))
}

//! Who (登记): the administrative tree, supervised units, inspectors, accounts with their roles, all with days of effect;
//! imports of them from spreadsheets; signing in, by password or by the government's sign-on, and the tokens that every service believes.
//!
//! Owns: the tables `areas`, `units`, `inspectors`, `accounts` and their versions, `area_mergers`, `credentials`, `activations`, `sessions`,
//! `identities`, `identity_permits`, `throttles`, `imports`. Publishes a snapshot of every record that is new or changed. Consumes nothing. Does not own: the
//! policies (`access`), nor anything that is done with units.
//!
//! Identities are UUIDs; division codes, school identifiers, unit keys, numbers and logins are attributes by which an import
//! finds the record it speaks about. The register only grows and changes: what an import does not mention stays as it is.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

mod account;
mod app;
mod area;
mod bootstrap;
mod config;
mod corrupt;
mod import;
mod inspector;
mod merger;
mod query;
mod sign_in;
mod sign_on;
mod unit;

pub use app::{AppState, WITHOUT_IDEMPOTENCY, routes};
pub use config::{BootstrapSection, Config, OidcSection};
pub use import::FileLimits;
pub use service_kit::client::Network;
pub use sign_on::Provider;

use std::sync::Arc;
use std::time::Duration;

use access::TokenIssuer;
use anyhow::Context as _;
use service_kit::{Assembled, Kit, Round, Service, Worker};
use sqlx::migrate::Migrator;

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// How often it is asked whether the day of a merger has come.
const MERGERS: Duration = Duration::from_secs(2);
/// How often what has no meaning any more is removed.
const CLEANING: Duration = Duration::from_hours(1);

/// The service.
#[derive(Debug, Clone, Copy)]
pub struct Registry;

impl Service for Registry {
    const NAME: &'static str = "registry";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        let issuer = TokenIssuer::load(&config.tokens.private_key_file).context("tokens.private_key_file")?;
        anyhow::ensure!(
            kit.access.verifier().kids().iter().any(|kid| kid == issuer.kid()),
            "tokens.private_key_file: access.public_keys holds no key {}; its tokens would be believed nowhere",
            issuer.kid()
        );
        let state = AppState::try_new(
            kit.database.clone(),
            kit.clock.clone(),
            kit.ids.clone(),
            issuer,
            config.limits(),
            config.sign_in.trusted_proxies.iter().copied(),
        )?;
        let provider = config.oidc.as_ref().map(Provider::try_new).transpose().context("oidc")?;
        let state = AppState { sign_on: provider.map(Arc::new), ..state };
        first_start(&state, &config.bootstrap).await.context("first start")?;
        Ok(assembled(kit.access, state))
    }
}

/// Routes and workers over a state.
pub fn assembled(access: access::Access, state: AppState) -> Assembled {
    let (cleaning, mergers) = (state.clone(), state.clone());
    let parts = Assembled::new(routes(access), state).worker(Worker::every("registry-cleaning", CLEANING, move || {
        let state = cleaning.clone();
        async move {
            let mut tx = state.database.begin().await?;
            sign_in::store::clean(&mut tx, state.clock.now()).await?;
            tx.commit().await?;
            Ok(Round::Done)
        }
    }));
    let parts = parts.worker(Worker::every("registry-mergers", MERGERS, move || {
        let state = mergers.clone();
        async move {
            let mut tx = state.database.begin().await?;
            let carried_out = merger::carry_out_due(&mut tx).await?;
            tx.commit().await?;
            Ok(if carried_out { Round::More } else { Round::Done })
        }
    }));
    WITHOUT_IDEMPOTENCY.into_iter().fold(parts, Assembled::without_idempotency)
}

/// Sees to the first start: the province's root area and the account of the installation. Later calls change nothing but that
/// account's password, when its file says another one.
pub async fn first_start(state: &AppState, section: &BootstrapSection) -> problem::Result<()> {
    let mut tx = state.database.begin().await?;
    let due = bootstrap::is_due(&mut tx).await?;
    tx.rollback().await?;
    if !due {
        return renew_password(state, section).await;
    }
    let hash = state.hasher.hash(section.password_file.expose()).await?;
    let mut tx = state.database.begin().await?;
    bootstrap::ensure(&mut tx, state.ids.as_ref(), section, &hash, state.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets the password of the account of the installation when the file says another one than before: that is how it is changed.
async fn renew_password(state: &AppState, section: &BootstrapSection) -> problem::Result<()> {
    let mut tx = state.database.begin().await?;
    let known = bootstrap::password(&mut tx).await?;
    tx.rollback().await?;
    let Some((account, hash)) = known else { return Ok(()) };
    let password = section.password_file.expose();
    if state.hasher.verify(password, Some(hash)).await? {
        return Ok(());
    }
    let hash = state.hasher.hash(password).await?;
    let mut tx = state.database.begin().await?;
    sign_in::store::set_password(&mut tx, account, &hash, state.clock.now()).await?;
    tx.commit().await?;
    tracing::warn!("the password of the account of the installation was changed, as its file says");
    Ok(())
}

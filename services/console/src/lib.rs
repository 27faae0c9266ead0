//! The face of the system (督导工作台): web pages for everyone who works in supervision, made on the server.
//!
//! Owns: pages, forms, the session cookie, the language strings. Owns no database and no business data, and decides
//! nothing: every page asks the other services with the user's own token, and whoever may not do a thing is refused
//! by them. Navigation only leaves out what the policies would refuse anyway.
//!
//! How a request goes: [`session::Ctx`] opens the cookie; a handler reads what its page shows through [`api`]; a form's
//! handler sends one call and redirects, or renders the page again with the refusal at its field and the input kept.
//! Works without scripts. A service that is away costs the part of the page that needs it, not the console.
//!
//! A new page: a template, its strings in `texts/*.toml`, a handler in the folder of its subject, a line in `app.rs`.
#![expect(clippy::struct_field_names, reason = "fields are named as the services' answers name them")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod api;
pub mod app;
pub mod config;
pub mod errors;
pub mod form;
pub mod page;
mod rooms;
pub mod session;
pub mod texts;

use std::sync::Arc;

use anyhow::Context as _;
use service_kit::{Pages, StatelessKit, StatelessService};

use crate::api::Api;
use crate::app::AppState;
use crate::page::Permissions;
use crate::session::Sealer;
use crate::texts::Catalogue;

pub use config::Config;

/// The service.
#[derive(Debug)]
pub struct Console;

impl StatelessService for Console {
    const NAME: &'static str = "console";
    type Config = Config;

    async fn assemble(config: Config, kit: StatelessKit) -> anyhow::Result<Pages> {
        Ok(Pages { routes: app::routes(build(&config, &kit)?), ..Pages::default() })
    }
}

/// Puts the parts together.
pub fn build(config: &Config, kit: &StatelessKit) -> anyhow::Result<AppState> {
    // The services of the configuration are the only hosts that the console may ask.
    let api = Api::new(&config.services, &config.common.outbound).context("services")?;
    Ok(AppState {
        api,
        sealer: Arc::new(
            Sealer::new(config.session.key_file.expose(), config.session.secure_cookies).context("session")?,
        ),
        permissions: Arc::new(Permissions::load().context("policies")?),
        catalogue: Catalogue::load(),
        clock: Arc::clone(&kit.clock),
        ids: Arc::clone(&kit.ids),
        trusted_proxies: config.gateway.trusted_proxies.clone().into(),
        portal: config.links.portal.trim_end_matches('/').to_owned().into(),
    })
}

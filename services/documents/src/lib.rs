//! `documents` renders official documents (文书): PDF/A for the archive and the public, Word for the office, plain text for
//! machines. The one room with a typesetter.
//!
//! Owns: page layout after GB/T 9704-2012, fonts, the worker threads that set pages. Owns no database, no broker and no
//! business data: whoever holds a frozen content sends its bytes and gets the document back, so that rendering gives
//! nothing away. The same content, templates and fonts give the same bytes, on any replica, at any time.
//!
//! How a request goes: [`press::Press`] reads the frozen bytes, composes the paper with the templates that the content
//! names (`crates/documents`), and makes PDF ([`typeset`]), DOCX ([`docx`]) or text of it, on one of as many threads as
//! there are cores ([`desk::Desk`]); when too many wait, the answer is 503 with `Retry-After`.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]

mod app;
pub mod config;
pub mod desk;
pub mod docx;
pub mod fonts;
mod http;
pub mod press;
mod qr;
pub mod typeset;

use std::sync::Arc;
use std::time::Duration;

use access::{Access, Policies, TokenVerifier};
use anyhow::Context as _;
use service_kit::{Pages, Round, StatelessKit, StatelessService, Worker};

use crate::desk::Desk;
use crate::press::Press;

pub use app::{listing, router};
pub use config::Config;

/// The service, for [`service_kit::run_stateless`].
#[derive(Debug)]
pub struct Documents;

impl StatelessService for Documents {
    const NAME: &'static str = "documents";
    type Config = Config;

    async fn assemble(config: Config, kit: StatelessKit) -> anyhow::Result<Pages> {
        let verifier = TokenVerifier::load(&config.access.public_keys).context("access.public_keys")?;
        let clock = Arc::clone(&kit.clock);
        let access = Access::new(verifier, Policies::load().context("policies")?, move || clock.now());
        let press = Press::load(&config.rendering, &config.fonts).context("rendering.templates")?;
        let desk = Desk::new(config.rendering.workers(), config.rendering.queue);
        let keys = access.clone();
        Ok(Pages {
            routes: router(access, press, desk),
            // Keys of the token issuer rotate while the room runs.
            workers: vec![Worker::every("access-keys", Duration::from_mins(1), move || {
                let access = keys.clone();
                async move {
                    access.verifier().reload().context("access.public_keys")?;
                    Ok(Round::Done)
                }
            })],
            ..Pages::default()
        })
    }
}

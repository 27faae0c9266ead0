//! Tells people (告知): who must be told of an event, in the inbox, by mail, short message, another system's webhook or the robot
//! of a group; what became of each delivery; and the acknowledged receipt (签收) of documents.
//!
//! Owns: notices, messages, deliveries, receipts with the chase of unsigned ones, preferences; copies of accounts, units and
//! groups, as far as they decide who is told. Who must be told is data (`rulebook/notifications.toml`). Does not own: accounts
//! (`registry`), documents (`tasks`, `deadlines`), clocks of the procedure (`deadlines`).
//!
//! A notice is written in the transaction of the event that it tells of. A moment later its messages and deliveries are, for many
//! notices at once and in one transaction with the end of the notice's waiting. What leaves the system leaves afterwards, from
//! rows that a sender has taken under a lock that dies with its connection. The sweeper proves that nothing was swallowed on the
//! way. A repeated mail carries the same Message-ID.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

pub mod app;
pub mod config;
pub mod consume;
pub mod delivery;
mod directory;
pub mod hours;
pub mod language;
mod message;
mod preference;
mod receipt;
pub mod rules;
pub mod signature;
pub mod template;

use std::sync::Arc;

use anyhow::Context as _;
use messaging::Consumer;
use service_kit::{Assembled, Kit, Service};
use sqlx::migrate::Migrator;

pub use config::Config;
pub use message::{TellError, Telling, catch_up, tell_due};
pub use receipt::{Links, chase_due};

use crate::{
    app::AppState,
    consume::{Directory, Matters},
    delivery::{
        Mailer, Patience, Relays, SENDERS, Sender,
        carry::Carrier,
        gateway::{Endpoints, SmsGateways},
    },
    rules::{Channel, Rules},
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
        endpoints: config.channels.endpoints.clone(),
    })
}

/// The key of one-time links, if there is one.
pub fn links(config: &Config) -> Option<Arc<Links>> {
    config.receipts.link_key_file.as_ref().map(|key| Arc::new(Links::new(key.expose())))
}

/// Puts the parts together.
pub fn build(config: &Config, kit: &Kit) -> anyhow::Result<Assembled> {
    let telling = Arc::new(telling(config)?);
    let state = AppState { database: kit.database.clone(), telling: Arc::clone(&telling) };
    let (database, broker, meter) = (&kit.database, &kit.broker, kit.metrics.meter());
    let matters = Matters(Arc::clone(&telling));
    let mut assembled = Assembled::new(app::routes(kit.access.clone()), state)
        .consumer(Consumer::new(database.clone(), broker.clone(), "notifications-directory", Directory))
        .consumer(Consumer::new(database.clone(), broker.clone(), "notifications-matters", matters))
        .worker(message::teller("teller-1", database.clone(), Arc::clone(&telling)))
        .worker(message::teller("teller-2", database.clone(), Arc::clone(&telling)))
        .worker(message::catch_up_worker(database.clone(), Arc::clone(&telling)))
        .worker(receipt::chase_worker(database.clone(), Arc::clone(&telling)))
        .worker(delivery::upkeep_worker(database.clone(), Arc::clone(&telling)))
        .worker(delivery::sweep::sweep_worker(database.clone(), &meter))
        .worker(delivery::age_worker(database.clone(), &meter));
    for (name, sender) in senders(config, kit, &telling)? {
        assembled = assembled.worker(sender.worker(name));
    }
    Ok(app::KEYLESS.into_iter().fold(assembled, Assembled::without_idempotency))
}

/// The senders of every channel that is configured.
fn senders(config: &Config, kit: &Kit, telling: &Arc<Telling>) -> anyhow::Result<Vec<(&'static str, Sender)>> {
    let (links, patience) = (links(config), Patience::from(&config.mail));
    let sender = |carrier: Arc<dyn Carrier>| {
        Sender::new(kit.database.clone(), Arc::clone(telling), links.clone(), carrier, patience)
    };
    let relays = Relays::new(&config.mail);
    let mut senders = Vec::new();
    for name in SENDERS.iter().take(config.mail.workers) {
        let mailer = Mailer::try_new(config.mail.clone(), relays.clone()).context("mail")?;
        senders.push((*name, sender(Arc::new(mailer))));
    }
    let outbound = &config.common.outbound;
    if !config.channels.sms.is_empty() {
        let gateways = SmsGateways::new(kit.http.clone(), outbound, &config.channels.sms);
        senders.push(("sms-1", sender(Arc::new(gateways))));
    }
    for (name, channel) in
        [("webhook-1", Channel::Webhook), ("wecom-1", Channel::Wecom), ("dingtalk-1", Channel::Dingtalk)]
    {
        let endpoints = Endpoints::try_new(channel, &kit.http, &kit.clock, outbound, &config.channels.endpoints)
            .context("channels.endpoints")?;
        if !endpoints.is_empty() {
            senders.push((name, sender(Arc::new(endpoints))));
        }
    }
    Ok(senders)
}

//! `deadlines` says when: every clock of the procedure, rectifications from the letter's receipt to close-out, the
//! supervision notices (督办单) that the system issues by itself, and the ladder above them.
//!
//! Owns: rectifications with their items, limits, proof sheets and timers; urging orders, approvals of closings, acceptance
//! opinions and their numbers; evidence of rectification. Does not own: letters (`tasks`), receipts (`notifications`), who exists (`registry`); of these it keeps
//! what it was told. The rules are `domain::rectification`'s; this crate loads, asks and stores.
//!
//! The heart is [`firing`]: a worker that takes everything due, asks the domain, and commits notice, number, journal and next
//! timers in one transaction. There is no lease and no schedule in memory: a crash leaves the rows as they were.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")
)]

pub mod app;
pub mod change;
pub mod config;
pub mod consume;
mod deadline;
mod document;
pub mod firing;
mod letter;
mod merger;
pub mod prove;
mod rectification;
mod rules;
mod timer;
mod urging_order;

use std::sync::Arc;
use std::time::Duration;

use messaging::Consumer;
use service_kit::clock_watch::ClockWatch;
use service_kit::{Assembled, Kit, Round, Service, Worker};
use sqlx::migrate::Migrator;

pub use config::Config;
pub use rules::RuleSet;

/// The tables of this service.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The longest that something due waits for its round.
const FIRING_PERIOD: Duration = Duration::from_millis(500);
/// How often it is looked whether tonight's proof is made.
const PROVING_PERIOD: Duration = Duration::from_mins(1);
/// The longest that a change of the rules waits for its round.
const CHANGE_PERIOD: Duration = Duration::from_secs(1);
/// How often the pulse is taken for the metrics.
const PULSE_PERIOD: Duration = Duration::from_secs(15);

/// The service, for [`service_kit::run`].
#[derive(Debug)]
pub struct Deadlines;

impl Service for Deadlines {
    const NAME: &'static str = "deadlines";
    type Config = Config;

    fn migrator() -> &'static Migrator {
        &MIGRATOR
    }

    async fn assemble(config: Config, kit: Kit) -> anyhow::Result<Assembled> {
        build(&config.rulebook, &kit)
    }
}

/// Joins rules, routes, consumers and the firing worker.
pub fn build(section: &config::RulebookSection, kit: &Kit) -> anyhow::Result<Assembled> {
    let rules = Arc::new(RuleSet::load(section)?);
    let state = app::AppState { database: kit.database.clone(), files: kit.files.clone(), rules: Arc::clone(&rules) };
    let firing_rules = Arc::clone(&rules);
    let firing = firing::Firing::new(kit.database.clone(), Arc::clone(&rules));
    let assembled = Assembled::new(app::routes(kit.access.clone()), state).consumer(Consumer::new(
        kit.database.clone(),
        kit.broker.clone(),
        consume::CONSUMER,
        consume::Intake { rules },
    ));
    let changes = change::Changes::new(kit.database.clone(), Arc::clone(&firing_rules));
    let prover = prove::Prover::new(kit.database.clone(), &kit.metrics.meter());
    let pulse = prover.clone();
    let assembled = assembled
        .worker(Worker::every("deadlines-change", CHANGE_PERIOD, move || changes.clone().round()))
        .worker(Worker::every("deadlines-prove", PROVING_PERIOD, move || prover.clone().prove_nightly()))
        .worker(Worker::every("deadlines-pulse", PULSE_PERIOD, move || pulse.clone().take_pulse()));
    let watch = ClockWatch::new(kit.database.clone(), Arc::clone(&kit.clock));
    Ok(firing::LANES.into_iter().fold(assembled, |assembled, lane| {
        let (firing, watch) = (firing.clone(), watch.clone());
        assembled.worker(Worker::every(lane, FIRING_PERIOD, move || fire(firing.clone(), watch.clone())))
    }))
}

/// A round of firing, unless this machine and the database disagree about the time: late is mended, early is not. Where only this
/// machine is wrong, the other replicas fire.
async fn fire(firing: firing::Firing, watch: ClockWatch) -> anyhow::Result<Round> {
    if watch.agrees().await? { firing.round().await } else { Ok(Round::Done) }
}

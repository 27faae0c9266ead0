//! Firing: everything that is due takes effect, exactly once, without any human act (measure 10).
//!
//! A round takes a batch of rectifications with something due, oldest first, under row locks that other replicas skip;
//! asks the domain what that means; and commits state, notices, numbers, next timers and journal together. A crash at any
//! moment leaves either all of it or nothing, and the next round starts from the rows. Legal time is the database's.

use std::sync::Arc;

use contracts::Actor;
use domain::rectification::{Rectification, RectificationEvent, Timer, TimerKind, UrgingOrder};
use jiff::Timestamp;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use postgres::Database;
use service_kit::Round;

use crate::rectification::dossier::Dossier;
use crate::rectification::publish::{self, Change};
use crate::rectification::store::{self, Save, Stored};
use crate::rules::RuleSet;
use crate::urging_order::issue::{self, Draft};

/// Rectifications in one transaction: enough for speed, few enough that people's own acts never wait long.
const BATCH: i64 = 250;
/// Who acts when the clock does.
const WORKER: &str = "deadlines.fire";

/// The worker's hands.
#[derive(Debug, Clone)]
pub struct Firing {
    database: Database,
    rules: Arc<RuleSet>,
    fired: Counter<u64>,
    lateness: Histogram<f64>,
    stuck: Gauge<i64>,
}

/// A rectification in the middle of a round.
struct Fired {
    before: Rectification,
    after: Dossier,
    version: i64,
    timers: Vec<Timer>,
    events: Vec<RectificationEvent>,
    calendar: domain::calendar::Calendar,
}

impl Firing {
    /// A firing worker over the service's database.
    pub fn new(database: Database, rules: Arc<RuleSet>) -> Self {
        let meter = opentelemetry::global::meter("deadlines");
        Self {
            database,
            rules,
            fired: meter.u64_counter("dudao_timers_fired").with_description("Timers that took effect").build(),
            lateness: meter
                .f64_histogram("dudao_timer_lateness_seconds")
                .with_description("From the due instant to the effect")
                .with_boundaries(vec![0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3_600.0, 86_400.0])
                .build(),
            stuck: meter
                .i64_gauge("dudao_rectifications_stuck")
                .with_description("Rectifications set aside with a cause")
                .build(),
        }
    }

    /// One round of the worker.
    pub async fn round(self) -> anyhow::Result<Round> {
        let taken = self.fire_batch().await?;
        Ok(if taken < usize::try_from(BATCH)? { Round::Done } else { Round::More })
    }

    /// Fires one batch; returns how many rectifications it took.
    pub async fn fire_batch(&self) -> anyhow::Result<usize> {
        let mut tx = self.database.begin().await?;
        let at = tx.at();
        let due = store::take_due(&mut tx, at, BATCH).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let taken = due.len();
        let mut fired = Vec::with_capacity(due.len());
        for stored in due {
            let rectification_id = stored.dossier.rectification.rectification_id;
            match self.fire(stored, at) {
                Ok(one) => fired.push(one),
                // One case that the rules cannot decide on does not hold up a province.
                Err(error) => {
                    let cause = format!("{error:#}");
                    tracing::error!(rectification.id = %rectification_id, cause, "a rectification cannot be fired and is set aside");
                    store::set_aside(&mut tx, rectification_id, &cause, at).await?;
                }
            }
        }
        self.stuck.record(store::stuck(&mut tx).await?, &[]);

        let drafts: Vec<Draft<'_>> = fired.iter().filter_map(Fired::draft).collect();
        if !drafts.is_empty() {
            let issued = issue::issue_all(&mut tx, &self.rules, &drafts, at).await?;
            let mut facts: Vec<_> = issued.into_iter().map(|issued| issued.fact).collect();
            // Drafts, and so facts, are in the order of the rectifications that have one.
            let mut next = facts.drain(..);
            for one in fired.iter_mut().filter(|one| one.order().is_some()) {
                one.after.orders.extend(next.next());
            }
        }
        let saves: Vec<Save<'_>> = fired.iter().map(Fired::save).collect();
        store::save(&mut tx, &saves, at).await?;
        let changes: Vec<Change<'_>> = fired.iter().map(Fired::change).collect();
        publish::publish(&mut tx, &Actor::system(WORKER), &changes).await?;
        tx.commit().await?;
        self.count(&fired, at);
        Ok(taken)
    }

    fn fire(&self, stored: Stored, at: Timestamp) -> anyhow::Result<Fired> {
        let Stored { version, dossier } = stored;
        let before = dossier.rectification.clone();
        let held = dossier.hold(&self.rules)?;
        issue::check_numbered(&self.rules, &dossier)?;
        let timers = before.timers.iter().filter(|timer| timer.due_at <= at).copied().collect();
        let (rectification, events) = before.clone().fire_due(at, held.rules())?.into_parts();
        let calendar = held.unit_calendar().clone();
        let after = Dossier { rectification, ..dossier };
        Ok(Fired { before, after, version: version + 1, timers, events, calendar })
    }

    fn count(&self, fired: &[Fired], at: Timestamp) {
        for timer in fired.iter().flat_map(|one| &one.timers) {
            let labels = [KeyValue::new("kind", timer.kind.key())];
            self.fired.add(1, &labels);
            self.lateness.record(at.duration_since(timer.due_at).as_secs_f64(), &labels);
        }
    }
}

impl Fired {
    fn order(&self) -> Option<&UrgingOrder> {
        self.events.iter().find_map(|event| match event {
            RectificationEvent::UrgingOrderIssued { order } => Some(order),
            _ => None,
        })
    }

    fn draft(&self) -> Option<Draft<'_>> {
        let order = self.order()?;
        let was_due_at =
            self.timers.iter().filter(|timer| timer.kind == TimerKind::Urge).map(|timer| timer.due_at).min();
        Some(Draft { order, dossier: &self.after, was_due_at: was_due_at.unwrap_or(order.issued_at) })
    }

    fn save(&self) -> Save<'_> {
        Save { before: &self.before, after: &self.after, version: self.version, fired: &self.timers }
    }

    fn change(&self) -> Change<'_> {
        Change { dossier: &self.after, version: self.version, events: &self.events, calendar: &self.calendar }
    }
}

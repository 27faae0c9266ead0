//! Firing: everything that is due takes effect, exactly once, without any human act (measure 10).
//!
//! A round takes a batch of cases with something due, oldest first, under row locks that other rounds and replicas skip;
//! asks the domain what that means; and commits state, notices, numbers, next timers and journal together. A crash at any
//! moment leaves either all of it or nothing, and the next round starts from the rows. Legal time is the database's.
//!
//! Lanes run side by side, so that some decide while the database writes for another. What needs no number is written
//! before the numbers are taken: only the rest of the round holds up other rounds of the same agencies.

use std::sync::Arc;

use anyhow::Context as _;
use contracts::Actor;
use contracts::deadlines::UrgingOrderFact;
use domain::calendar::Calendar;
use domain::ids::RectificationId;
use domain::rectification::{Rectification, RectificationEvent, Timer, TimerKind, UrgingOrder, Workbook};
use jiff::Timestamp;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use postgres::Database;
use service_kit::Round;

use crate::rectification::dossier::Dossier;
use crate::rectification::publish::{self, Change};
use crate::rectification::store::{self, Row, Save};
use crate::rectification::{dossier, liability};
use crate::rules::{RuleSet, Ruling};
use crate::urging_order::issue::{self, Draft};

/// Cases in one transaction: enough for speed, few enough that people's own acts never wait long.
const BATCH: i64 = 500;
/// The workers that fire side by side in a replica: one in the part that holds numbers, the others at reading and deciding.
pub const LANES: [&str; 3] = ["deadlines-fire", "deadlines-fire-2", "deadlines-fire-3"];
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

/// A case in the middle of a round.
struct Fired {
    before: Rectification,
    after: Dossier,
    version: i64,
    timers: Vec<Timer>,
    events: Vec<RectificationEvent>,
    calendar: Arc<Calendar>,
}

/// What a round decided.
struct Decided {
    fired: Vec<Fired>,
    /// The competent departments' cases that open because of it.
    opened: Vec<Fired>,
    /// Cases that the rules cannot decide on, with the cause.
    aside: Vec<(RectificationId, String)>,
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

    /// Fires one batch; returns how many cases it took.
    pub async fn fire_batch(&self) -> anyhow::Result<usize> {
        let mut tx = self.database.begin().await?;
        let at = tx.at();
        // Before any row is locked, and held to the end: nothing is fired by two versions of the rules.
        let ruling = self.rules.in_force(&mut tx).await?;
        let rows = store::take_due(&mut tx, at, ruling.version(), BATCH).await?;
        if rows.is_empty() {
            // Somebody's act may have taken a case out of its trouble since.
            self.stuck.record(store::stuck(&mut tx).await?, &[]);
            return Ok(0);
        }
        let taken = rows.len();
        let workbook = Arc::new(Workbook::new());
        // Off the executor: people's requests are answered meanwhile.
        let work = (Arc::clone(&ruling), Arc::clone(&workbook));
        let Decided { mut fired, opened, aside } =
            tokio::task::spawn_blocking(move || decide(rows, &work.0, &work.1, at)).await.context("deciding")?;
        for (rectification_id, cause) in aside {
            tracing::error!(rectification.id = %rectification_id, cause, "a rectification cannot be fired and is set aside");
            store::set_aside(&mut tx, rectification_id, &cause, at).await?;
        }
        self.stuck.record(store::stuck(&mut tx).await?, &[]);

        let saves: Vec<Save<'_>> = fired.iter().map(Fired::save).collect();
        store::save(&mut tx, &saves, &workbook, at).await?;
        let departments: Vec<&Dossier> = opened.iter().map(|one| &one.after).collect();
        store::insert(&mut tx, &departments, &workbook, at).await?;

        let drafts: Vec<Draft<'_>> = fired.iter().filter_map(Fired::draft).collect();
        if !drafts.is_empty() {
            let mut facts = issue::issue_all(&mut tx, &ruling, &workbook, &drafts, at).await?.into_iter();
            // Drafts, and so facts, are in the order of the cases that have one.
            for one in fired.iter_mut().filter(|one| one.order().is_some()) {
                let fact: Option<UrgingOrderFact> = facts.next();
                one.after.orders.extend(fact);
            }
        }
        let changes: Vec<Change<'_>> = fired.iter().chain(&opened).map(Fired::change).collect();
        publish::publish(&mut tx, &Actor::system(WORKER), &changes).await?;
        tx.commit().await?;
        self.count(&fired, at);
        Ok(taken)
    }

    fn count(&self, fired: &[Fired], at: Timestamp) {
        for timer in fired.iter().flat_map(|one| &one.timers) {
            let labels = [KeyValue::new("kind", timer.kind.key())];
            self.fired.add(1, &labels);
            self.lateness.record(at.duration_since(timer.due_at).as_secs_f64(), &labels);
        }
    }
}

/// Decides a batch; one case that the rules cannot decide on does not hold up a province.
fn decide(rows: Vec<Row>, ruling: &Ruling, workbook: &Workbook, at: Timestamp) -> Decided {
    let mut decided = Decided { fired: Vec::with_capacity(rows.len()), opened: Vec::new(), aside: Vec::new() };
    for row in rows {
        let rectification_id = row.rectification_id;
        match fire(row, ruling, workbook, at) {
            Ok(one) => {
                decided.opened.extend(one.department());
                decided.fired.push(one);
            }
            Err(error) => decided.aside.push((rectification_id, format!("{error:#}"))),
        }
    }
    decided
}

fn fire(row: Row, ruling: &Ruling, workbook: &Workbook, at: Timestamp) -> anyhow::Result<Fired> {
    let store::Stored { version, dossier: mut after } = row.read()?;
    let held: dossier::Held<'_> = after.hold(ruling, workbook)?;
    issue::check_numbered(ruling, &after)?;
    let (rectification, events) = after.rectification.clone().fire_due(at, held.rules())?.into_parts();
    let before = std::mem::replace(&mut after.rectification, rectification);
    let timers = before.timers.iter().filter(|timer| timer.due_at <= at).copied().collect();
    let calendar = Arc::clone(held.unit_calendar());
    // A timer that had become moot tells nobody anything: a version is what the journal has an event for.
    let version = version + i64::from(!events.is_empty());
    Ok(Fired { before, after, version, timers, events, calendar })
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

    /// The competent department's case, when this round opened one.
    fn department(&self) -> Option<Self> {
        let (after, opened) = self.events.iter().find_map(|event| liability::department_case(&self.after, event))?;
        Some(Self {
            before: after.rectification.clone(),
            after,
            version: 1,
            timers: Vec::new(),
            events: vec![RectificationEvent::Opened { items: vec![opened] }],
            calendar: Arc::clone(&self.calendar),
        })
    }

    fn save(&self) -> Save<'_> {
        Save { before: Some(&self.before), after: &self.after, version: self.version }
    }

    fn change(&self) -> Change<'_> {
        Change { dossier: &self.after, version: self.version, events: &self.events, calendar: &self.calendar }
    }
}

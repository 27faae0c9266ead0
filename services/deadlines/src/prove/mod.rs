//! The nightly proof that nothing was missed (lessons: a dead man's proof), and the pulse of the clock between the proofs.
//!
//! The invariants themselves stand in [`clockwork::invariants`], where the operator's tool finds them too. A proof is made
//! once a night by whichever replica comes first; its counts are kept and shown to everyone.

pub(crate) mod http;
pub(crate) mod store;

use std::collections::HashMap;

use clockwork::invariants::{self, AGES, Proof};
use domain::local_time;
use jiff::civil::{Time, time};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Gauge, Meter};
use postgres::Database;
use service_kit::Round;

/// The local time of the nightly proof: after the storm of midnight, before the first office opens.
const PROOF_TIME: Time = time(2, 0, 0, 0);

/// The worker's hands.
#[derive(Debug, Clone)]
pub struct Prover {
    database: Database,
    violations: Gauge<i64>,
    armed: Gauge<i64>,
    due_unfired: Gauge<i64>,
    overdue_age: Gauge<i64>,
    proof_age: Gauge<f64>,
}

impl Prover {
    /// A prover over the service's database, with the meter that its figures go to.
    pub fn new(database: Database, meter: &Meter) -> Self {
        let gauge = |name: &'static str, what: &'static str| meter.i64_gauge(name).with_description(what).build();
        Self {
            database,
            violations: gauge("dudao_invariant_violations", "What breaks an invariant, by the last proof"),
            armed: gauge("dudao_timers_armed", "Cases with an armed instant"),
            due_unfired: gauge("dudao_timers_due_unfired", "Cases with something due that has not fired"),
            overdue_age: gauge(
                "dudao_overdue_age_seconds_bucket",
                "Cases with something due and unfired, by how long it has been due at most",
            ),
            proof_age: meter
                .f64_gauge("dudao_proof_age_seconds")
                .with_description("Since the last proof, by the legal clock")
                .build(),
        }
    }

    /// A round of the worker: makes tonight's proof when it is not made yet.
    pub async fn prove_nightly(self) -> anyhow::Result<Round> {
        let mut tx = self.database.begin().await?;
        // One replica proves; the others find the proof afterwards. Nothing has been written yet, so no relay waits.
        if !store::take_turn(&mut tx).await? {
            return Ok(Round::Done);
        }
        let at = tx.at();
        let today = local_time::local_date(at);
        let tonight = local_time::at_local(today, PROOF_TIME).filter(|tonight| *tonight <= at);
        let yesterday = || local_time::at_local(today.yesterday().ok()?, PROOF_TIME);
        if store::proved_since(&mut tx, tonight.or_else(yesterday).unwrap_or(at)).await? {
            // At once, not when the connection is used again: the turn is free for whoever asks next.
            tx.rollback().await?;
            return Ok(Round::Done);
        }
        let proof = invariants::prove(&mut tx, at).await?;
        store::keep(&mut tx, &proof).await?;
        tx.commit().await?;
        self.tell(&proof);
        Ok(Round::Done)
    }

    /// A round of the worker that takes the pulse, and shows the last proof on every replica.
    pub async fn take_pulse(self) -> anyhow::Result<Round> {
        let mut connection = self.database.pool().acquire().await?;
        let at = postgres::legal_now(&mut connection).await?;
        let pulse = invariants::pulse(&mut connection, at).await?;
        self.armed.record(pulse.armed, &[]);
        self.due_unfired.record(pulse.due_unfired, &[]);
        for (bound, count) in AGES.iter().zip(&pulse.by_age) {
            self.overdue_age.record(*count, &[KeyValue::new("le", bound.to_string())]);
        }
        self.overdue_age.record(pulse.due_unfired, &[KeyValue::new("le", "+Inf")]);
        if let Some(latest) = store::latest(&mut connection).await? {
            self.proof_age.record(at.duration_since(latest.proved_at).as_secs_f64(), &[]);
            let counts: HashMap<&str, i64> =
                latest.content.findings.iter().map(|found| (found.name.as_str(), found.violations)).collect();
            for invariant in invariants::ALL {
                let count = counts.get(invariant.name).copied().unwrap_or_default();
                self.violations.record(count, &[KeyValue::new("invariant", invariant.name)]);
            }
        }
        Ok(Round::Done)
    }

    fn tell(&self, proof: &Proof) {
        for finding in &proof.findings {
            let name = finding.invariant.name;
            self.violations.record(finding.violations, &[KeyValue::new("invariant", name)]);
            if finding.violations > 0 {
                tracing::error!(
                    invariant = name,
                    violations = finding.violations,
                    offenders = finding.offenders.join(" "),
                    "an invariant is broken: {}",
                    finding.invariant.en
                );
            }
        }
    }
}

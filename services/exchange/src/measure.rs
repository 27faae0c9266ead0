//! Metrics of what waits.

use std::time::Duration;

use opentelemetry::KeyValue;
use service_kit::{Kit, Round, Worker};

use crate::message::store;

/// How often the gauges are read.
const PERIOD: Duration = Duration::from_secs(15);
/// States with a gauge; those without a message are zero, not absent.
const WAITING: [&str; 4] = ["held", "ready", "rejected", "invalid"];

/// The worker that measures how many messages wait in each state, and how old the oldest is.
pub(crate) fn worker(kit: &Kit) -> Worker {
    let meter = kit.metrics.meter();
    let waiting = meter
        .i64_gauge("dudao_exchange_waiting")
        .with_description("Messages that the national platform does not have yet, by state")
        .build();
    let oldest = meter
        .f64_gauge("dudao_exchange_oldest_seconds")
        .with_description("Age of the oldest message in a state, by the legal clock")
        .build();
    let database = kit.database.clone();
    Worker::every("exchange-measure", PERIOD, move || {
        let (database, waiting, oldest) = (database.clone(), waiting.clone(), oldest.clone());
        async move {
            let mut connection = database.pool().acquire().await?;
            let found = store::waiting(&mut connection).await?;
            for state in WAITING {
                let row = found.iter().find(|(word, _, _)| word == state);
                let labels = [KeyValue::new("state", state)];
                waiting.record(row.map_or(0, |(_, messages, _)| *messages), &labels);
                oldest.record(row.map_or(0.0, |(_, _, age)| *age), &labels);
            }
            Ok(Round::Done)
        }
    })
}

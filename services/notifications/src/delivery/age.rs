//! The age of the oldest mail that has not been delivered: the one figure that tells whether mail works.

use std::time::Duration;

use opentelemetry::metrics::Meter;
use postgres::Database;
use service_kit::{Round, Worker};

use super::store;

const PERIOD: Duration = Duration::from_secs(5);

/// Measures every few seconds how old the oldest undelivered mail is, how many wait, how many failed, and how many units could
/// not be reached.
pub fn age_worker(database: Database, meter: &Meter) -> Worker {
    let age = meter
        .f64_gauge("notifications.undelivered.age")
        .with_unit("s")
        .with_description("Age of the oldest mail that has not been delivered")
        .build();
    let waiting =
        meter.i64_gauge("notifications.undelivered").with_description("Mails that wait or are on their way").build();
    let failed = meter.i64_gauge("notifications.failed").with_description("Mails that were given up").build();
    let unreached =
        meter.i64_gauge("notifications.unreached").with_description("Messages whose unit had nobody to tell").build();
    let held = meter.i64_gauge("notifications.held").with_description("Deliveries that wait for their hours").build();
    let untold =
        meter.i64_gauge("notifications.untold").with_description("Notices that nobody was told of yet").build();
    Worker::every("delivery-age", PERIOD, move || {
        let (database, age, waiting) = (database.clone(), age.clone(), waiting.clone());
        let (failed, unreached) = (failed.clone(), unreached.clone());
        let (held, untold) = (held.clone(), untold.clone());
        async move {
            let mut db = database.pool().acquire().await?;
            let backlog = store::backlog(&mut db).await?;
            age.record(backlog.oldest_seconds, &[]);
            waiting.record(backlog.waiting, &[]);
            failed.record(backlog.failed, &[]);
            unreached.record(backlog.unreached, &[]);
            held.record(backlog.held, &[]);
            untold.record(backlog.untold, &[]);
            Ok(Round::Done)
        }
    })
}

//! Telling those who were not there yet: a unit that had no account when it had to be told is told as soon as it has one.
//!
//! A reconciler, not a reaction to the account's event: that event and the matter's may be applied at the same moment, in
//! transactions that do not see each other.

use std::time::Duration;

use postgres::Database;
use service_kit::{Round, Worker};

use super::{store, tell::write};
use crate::directory;

const PERIOD: Duration = Duration::from_secs(3);
/// Messages in one transaction.
const BATCH: i64 = 50;

/// The worker.
pub fn catch_up_worker(database: Database) -> Worker {
    Worker::every("catch-up", PERIOD, move || {
        let database = database.clone();
        async move {
            let told = catch_up(&database).await?;
            Ok(if told == 0 { Round::Done } else { Round::More })
        }
    })
}

/// Tells what can be told now; returns how many messages were settled.
pub async fn catch_up(database: &Database) -> Result<usize, sqlx::Error> {
    let mut tx = database.begin().await?;
    let due = store::lock_reachable(&mut tx, BATCH).await?;
    for unreached in &due {
        let people = directory::store::awaited(&mut tx, &unreached.awaited_roles, unreached.awaited_unit_id).await?;
        for person in &people {
            write(&mut tx, &unreached.message, person, &unreached.channels).await?;
        }
        store::mark_reached(&mut tx, &unreached.message).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}

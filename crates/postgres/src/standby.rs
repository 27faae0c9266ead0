//! A standby that may answer reads, as long as it is known to be no more than so far behind.
//!
//! How far behind is measured against the writer, not by the standby's own word: the age of a standby's last transaction grows
//! while nobody writes, and does not grow while it is cut off. So the writer's position in the log is noted with the moment, again
//! and again; a standby that has replayed a position is no older than the moment of its note. When the writer cannot be asked,
//! the notes grow old, and nothing is believed any more.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::Database;

/// Longest wait for a connection; the writer is there meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
/// After this time a connection is made anew: behind one name there may be several standbys, and one that became the writer.
const CONNECTION_LIFE: Duration = Duration::from_mins(1);
/// Bytes of the log that a standby has replayed; null when the server is none.
const REPLAYED: &str =
    "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint END";
/// Bytes of the log that the writer has written.
const WRITTEN: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint";

/// Why a standby is not used.
#[derive(Debug, thiserror::Error)]
pub enum StandbyError {
    /// The writer's position could not be noted.
    #[error("the writer does not say how far it is")]
    Writer(#[source] sqlx::Error),
    /// The standby does not answer.
    #[error("the standby does not answer")]
    Away(#[source] sqlx::Error),
    /// The server is no standby.
    #[error("the server of [standby] is no standby: it may be cut off from those who follow another writer")]
    NoStandby,
    /// It is too far behind.
    #[error("the standby is more than {} seconds behind", .0.as_secs())]
    Behind(Duration),
}

/// Moments, each with what the writer had written by then.
#[derive(Debug, Default)]
struct Notes(VecDeque<(Instant, i64)>);

impl Notes {
    fn add(&mut self, at: Instant, written: i64, keep: Duration) {
        self.0.push_back((at, written));
        while self.0.front().is_some_and(|(noted, _)| at.duration_since(*noted) > keep) {
            self.0.pop_front();
        }
    }

    /// How old, at most, what a server shows that has replayed so much.
    fn age(&self, replayed: i64, now: Instant) -> Option<Duration> {
        let newest = self.0.iter().rev().find(|(_, written)| *written <= replayed)?;
        Some(now.saturating_duration_since(newest.0))
    }
}

/// The standby of a service's database.
#[derive(Debug)]
pub struct Standby {
    writer: Database,
    database: Database,
    limit: Duration,
    notes: Arc<Mutex<Notes>>,
    fit: AtomicBool,
}

impl Standby {
    /// A standby that is connected to when it is used; `limit` is how far behind it may be.
    pub fn new(writer: Database, connect: PgConnectOptions, max_connections: u32, limit: Duration) -> Self {
        let notes = Arc::new(Mutex::new(Notes::default()));
        let (for_new, for_old) = (Arc::clone(&notes), Arc::clone(&notes));
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(PATIENCE)
            .max_lifetime(CONNECTION_LIFE)
            // What was measured on one connection says nothing of another one, which may lead to another server.
            .after_connect(move |connection, _| {
                let notes = Arc::clone(&for_new);
                Box::pin(async move {
                    let held = holds(connection, &notes, limit).await?;
                    if held { Ok(()) } else { Err(sqlx::Error::PoolClosed) }
                })
            })
            .before_acquire(move |connection, _| {
                let notes = Arc::clone(&for_old);
                Box::pin(async move { holds(connection, &notes, limit).await })
            })
            .connect_lazy_with(connect);
        Self { writer, database: Database::from_pool(pool), limit, notes, fit: AtomicBool::new(false) }
    }

    /// Notes where the writer is and looks where the standby is; how far behind it is at most. To be called every second.
    pub async fn measure(&self) -> Result<Duration, StandbyError> {
        let measured = self.look().await;
        self.fit.store(measured.is_ok(), Ordering::Release);
        measured
    }

    async fn look(&self) -> Result<Duration, StandbyError> {
        let at = Instant::now();
        let written = sqlx::query_scalar(WRITTEN).fetch_one(self.writer.pool()).await.map_err(StandbyError::Writer)?;
        lock(&self.notes).add(at, written, self.limit * 2);
        // Not through the pool: it hands out no connection that is behind, and how far it is behind is the question.
        let connect = self.database.pool().connect_options();
        let looked = tokio::time::timeout(PATIENCE, async {
            let mut connection = <PgConnection as sqlx::Connection>::connect_with(&connect).await?;
            let replayed: Option<i64> = sqlx::query_scalar(REPLAYED).fetch_one(&mut connection).await?;
            sqlx::Connection::close(connection).await?;
            Ok(replayed)
        });
        let replayed = looked.await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(StandbyError::Away)?;
        let replayed = replayed.ok_or(StandbyError::NoStandby)?;
        let age = lock(&self.notes).age(replayed, Instant::now());
        age.filter(|age| *age <= self.limit).ok_or(StandbyError::Behind(age.unwrap_or(self.limit)))
    }

    /// The standby while it is fit to be read, and nothing otherwise: then the writer answers.
    pub fn database(&self) -> Option<&Database> {
        self.fit.load(Ordering::Acquire).then_some(&self.database)
    }

    /// Says that a read failed: nobody else shall wait for it until it has been looked at again.
    pub fn failed(&self) {
        self.fit.store(false, Ordering::Release);
    }
}

fn lock(notes: &Mutex<Notes>) -> std::sync::MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn holds(connection: &mut PgConnection, notes: &Mutex<Notes>, limit: Duration) -> Result<bool, sqlx::Error> {
    let replayed: Option<i64> = sqlx::query_scalar(REPLAYED).fetch_one(connection).await?;
    let age = replayed.and_then(|replayed| lock(notes).age(replayed, Instant::now()));
    Ok(age.is_some_and(|age| age <= limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replayed_is_no_older_than_its_note() {
        let began = Instant::now();
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        let mut notes = Notes::default();
        assert_eq!(notes.age(100, began), None, "nothing is known yet");
        for (second, written) in [(0, 100), (1, 100), (2, 150), (3, 220)] {
            notes.add(after(second), written, Duration::from_secs(10));
        }
        assert_eq!(notes.age(99, after(4)), None);
        assert_eq!(notes.age(100, after(4)), Some(Duration::from_secs(3)), "nothing was written between 0 and 1");
        assert_eq!(notes.age(219, after(4)), Some(Duration::from_secs(2)));
        assert_eq!(notes.age(500, after(4)), Some(Duration::from_secs(1)));
        assert_eq!(notes.age(500, after(60)), Some(Duration::from_secs(57)), "without new notes it ages");
        notes.add(after(12), 300, Duration::from_secs(10));
        assert_eq!(notes.age(100, after(12)), None, "old notes are forgotten");
    }
}

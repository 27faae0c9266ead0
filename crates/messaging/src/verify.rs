//! Verification of the audit chain: does the journal still say what was published and signed?

use std::time::{Duration, Instant};

use postgres::Database;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    JournalPublicKey,
    merkle::{self, BatchContent, Hash},
    relay::{self, Range},
};

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Batches looked at.
    pub batches: u64,
    /// Events below them.
    pub events: u64,
    /// Everything that is wrong, in words; empty when the chain holds.
    pub faults: Vec<String>,
    /// Hexadecimal link of the newest batch: print it elsewhere, and no later change of the past goes unnoticed.
    pub head: Option<String>,
}

/// Recomputes the whole chain from the journal's rows.
///
/// `trusted` are the public keys that may have signed; a batch by any other key is a fault.
pub async fn chain(database: &Database, trusted: &[JournalPublicKey]) -> Result<Report, sqlx::Error> {
    let mut tx = snapshot(database).await?;
    let mut place = Place::default();
    let mut faults = part(&mut tx, trusted, &mut place, i64::MAX).await?;
    faults.extend(slipped(&mut tx, &place).await?);
    tx.rollback().await?;
    let batches = place.batches;
    Ok(Report { batches, events: place.events, faults, head: (batches > 0).then(|| hex::encode(place.link)) })
}

/// Looks at the chain a part at a time, for ever: from the beginning once a day, and at what is new in between.
#[derive(Debug, Default)]
pub struct Watch {
    place: Place,
    /// When the present round began.
    began: Option<Instant>,
    /// Whether the present round has come to the end once.
    whole: bool,
    /// Faults of the present round, and of the one before it, which stand until this one is whole.
    found: u64,
    found_before: u64,
    behind: u64,
}

impl Watch {
    /// Batches that one look reads at most.
    const PART: i64 = 200;
    /// From the beginning of a round to that of the next, at least.
    const ROUND: Duration = Duration::from_hours(24);

    /// Looks at the next part; what is new there that is wrong is returned, once a round.
    pub async fn look(
        &mut self,
        database: &Database,
        trusted: &[JournalPublicKey],
        now: Instant,
    ) -> Result<Vec<String>, sqlx::Error> {
        let old = |began: Instant| now.duration_since(began) >= Self::ROUND;
        if self.began.is_none() || (self.whole && self.began.is_some_and(old)) {
            *self = Self { began: Some(now), found_before: self.found, ..Self::default() };
        }
        let mut tx = snapshot(database).await?;
        let mut faults = part(&mut tx, trusted, &mut self.place, Self::PART).await?;
        let behind =
            sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM messaging.batches WHERE batch > $1"#, self.place.batch)
                .fetch_one(&mut *tx)
                .await?;
        self.behind = u64::try_from(behind).unwrap_or_default();
        if self.behind == 0 && !self.whole {
            faults.extend(slipped(&mut tx, &self.place).await?);
            self.whole = true;
        }
        tx.rollback().await?;
        self.found += faults.len() as u64;
        Ok(faults)
    }

    /// Faults that the last look at each batch found.
    pub fn faults(&self) -> u64 {
        if self.whole { self.found } else { self.found.max(self.found_before) }
    }

    /// Batches that the present round has still to look at.
    pub fn behind(&self) -> u64 {
        self.behind
    }
}

/// How far a chain has been looked at.
#[derive(Debug, Default)]
struct Place {
    /// The last batch, 0 before the first.
    batch: i64,
    link: Hash,
    range: Option<Range>,
    batches: u64,
    events: u64,
}

async fn snapshot(database: &Database) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
    let mut tx = database.pool().begin().await?;
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    Ok(tx)
}

/// Recomputes the next batches of the chain, and says what is wrong with them.
async fn part(
    tx: &mut PgConnection,
    trusted: &[JournalPublicKey],
    place: &mut Place,
    limit: i64,
) -> Result<Vec<String>, sqlx::Error> {
    let batches = sqlx::query!(
        "SELECT batch, epoch, from_tx, below_tx, after_position, to_position, events, root, link, key_id, signature
         FROM messaging.batches WHERE batch > $1 ORDER BY batch LIMIT $2",
        place.batch,
        limit
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut faults = Vec::new();
    for row in batches {
        let batch = row.batch;
        let mut fault = |text: String| faults.push(format!("batch {batch}: {text}"));
        let range = Range {
            epoch: row.epoch,
            from_tx: row.from_tx,
            below_tx: row.below_tx,
            after_position: row.after_position,
            to_position: row.to_position,
        };
        if place.batch + 1 != batch {
            fault("a batch before it is missing".to_owned());
        }
        if !follows(place.range, range) {
            fault("its range does not follow on the batch before".to_owned());
        }
        let rows = match relay::read(&mut *tx, range, None).await {
            Ok(rows) => rows,
            Err(relay::RelayError::Database(error)) => return Err(error),
            Err(error) => {
                fault(error.to_string());
                Vec::new()
            }
        };
        let leaves: Vec<Hash> = rows.iter().map(|row| row.leaf).collect();
        let content = BatchContent {
            batch,
            epoch: row.epoch,
            from_tx: row.from_tx,
            below_tx: row.below_tx,
            after_position: row.after_position,
            to_position: row.to_position,
            events: row.events,
            root: merkle::root(&leaves),
        };
        if usize::try_from(row.events) != Ok(rows.len()) {
            fault(format!("{} events were published, {} stand in the journal", row.events, rows.len()));
        }
        if content.root[..] != row.root[..] {
            fault("the events are not those that were signed (Merkle root differs)".to_owned());
        }
        let link = merkle::link(&place.link, &content);
        if link[..] != row.link[..] {
            fault("its link to the batch before differs".to_owned());
        }
        match trusted.iter().find(|key| key.id() == row.key_id) {
            None => fault(format!("signed by key {}, which is not trusted", row.key_id)),
            Some(key) if !key.verifies(&link, &row.signature) => fault("its signature does not hold".to_owned()),
            Some(_) => {}
        }
        // Go on from what is stored: one changed batch is then one fault, not a fault in every batch after it.
        *place = Place {
            batch,
            link: row.link.try_into().unwrap_or([0; 32]),
            range: Some(range),
            batches: place.batches + 1,
            events: place.events + rows.len() as u64,
        };
    }
    Ok(faults)
}

/// Whether the journal has as many events as the batches up to a place: rows that lie between two batches show only here.
async fn slipped(tx: &mut PgConnection, place: &Place) -> Result<Option<String>, sqlx::Error> {
    let Some(last) = place.range else { return Ok(None) };
    let covered = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!" FROM messaging.journal
           WHERE epoch < $1 OR (epoch = $1 AND tx < $2 AND (tx < $3 OR position <= $4))"#,
        last.epoch,
        last.below_tx,
        last.from_tx,
        last.to_position
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok((u64::try_from(covered) != Ok(place.events)).then(|| {
        format!(
            "the journal has {covered} events that should be in batches, the batches have {}: rows were slipped in or taken out",
            place.events
        )
    }))
}

fn follows(before: Option<Range>, next: Range) -> bool {
    match before {
        None => next.from_tx == 0,
        Some(before) => {
            let same_range = (before.epoch, before.from_tx, before.below_tx)
                == (next.epoch, next.from_tx, next.below_tx)
                && before.to_position == next.after_position;
            let next_range = before.epoch == next.epoch && before.below_tx == next.from_tx;
            let next_epoch = next.epoch > before.epoch && next.from_tx == 0;
            same_range || next_range || next_epoch
        }
    }
}

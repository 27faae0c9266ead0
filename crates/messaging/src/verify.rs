//! Verification of the audit chain: does the journal still say what was published and signed?

use postgres::Database;
use serde::Serialize;
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
    let mut tx = database.pool().begin().await?;
    sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *tx).await?;
    let batches = sqlx::query!(
        "SELECT batch, epoch, from_tx, below_tx, after_position, to_position, events, root, link, key_id, signature
         FROM messaging.batches ORDER BY batch"
    )
    .fetch_all(&mut *tx)
    .await?;

    let mut report = Report { batches: 0, events: 0, faults: Vec::new(), head: None };
    let mut previous: Hash = [0; 32];
    let mut before: Option<Range> = None;
    for row in batches {
        let batch = row.batch;
        let mut fault = |text: String| report.faults.push(format!("batch {batch}: {text}"));
        let range = Range {
            epoch: row.epoch,
            from_tx: row.from_tx,
            below_tx: row.below_tx,
            after_position: row.after_position,
            to_position: row.to_position,
        };
        if i64::try_from(report.batches).ok().map(|n| n + 1) != Some(batch) {
            fault("a batch before it is missing".to_owned());
        }
        if !follows(before, range) {
            fault("its range does not follow on the batch before".to_owned());
        }
        let rows = match relay::read(&mut tx, range, None).await {
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
        let link = merkle::link(&previous, &content);
        if link[..] != row.link[..] {
            fault("its link to the batch before differs".to_owned());
        }
        match trusted.iter().find(|key| key.id() == row.key_id) {
            None => fault(format!("signed by key {}, which is not trusted", row.key_id)),
            Some(key) if !key.verifies(&link, &row.signature) => fault("its signature does not hold".to_owned()),
            Some(_) => {}
        }
        report.head = Some(hex::encode(&row.link));
        // Go on from what is stored: one changed batch is then one fault, not a fault in every batch after it.
        previous = row.link.try_into().unwrap_or([0; 32]);
        before = Some(range);
        report.batches += 1;
        report.events += rows.len() as u64;
    }

    if let Some(last) = before {
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
        if u64::try_from(covered) != Ok(report.events) {
            report.faults.push(format!(
                "the journal has {covered} events that should be in batches, the batches have {}: rows were slipped in or taken out",
                report.events
            ));
        }
    }
    tx.rollback().await?;
    Ok(report)
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

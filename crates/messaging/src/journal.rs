//! Writing to the journal, inside the transaction of the change.

use contracts::{Actor, Event};
use domain::ids::EventId;
use jiff_sqlx::ToSqlx;
use postgres::{Database, Tx};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::trace;

/// Appends one event to the journal, as part of the caller's transaction, at the transaction's legal time.
///
/// The identifier of the event follows from its type, aggregate, version and payload, so that the same change
/// cannot stand in the journal twice.
pub async fn append<E: Event>(tx: &mut Tx, actor: &Actor, event: &E) -> Result<EventId, sqlx::Error> {
    let ids = append_all(tx, actor, std::slice::from_ref(event)).await?;
    ids.first().copied().ok_or(sqlx::Error::RowNotFound)
}

/// Appends many events of one type with one statement (the storm of a due date), in their order: rows come out of an `unnest`
/// alone as they stand in its arrays.
pub async fn append_all<E: Event>(tx: &mut Tx, actor: &Actor, events: &[E]) -> Result<Vec<EventId>, sqlx::Error> {
    let payloads = events
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let actor = serde_json::to_string(actor).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let ids: Vec<Uuid> = events.iter().zip(&payloads).map(|(event, payload)| event_id(event, payload)).collect();
    let aggregates: Vec<Uuid> = events.iter().map(Event::aggregate_id).collect();
    let versions: Vec<i64> = events.iter().map(Event::aggregate_version).collect();
    let occurred_at = tx.at().to_sqlx();
    sqlx::query!(
        "INSERT INTO messaging.journal
             (epoch, event_id, event_type, aggregate_id, aggregate_version, occurred_at, actor, traceparent, payload)
         SELECT (SELECT messaging.current_epoch()), r.event_id, $1, r.aggregate_id, r.aggregate_version, $2,
                $3::text, $4, r.payload
         FROM unnest($5::uuid[], $6::uuid[], $7::bigint[], $8::text[])
              AS r(event_id, aggregate_id, aggregate_version, payload)",
        E::TYPE,
        occurred_at as _,
        actor,
        trace::current_traceparent(),
        &ids,
        &aggregates,
        &versions,
        &payloads,
    )
    .execute(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(EventId::from).collect())
}

/// The same change always gets the same event identifier: a second attempt to journal it meets the unique key. The first
/// bytes of a SHA-256 as a UUID of version 8: processors have instructions for that hash, and for version 5's they have not.
fn event_id<E: Event>(event: &E, payload: &str) -> Uuid {
    let mut hash = Sha256::new();
    for part in [E::TYPE.as_bytes(), event.aggregate_id().as_bytes(), &event.aggregate_version().to_be_bytes()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(payload);
    let digest: [u8; 32] = hash.finalize().into();
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = digest;
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

/// Opens a new epoch when the server's transaction numbers are below those already journalled, as after restoring a backup
/// into a new server. Called once before a service writes anything.
pub async fn ensure_epoch(database: &Database) -> Result<i32, sqlx::Error> {
    let mut tx = database.begin().await?;
    sqlx::query!("LOCK TABLE messaging.epochs IN SHARE ROW EXCLUSIVE MODE").execute(&mut *tx).await?;
    let known = sqlx::query_scalar!(
        r#"SELECT greatest(
               (SELECT max(tx) FROM messaging.journal WHERE epoch = messaging.current_epoch()),
               (SELECT max(below_tx) FROM messaging.batches WHERE epoch = messaging.current_epoch())) AS "tx""#
    )
    .fetch_one(&mut *tx)
    .await?;
    let row =
        sqlx::query!(r#"SELECT pg_current_xact_id()::text::bigint AS "now!", messaging.current_epoch() AS "epoch!""#)
            .fetch_one(&mut *tx)
            .await?;
    let mut epoch = row.epoch;
    if known.is_some_and(|known| row.now < known) {
        epoch += 1;
        sqlx::query!("INSERT INTO messaging.epochs (epoch, first_tx) VALUES ($1, $2)", epoch, row.now)
            .execute(&mut *tx)
            .await?;
        tracing::warn!(
            epoch,
            "the server's transaction numbers went back (a restored backup?): a new epoch of the journal begins"
        );
    }
    tx.commit().await?;
    Ok(epoch)
}

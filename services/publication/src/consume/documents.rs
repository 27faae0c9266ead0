//! What was issued, voided and replaced, for the register.

use contracts::deadlines::{self, UrgingOrderFact, UrgingOrderIssued};
use contracts::registry::AreaMerged;
use contracts::shared::{RegisterEntry, UnitRef};
use contracts::{Envelope, Event as _, ReadError, subjects, tasks};
use domain::ids::UrgingOrderId;
use messaging::{ApplyError, Batch, Handler};
use postgres::Tx;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use crate::register::{Recorded, hand_over, record};

/// Keeps the register of issued documents.
#[derive(Debug, Clone, Copy)]
pub struct Documents;

/// Of an urging order's event, what the register needs.
#[derive(Deserialize)]
struct Urged {
    urging_order_id: UrgingOrderId,
    rectification: Rectification,
}

#[derive(Deserialize)]
struct Rectification {
    unit: UnitRef,
    urging_orders: Vec<UrgingOrderFact>,
}

fn read<T: DeserializeOwned>(event: &Envelope) -> Result<T, ReadError> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(event.payload.get()))
        .map_err(|source| ReadError::Payload { event_type: event.event_type.clone(), source })
}

fn entry(event: &Envelope) -> Result<Recorded, ApplyError> {
    let entry = if event.is::<UrgingOrderIssued>() {
        let urged: Urged = read(event)?;
        let order =
            urged.rectification.urging_orders.into_iter().find(|order| order.urging_order_id == urged.urging_order_id);
        let order =
            order.ok_or_else(|| ApplyError::Refused(format!("the event has no order {}", urged.urging_order_id)))?;
        RegisterEntry {
            version: 1,
            document: order.document,
            kept_as: urged.urging_order_id.into(),
            area_path: urged.rectification.unit.area_path,
            open: false,
            content: None,
            voided: None,
        }
    } else {
        // All others carry the entry itself.
        read(event)?
    };
    Ok(Recorded { keeper: subjects::owner(&event.event_type).to_owned(), entry })
}

impl Handler for Documents {
    fn event_types(&self) -> Vec<&'static str> {
        vec![
            tasks::DocumentIssued::TYPE,
            tasks::DocumentVoided::TYPE,
            deadlines::DocumentIssued::TYPE,
            deadlines::DocumentVoided::TYPE,
            UrgingOrderIssued::TYPE,
            AreaMerged::TYPE,
        ]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        keep(tx, &[event]).await
    }

    async fn apply_all(&self, tx: &mut Tx, batch: &Batch<'_>) -> Result<(), ApplyError> {
        keep(tx, batch.events()).instrument(batch.span()).await
    }
}

/// Enters what was issued, in one step, then gives the papers of counties that became a part of another one to its office.
async fn keep(tx: &mut Tx, events: &[&Envelope]) -> Result<(), ApplyError> {
    let (mergers, papers): (Vec<&Envelope>, Vec<&Envelope>) = events.iter().partition(|event| event.is::<AreaMerged>());
    let entries = papers.into_iter().map(entry).collect::<Result<_, _>>()?;
    record(tx, entries).await?;
    for merger in mergers {
        hand_over(tx, &merger.read()?).await?;
    }
    Ok(())
}

//! What other services say.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use contracts::deadlines::{
    Change, ItemClosed, ItemReported, ItemReturned, ItemVerified, ItemsOverdue, RectificationChanged,
    RectificationClosed, RectificationOpened, RectificationSnapshot, ReminderDue, StepProposed, UrgingOrderIssued,
    VerificationOverdue,
};
use contracts::publication::PagePublished;
use contracts::registry::AreaRecorded;
use contracts::{Envelope, Event, ReadError};
use domain::ids::RectificationId;
use messaging::{ApplyError, Batch, Handler};
use postgres::Tx;
use serde::Deserialize;
use tracing::Instrument as _;

use crate::{area, rectification};

/// Durable name of the consumer of rectifications.
pub const RECTIFICATIONS_CONSUMER: &str = "reporting-rectifications";
/// Durable name of the consumer that keeps the list of counties.
pub const AREAS_CONSUMER: &str = "reporting-areas";
/// Durable name of the consumer of public pages.
pub const PAGES_CONSUMER: &str = "reporting-pages";

/// Keeps the newest snapshot of every rectification, whichever event brings it.
#[derive(Debug, Clone, Copy)]
pub struct Rectifications;

/// What every event of `deadlines` has.
#[derive(Deserialize)]
struct Carried {
    rectification: RectificationSnapshot,
}

impl Handler for Rectifications {
    fn event_types(&self) -> Vec<&'static str> {
        vec![
            RectificationOpened::TYPE,
            ItemReported::TYPE,
            ItemReturned::TYPE,
            ItemVerified::TYPE,
            ItemClosed::TYPE,
            RectificationClosed::TYPE,
            ReminderDue::TYPE,
            ItemsOverdue::TYPE,
            VerificationOverdue::TYPE,
            UrgingOrderIssued::TYPE,
            StepProposed::TYPE,
            RectificationChanged::TYPE,
        ]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        keep(tx, &[event]).await
    }

    async fn apply_all(&self, tx: &mut Tx, batch: &Batch<'_>) -> Result<(), ApplyError> {
        keep(tx, batch.events()).instrument(batch.span()).await
    }
}

/// Keeps what those events say, in their order: of each rectification the newest snapshot, all with a few statements.
async fn keep(tx: &mut Tx, events: &[&Envelope]) -> Result<(), ApplyError> {
    let mut newest: BTreeMap<RectificationId, RectificationSnapshot> = BTreeMap::new();
    let mut look_backs = Vec::new();
    for event in events {
        let snapshot = if event.is::<RectificationChanged>() {
            let RectificationChanged { rectification, change } = event.read()?;
            match change {
                Change::LookBackPassed { item_id } => look_backs.push((item_id, event.occurred_at, true)),
                Change::ItemReopened { item_id, .. } => look_backs.push((item_id, event.occurred_at, false)),
                // The snapshot says the rest.
                Change::PlanSubmitted { .. }
                | Change::PlanJudged { .. }
                | Change::PlanOverdue { .. }
                | Change::ProgressNoted { .. }
                | Change::ItemExtended { .. }
                | Change::RequestMade { .. }
                | Change::RequestDecided { .. }
                | Change::Paused { .. }
                | Change::Resumed { .. }
                | Change::Recounted { .. }
                | Change::StepTaken { .. }
                | Change::StepLifted { .. }
                | Change::StepMoot { .. }
                | Change::RequestMoot { .. }
                | Change::ConsultationSent { .. }
                | Change::ConsultationAnswered { .. }
                | Change::ItemWaived { .. }
                | Change::CloseOutApproved { .. }
                | Change::CloseOutRefused { .. }
                | Change::LookBackDue { .. }
                | Change::DutyOverdue { .. }
                | Change::HandedOver { .. } => {}
            }
            rectification
        } else {
            snapshot_of(event)?
        };
        match newest.entry(snapshot.rectification_id) {
            Entry::Vacant(free) => {
                free.insert(snapshot);
            }
            Entry::Occupied(mut known) => {
                if known.get().version < snapshot.version {
                    known.insert(snapshot);
                }
            }
        }
    }
    for (item_id, found_at, passed) in look_backs {
        rectification::store::save_look_back(tx, item_id, found_at, passed).await?;
    }
    rectification::store::save(tx, newest.values()).await?;
    Ok(())
}

fn snapshot_of(event: &Envelope) -> Result<RectificationSnapshot, ReadError> {
    let mut reader = serde_json::Deserializer::from_str(event.payload.get());
    serde_path_to_error::deserialize(&mut reader)
        .map(|carried: Carried| carried.rectification)
        .map_err(|source| ReadError::Payload { event_type: event.event_type.clone(), source })
}

/// Keeps the counties.
#[derive(Debug, Clone, Copy)]
pub struct Areas;

impl Handler for Areas {
    fn event_types(&self) -> Vec<&'static str> {
        vec![AreaRecorded::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        area::store::save(tx, &event.read()?).await?;
        Ok(())
    }
}

/// Keeps the address of the public page of a rectification.
#[derive(Debug, Clone, Copy)]
pub struct Pages;

impl Handler for Pages {
    fn event_types(&self) -> Vec<&'static str> {
        vec![PagePublished::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        rectification::store::save_page(tx, &event.read()?).await?;
        Ok(())
    }
}

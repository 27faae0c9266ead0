//! What other services say.

mod documents;

use std::sync::Arc;

use contracts::deadlines::{
    ItemClosed, ItemReported, ItemReturned, ItemVerified, ItemsOverdue, RectificationChanged, RectificationClosed,
    RectificationOpened, RectificationSnapshot, ReminderDue, StepProposed, UrgingOrderIssued, VerificationOverdue,
};
use contracts::tasks::ReportIssued;
use contracts::{Envelope, Event as _, ReadError};
use messaging::{ApplyError, Handler};
use postgres::Tx;
use serde::Deserialize;

use crate::publication;
use crate::rules::Rules;

pub use documents::Documents;

/// Durable name of the consumer of the register of issued documents.
pub const DOCUMENTS_CONSUMER: &str = "publication-documents";
/// Durable name of the consumer of rectifications.
pub const RECTIFICATIONS_CONSUMER: &str = "publication-rectifications";

/// Keeps drafts and pages up to date, whichever event brings the newest snapshot; a report begins the term anew.
#[derive(Debug, Clone)]
pub struct Rectifications {
    /// The clock of publication.
    pub rules: Arc<Rules>,
}

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
            ReportIssued::TYPE,
        ]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        if event.is::<ReportIssued>() {
            return publication::reported(tx, &event.read()?, &self.rules).await;
        }
        let mut reader = serde_json::Deserializer::from_str(event.payload.get());
        let carried: Carried = serde_path_to_error::deserialize(&mut reader)
            .map_err(|source| ReadError::Payload { event_type: event.event_type.clone(), source })?;
        publication::observe(tx, carried.rectification, &self.rules).await
    }
}

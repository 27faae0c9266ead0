//! What people have to be told of.

use std::collections::BTreeSet;
use std::sync::Arc;

use contracts::{
    Envelope, Event as _,
    deadlines::{
        ItemClosed, ItemReported, ItemReturned, ItemVerified, RectificationChanged, RectificationClosed,
        RectificationOpened, RectificationSnapshot, ReminderDue, StepProposed, UrgingOrderIssued, VerificationOverdue,
    },
    tasks::{CircularIssued, InterviewNotified, LetterIssued, NotificationIssued, PreliminaryOpinionIssued},
};
use domain::ids::ItemId;
use messaging::{ApplyError, Batch, Handler};
use postgres::Tx;
use tracing::Instrument as _;

use crate::{
    directory::record,
    message::{Heard, Matter, Open, Telling, hear},
    template::Template,
};

/// Tells people of what `tasks` and `deadlines` did.
#[derive(Debug, Clone)]
pub struct Matters(pub Arc<Telling>);

impl Handler for Matters {
    fn event_types(&self) -> Vec<&'static str> {
        // The first time that a verification is overdue has an event of its own, from before there were other duties.
        let heard = Template::ALL.iter().filter(|template| template.is_heard());
        let told: BTreeSet<_> = heard.map(|template| template.event()).collect();
        told.into_iter().chain([VerificationOverdue::TYPE]).collect()
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        self.hear(tx, &[event]).await
    }

    async fn apply_all(&self, tx: &mut Tx, batch: &Batch<'_>) -> Result<(), ApplyError> {
        self.hear(tx, batch.events()).instrument(batch.span()).await
    }
}

impl Matters {
    /// Writes down what the events have to tell: those in a row that need no look into the database, with one statement.
    pub async fn hear(&self, tx: &mut Tx, events: &[&Envelope]) -> Result<(), ApplyError> {
        let mut heard = Vec::new();
        for event in events {
            if looks(&event.event_type) {
                // What came before is there when it looks.
                hear(tx, &self.0, &std::mem::take(&mut heard)).await?;
            }
            heard.extend(self.matter(tx, event).await?);
        }
        hear(tx, &self.0, &heard).await
    }
}

/// Whether an event is judged by what is kept of others.
fn looks(event_type: &str) -> bool {
    [NotificationIssued::TYPE, ReminderDue::TYPE, StepProposed::TYPE, RectificationChanged::TYPE].contains(&event_type)
}

fn plain(event: &Envelope, matter: Matter) -> Heard {
    Heard { event_id: event.event_id, matter, open: None }
}

/// With the items that are open after the event.
fn after(event: &Envelope, rectification: &RectificationSnapshot, matter: Matter) -> Heard {
    let items = record::open_in(rectification);
    let open = Open { rectification_id: rectification.rectification_id, version: rectification.version, items };
    Heard { event_id: event.event_id, matter, open: Some(open) }
}

impl Matters {
    /// What the event is about; nothing when a newer one has overtaken it and it would only mislead.
    async fn matter(&self, tx: &mut Tx, envelope: &Envelope) -> Result<Option<Heard>, ApplyError> {
        let rules = &self.0.rules;
        let refused = |error: crate::message::NoLimit| ApplyError::Refused(error.to_string());
        let heard = match envelope.event_type.as_str() {
            NotificationIssued::TYPE => {
                let event: NotificationIssued = envelope.read()?;
                record::team(tx, &event).await?;
                plain(envelope, Matter::notified(rules, &event).map_err(refused)?)
            }
            PreliminaryOpinionIssued::TYPE => {
                plain(envelope, Matter::fed_back(rules, &envelope.read()?).map_err(refused)?)
            }
            LetterIssued::TYPE => plain(envelope, Matter::lettered(rules, &envelope.read()?).map_err(refused)?),
            InterviewNotified::TYPE => plain(envelope, Matter::invited(rules, &envelope.read()?).map_err(refused)?),
            CircularIssued::TYPE => plain(envelope, Matter::named(rules, &envelope.read()?).map_err(refused)?),
            RectificationOpened::TYPE => {
                let event: RectificationOpened = envelope.read()?;
                after(envelope, &event.rectification, Matter::opened(&event))
            }
            ReminderDue::TYPE => {
                let mut event: ReminderDue = envelope.read()?;
                event.item_ids = still_open(tx, &event.rectification, &event.item_ids).await?;
                if event.item_ids.is_empty() {
                    return Ok(None);
                }
                plain(envelope, Matter::reminded(&event))
            }
            UrgingOrderIssued::TYPE => {
                let event: UrgingOrderIssued = envelope.read()?;
                let order = event.order().ok_or_else(|| {
                    ApplyError::Refused("the rectification does not list the urging order that was issued".to_owned())
                })?;
                after(envelope, &event.rectification, Matter::urged(rules, &event, order).map_err(refused)?)
            }
            ItemReported::TYPE => {
                let event: ItemReported = envelope.read()?;
                after(envelope, &event.rectification, Matter::reported(&event))
            }
            ItemReturned::TYPE => {
                let event: ItemReturned = envelope.read()?;
                after(envelope, &event.rectification, Matter::returned(&event))
            }
            ItemVerified::TYPE => {
                let event: ItemVerified = envelope.read()?;
                after(envelope, &event.rectification, Matter::verified(&event))
            }
            ItemClosed::TYPE => {
                let closed: ItemClosed = envelope.read()?;
                after(envelope, &closed.rectification, Matter::item_closed(&closed, envelope.occurred_at))
            }
            RectificationClosed::TYPE => {
                let closed: RectificationClosed = envelope.read()?;
                let matter = Matter::closed(rules, &closed, envelope.occurred_at).map_err(refused)?;
                after(envelope, &closed.rectification, matter)
            }
            StepProposed::TYPE => {
                let mut event: StepProposed = envelope.read()?;
                event.item_ids = still_open(tx, &event.rectification, &event.item_ids).await?;
                if event.item_ids.is_empty() {
                    return Ok(None);
                }
                plain(envelope, Matter::proposed(&event))
            }
            VerificationOverdue::TYPE => plain(envelope, Matter::verification_overdue(&envelope.read()?)),
            RectificationChanged::TYPE => {
                let event: RectificationChanged = envelope.read()?;
                let Some(matter) = Matter::changed(&event) else {
                    record::open_items(tx, &event.rectification).await?;
                    return Ok(None);
                };
                after(envelope, &event.rectification, matter)
            }
            other => return Err(ApplyError::Refused(format!("not an event of this consumer: {other}"))),
        };
        Ok(Some(heard))
    }
}

/// Those of the items that are open by the newest version known: a reminder may come after the closure that overtook it.
async fn still_open(
    tx: &mut Tx,
    rectification: &RectificationSnapshot,
    items: &[ItemId],
) -> Result<Vec<ItemId>, sqlx::Error> {
    let open = record::open_items(tx, rectification).await?;
    Ok(items.iter().copied().filter(|item| open.contains(item)).collect())
}

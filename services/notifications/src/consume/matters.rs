//! What people have to be told of.

use std::collections::BTreeSet;
use std::sync::Arc;

use contracts::{
    Envelope, Event as _,
    deadlines::{
        ItemClosed, ItemReported, ItemReturned, ItemVerified, RectificationChanged, RectificationClosed,
        RectificationOpened, RectificationSnapshot, ReminderDue, StepProposed, UrgingOrderIssued, VerificationOverdue,
    },
    tasks::{LetterIssued, NotificationIssued, PreliminaryOpinionIssued},
};
use domain::ids::ItemId;
use messaging::{ApplyError, Handler};
use postgres::Tx;

use crate::{
    directory::record,
    message::{Matter, Telling, tell},
    template::Template,
};

/// Tells people of what `tasks` and `deadlines` did.
#[derive(Debug, Clone)]
pub struct Matters(pub Arc<Telling>);

impl Handler for Matters {
    fn event_types(&self) -> Vec<&'static str> {
        // The first time that a verification is overdue has an event of its own, from before there were other duties.
        let told: BTreeSet<_> = Template::ALL.iter().map(|template| template.event()).collect();
        told.into_iter().chain([VerificationOverdue::TYPE]).collect()
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        match self.matter(tx, event).await? {
            Some(matter) => tell(tx, &self.0, event.event_id, &matter).await,
            None => Ok(()),
        }
    }
}

impl Matters {
    /// What the event is about; nothing when a newer one has overtaken it and it would only mislead.
    async fn matter(&self, tx: &mut Tx, event: &Envelope) -> Result<Option<Matter>, ApplyError> {
        let rules = &self.0.rules;
        let refused = |error: crate::message::NoLimit| ApplyError::Refused(error.to_string());
        let matter = match event.event_type.as_str() {
            NotificationIssued::TYPE => {
                let event: NotificationIssued = event.read()?;
                record::team(tx, &event).await?;
                Matter::notified(rules, &event).map_err(refused)?
            }
            PreliminaryOpinionIssued::TYPE => Matter::fed_back(rules, &event.read()?).map_err(refused)?,
            LetterIssued::TYPE => Matter::lettered(rules, &event.read()?).map_err(refused)?,
            RectificationOpened::TYPE => {
                let event: RectificationOpened = event.read()?;
                record::open_items(tx, &event.rectification).await?;
                Matter::opened(&event)
            }
            ReminderDue::TYPE => {
                let mut event: ReminderDue = event.read()?;
                event.item_ids = still_open(tx, &event.rectification, &event.item_ids).await?;
                if event.item_ids.is_empty() {
                    return Ok(None);
                }
                Matter::reminded(&event)
            }
            UrgingOrderIssued::TYPE => {
                let event: UrgingOrderIssued = event.read()?;
                record::open_items(tx, &event.rectification).await?;
                Matter::urged(rules, &event).map_err(refused)?
            }
            ItemReported::TYPE => {
                let event: ItemReported = event.read()?;
                record::open_items(tx, &event.rectification).await?;
                Matter::reported(&event)
            }
            ItemReturned::TYPE => {
                let event: ItemReturned = event.read()?;
                record::open_items(tx, &event.rectification).await?;
                Matter::returned(&event)
            }
            ItemVerified::TYPE => {
                let event: ItemVerified = event.read()?;
                record::open_items(tx, &event.rectification).await?;
                Matter::verified(&event)
            }
            ItemClosed::TYPE => {
                let closed: ItemClosed = event.read()?;
                record::open_items(tx, &closed.rectification).await?;
                Matter::item_closed(&closed, event.occurred_at)
            }
            RectificationClosed::TYPE => {
                let closed: RectificationClosed = event.read()?;
                record::open_items(tx, &closed.rectification).await?;
                Matter::closed(&closed, event.occurred_at)
            }
            StepProposed::TYPE => {
                let mut event: StepProposed = event.read()?;
                event.item_ids = still_open(tx, &event.rectification, &event.item_ids).await?;
                if event.item_ids.is_empty() {
                    return Ok(None);
                }
                Matter::proposed(&event)
            }
            VerificationOverdue::TYPE => Matter::verification_overdue(&event.read()?),
            RectificationChanged::TYPE => {
                let event: RectificationChanged = event.read()?;
                record::open_items(tx, &event.rectification).await?;
                return Ok(Matter::changed(&event));
            }
            other => return Err(ApplyError::Refused(format!("not an event of this consumer: {other}"))),
        };
        Ok(Some(matter))
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

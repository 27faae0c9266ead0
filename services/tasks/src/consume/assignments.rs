//! Steps of the ladder and look-backs that wait for people, and what became of them.

use contracts::deadlines::{RectificationChanged, RectificationClosed, StepProposed};
use contracts::{Envelope, Event as _};
use messaging::{ApplyError, Handler};
use postgres::Tx;

use crate::assignment;

/// Keeps what people must do because a clock said so.
#[derive(Debug, Clone, Copy)]
pub struct Assignments;

impl Handler for Assignments {
    fn event_types(&self) -> Vec<&'static str> {
        vec![StepProposed::TYPE, RectificationChanged::TYPE, RectificationClosed::TYPE]
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        let at = event.occurred_at;
        if event.is::<StepProposed>() {
            assignment::proposed(tx, &event.read()?, at).await
        } else if event.is::<RectificationClosed>() {
            assignment::closed(tx, &event.read()?, at).await
        } else {
            assignment::changed(tx, &event.read::<RectificationChanged>()?, at).await
        }
    }
}

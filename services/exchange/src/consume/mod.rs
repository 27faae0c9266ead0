//! What other services say: every fact that the national platform is to hear of.

use contracts::registry::AreaMerged;
use contracts::{Envelope, Event as _};
use messaging::{ApplyError, Handler};
use postgres::Tx;

use crate::message::enqueue::enqueue;
use crate::message::store::hand_over;
use crate::national;
use crate::papers::Papers;

/// Durable name of the consumer.
pub const FACTS_CONSUMER: &str = "exchange-facts";

/// Turns facts into messages.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Division code of the province that sends.
    pub sender: String,
    /// What makes documents into text.
    pub papers: Papers,
}

impl Handler for Facts {
    fn event_types(&self) -> Vec<&'static str> {
        national::EVENT_TYPES.into_iter().chain([AreaMerged::TYPE]).collect()
    }

    async fn apply(&self, tx: &mut Tx, event: &Envelope) -> Result<(), ApplyError> {
        if event.is::<AreaMerged>() {
            return Ok(hand_over(tx, &event.read()?).await?);
        }
        enqueue(tx, event, &self.sender, &self.papers).await
    }
}

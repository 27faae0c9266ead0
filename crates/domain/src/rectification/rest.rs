//! What rests on an urging order (督办单): its limits and the ladder, as long as one of its items is not done.

use super::Rectification;
use crate::ids::UrgingOrderId;

impl Rectification {
    /// Numbers of the items of an order that are not done. While there is one, the order cannot be taken back: the unit's limit
    /// and the next step of the ladder (measures 10 and 13) rest on it, and a paper that is gone would leave the clock
    /// running without ground. People end that by their own acts: close-out, waiver, extension, lifting a step.
    pub fn resting_on(&self, order_id: UrgingOrderId) -> Vec<u32> {
        self.items
            .iter()
            .filter(|item| !item.state.is_done() && item.urged.iter().any(|mark| mark.order_id == order_id))
            .map(|item| item.number)
            .collect()
    }
}

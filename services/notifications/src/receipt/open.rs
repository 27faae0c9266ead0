//! Documents begin to wait for their signatures.

use postgres::Tx;

use super::store::{self, NewReceipt};
use crate::message::Matter;

/// Opens the receipts of the matters' documents, those that have to be acknowledged. Repeating it changes nothing.
pub async fn open<'m>(tx: &mut Tx, matters: impl Iterator<Item = &'m Matter>) -> Result<(), sqlx::Error> {
    let new: Vec<NewReceipt<'_>> = matters
        .filter_map(|matter| {
            let (document, (due_on, due_at)) = (matter.document.as_ref()?, matter.receipt_due?);
            Some(NewReceipt { matter, document, due_on, due_at })
        })
        .collect();
    store::insert(tx, &new).await
}

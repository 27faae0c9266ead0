//! Documents begin to wait for their signatures.

use contracts::shared::DocumentKind;
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

/// The kind as in data; the same names as in the contract.
pub(super) fn kind_key(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Plan => "plan",
        DocumentKind::SupervisionNotification => "supervision_notification",
        DocumentKind::PreliminaryOpinion => "preliminary_opinion",
        DocumentKind::OpinionLetter => "opinion_letter",
        DocumentKind::UrgingOrder => "urging_order",
    }
}

/// The kind of a key.
pub(super) fn kind_of(key: &str) -> Option<DocumentKind> {
    [
        DocumentKind::Plan,
        DocumentKind::SupervisionNotification,
        DocumentKind::PreliminaryOpinion,
        DocumentKind::OpinionLetter,
        DocumentKind::UrgingOrder,
    ]
    .into_iter()
    .find(|kind| kind_key(*kind) == key)
}

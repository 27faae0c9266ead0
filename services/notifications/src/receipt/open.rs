//! A document begins to wait for its signature.

use contracts::shared::DocumentKind;
use postgres::Tx;

use super::store;
use crate::message::Matter;

/// Opens the receipt of the matter's document, if it brings one that has to be acknowledged. Repeating it changes nothing.
pub async fn open(tx: &mut Tx, matter: &Matter) -> Result<(), sqlx::Error> {
    let (Some(document), Some((due_on, due_at))) = (&matter.document, matter.receipt_due) else { return Ok(()) };
    store::insert(tx, matter, document, due_on, due_at).await
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

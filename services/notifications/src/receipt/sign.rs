//! The signature.

use access::{Permit, Resource};
use contracts::{Actor, notifications::ReceiptSigned};
use domain::ids::DocumentId;
use postgres::Tx;
use problem::{Problem, Text};

use super::store::{self, ReceiptRow};

/// Acknowledges receipt of a document for the unit that it was issued to (Regulation art. 17, 20, 21). The second signature
/// gets the first one's answer and journals nothing.
pub async fn sign(tx: &mut Tx, permit: &Permit, document: DocumentId) -> Result<ReceiptRow, Problem> {
    let row = store::lock(tx, document).await?.ok_or_else(|| {
        Problem::unknown_resource(Text::new(
            "没有需要签收的这份文书；刚印发的文书请稍候再试。",
            "There is no such document to be acknowledged; if it was issued just now, try again shortly.",
        ))
    })?;
    // The unit alone: its department reads along but cannot receive in its name.
    let mut resource = Resource::in_area(row.area_path.iter().copied().map(Into::into));
    resource = resource.concerning(row.unit_id.into());
    permit.on(&resource)?;
    if row.signed_at.is_some() {
        return Ok(row);
    }
    let caller = permit.caller();
    let signed = store::sign(tx, &row, caller.account_id, &caller.display_name).await?;
    let event = ReceiptSigned {
        receipt_id: row.receipt_id.into(),
        version: 1,
        document_id: document,
        document_kind: super::open::kind_of(&row.document_kind)
            .ok_or_else(|| sqlx::Error::Decode(format!("receipts.document_kind: {}", row.document_kind).into()))?,
        unit_id: row.unit_id.into(),
        signed_at: tx.at(),
        signed_by: caller.account_id,
        signer_name: caller.display_name.clone(),
    };
    let actor = Actor::Person { account_id: caller.account_id, name: caller.display_name.clone() };
    messaging::append(tx, &actor, &event).await?;
    Ok(signed)
}

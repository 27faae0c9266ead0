//! The signature.

use access::{Permit, Resource};
use contracts::{Actor, notifications::ReceiptSigned, shared::DocumentKind};
use domain::ids::{AccountId, DocumentId};
use postgres::Tx;
use problem::{Problem, Text};

use super::store::{self, ReceiptRow, Signature};

/// The receipt of a document, locked.
pub(super) async fn lock(tx: &mut Tx, document: DocumentId) -> Result<ReceiptRow, Problem> {
    store::lock(tx, document).await?.ok_or_else(|| {
        Problem::unknown_resource(Text::new(
            "没有需要签收的这份文书；刚印发的文书请稍候再试。",
            "There is no such document to be acknowledged; if it was issued just now, try again shortly.",
        ))
    })
}

/// Acknowledges receipt of a document for the unit that it was issued to (Regulation art. 17, 20, 21). The second signature
/// gets the first one's answer and journals nothing.
pub async fn sign(tx: &mut Tx, permit: &Permit, document: DocumentId) -> Result<ReceiptRow, Problem> {
    let row = lock(tx, document).await?;
    // The unit alone: its department reads along but cannot receive in its name.
    let mut resource = Resource::in_area(row.area_path.iter().copied().map(Into::into));
    resource = resource.concerning(row.unit_id.into());
    permit.on(&resource)?;
    let caller = permit.caller();
    let at = tx.at();
    let name = &caller.display_name;
    write(tx, row, Signature { method: "account", at, by: caller.account_id, name, note: None }, name).await
}

/// Writes the signature and tells the others, unless there is one.
pub(super) async fn write(
    tx: &mut Tx,
    row: ReceiptRow,
    signature: Signature<'_>,
    actor: &str,
) -> Result<ReceiptRow, Problem> {
    if row.signed_at.is_some() {
        return Ok(row);
    }
    let signed = store::sign(tx, &row, signature).await?;
    let event = ReceiptSigned {
        receipt_id: row.receipt_id.into(),
        version: 1,
        document_id: row.document_id.into(),
        document_kind: DocumentKind::of(&row.document_kind)
            .ok_or_else(|| sqlx::Error::Decode(format!("receipts.document_kind: {}", row.document_kind).into()))?,
        unit_id: row.unit_id.into(),
        signed_at: signature.at,
        signed_by: signature.by,
        signer_name: signature.name.to_owned(),
    };
    let account_id: AccountId = signature.by;
    messaging::append(tx, &Actor::Person { account_id, name: actor.to_owned() }, &event).await?;
    Ok(signed)
}

//! A receipt on paper (纸质签收): the unit signed a copy that the office served by hand or by post, and the office records it.

use access::{Permit, Resource};
use domain::ids::DocumentId;
use jiff::Timestamp;
use postgres::Tx;
use problem::{Problem, ProblemKind, Text};

use super::store::{ReceiptRow, Signature};

/// Longest name and note, in characters.
const LONGEST_NAME: usize = 100;
const LONGEST_NOTE: usize = 500;

/// What a paper says.
#[derive(Debug, Clone)]
pub struct Paper<'a> {
    /// When the unit received it.
    pub received_at: Timestamp,
    /// Who signed.
    pub signer_name: &'a str,
    /// How it was served, and where the paper is kept.
    pub note: &'a str,
}

/// Records that a document was signed on paper; the unit's clock begins at the instant of the paper. A document that is signed
/// already keeps its signature.
pub async fn record(
    tx: &mut Tx,
    permit: &Permit,
    document: DocumentId,
    paper: Paper<'_>,
) -> Result<ReceiptRow, Problem> {
    let row = super::sign::lock(tx, document).await?;
    // The office of the area: the unit itself signs and never records.
    permit.on(&Resource::in_area(row.area_path.iter().copied().map(Into::into)))?;
    let (name, note) = (paper.signer_name.trim(), paper.note.trim());
    let mut problem = Problem::of(ProblemKind::InvalidFields);
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        problem = problem.field("/signer_name", Text::new("请填写签收人姓名。", "Name whoever signed."));
    }
    if note.is_empty() || note.chars().count() > LONGEST_NOTE {
        let text = Text::new(
            "请说明送达方式和纸质回执的存放，500字以内。",
            "Say how it was served and where the paper is, in at most 500 characters.",
        );
        problem = problem.field("/note", text);
    }
    if paper.received_at < row.issued_at.to_jiff() || paper.received_at > tx.at() {
        let text = Text::new(
            "签收时间须在文书印发之后、登记之前。",
            "The instant must lie between the issue of the document and this record.",
        );
        problem = problem.field("/received_at", text);
    }
    if !problem.errors().is_empty() {
        return Err(problem);
    }
    let caller = permit.caller();
    let signature = Signature { method: "paper", at: paper.received_at, by: caller.account_id, name, note: Some(note) };
    super::sign::write(tx, row, signature, &caller.display_name).await
}

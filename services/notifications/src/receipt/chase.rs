//! Chasing what is not signed (签收催告): when its limit has passed, the unit is reminded; when that does not help, the office is
//! told, again and again until somebody signs or the office records a paper. The next instant is armed in the transaction of
//! each step, and a constraint refuses an unsigned receipt without one.

use std::{sync::Arc, time::Duration};

use contracts::shared::{DocumentKind, DocumentRef, UnitRef};
use domain::ids::EventId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::{Database, Tx};
use service_kit::{Round, Worker};
use uuid::Uuid;

use super::store::{self, ReceiptRow};
use crate::message::{Heard, Matter, Telling, hear, text::Wording};

const PERIOD: Duration = Duration::from_secs(2);
/// Receipts in one transaction.
const BATCH: i64 = 500;

/// The worker.
pub fn chase_worker(database: Database, telling: Arc<Telling>) -> Worker {
    Worker::every("receipt-chase", PERIOD, move || {
        let (database, telling) = (database.clone(), Arc::clone(&telling));
        async move {
            let chased = chase_due(&database, &telling).await?;
            Ok(if chased == 0 { Round::Done } else { Round::More })
        }
    })
}

/// Does what is due for unsigned receipts; returns how many were chased.
pub async fn chase_due(database: &Database, telling: &Telling) -> anyhow::Result<usize> {
    let mut tx = database.begin().await?;
    let due = store::lock_chased(&mut tx, BATCH).await?;
    let (mut heard, mut receipts, mut next) = (Vec::new(), Vec::new(), Vec::new());
    for receipt in &due {
        let (notice, at) = chase(&mut tx, telling, receipt).await?;
        heard.push(notice);
        receipts.push(receipt.receipt_id);
        next.push(at.to_sqlx());
    }
    hear(&mut tx, telling, &heard).await?;
    store::mark_chased(&mut tx, &receipts, &next).await?;
    tx.commit().await?;
    Ok(due.len())
}

/// What a receipt's clock says now, and when it speaks next.
async fn chase(tx: &mut Tx, telling: &Telling, receipt: &ReceiptRow) -> anyhow::Result<(Heard, Timestamp)> {
    let unit = unit(tx, receipt).await?;
    let at = tx.at();
    let next = telling.rules.next_chase(at, unit.county_code.as_deref(), receipt.chases > 0);
    let kind = DocumentKind::of(&receipt.document_kind)
        .ok_or_else(|| anyhow::anyhow!("receipts.document_kind: {}", receipt.document_kind))?;
    let (doc_no, title, due_on) = (receipt.doc_no.clone(), receipt.title.clone(), receipt.due_on.to_jiff());
    let wording = if receipt.chases == 0 {
        Wording::ReceiptReminder { doc_no, kind, title, due_on, again_at: next }
    } else {
        Wording::ReceiptOverdue { doc_no, kind, title, due_on, times: receipt.chases }
    };
    let document = DocumentRef {
        document_id: receipt.document_id.into(),
        kind,
        doc_no: receipt.doc_no.clone(),
        title: receipt.title.clone(),
        issuing_unit_id: receipt.issuing_unit_id.into(),
        issuing_unit_name: receipt.issuing_unit_name.clone(),
        issued_at: receipt.issued_at.to_jiff(),
        content_sha256: receipt.content_sha256.clone(),
    };
    let matter = Matter::unsigned(
        &unit,
        receipt.case_id.into(),
        &receipt.case_title,
        receipt.rectification_id.map(Into::into),
        &document,
        wording,
    );
    let id = EventId::derived(&["chase", &receipt.receipt_id.to_string(), &receipt.chases.to_string()]);
    Ok((Heard { event_id: id, matter, open: None }, next))
}

/// The unit as the document named it, where it lies and to whom it belongs now: its county may have become a part of another one
/// since. Put together from the copies for receipts of before that was kept.
async fn unit(tx: &mut Tx, receipt: &ReceiptRow) -> anyhow::Result<UnitRef> {
    let known = store::unit_of(tx, receipt.unit_id).await?;
    if let Some(kept) = &receipt.unit {
        let mut unit: UnitRef = serde_json::from_str(kept)?;
        unit.area_path = receipt.area_path.iter().copied().map(Into::into).collect();
        // The competent department's own case (连带责任) names none.
        if let (Some(_), Some((Some(department), name))) = (unit.competent_unit_id, known) {
            unit.competent_unit_id = Some(department.into());
            unit.competent_unit_name = name;
        }
        return Ok(unit);
    }
    let (competent_unit_id, competent_unit_name): (Option<Uuid>, Option<String>) = known.unwrap_or_default();
    Ok(UnitRef {
        unit_id: receipt.unit_id.into(),
        name: receipt.unit_name.clone(),
        code: None,
        area_path: receipt.area_path.iter().copied().map(Into::into).collect(),
        county_code: None,
        county_name: None,
        competent_unit_id: competent_unit_id.map(Into::into),
        competent_unit_name,
    })
}

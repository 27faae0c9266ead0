//! An order read back: what others hear of it follows from its row, the frozen content, the state and the letter, and stands
//! nowhere a second time.

use std::collections::BTreeMap;

use contracts::deadlines::{UrgedItem, UrgingOrderFact};
use contracts::shared::{DocumentKind, DocumentRef};
use contracts::tasks::LetterIssued;
use domain::ids::{DocumentId, ItemId, RectificationId, UrgingOrderId};
use domain::rectification::{LimitBasis, Rectification, UrgingOrder};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::rectification::dossier::{Successor, issuer};
use crate::rectification::snapshot::deadline_id;

/// A row of the orders.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    urging_order_id: UrgingOrderId,
    doc_no: String,
    issued_at: Timestamp,
    lateness_seconds: i64,
    content: String,
    content_sha256: String,
}

/// Of the frozen content, what others hear.
#[derive(Debug, Deserialize)]
struct Content {
    head: Head,
    body: Body,
    template: String,
}

#[derive(Debug, Deserialize)]
struct Head {
    title: String,
    issuing_agency: String,
    #[serde(default)]
    copies: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Body {
    urging_order: Order,
}

#[derive(Debug, Deserialize)]
struct Order {
    late_items: Vec<ContentItem>,
}

#[derive(Debug, Deserialize)]
struct ContentItem {
    number: i32,
    was_due_on: Date,
    due_on: Date,
    #[serde(default)]
    rule: Option<String>,
}

/// The identity of the document of an order: follows from the order.
pub(crate) fn document_id(order_id: UrgingOrderId) -> DocumentId {
    DocumentId::derived(&[&order_id.to_string()])
}

/// The orders of cases of which it is known how many they have, by case, oldest first.
pub(crate) async fn load(
    connection: &mut PgConnection,
    cases: &[(RectificationId, u32)],
) -> Result<BTreeMap<RectificationId, Vec<Kept>>, sqlx::Error> {
    let ids: Vec<Uuid> = cases
        .iter()
        .flat_map(|(rectification_id, orders)| {
            (1..=*orders).map(|sequence| UrgingOrder::id_of(*rectification_id, sequence))
        })
        .map(Uuid::from)
        .collect();
    let rows = sqlx::query!(
        "SELECT urging_order_id, rectification_id, doc_no, issued_at, lateness_seconds, content, content_sha256
         FROM urging_orders
         WHERE urging_order_id = ANY($1) ORDER BY rectification_id, sequence",
        &ids
    )
    .fetch_all(connection)
    .await?;
    let mut by_case: BTreeMap<RectificationId, Vec<Kept>> = BTreeMap::new();
    for row in rows {
        by_case.entry(row.rectification_id.into()).or_default().push(Kept {
            urging_order_id: row.urging_order_id.into(),
            doc_no: row.doc_no,
            issued_at: row.issued_at.to_jiff(),
            lateness_seconds: row.lateness_seconds,
            content: row.content,
            content_sha256: row.content_sha256,
        });
    }
    Ok(by_case)
}

impl Kept {
    /// What others hear of the order.
    pub(crate) fn fact(
        self,
        rectification: &Rectification,
        letter: &LetterIssued,
        successor: Option<&Successor>,
    ) -> Result<UrgingOrderFact, serde_json::Error> {
        let Self { urging_order_id, doc_no, issued_at, lateness_seconds, content, content_sha256 } = self;
        let Content { head, body, template } = serde_json::from_str(&content)?;
        let items = body
            .urging_order
            .late_items
            .iter()
            .filter_map(|late| {
                let finding = letter.findings.iter().find(|finding| finding.number == late.number)?;
                let item = rectification.items.iter().find(|item| item.finding_id == finding.finding_id)?;
                let set = item
                    .limits
                    .iter()
                    .find(|limit| limit.basis == LimitBasis::UrgingOrder { order_id: urging_order_id })?;
                Some(urged(item.item_id, late, set.round))
            })
            .collect();
        Ok(UrgingOrderFact {
            urging_order_id,
            document: DocumentRef {
                document_id: document_id(urging_order_id),
                kind: DocumentKind::UrgingOrder,
                doc_no,
                title: head.title,
                issuing_unit_id: issuer(letter, successor, issued_at).0,
                issuing_unit_name: head.issuing_agency,
                issued_at,
                content_sha256,
            },
            items,
            copy_to: head.copies.into_iter().next(),
            lateness_seconds,
            template,
        })
    }
}

fn urged(item_id: ItemId, late: &ContentItem, round: u32) -> UrgedItem {
    UrgedItem {
        item_id,
        number: late.number,
        was_due_on: late.was_due_on,
        due_on: late.due_on,
        deadline_id: deadline_id(item_id, round),
        rule: late.rule.clone(),
    }
}

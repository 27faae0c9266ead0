//! From the events of the other services to messages of the form.

use contracts::deadlines::{RectificationClosed, RectificationOpened, RectificationSnapshot, UrgingOrderIssued};
use contracts::shared::{DocumentRef, UnitRef};
use contracts::tasks::{LetterIssued, SupervisionKind};
use contracts::{Envelope, Event, ReadError};
use domain::ids::{CaseId, MessageId};
use domain::local_time::local_date;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::papers::Papers;

use super::{
    Case, ClosedItem, Closure, Content, Document, FORMAT, Finding, Kind, Message, OpinionLetter, Rectification,
    RectificationItem, Unit, UrgedItem, UrgingOrder,
};

/// Why an event makes no message.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// It cannot be read.
    #[error("the event cannot be read")]
    Read(#[from] ReadError),
    /// It contradicts itself.
    #[error("{0}")]
    Contradiction(&'static str),
}

/// A message with what this service keeps beside it.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The message.
    pub message: Message,
    /// The supervised unit, for the scope of permissions.
    pub unit: UnitRef,
    /// Number of the document that it tells of.
    pub doc_no: String,
}

/// The events that become messages.
pub(crate) const EVENT_TYPES: [&str; 4] =
    [LetterIssued::TYPE, RectificationOpened::TYPE, UrgingOrderIssued::TYPE, RectificationClosed::TYPE];

/// The message of an event; `None` for events that the platform does not hear of.
///
/// The place of a message in its case follows from the event alone: a rectification knows all its urging orders,
/// oldest first. So the numbers have no gap in whatever order the events arrive, and the same event always makes the
/// same message.
pub fn compose(event: &Envelope, sender: &str, papers: &Papers) -> Result<Option<Composed>, ComposeError> {
    let at = event.occurred_at;
    if event.is::<LetterIssued>() {
        return Ok(Some(letter(event.read()?, at, sender, papers)));
    }
    if event.is::<RectificationOpened>() {
        let opened = event.read::<RectificationOpened>()?.rectification;
        if is_departments(&opened) {
            return Ok(None);
        }
        let fact = Fact {
            source: opened.rectification_id.as_uuid(),
            sequence: 2,
            doc_no: opened.letter.doc_no.clone(),
            content: Content::Rectification(Rectification {
                letter: document(&opened.letter),
                received_on: local_date(opened.received_at),
                items: opened.items.iter().map(opened_item).collect(),
            }),
        };
        return Ok(Some(of_rectification(opened, fact, at, sender)));
    }
    if event.is::<UrgingOrderIssued>() {
        let UrgingOrderIssued { rectification, urging_order_id, .. } = event.read()?;
        if is_departments(&rectification) {
            return Ok(None);
        }
        let issued =
            rectification.urging_orders.iter().zip(0_i32..).find(|(known, _)| known.urging_order_id == urging_order_id);
        let (order, place) = issued
            .ok_or(ComposeError::Contradiction("the rectification does not list the urging order that was issued"))?;
        let text = papers.urging_order(&rectification, order, place.unsigned_abs() + 1);
        let fact = Fact {
            source: order.urging_order_id.as_uuid(),
            sequence: place + 3,
            doc_no: order.document.doc_no.clone(),
            content: Content::UrgingOrder(UrgingOrder {
                document: with_text(&order.document, text),
                number: place + 1,
                items: order
                    .items
                    .iter()
                    .map(|item| UrgedItem { number: item.number, was_due_on: item.was_due_on, due_on: item.due_on })
                    .collect(),
                copy_to: order.copy_to.clone(),
            }),
        };
        return Ok(Some(of_rectification(rectification, fact, at, sender)));
    }
    if event.is::<RectificationClosed>() {
        let closed = event.read::<RectificationClosed>()?.rectification;
        if is_departments(&closed) {
            return Ok(None);
        }
        let orders = i32::try_from(closed.urging_orders.len())
            .map_err(|_| ComposeError::Contradiction("more urging orders than can be counted"))?;
        let fact = Fact {
            source: closed.rectification_id.as_uuid(),
            sequence: orders + 3,
            doc_no: closed.letter.doc_no.clone(),
            content: Content::Closure(Closure {
                letter: document(&closed.letter),
                closed_on: local_date(closed.closed_at.unwrap_or(at)),
                urging_orders: closed.urging_orders.iter().map(|order| order.document.doc_no.clone()).collect(),
                items: closed.items.iter().map(closed_item).collect(),
            }),
        };
        return Ok(Some(of_rectification(closed, fact, at, sender)));
    }
    Ok(None)
}

/// Whether it is the competent department's own case (连带责任), which the form has no place for.
fn is_departments(rectification: &RectificationSnapshot) -> bool {
    rectification.liable_for.is_some()
}

/// What is particular to one message of a case.
struct Fact {
    /// The thing that the message is about; with the kind it makes the identity of the message.
    source: Uuid,
    sequence: i32,
    doc_no: String,
    content: Content,
}

/// What all messages of a case share.
struct CaseFacts {
    case_id: CaseId,
    title: String,
    supervision_kind: SupervisionKind,
    visited_on: Date,
    unit: UnitRef,
}

fn letter(event: LetterIssued, at: Timestamp, sender: &str, papers: &Papers) -> Composed {
    let text = papers.text(&event.document, &event.content);
    let fact = Fact {
        source: event.letter_id.as_uuid(),
        sequence: 1,
        doc_no: event.document.doc_no.clone(),
        content: Content::OpinionLetter(OpinionLetter {
            document: with_text(&event.document, text),
            evaluation: event.evaluation,
            items: event
                .findings
                .into_iter()
                .map(|finding| Finding {
                    number: finding.number,
                    severity: finding.severity,
                    category: finding.category,
                    description: finding.description,
                    basis: finding.basis,
                    demand: finding.demand,
                    advice: finding.advice,
                    responsible_unit: finding.responsible_unit_name,
                })
                .collect(),
        }),
    };
    let case = CaseFacts {
        case_id: event.case_id,
        title: event.case_title,
        supervision_kind: event.supervision_kind,
        visited_on: event.visited_on,
        unit: event.unit,
    };
    whole(case, fact, at, sender)
}

fn of_rectification(snapshot: RectificationSnapshot, fact: Fact, at: Timestamp, sender: &str) -> Composed {
    let case = CaseFacts {
        case_id: snapshot.case_id,
        title: snapshot.case_title,
        supervision_kind: snapshot.supervision_kind,
        visited_on: snapshot.visited_on,
        unit: snapshot.unit,
    };
    whole(case, fact, at, sender)
}

fn whole(case: CaseFacts, fact: Fact, at: Timestamp, sender: &str) -> Composed {
    let unit = case.unit;
    let message = Message {
        format: FORMAT.to_owned(),
        message_id: message_id(fact.content.kind(), fact.source).as_uuid(),
        sender: sender.to_owned(),
        case: Case {
            case_id: case.case_id.as_uuid(),
            sequence: fact.sequence,
            title: case.title,
            supervision_kind: case.supervision_kind,
            visited_on: case.visited_on,
        },
        occurred_at: at,
        occurred_on: local_date(at),
        unit: Unit {
            unit_id: unit.unit_id.as_uuid(),
            code: unit.code.clone(),
            name: unit.name.clone(),
            county_code: unit.county_code.clone(),
            county_name: unit.county_name.clone(),
            competent_department: unit.competent_unit_name.clone(),
        },
        content: fact.content,
    };
    Composed { message, unit, doc_no: fact.doc_no }
}

/// The same fact always makes the same message.
fn message_id(kind: Kind, source: Uuid) -> MessageId {
    MessageId::derived(&["national", kind.as_str(), &source.to_string()])
}

/// A document with what it says. Without the text the fields still tell the fact.
fn with_text(issued: &DocumentRef, text: Option<String>) -> Document {
    if text.is_none() {
        tracing::warn!(document.id = %issued.document_id, "a document goes to the platform without its text");
    }
    Document { text, ..document(issued) }
}

fn document(document: &DocumentRef) -> Document {
    Document {
        kind: Some(document.kind),
        doc_no: document.doc_no.clone(),
        title: document.title.clone(),
        issuing_agency: document.issuing_unit_name.clone(),
        issued_on: local_date(document.issued_at),
        content_sha256: Some(document.content_sha256.clone()),
        text: None,
    }
}

fn opened_item(item: &contracts::deadlines::ItemSnapshot) -> RectificationItem {
    RectificationItem {
        number: item.number,
        severity: item.severity,
        responsible_unit: item.responsible_unit_name.clone(),
        due_on: item.due_on,
        provisional: item.provisional,
    }
}

/// A waived item has neither report nor verification; the day of the waiver is the day of its close-out.
fn closed_item(item: &contracts::deadlines::ItemSnapshot) -> ClosedItem {
    ClosedItem {
        number: item.number,
        severity: item.severity,
        first_due_on: item.first_due_on,
        due_on: item.due_on,
        reported_on: item.reported_at.map(local_date),
        verified_on: item.verified_at.map(local_date),
        closed_on: item.closed_at.map(local_date),
        late: item.late,
        returned: item.returned,
    }
}

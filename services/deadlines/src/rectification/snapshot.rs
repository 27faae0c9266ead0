//! The dossier as others see it.

use contracts::deadlines::{ItemSnapshot, ItemState, RectificationSnapshot};
use contracts::tasks::FindingFact;
use domain::ids::{DeadlineId, ItemId};
use domain::rectification::{self, Item, Limit};

use super::dossier::Dossier;

/// The identity of a limit: follows from item and round, so that it is stored once.
pub(crate) fn deadline_id(item_id: ItemId, round: u32) -> DeadlineId {
    DeadlineId::derived(&[&item_id.to_string(), &round.to_string()])
}

/// The whole rectification after a change.
pub(crate) fn snapshot(dossier: &Dossier, version: i64) -> RectificationSnapshot {
    let letter = &dossier.letter;
    RectificationSnapshot {
        rectification_id: dossier.rectification.rectification_id,
        version,
        case_id: letter.case_id,
        letter_id: letter.letter_id,
        letter: letter.document.clone(),
        case_title: letter.case_title.clone(),
        supervision_kind: letter.supervision_kind,
        visited_on: letter.visited_on,
        unit: letter.unit.clone(),
        received_at: dossier.rectification.received_at,
        closed_at: dossier.closed_at,
        items: dossier.rectification.items.iter().filter_map(|item| item_snapshot(dossier, item)).collect(),
        urging_orders: dossier.orders.clone(),
    }
}

/// `None` only for an item without a finding or a limit, which the domain never makes.
fn item_snapshot(dossier: &Dossier, item: &Item) -> Option<ItemSnapshot> {
    let finding: &FindingFact = dossier.letter.findings.iter().find(|finding| finding.finding_id == item.finding_id)?;
    let (first, limit): (&Limit, &Limit) = (item.limits.first()?, item.limit()?);
    let report = item.state.report();
    let verification = match &item.state {
        rectification::ItemState::Verified { verification, .. }
        | rectification::ItemState::Closed { verification, .. } => Some(verification),
        rectification::ItemState::InProgress
        | rectification::ItemState::Reported { .. }
        | rectification::ItemState::Returned { .. } => None,
    };
    let closing = match &item.state {
        rectification::ItemState::Closed { closing, .. } => Some(closing),
        rectification::ItemState::InProgress
        | rectification::ItemState::Reported { .. }
        | rectification::ItemState::Returned { .. }
        | rectification::ItemState::Verified { .. } => None,
    };
    let urging_order_no = item.urged.last().and_then(|mark| {
        dossier
            .orders
            .iter()
            .find(|order| order.urging_order_id == mark.order_id)
            .map(|order| order.document.doc_no.clone())
    });
    Some(ItemSnapshot {
        item_id: item.item_id,
        finding_id: item.finding_id,
        number: finding.number,
        severity: item.severity,
        category: finding.category.clone(),
        description: finding.description.clone(),
        basis: finding.basis.clone(),
        demand: finding.demand.clone(),
        responsible_unit_name: finding.responsible_unit_name.clone(),
        state: public_state(&item.state),
        deadline_id: deadline_id(item.item_id, limit.round),
        due_on: limit.due_on(),
        due_at: limit.due_at(),
        provisional: limit.proof.provisional,
        first_due_on: first.due_on(),
        reported_at: report.map(|report| report.at),
        report: report.map(|report| report.text.clone()),
        late: item.overdue_at.is_some(),
        verified_at: verification.map(|verification| verification.at),
        verified_by: verification.and_then(|verification| dossier.name_of(verification.by)),
        closed_at: closing.map(|closing| closing.at),
        returned: i32::try_from(item.returns).unwrap_or(i32::MAX),
        urging_order_no,
    })
}

/// A returned item is again in the unit's hands: for others it is in progress, with its count of returns.
fn public_state(state: &rectification::ItemState) -> ItemState {
    match state {
        rectification::ItemState::InProgress | rectification::ItemState::Returned { .. } => ItemState::InProgress,
        rectification::ItemState::Reported { .. } => ItemState::Reported,
        rectification::ItemState::Verified { .. } => ItemState::Verified,
        rectification::ItemState::Closed { .. } => ItemState::Closed,
    }
}

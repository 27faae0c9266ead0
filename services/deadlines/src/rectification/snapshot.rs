//! The dossier as others see it.

use contracts::deadlines::{ItemSnapshot, ItemState, RectificationSnapshot, RequestFact, StepFact, StepState};
use contracts::tasks::FindingFact;
use domain::ids::{DeadlineId, ItemId};
use domain::local_time::date_zh;
use domain::rectification::{
    self, Item, Limit, Link, PlanState, Request, RequestSubject, Step, StepOutcome, Suspension,
};

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
        paused_until: dossier.rectification.suspensions.last().filter(|stop| stop.ended_at.is_none()).map(paused_until),
        steps: dossier.rectification.steps.iter().map(step_fact).collect(),
        requests: dossier.rectification.requests.iter().map(|request| request_fact(dossier, request)).collect(),
        liable_for: dossier.liable_for(),
        department_case: match dossier.rectification.link {
            Some(Link::Department { rectification_id }) => Some(rectification_id),
            Some(Link::Unit { .. }) | None => None,
        },
    }
}

fn paused_until(stop: &Suspension) -> jiff::Timestamp {
    stop.until
}

fn step_fact(step: &Step) -> StepFact {
    let (state, decided_at, note) = match &step.outcome {
        StepOutcome::Proposed => (StepState::Proposed, None, None),
        StepOutcome::Taken { decision } => (StepState::Taken, Some(decision.at), Some(&decision.note)),
        StepOutcome::Lifted { requested_by: _, decision } => {
            (StepState::Lifted, Some(decision.at), Some(&decision.note))
        }
        StepOutcome::Moot { ended_at } => (StepState::Moot, Some(*ended_at), None),
    };
    StepFact {
        proposal_id: step.proposal_id,
        level: i16::from(step.level),
        items: step.items.iter().map(|number| i32::try_from(*number).unwrap_or(i32::MAX)).collect(),
        proposed_at: step.at,
        decide_by: step.due_at,
        state,
        decided_at,
        note: note.cloned(),
    }
}

/// A request as others see it, with what it asks for in words.
pub(crate) fn request_fact(dossier: &Dossier, request: &Request) -> RequestFact {
    let (item_id, wish) = match &request.subject {
        RequestSubject::Extension { item_id, period } => (Some(*item_id), format!("延长{}", period.zh())),
        RequestSubject::Waiver { item_id } => (Some(*item_id), "免于整改".to_owned()),
        RequestSubject::Pause { pause, until } => (None, format!("{}，中止至{}", pause.zh(), date_zh(*until))),
        RequestSubject::Resume => (None, "恢复期限".to_owned()),
        RequestSubject::Lift { proposal_id } => {
            let level = dossier.rectification.step(*proposal_id).map(|step| step.level);
            let action = level.and_then(|level| {
                domain::rulebook::LadderAction::BY_LEVEL.get(usize::from(level)).map(|action| action.zh())
            });
            (None, format!("解除{}", action.unwrap_or("升级措施")))
        }
    };
    RequestFact {
        request_id: request.request_id,
        subject: request.subject.key().to_owned(),
        item_id,
        wish,
        reason: request.reason.clone(),
        requested_by: dossier.name_of(request.by),
        requested_at: request.at,
        decide_by: request.due_at,
    }
}

/// `None` only for an item without a finding or a limit, which the domain never makes.
fn item_snapshot(dossier: &Dossier, item: &Item) -> Option<ItemSnapshot> {
    let finding: &FindingFact = dossier.letter.findings.iter().find(|finding| finding.finding_id == item.finding_id)?;
    let (first, limit): (&Limit, &Limit) = (item.limits.first()?, item.limit()?);
    let report = item.state.report();
    let (verification, approvals) = match &item.state {
        rectification::ItemState::Verified { verification, approvals, .. }
        | rectification::ItemState::Closed { verification, approvals, .. } => (Some(verification), Some(approvals)),
        rectification::ItemState::InProgress
        | rectification::ItemState::Reported { .. }
        | rectification::ItemState::Returned { .. }
        | rectification::ItemState::Waived { .. } => (None, None),
    };
    let closed_at = match &item.state {
        rectification::ItemState::Closed { .. } => approvals.and_then(|all| all.last()).map(|last| last.at),
        rectification::ItemState::Waived { waiver } => Some(waiver.at),
        rectification::ItemState::InProgress
        | rectification::ItemState::Reported { .. }
        | rectification::ItemState::Returned { .. }
        | rectification::ItemState::Verified { .. } => None,
    };
    let plan_due_on = item.plan.as_ref().and_then(|plan| match plan.state {
        PlanState::Asked | PlanState::Returned { .. } | PlanState::Submitted { .. } => Some(plan.due_on),
        PlanState::Accepted { .. } => None,
    });
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
        provisional: limit.provisional,
        first_due_on: first.due_on(),
        reported_at: report.map(|report| report.at),
        report: report.map(|report| report.text.clone()),
        late: item.overdue_at.is_some(),
        verified_at: verification.map(|verification| verification.at),
        verified_by: verification.and_then(|verification| dossier.name_of(verification.by)),
        closed_at,
        returned: i32::try_from(item.returns).unwrap_or(i32::MAX),
        urging_order_no,
        phase: dossier.rectification.phase(item),
        plan_due_on,
        extensions: i32::from(item.extensions),
        reopened: i32::try_from(item.reopened).unwrap_or(i32::MAX),
        ladder_level: i16::from(item.ladder_level),
    })
}

/// A returned item is again in the unit's hands: for others it is in progress, with its count of returns.
fn public_state(state: &rectification::ItemState) -> ItemState {
    match state {
        rectification::ItemState::InProgress | rectification::ItemState::Returned { .. } => ItemState::InProgress,
        rectification::ItemState::Reported { .. } => ItemState::Reported,
        rectification::ItemState::Verified { .. } => ItemState::Verified,
        rectification::ItemState::Closed { .. } => ItemState::Closed,
        rectification::ItemState::Waived { .. } => ItemState::Waived,
    }
}

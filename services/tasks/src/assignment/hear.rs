//! From the events of `deadlines` to assignments.
//!
//! Each event carries the whole rectification with all its steps, so that a decision which comes before its proposal makes
//! the entry; the proposal then adds the facts. Of two versions the newer one stands.

use contracts::deadlines::{
    Change, ItemSnapshot, RectificationChanged, RectificationClosed, RectificationSnapshot, StepFact, StepItemFact,
    StepProposed, StepState,
};
use domain::ids::{AssignmentId, ItemId};
use domain::rectification::Phase;
use jiff::Timestamp;
use messaging::ApplyError;
use sqlx::PgConnection;

use super::look_back::{End, Ending, History, Owed};
use super::{Assignment, ItemFact, Kind, Place, Standing, State, Subject, store};

/// A step is proposed: people must decide.
pub(crate) async fn proposed(tx: &mut PgConnection, event: &StepProposed, at: Timestamp) -> Result<(), ApplyError> {
    let rectification = &event.rectification;
    steps(tx, rectification, at).await?;
    // Events from before proposals had names: a later one brings the entry.
    if event.proposal_id.as_uuid().is_nil() {
        return Ok(());
    }
    let facts: Vec<ItemFact> = event.facts.iter().map(|fact| step_fact(rectification, fact)).collect();
    if store::tell(tx, event.proposal_id, &event.article, &event.policy_facts, &facts).await? {
        Ok(())
    } else {
        Err(ApplyError::Refused(format!("the rectification has no step {}", event.proposal_id)))
    }
}

/// Everything was closed: steps that nobody decided have ended, as the snapshot says.
///
/// Look-backs begin with the close-out: they stand.
pub(crate) async fn closed(
    tx: &mut PgConnection,
    event: &RectificationClosed,
    at: Timestamp,
) -> Result<(), ApplyError> {
    steps(tx, &event.rectification, at).await
}

/// Anything else happened.
pub(crate) async fn changed(
    tx: &mut PgConnection,
    event: &RectificationChanged,
    at: Timestamp,
) -> Result<(), ApplyError> {
    let rectification = &event.rectification;
    steps(tx, rectification, at).await?;
    match &event.change {
        Change::LookBackDue { item_id, visit_by } => look_back_due(tx, rectification, *item_id, *visit_by, at).await,
        Change::LookBackPassed { item_id } => {
            let more = item(rectification, *item_id).is_some_and(|item| item.phase == Phase::LookBackDue);
            end(tx, rectification, *item_id, at, Ending::Passed { more }).await
        }
        Change::ItemReopened { item_id, reason, due_on: _ } => {
            end(tx, rectification, *item_id, at, Ending::Back { reason: reason.clone() }).await
        }
        Change::ItemWaived { item_id, reason } => {
            end(tx, rectification, *item_id, at, Ending::Waived { reason: reason.clone() }).await
        }
        Change::HandedOver { .. } => {
            Ok(store::hand_over(tx, rectification.rectification_id, &rectification.unit).await?)
        }
        // The snapshot says the rest.
        Change::PlanSubmitted { .. }
        | Change::PlanJudged { .. }
        | Change::PlanOverdue { .. }
        | Change::ProgressNoted { .. }
        | Change::ItemExtended { .. }
        | Change::RequestMade { .. }
        | Change::RequestDecided { .. }
        | Change::Paused { .. }
        | Change::Resumed { .. }
        | Change::Recounted { .. }
        | Change::StepTaken { .. }
        | Change::StepLifted { .. }
        | Change::StepMoot { .. }
        | Change::RequestMoot { .. }
        | Change::ConsultationSent { .. }
        | Change::ConsultationAnswered { .. }
        | Change::CloseOutApproved { .. }
        | Change::CloseOutRefused { .. }
        | Change::DutyOverdue { .. } => Ok(()),
    }
}

/// Brings every step of the rectification to where this version has it.
async fn steps(tx: &mut PgConnection, rectification: &RectificationSnapshot, at: Timestamp) -> Result<(), ApplyError> {
    for step in &rectification.steps {
        let Some(kind) = Kind::of_level(step.level) else {
            return Err(ApplyError::Refused(format!("level {} of the ladder is none that people decide", step.level)));
        };
        let subject = Subject::Step { proposal_id: step.proposal_id, level: step.level, kind };
        let assignment = Assignment {
            item_numbers: step.items.clone(),
            since: step.proposed_at,
            ..assignment(
                AssignmentId::derived(&["step", &step.proposal_id.to_string()]),
                subject,
                rectification,
                step_standing(rectification, step, at),
            )
        };
        store::save_step(tx, &assignment).await?;
    }
    Ok(())
}

fn step_standing(rectification: &RectificationSnapshot, step: &StepFact, at: Timestamp) -> Standing {
    let done_at = Some(step.decided_at.unwrap_or(at));
    let (state, done_at) = match step.state {
        StepState::Proposed => (State::Open, None),
        StepState::Taken => (State::Done, done_at),
        StepState::Lifted => (State::Lifted, done_at),
        StepState::Moot => (State::Moot, done_at),
    };
    Standing { version: rectification.version, state, due: step.decide_by, done_at, note: step.note.clone() }
}

async fn look_back_due(
    tx: &mut PgConnection,
    rectification: &RectificationSnapshot,
    item_id: ItemId,
    visit_by: Timestamp,
    at: Timestamp,
) -> Result<(), ApplyError> {
    let Some(item) = item(rectification, item_id) else {
        return Err(ApplyError::Refused(format!("the rectification has no item {item_id}")));
    };
    let version = rectification.version;
    let mut history = store::look_backs_for_update(tx, item_id).await?;
    history.owe(Owed { version, visit_by });
    let standing = Standing { version, state: State::Open, due: visit_by, done_at: None, note: None };
    let assignment = Assignment {
        item_numbers: vec![item.number],
        since: at,
        facts: vec![item_fact(item)],
        ..assignment(look_back_id(item_id, visit_by), Subject::LookBack { item_id }, rectification, standing)
    };
    store::save_look_back(tx, &assignment).await?;
    settle(tx, item_id, &history).await
}

async fn end(
    tx: &mut PgConnection,
    rectification: &RectificationSnapshot,
    item_id: ItemId,
    at: Timestamp,
    what: Ending,
) -> Result<(), ApplyError> {
    let mut history = store::look_backs_for_update(tx, item_id).await?;
    history.end(End { version: rectification.version, at, what });
    settle(tx, item_id, &history).await
}

/// Writes down what was heard, and where that leaves each look-back.
async fn settle(tx: &mut PgConnection, item_id: ItemId, history: &History) -> Result<(), ApplyError> {
    store::save_look_backs(tx, item_id, history).await?;
    for standing in history.standings() {
        store::set_standing(tx, look_back_id(item_id, standing.due), &standing).await?;
    }
    Ok(())
}

fn look_back_id(item_id: ItemId, visit_by: Timestamp) -> AssignmentId {
    AssignmentId::derived(&["look_back", &item_id.to_string(), &visit_by.to_string()])
}

fn item(rectification: &RectificationSnapshot, item_id: ItemId) -> Option<&ItemSnapshot> {
    rectification.items.iter().find(|item| item.item_id == item_id)
}

fn assignment(
    assignment_id: AssignmentId,
    subject: Subject,
    rectification: &RectificationSnapshot,
    standing: Standing,
) -> Assignment {
    Assignment {
        assignment_id,
        subject,
        rectification_id: rectification.rectification_id,
        case_id: rectification.case_id,
        case_title: rectification.case_title.clone(),
        letter_no: rectification.letter.doc_no.clone(),
        unit: Place::from(&rectification.unit),
        item_numbers: Vec::new(),
        since: standing.due,
        standing,
        article: None,
        policy_facts: Vec::new(),
        facts: Vec::new(),
    }
}

fn item_fact(item: &ItemSnapshot) -> ItemFact {
    ItemFact {
        item_id: item.item_id,
        number: item.number,
        severity: item.severity,
        category: item.category.clone(),
        description: item.description.clone(),
        demand: item.demand.clone(),
        was_due_on: None,
        days_late: None,
        urging_order_no: item.urging_order_no.clone(),
        returned: item.returned,
        extensions: item.extensions,
        reopened: item.reopened,
        closed_at: item.closed_at,
        verified_by: item.verified_by.clone(),
    }
}

/// Why the item reached the step, with what was found.
fn step_fact(rectification: &RectificationSnapshot, fact: &StepItemFact) -> ItemFact {
    let known = item(rectification, fact.item_id);
    let text = |of: fn(&ItemSnapshot) -> &String| known.map(of).cloned().unwrap_or_default();
    ItemFact {
        item_id: fact.item_id,
        number: fact.number,
        severity: fact.severity,
        category: text(|item| &item.category),
        description: text(|item| &item.description),
        demand: text(|item| &item.demand),
        was_due_on: Some(fact.was_due_on),
        days_late: Some(fact.days_late),
        urging_order_no: fact.urging_order_no.clone(),
        returned: fact.returned,
        extensions: fact.extensions,
        reopened: fact.reopened,
        closed_at: None,
        verified_by: None,
    }
}

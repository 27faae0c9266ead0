//! Domain events → contract events: what the journal keeps and the others hear.

use std::collections::BTreeMap;

use contracts::deadlines::{
    ArmedStep, Change as What, ItemClosed, ItemReported, ItemReturned, ItemVerified, ItemsOverdue,
    RectificationChanged, RectificationClosed, RectificationOpened, ReminderDue, StepItemFact, StepProposed,
    UrgingOrderIssued, VerificationOverdue,
};
use contracts::{Actor, Event};
use domain::calendar::Calendar;
use domain::ids::ItemId;
use domain::local_time::local_date;
use domain::rectification::{EscalatedItem, RectificationEvent};
use domain::rulebook::Duty;
use jiff::ToSpan as _;
use jiff::civil::Date;
use messaging::append_all;
use postgres::Tx;

use super::dossier::Dossier;
use super::snapshot::{request_fact, snapshot};
use crate::document::Papers;

/// A dossier after a change, with what happened.
pub(crate) struct Change<'a> {
    pub(crate) dossier: &'a Dossier,
    pub(crate) version: i64,
    pub(crate) events: &'a [RectificationEvent],
    /// The calendar of the unit's place, for the working days that a reminder names.
    pub(crate) calendar: &'a Calendar,
}

/// Events by type, so that a storm is written with one statement for each type.
#[derive(Default)]
struct Outgoing {
    opened: Vec<RectificationOpened>,
    reminders: Vec<ReminderDue>,
    overdue: Vec<ItemsOverdue>,
    orders: Vec<UrgingOrderIssued>,
    proposed: Vec<StepProposed>,
    verification_overdue: Vec<VerificationOverdue>,
    changed: Vec<RectificationChanged>,
    reported: Vec<ItemReported>,
    verified: Vec<ItemVerified>,
    returned: Vec<ItemReturned>,
    closed: Vec<ItemClosed>,
    completed: Vec<RectificationClosed>,
}

/// Journals everything that happened to these dossiers.
pub(crate) async fn publish(tx: &mut Tx, actor: &Actor, changes: &[Change<'_>]) -> Result<(), sqlx::Error> {
    publish_with(tx, actor, changes, &Papers::default()).await
}

/// The same, with the papers that were issued for what was closed.
pub(crate) async fn publish_with(
    tx: &mut Tx,
    actor: &Actor,
    changes: &[Change<'_>],
    papers: &Papers,
) -> Result<(), sqlx::Error> {
    let mut outgoing = Outgoing::default();
    let today = local_date(tx.at());
    for change in changes {
        outgoing.add(change, today);
    }
    for closed in &mut outgoing.closed {
        closed.approval = papers.of(closed.rectification.rectification_id, Some(closed.item_id));
    }
    for completed in &mut outgoing.completed {
        completed.acceptance = papers.of(completed.rectification.rectification_id, None);
    }
    append(tx, actor, &outgoing.opened).await?;
    append(tx, actor, &outgoing.reminders).await?;
    append(tx, actor, &outgoing.overdue).await?;
    append(tx, actor, &outgoing.orders).await?;
    append(tx, actor, &outgoing.proposed).await?;
    append(tx, actor, &outgoing.verification_overdue).await?;
    append(tx, actor, &outgoing.changed).await?;
    append(tx, actor, &outgoing.reported).await?;
    append(tx, actor, &outgoing.verified).await?;
    append(tx, actor, &outgoing.returned).await?;
    append(tx, actor, &outgoing.closed).await?;
    append(tx, actor, &outgoing.completed).await
}

async fn append<E: Event>(tx: &mut Tx, actor: &Actor, events: &[E]) -> Result<(), sqlx::Error> {
    if !events.is_empty() {
        append_all(tx, actor, events).await?;
    }
    Ok(())
}

/// Working days after today up to the last day.
fn working_days_left(calendar: &Calendar, today: Date, due_on: Date) -> i32 {
    let days = today.series(1.day()).skip(1).take_while(|day| *day <= due_on).filter(|day| calendar.is_working(*day));
    i32::try_from(days.count()).unwrap_or(i32::MAX)
}

impl Outgoing {
    fn add(&mut self, change: &Change<'_>, today: Date) {
        let rectification = || snapshot(change.dossier, change.version);
        let mut overdue = Vec::new();
        for event in change.events {
            match event {
                RectificationEvent::Opened { items: _ } => {
                    self.opened.push(RectificationOpened { rectification: rectification() });
                }
                RectificationEvent::RemindersDue { items } => {
                    let mut by_day: BTreeMap<Date, Vec<ItemId>> = BTreeMap::new();
                    for item in items {
                        by_day.entry(item.due_on).or_default().push(item.item_id);
                    }
                    self.reminders.extend(by_day.into_iter().map(|(due_on, item_ids)| ReminderDue {
                        rectification: rectification(),
                        item_ids,
                        due_on,
                        working_days_left: working_days_left(change.calendar, today, due_on),
                    }));
                }
                RectificationEvent::ItemOverdue { item_id, due_at: _, due_on: _ } => overdue.push(*item_id),
                RectificationEvent::UrgingOrderIssued { order } => {
                    self.orders.push(UrgingOrderIssued {
                        rectification: rectification(),
                        urging_order_id: order.order_id,
                        next_step: ArmedStep { level: i16::from(order.next_level), fires_at: order.next_level_at },
                    });
                }
                RectificationEvent::EscalationProposed { proposal } => self.proposed.push(StepProposed {
                    rectification: rectification(),
                    level: i16::from(proposal.level),
                    item_ids: proposal.items.iter().map(|item| item.item_id).collect(),
                    proposal_id: proposal.proposal_id,
                    decide_by: proposal.decide_by,
                    article: proposal.article.clone(),
                    policy_facts: proposal.facts.clone(),
                    facts: proposal.items.iter().map(|item| step_fact(change.dossier, item)).collect(),
                }),
                RectificationEvent::DutyOverdue {
                    duty: Duty::Verification,
                    item_id: Some(item_id),
                    due_at,
                    times: 1,
                } => {
                    self.verification_overdue.push(VerificationOverdue {
                        rectification: rectification(),
                        item_id: *item_id,
                        due_at: *due_at,
                    });
                }
                RectificationEvent::ItemReported { item_id, .. } => {
                    self.reported.push(ItemReported { rectification: rectification(), item_id: *item_id });
                }
                RectificationEvent::ItemVerified { item_id, .. } => {
                    self.verified.push(ItemVerified { rectification: rectification(), item_id: *item_id });
                }
                RectificationEvent::ItemReturned { item_id, reason, .. } => self.returned.push(ItemReturned {
                    rectification: rectification(),
                    item_id: *item_id,
                    reason: reason.clone(),
                }),
                RectificationEvent::ItemClosedOut { item_id, .. } => {
                    self.closed.push(ItemClosed { rectification: rectification(), item_id: *item_id, approval: None });
                }
                RectificationEvent::Completed { at: _ } => {
                    self.completed.push(RectificationClosed { rectification: rectification(), acceptance: None });
                }
                other => {
                    if let Some(what) = what(change.dossier, other) {
                        self.changed.push(RectificationChanged { rectification: rectification(), change: what });
                    }
                }
            }
        }
        if !overdue.is_empty() {
            self.overdue.push(ItemsOverdue { rectification: rectification(), item_ids: overdue });
        }
    }
}

fn step_fact(dossier: &Dossier, item: &EscalatedItem) -> StepItemFact {
    let order = item.order_id.and_then(|id| dossier.orders.iter().find(|order| order.urging_order_id == id));
    StepItemFact {
        item_id: item.item_id,
        number: i32::try_from(item.number).unwrap_or(i32::MAX),
        severity: item.severity,
        was_due_on: item.was_due_on,
        days_late: item.days_late,
        urging_order_no: order.map(|order| order.document.doc_no.clone()),
        returned: i32::try_from(item.returns).unwrap_or(i32::MAX),
        extensions: i32::from(item.extensions),
        reopened: i32::try_from(item.reopened).unwrap_or(i32::MAX),
    }
}

/// What the general event says; nothing for what has an event of its own.
fn what(dossier: &Dossier, event: &RectificationEvent) -> Option<What> {
    Some(match event {
        RectificationEvent::PlanSubmitted { item_id, late, .. } => {
            What::PlanSubmitted { item_id: *item_id, late: *late }
        }
        RectificationEvent::PlanJudged { item_id, accepted, due_on, .. } => {
            What::PlanJudged { item_id: *item_id, accepted: *accepted, due_on: *due_on }
        }
        RectificationEvent::PlanOverdue { item_id, due_on, .. } => {
            What::PlanOverdue { item_id: *item_id, due_on: *due_on }
        }
        RectificationEvent::ProgressNoted { item_id, text, .. } => {
            What::ProgressNoted { item_id: *item_id, text: text.clone() }
        }
        RectificationEvent::ItemExtended { item_id, limit, .. } => {
            What::ItemExtended { item_id: *item_id, due_on: limit.due_on() }
        }
        RectificationEvent::RequestMade { request } => What::RequestMade { request: request_fact(dossier, request) },
        RectificationEvent::RequestDecided { request, granted, note, .. } => {
            What::RequestDecided { request: request_fact(dossier, request), granted: *granted, note: note.clone() }
        }
        RectificationEvent::Paused { reason, until, .. } => What::Paused { reason: *reason, until: *until },
        RectificationEvent::Resumed { at, .. } => What::Resumed { since: *at },
        RectificationEvent::Recounted { items, .. } => What::Recounted { items: items.clone() },
        RectificationEvent::StepTaken { proposal_id, level, note, .. } => {
            What::StepTaken { proposal_id: *proposal_id, level: i16::from(*level), note: note.clone() }
        }
        RectificationEvent::StepLifted { proposal_id, level, reason, .. } => {
            What::StepLifted { proposal_id: *proposal_id, level: i16::from(*level), reason: reason.clone() }
        }
        RectificationEvent::StepMoot { proposal_id, level, at: _ } => {
            What::StepMoot { proposal_id: *proposal_id, level: i16::from(*level) }
        }
        RectificationEvent::RequestMoot { request, at: _ } => {
            What::RequestMoot { request: request_fact(dossier, request) }
        }
        RectificationEvent::ConsultationSent { item_id, office, due_at, .. } => {
            What::ConsultationSent { item_id: *item_id, office: office.clone(), due_at: *due_at }
        }
        RectificationEvent::ConsultationAnswered { item_id, .. } => What::ConsultationAnswered { item_id: *item_id },
        RectificationEvent::ItemWaived { item_id, reason, .. } => {
            What::ItemWaived { item_id: *item_id, reason: reason.clone() }
        }
        RectificationEvent::CloseOutApproved { item_id, given, .. } => {
            What::CloseOutApproved { item_id: *item_id, given: *given }
        }
        RectificationEvent::CloseOutRefused { item_id, reason, .. } => {
            What::CloseOutRefused { item_id: *item_id, reason: reason.clone() }
        }
        RectificationEvent::LookBackDue { item_id, visit_by, .. } => {
            What::LookBackDue { item_id: *item_id, visit_by: *visit_by }
        }
        RectificationEvent::LookBackPassed { item_id, .. } => What::LookBackPassed { item_id: *item_id },
        RectificationEvent::ItemReopened { item_id, reason, limit, .. } => {
            What::ItemReopened { item_id: *item_id, reason: reason.clone(), due_on: limit.due_on() }
        }
        RectificationEvent::DutyOverdue { duty, item_id, due_at, times } => {
            What::DutyOverdue { duty: *duty, item_id: *item_id, due_at: *due_at, times: *times }
        }
        RectificationEvent::Opened { .. }
        | RectificationEvent::RemindersDue { .. }
        | RectificationEvent::ItemOverdue { .. }
        | RectificationEvent::UrgingOrderIssued { .. }
        | RectificationEvent::EscalationProposed { .. }
        | RectificationEvent::DepartmentHeldLiable { .. }
        | RectificationEvent::ItemReported { .. }
        | RectificationEvent::ItemVerified { .. }
        | RectificationEvent::ItemReturned { .. }
        | RectificationEvent::ItemClosedOut { .. }
        | RectificationEvent::Completed { .. } => return None,
    })
}

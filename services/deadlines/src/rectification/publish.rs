//! Domain events → contract events: what the journal keeps and the others hear.

use std::collections::BTreeMap;

use contracts::deadlines::{
    ArmedStep, ItemClosed, ItemReported, ItemReturned, ItemVerified, ItemsOverdue, RectificationClosed,
    RectificationOpened, ReminderDue, StepProposed, UrgingOrderIssued, VerificationOverdue,
};
use contracts::{Actor, Event};
use domain::calendar::Calendar;
use domain::ids::ItemId;
use domain::local_time::local_date;
use domain::rectification::RectificationEvent;
use jiff::ToSpan as _;
use jiff::civil::Date;
use messaging::append_all;
use postgres::Tx;

use super::dossier::Dossier;
use super::snapshot::snapshot;

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
    reported: Vec<ItemReported>,
    verified: Vec<ItemVerified>,
    returned: Vec<ItemReturned>,
    closed: Vec<ItemClosed>,
    completed: Vec<RectificationClosed>,
}

/// Journals everything that happened to these dossiers.
pub(crate) async fn publish(tx: &mut Tx, actor: &Actor, changes: &[Change<'_>]) -> Result<(), sqlx::Error> {
    let mut outgoing = Outgoing::default();
    let today = local_date(tx.at());
    for change in changes {
        outgoing.add(change, today);
    }
    append(tx, actor, &outgoing.opened).await?;
    append(tx, actor, &outgoing.reminders).await?;
    append(tx, actor, &outgoing.overdue).await?;
    append(tx, actor, &outgoing.orders).await?;
    append(tx, actor, &outgoing.proposed).await?;
    append(tx, actor, &outgoing.verification_overdue).await?;
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
                    if let Some(fact) = change.dossier.orders.iter().find(|fact| fact.urging_order_id == order.order_id)
                    {
                        self.orders.push(UrgingOrderIssued {
                            rectification: rectification(),
                            order: fact.clone(),
                            next_step: ArmedStep { level: i16::from(order.next_level), fires_at: order.next_level_at },
                        });
                    }
                }
                RectificationEvent::EscalationProposed { proposal } => self.proposed.push(StepProposed {
                    rectification: rectification(),
                    level: i16::from(proposal.level),
                    item_ids: proposal.items.iter().map(|item| item.item_id).collect(),
                }),
                RectificationEvent::VerificationOverdue { item_id, due_at } => {
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
                // Extension has no public event yet: the act itself is not offered by this version.
                RectificationEvent::ItemExtended { .. } => {}
                RectificationEvent::ItemClosedOut { item_id, .. } => {
                    self.closed.push(ItemClosed { rectification: rectification(), item_id: *item_id });
                }
                RectificationEvent::Completed { at: _ } => {
                    self.completed.push(RectificationClosed { rectification: rectification() });
                }
            }
        }
        if !overdue.is_empty() {
            self.overdue.push(ItemsOverdue { rectification: rectification(), item_ids: overdue });
        }
    }
}

//! What moves deliveries besides senders: sending hours that begin, digests whose time has come, legal messages that have not
//! arrived in time.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use postgres::Database;
use service_kit::{Round, Worker};

use super::{collect_due, plan::Plan, store};
use crate::{message::Telling, rules::Channel};

const PERIOD: Duration = Duration::from_secs(1);
/// Deliveries in one transaction.
const BATCH: i64 = 2_000;

/// The worker.
pub fn upkeep_worker(database: Database, telling: Arc<Telling>) -> Worker {
    Worker::every("delivery-upkeep", PERIOD, move || {
        let (database, telling) = (database.clone(), Arc::clone(&telling));
        async move {
            let moved = release_held(&database).await?
                + fall_back_slow(&database, &telling).await?
                + collect_due(&database, &telling).await?;
            Ok(if moved == 0 { Round::Done } else { Round::More })
        }
    })
}

/// Lets go what may leave now; returns how many.
pub async fn release_held(database: &Database) -> Result<u64, sqlx::Error> {
    let mut tx = database.begin().await?;
    let released = store::release(&mut tx, BATCH).await?;
    tx.commit().await?;
    Ok(released)
}

/// Sends legal messages that have not arrived in time by the next way as well; returns how many were looked at.
pub async fn fall_back_slow(database: &Database, telling: &Telling) -> Result<u64, sqlx::Error> {
    let mut tx = database.begin().await?;
    let at = tx.at();
    let rules = &telling.rules;
    let waited = SignedDuration::try_from(rules.fall_back_after()).unwrap_or(SignedDuration::MAX);
    let Ok(since) = at.checked_sub(waited) else { return Ok(0) };
    let mut looked_at = 0;
    for channel in [Channel::Mail, Channel::Sms] {
        let Some(next) = rules.way_after(channel) else { continue };
        let slow = store::lock_slow(&mut tx, channel, since, BATCH).await?;
        let ids: Vec<_> = slow.iter().map(|slow| slow.delivery_id).collect();
        let reachable = slow.iter().filter(|slow| match next {
            Channel::Mail => slow.email.is_some(),
            Channel::Sms => slow.phone.is_some(),
            Channel::InApp | Channel::Webhook | Channel::Wecom | Channel::Dingtalk => false,
        });
        let plans: Vec<Plan> = reachable
            .map(|slow| {
                let leaves = rules.may_leave(next, slow.county_code.as_deref(), slow.urgent, at);
                Plan::leaving(slow.message_id, next, leaves, at)
            })
            .collect();
        store::insert(&mut tx, &plans).await?;
        store::mark_fallen_back(&mut tx, &ids).await?;
        looked_at += u64::try_from(ids.len()).unwrap_or(u64::MAX);
    }
    tx.commit().await?;
    Ok(looked_at)
}

//! Telling those who were not there yet: a unit that had no account when it had to be told is told as soon as it has one.
//!
//! A reconciler, not a reaction to the account's event: that event and the matter's may be applied at the same moment, in
//! transactions that do not see each other.

use std::{sync::Arc, time::Duration};

use postgres::Database;
use service_kit::{Round, Worker};

use super::{
    Matter, Telling,
    store::{self, Reachable},
    tell::{Notice, Post, TellError},
};
use crate::directory;

const PERIOD: Duration = Duration::from_secs(3);
/// Messages in one transaction.
const BATCH: i64 = 50;

/// The worker.
pub fn catch_up_worker(database: Database, telling: Arc<Telling>) -> Worker {
    Worker::every("catch-up", PERIOD, move || {
        let (database, telling) = (database.clone(), Arc::clone(&telling));
        async move {
            let told = catch_up(&database, &telling).await?;
            Ok(if told == 0 { Round::Done } else { Round::More })
        }
    })
}

/// Tells what can be told now; returns how many messages were settled.
pub async fn catch_up(database: &Database, telling: &Telling) -> Result<usize, TellError> {
    let mut tx = database.begin().await?;
    let due = store::lock_reachable(&mut tx, BATCH).await?;
    let at = tx.at();
    for Reachable { unreached, matter } in &due {
        let accounts = directory::store::awaited(&mut tx, &unreached.awaited_roles, unreached.awaited_unit_id).await?;
        let people = directory::store::people(&mut tx, &accounts).await?;
        let rule = telling.rules.of(unreached.template);
        let rule = rule.ok_or_else(|| TellError::Unfit("it has no rule".to_owned()))?;
        let matter: Option<Matter> = match matter {
            Some(facts) => Some(serde_json::from_str(facts).map_err(|error| TellError::Unfit(error.to_string()))?),
            None => None,
        };
        let notice = Notice { id: unreached.notice_id, rule, matter: matter.as_ref(), created_at: at };
        let mut post = Post::new(telling, at);
        for person in &people {
            post.add_person(&notice, person, unreached.capacity, &unreached.channels)?;
        }
        post.send(&mut tx).await?;
        store::mark_reached(&mut tx, unreached).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}

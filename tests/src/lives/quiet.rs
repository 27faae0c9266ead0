//! Waiting until nothing moves any more: everything journalled is published and applied, nothing is due, nothing waits to be
//! sent.

use std::time::{Duration, Instant};

use crate::world::World;
use anyhow::bail;

use super::flow::{self, CONSUMERS, JOURNALS};
use super::people;
use crate::say::Say;

/// Generous: a machine with two busy cores and services that have just been shot.
const LIMIT: Duration = Duration::from_mins(8);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What is still missing is said this often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Waits.
pub async fn wait(world: &World, say: &Say) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut said = Instant::now();
    loop {
        // A look that fails is a server that is just coming back.
        let moving = look(world).await.unwrap_or_else(|error| format!("{error:#}"));
        if moving.is_empty() {
            return Ok(());
        }
        if began.elapsed() > LIMIT {
            bail!("not quiet within {} s: {moving}", LIMIT.as_secs());
        }
        if said.elapsed() > SAY_EVERY {
            say.it(&format!("not quiet yet: {moving}"));
            said = Instant::now();
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The first thing that still moves, or nothing.
async fn look(world: &World) -> anyhow::Result<String> {
    let count = |service: &'static str, query: &'static str| world.db.count(service, query, &[]);
    let due = "SELECT count(*) AS n FROM rectifications WHERE next_timer_at <= messaging.legal_now()";
    if let n @ 1.. = count("deadlines", due).await? {
        return Ok(format!("{n} rectifications are due in deadlines"));
    }
    for service in JOURNALS {
        let database = people::connect(world, service).await?;
        let lag = messaging::lag(&database).await?;
        database.pool().close().await;
        if lag > 0 {
            return Ok(format!("{lag} events of {service} are not published"));
        }
    }
    let events = flow::journalled(world).await?;
    for consumer in CONSUMERS {
        let missing = consumer.wanted(&events).difference(&consumer.applied(world).await?).count();
        if missing > 0 {
            return Ok(format!("{} has still to apply {missing} events", consumer.name));
        }
    }
    let waiting = "SELECT count(*) AS n FROM messages WHERE state IN ('held', 'ready')";
    if let n @ 1.. = count("exchange", waiting).await? {
        return Ok(format!("{n} messages wait in exchange"));
    }
    if let n @ 1.. = count("notifications", "SELECT count(*) AS n FROM untold").await? {
        return Ok(format!("{n} notices have still to be told"));
    }
    let untold = "SELECT count(*) AS n FROM unreached WHERE reached_at IS NULL";
    if let n @ 1.. = count("notifications", untold).await? {
        return Ok(format!("{n} units have still to be told"));
    }
    let waiting = "SELECT count(*) AS n FROM deliveries WHERE state IN ('queued', 'sending')";
    if let n @ 1.. = count("notifications", waiting).await? {
        return Ok(format!("{n} mails wait in notifications"));
    }
    Ok(String::new())
}

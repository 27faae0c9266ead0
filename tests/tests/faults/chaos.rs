//! What is shot, and when.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use local_stack::SERVICES;
use tests::world::World;

use tests::lives::Size;
use tests::say::Say;

use crate::chance::Chance;

/// Shots at each service while the lives are lived.
const SHOTS: usize = 2;
/// How long a shot waits for the moment that chance chose; then it falls anyway.
const PATIENCE: Duration = Duration::from_mins(5);

/// A blow.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// kill -9 of a service.
    Service(&'static str),
    /// kill -9 of the national platform's simulator.
    Platform,
    /// kill -9 of the broker; its storage stays.
    Broker,
    /// kill -9 of the broker, and its storage is wiped.
    Wipe,
    /// kill -9 of PostgreSQL.
    Database,
    /// PostgreSQL is stopped fast and started again.
    DatabaseRestart,
}

async fn strike(world: &World, blow: Blow) -> anyhow::Result<()> {
    match blow {
        Blow::Service(name) => world.stack().process(name)?.kill().await,
        Blow::Platform => world.simulator("national-platform")?.kill().await,
        Blow::Broker => world.stack().nats().process().kill().await,
        Blow::Wipe => world.stack().nats().wipe().await?,
        Blow::Database => world.stack().postgres().process().kill().await,
        Blow::DatabaseRestart => world.stack().postgres().process().restart().await?,
    }
    Ok(())
}

/// Shoots at moments of the lives that chance chooses: each service twice, the broker and the database as well, and in the
/// middle the broker's storage is wiped. Returns when everything stands again.
pub async fn during(world: &World, size: &Size, progress: &AtomicUsize, steps: usize, say: &Say) -> anyhow::Result<()> {
    let mut chance = Chance::new(size.seed);
    let mut blows: Vec<Blow> = SERVICES
        .into_iter()
        .filter(|name| world.stack().process(name).is_ok())
        .flat_map(|name| [Blow::Service(name); SHOTS])
        .collect();
    blows.extend([Blow::Broker, Blow::Database, Blow::DatabaseRestart, Blow::Platform]);
    chance.shuffle(&mut blows);
    blows.insert(blows.len() / 2, Blow::Wipe);
    let mut moments: Vec<u64> = blows.iter().map(|_| chance.below(steps as u64 * 9 / 10)).collect();
    moments.sort_unstable();
    for (blow, moment) in blows.into_iter().zip(moments) {
        let reached = async {
            while (progress.load(Ordering::Relaxed) as u64) < moment {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.ok();
        // Not always at the same point between two steps.
        tokio::time::sleep(Duration::from_millis(chance.below(100))).await;
        say.it(&format!("{blow:?} at step {} of {steps}", progress.load(Ordering::Relaxed)));
        strike(world, blow).await?;
    }
    stand_again(world).await
}

/// Shoots while everything that is late takes effect.
pub async fn while_firing(world: &World, size: &Size, say: &Say) -> anyhow::Result<()> {
    let mut chance = Chance::new(size.seed ^ 0xff);
    let mut blows = vec![
        Blow::Service("deadlines"),
        Blow::Database,
        Blow::Service("exchange"),
        Blow::Service("notifications"),
        Blow::Wipe,
    ];
    chance.shuffle(&mut blows);
    // The first one hits the firing itself.
    blows.insert(0, Blow::Service("deadlines"));
    for blow in blows {
        tokio::time::sleep(Duration::from_millis(200 + chance.below(800))).await;
        say.it(&format!("{blow:?} while firing"));
        strike(world, blow).await?;
    }
    stand_again(world).await
}

async fn stand_again(world: &World) -> anyhow::Result<()> {
    world.stack().all_ready().await?;
    world.simulator("national-platform")?.ready().await?;
    Ok(())
}

//! Loss of one replica of everything: two processes of each service behind its door, a broker of three servers with a copy of
//! each stream on each, PostgreSQL with a synchronous standby. One of each is shot under load and stays away for a while; of
//! PostgreSQL it is the primary: the standby is promoted and the door led to it, as the operator of PostgreSQL does on a cluster.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use local_stack::{Postgres, PostgresOptions, SERVICES, Tools, workspace_root};

use super::{Ground, Report};
use crate::lives::{Lives, flow};
use crate::world::wait::until_true;
use crate::world::{World, WorldOptions};

/// Steps that people take while something is away.
const STEPS: usize = 8;

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    // What a standby that is away for a moment still needs is kept.
    let postgres = vec!["wal_keep_size=256MB".to_owned()];
    let options = WorldOptions { postgres, behind_doors: 2, broker_cluster: true, ..ground.world() };
    let (world, people) = ground.start(options).await?;
    let standby = standby(ground, &world).await?;
    copies_are_there(&world).await?;
    ground.say.it("two of each service, three of the broker, a synchronous standby");

    let lives = Lives::new(&world, &people, &ground.size)?;
    // Each loss has people of its own: those of the one before may all have come to their end.
    let share = ground.size.rectifications / 3;
    ground.under_load_of(&lives, share, async |_| lose_services(ground, &world, &lives, &mut report).await).await?;
    ground
        .under_load_of(&lives, share, async |_| Box::pin(lose_brokers(ground, &world, &lives, &mut report)).await)
        .await?;
    ground
        .under_load_of(&lives, share, async |_| {
            ground.steps(&lives, STEPS).await?;
            lose_primary(ground, &world, &lives, &standby, &mut report).await
        })
        .await?;
    ground.prove(&world, &lives, &mut report).await?;
    world.stop().await;
    standby.process().terminate().await;
    Ok(report)
}

/// A standby without which nothing commits.
async fn standby(ground: &Ground, world: &World) -> anyhow::Result<Postgres> {
    let primary = world.stack().postgres();
    let folder = ground.folder.join("standby");
    primary.base_backup(&folder).await?;
    primary.make_standby(&folder, "standby", primary.port())?;
    let tools = Tools::find(&workspace_root())?;
    let standby = Postgres::start(&folder, &PostgresOptions::new(tools.pg_bin)).await?;
    let mut connection = world.administrator("postgres").await?;
    sqlx::query("ALTER SYSTEM SET synchronous_standby_names = 'standby'").execute(&mut connection).await?;
    sqlx::query("SELECT pg_reload_conf()").execute(&mut connection).await?;
    until_true("the standby is synchronous", || async {
        let mut connection = world.administrator("postgres").await?;
        let state: Option<String> =
            sqlx::query_scalar("SELECT sync_state FROM pg_stat_replication").fetch_optional(&mut connection).await?;
        Ok(state.as_deref() == Some("sync"))
    })
    .await?;
    Ok(standby)
}

/// Waits until each stream has a current copy on each server of the broker.
async fn copies_are_there(world: &World) -> anyhow::Result<()> {
    let servers = world.stack().brokers().len();
    until_true("each stream has all its copies", || async {
        let broker = world.jetstream().await?;
        for service in flow::JOURNALS {
            let mut stream = broker.get_stream(contracts::subjects::stream("", service)).await?;
            let cluster = stream.info().await?.cluster.clone().context("no cluster")?;
            let current = cluster.replicas.iter().filter(|copy| copy.current && !copy.offline).count();
            if cluster.leader.is_none() || current + 1 < servers {
                return Ok(false);
            }
        }
        Ok(true)
    })
    .await
}

/// How people fared since an instant: so many not served at first, and between the first and the last of them so long.
fn fared(lives: &Lives<'_>, since: Instant) -> (usize, Duration) {
    let troubles: Vec<Instant> = lives.troubles().iter().map(|one| one.at).filter(|at| *at >= since).collect();
    let span = troubles.first().zip(troubles.last()).map_or(Duration::ZERO, |(first, last)| *last - *first);
    (troubles.len(), span)
}

async fn lose_services(ground: &Ground, world: &World, lives: &Lives<'_>, report: &mut Report) -> anyhow::Result<()> {
    let began = Instant::now();
    for (turn, service) in SERVICES.into_iter().enumerate() {
        let process = world.replica(service, turn % 2)?;
        process.take_down().await;
        ground.steps_or_end(lives, STEPS).await?;
        process.bring_up().await?;
        let door = world.doors()?.service(service)?;
        until_true("both processes are ready", || async { Ok(door.open_targets() == 2) }).await?;
    }
    let (troubles, _) = fared(lives, began);
    report.phase("九个服务各失一副本 one of each service, in turn", began.elapsed());
    report
        .note(format!("services: {troubles} requests were not served at first while one of two was shot, nine times"));
    Ok(())
}

async fn lose_brokers(ground: &Ground, world: &World, lives: &Lives<'_>, report: &mut Report) -> anyhow::Result<()> {
    let began = Instant::now();
    for broker in world.stack().brokers() {
        broker.process().take_down().await;
        ground.steps_or_end(lives, STEPS).await?;
        broker.process().bring_up().await?;
        copies_are_there(world).await?;
    }
    let (troubles, _) = fared(lives, began);
    report.phase("消息服务器各失一台 one of three brokers, in turn", began.elapsed());
    report.note(format!("broker: {troubles} requests were not served at first"));
    Ok(())
}

async fn lose_primary(
    ground: &Ground,
    world: &World,
    lives: &Lives<'_>,
    standby: &Postgres,
    report: &mut Report,
) -> anyhow::Result<()> {
    ground.say.it("the primary is shot");
    let began = Instant::now();
    world.stack().postgres().process().take_down().await;
    let mut connection = standby.connect("postgres").await?;
    sqlx::query("SELECT pg_promote()").execute(&mut connection).await?;
    world.doors()?.database().lead_to(SocketAddr::from((Ipv4Addr::LOCALHOST, standby.port())));
    let mut inside = world.administrator("tasks").await?;
    // Takes a write: the transaction gets a number.
    sqlx::query("SELECT pg_current_xact_id()").execute(&mut inside).await?;
    report.phase("备库提升 standby promoted", began.elapsed());
    ground.steps(lives, STEPS).await?;
    report.phase("主库丢失后重新服务 people served again", began.elapsed());
    let (troubles, span) = fared(lives, began);
    report.note(format!(
        "PostgreSQL: {troubles} requests were not served at first, within {:.1} s (on a cluster add the time until the loss is \
         noticed)",
        span.as_secs_f64()
    ));
    Ok(())
}

//! The clock of one node is an hour off: the second process of every service runs with a real wrong system clock (libfaketime),
//! first an hour ahead, then an hour behind. Legal time is the database's, so nothing is early, late or doubled; the process says
//! so itself, leaves the service, and comes back when its clock is right. Then legal time itself steps back by an hour and on
//! again, as after a fail-over to a node with a wrong clock: nothing fires twice.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use local_stack::SERVICES;
use serde_json::Value;

use super::{Ground, Report, metric, metric_at};
use crate::lives::Lives;
use crate::world::World;
use crate::world::wait::until_true;

/// An hour, in seconds.
const HOUR: i64 = 3_600;
/// Hold no data and ask no database, so they cannot know.
const WITHOUT_DATABASE: [&str; 2] = ["documents", "console"];

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let library = libfaketime()?;
    let mut report = Report::default();
    let dial = ground.folder.join("clock-of-the-second-node");
    std::fs::create_dir_all(&ground.folder)?;
    set(&dial, 0)?;
    let mut options = ground.world();
    options.behind_doors = 2;
    options.second_environment = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", dial.display().to_string()),
        ("FAKETIME_CACHE_DURATION", "1".to_owned()),
        // Only the wall clock is wrong; a machine's count of seconds is right.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    let (world, people) = ground.start(options).await?;
    let lives = Lives::new(&world, &people, &ground.size)?.with_fresh_connections()?;
    // Steps that people take under each clock, and how often somebody begins.
    let (steps, pace) = if ground.small { (6, 2_500) } else { (40, 300) };
    let judging: Vec<&str> = SERVICES.into_iter().filter(|name| !WITHOUT_DATABASE.contains(name)).collect();
    let ((), took) = ground
        .under_load_every(Duration::from_millis(pace), usize::MAX, &lives, async |_| {
            ground.steps(&lives, steps).await?;
            for ahead in [HOUR, -HOUR] {
                let off = if ahead > 0 { "快一小时 an hour ahead" } else { "慢一小时 an hour behind" };
                ground.say.it(&format!("the second node's clock is {ahead} s off"));
                let began = Instant::now();
                set(&dial, ahead)?;
                for service in &judging {
                    until_true("it leaves the service", || async {
                        Ok(world.doors()?.service(service)?.open_targets() == 1)
                    })
                    .await
                    .with_context(|| format!("{service}, {ahead} s off"))?;
                }
                report.phase(&format!("{off}：退出服务 all out of service"), began.elapsed());
                says_so(&world, &judging, ahead).await?;
                // Somewhere in here something falls due and people act: with the right clocks alone.
                ground.steps(&lives, steps).await?;
                let began = Instant::now();
                set(&dial, 0)?;
                for service in &judging {
                    until_true("it is back", || async { Ok(world.doors()?.service(service)?.open_targets() == 2) })
                        .await?;
                }
                report.phase("校准后恢复 back after the clock was set", began.elapsed());
                ground.steps(&lives, steps).await?;
            }
            Ok(())
        })
        .await?;
    report.phase("负载下合计 under load in all", took);
    legal_time_steps(ground, &world).await?;
    ground.prove(&world, &lives, &mut report).await?;
    in_order(&world, &mut report).await?;
    world.stop().await;
    Ok(report)
}

/// The library that tells a process another time.
fn libfaketime() -> anyhow::Result<PathBuf> {
    let found = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .into_iter()
        .map(|machine| PathBuf::from(format!("/usr/lib/{machine}/faketime/libfaketimeMT.so.1")))
        .find(|path| path.is_file());
    found.context("libfaketime is missing: run deploy/dev/install.sh (Debian's package faketime)")
}

/// Sets the clock of the second node, whole or not at all.
fn set(dial: &Path, ahead: i64) -> anyhow::Result<()> {
    let unfinished = dial.with_extension("unfinished");
    std::fs::write(&unfinished, format!("{ahead:+}\n"))?;
    std::fs::rename(&unfinished, dial).context("setting the clock")
}

/// Each process with a wrong clock says by how much, in its readiness and in its metric; the others are as they were.
async fn says_so(world: &World, judging: &[&str], ahead: i64) -> anyhow::Result<()> {
    for service in judging {
        let (_, second) = world.doors()?.second(service)?;
        let readiness: Value = reqwest_get(&format!("http://{second}/readyz")).await?;
        let checks = readiness["checks"].as_array().context("a list of checks")?;
        let clock = checks.iter().find(|check| check["name"] == "clock").context("a check of the clock")?;
        ensure!(clock["ok"] == false, "{service}: {clock}");
        until_true("the metric shows it", || async {
            let offset = metric_at(second, "dudao_clock_offset_seconds", "").await?;
            #[expect(clippy::cast_precision_loss, reason = "an hour")]
            let wanted = ahead as f64;
            Ok(offset.is_some_and(|offset| (offset - wanted).abs() < 60.0))
        })
        .await?;
        let first = metric(world, service, "dudao_clock_offset_seconds", "").await?;
        ensure!(first.is_some_and(|offset| offset.abs() < 5.0), "{service}: the right clock is {first:?} s off");
    }
    Ok(())
}

async fn reqwest_get(address: &str) -> anyhow::Result<Value> {
    Ok(crate::world::http::client(false)?.get(address).send().await?.json().await?)
}

/// Legal time steps back by an hour, stands there for a while, and steps on: as after a fail-over to a node with a wrong clock that
/// is set right later.
async fn legal_time_steps(ground: &Ground, world: &World) -> anyhow::Result<()> {
    ground.quiet(world).await?;
    let shift = async |hours: i32| -> anyhow::Result<()> {
        for access in world.stack().databases().values() {
            let mut connection = world.administrator(&access.name).await?;
            sqlx::query("UPDATE rehearsal.clock SET shift = shift + make_interval(hours => $1)")
                .bind(hours)
                .execute(&mut connection)
                .await?;
        }
        Ok(())
    };
    let orders = "SELECT count(*) AS n FROM messaging.journal";
    let before = world.db.count("deadlines", orders, &[]).await?;
    shift(-1).await?;
    ground.say.it("legal time has gone back by an hour");
    until_true("the journal is seen to be ahead of the clock", || async {
        let ahead = metric(world, "deadlines", "dudao_journal_ahead_seconds", "").await?;
        Ok(ahead.is_some_and(|ahead| ahead > 60.0))
    })
    .await?;
    // A few rounds of the clock: whatever it does at an earlier time, it does nothing again.
    tokio::time::sleep(Duration::from_secs(3)).await;
    ensure!(world.db.count("deadlines", orders, &[]).await? == before, "something happened twice");
    shift(1).await?;
    until_true("the clock is right again", || async {
        let ahead = metric(world, "deadlines", "dudao_journal_ahead_seconds", "").await?;
        Ok(ahead.is_some_and(|ahead| ahead < 2.0))
    })
    .await
}

/// In every journal no event is earlier than the one before it by more than a transaction may last: the order and the dates are
/// those of one clock.
async fn in_order(world: &World, report: &mut Report) -> anyhow::Result<()> {
    let backwards = "SELECT count(*) AS n FROM (
                         SELECT occurred_at - lag(occurred_at) OVER (ORDER BY position) AS step FROM messaging.journal) j
                     WHERE step < interval '-30 seconds' AND step > interval '-59 minutes'";
    let by_an_hour = "SELECT count(*) AS n FROM (
                          SELECT occurred_at - lag(occurred_at) OVER (ORDER BY position) AS step FROM messaging.journal) j
                      WHERE step <= interval '-59 minutes'";
    for service in crate::lives::flow::JOURNALS {
        for query in [backwards, by_an_hour] {
            let found = world.db.count(service, query, &[]).await?;
            ensure!(found == 0, "{service}: {found} events are earlier than the one before them");
        }
    }
    report.note("各日志内事件时间无倒退。 No event of any journal is earlier than the one before it.");
    Ok(())
}

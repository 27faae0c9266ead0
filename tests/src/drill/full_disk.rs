//! A full disk: of PostgreSQL, of the folder with evidence, of the broker. Each is a small file system of its own that the drill
//! mounts, fills and gives room again; so it needs root (the right to mount) and fails without.
//!
//! While a disk is full, whoever wants to write is told so (503 that says why) and nothing is half written; with room again
//! everything goes on by itself. Only the broker may need a restart: a stream that could not be written stays shut until then.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use messaging::lag;
use reqwest::Method;

use super::{Ground, Report};
use crate::lives::{Lives, flow, people};
use crate::world::api::Body;
use crate::world::wait::{LIMIT, until, until_true};
use crate::world::{PASSWORD, World, WorldOptions};

/// Requests that are refused before there is room again, in the small and the full size.
const REFUSALS: [usize; 2] = [6, 60];
/// How long the broker gets to go on by itself.
const BY_ITSELF: Duration = Duration::from_secs(15);
const MEBIBYTE: u64 = 1024 * 1024;

/// A file system of its own.
struct Disk(PathBuf);

impl Disk {
    /// Mounts an empty one there.
    fn mount(at: &Path, mebibytes: u64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(at)?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=755"), "tmpfs"])
            .arg(at)
            .output()
            .context("running mount")?;
        if !output.status.success() {
            bail!(
                "演练需要挂载文件系统的权限：请以 root 运行 · this drill mounts small file systems and needs the right to: run it as \
                 root (in a container with CAP_SYS_ADMIN): {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(Self(at.to_owned()))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Leaves no byte free.
    fn fill(&self) -> anyhow::Result<()> {
        let mut file = std::fs::File::create(self.ballast())?;
        for size in [MEBIBYTE, 4096] {
            let block = vec![0_u8; usize::try_from(size)?];
            let error = write_on(&mut file, &block);
            ensure!(error.kind() == std::io::ErrorKind::StorageFull, "filling {}: {error}", self.0.display());
        }
        Ok(())
    }

    /// Gives room again.
    fn clear(&self) -> anyhow::Result<()> {
        std::fs::remove_file(self.ballast()).context("giving room")
    }
}

/// Writes until it fails.
fn write_on(file: &mut std::fs::File, block: &[u8]) -> std::io::Error {
    loop {
        if let Err(error) = file.write_all(block) {
            return error;
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process may still hold a file while everything ends.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let root = ground.folder.join("world");
    // Dropped after the world.
    let database = Disk::mount(&root.join("postgres"), 512)?;
    let broker = Disk::mount(&root.join("nats"), 128)?;
    let files = Disk::mount(&root.join("files"), 16)?;
    // A log that stays small beside a small disk.
    let postgres = vec!["max_wal_size=64MB".to_owned(), "min_wal_size=32MB".to_owned()];
    let (world, people) = ground.start(WorldOptions { postgres, ..ground.world() }).await?;
    let lives = Lives::new(&world, &people, &ground.size)?;
    let share = ground.size.rectifications / 4;
    lives.live_next(share).await?;

    let mut answer = String::new();
    let during = async || {
        answer = sign_in_until_refused(&world).await?;
        anyhow::Ok(())
    };
    refused(ground, &lives, &database, share, "数据库磁盘 PostgreSQL's disk", during, &mut report).await?;
    report.note(format!("signing in on PostgreSQL's full disk: {answer}"));
    ensure!(answer.contains(": 503 "), "a full disk was no reason to come again: {answer}");
    let during = async || anyhow::Ok(());
    refused(ground, &lives, &files, share, "佐证文件存储 the evidence folder", during, &mut report).await?;
    ensure!(half_written(&root.join("files"))? == 0, "half a file was left in the evidence folder");
    broker_full(ground, &world, &lives, &broker, &mut report).await?;

    ground.prove(&world, &lives, &mut report).await?;
    world.stop().await;
    Ok(report)
}

/// Signs in, which writes a session, until a service refuses; answers what it said.
async fn sign_in_until_refused(world: &World) -> anyhow::Result<String> {
    let body = || Body::Json(serde_json::json!({"login": "operator", "password": PASSWORD}));
    until("a service is asked to write on the full disk", LIMIT, || async {
        // What still finds room is written; no answer at all is a connection that is just lost.
        let answer = world.api.outside(Method::POST, "registry", "/v1/sessions", body()).await;
        Ok(answer.err().map(|error| format!("{error:#}")).filter(|text| text.contains(": 50")))
    })
    .await
}

/// Fills a disk under load until people are refused, and gives room again.
async fn refused(
    ground: &Ground,
    lives: &Lives<'_>,
    disk: &Disk,
    share: usize,
    what: &str,
    during: impl AsyncFnOnce() -> anyhow::Result<()>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let before = lives.troubles().len();
    ground
        .under_load_of(lives, share, async |_| {
            disk.fill()?;
            ground.say.it(&format!("{what} is full"));
            let full = Instant::now();
            let refusals = REFUSALS[usize::from(!ground.small)];
            until_true("people are refused", || async { Ok(lives.troubles().len() >= before + refusals) }).await?;
            during().await?;
            report.phase(&format!("{what} 已满 full"), full.elapsed());
            disk.clear()?;
            let room = Instant::now();
            ground.steps_or_end(lives, 1).await?;
            report.phase(&format!("{what} 有空间后重新受理 served again after there was room"), room.elapsed());
            Ok(())
        })
        .await?;
    let mut answers: Vec<String> = lives.troubles().into_iter().skip(before).map(|trouble| trouble.what).collect();
    answers.sort_unstable();
    answers.dedup();
    // Anything but a refusal that asks to come again has ended the life that met it.
    report.note(format!("{what}: {}", answers.join("; ")));
    Ok(())
}

/// Temporary files of the store: their names hold a `#`.
fn half_written(folder: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            count += half_written(&entry.path())?;
        } else if entry.file_name().to_string_lossy().contains('#') {
            count += 1;
        }
    }
    Ok(count)
}

/// Events that wait for the broker.
async fn waiting(world: &World) -> anyhow::Result<i64> {
    let mut all = 0;
    for service in flow::JOURNALS {
        let database = people::connect(world, service).await?;
        all += i64::try_from(lag(&database).await?)?;
        database.pool().close().await;
    }
    Ok(all)
}

/// The broker's disk: nobody is refused, events wait.
async fn broker_full(
    ground: &Ground,
    world: &World,
    lives: &Lives<'_>,
    disk: &Disk,
    report: &mut Report,
) -> anyhow::Result<()> {
    let before = lives.troubles().len();
    ground
        .under_load(lives, async |load| {
            disk.fill()?;
            ground.say.it("the broker's disk is full");
            until_true("events wait", || async { Ok(waiting(world).await? > 0) }).await?;
            let full = Instant::now();
            // What waits stays: that it waits now may be the moment between commit and publishing.
            tokio::time::sleep(Duration::from_secs(2)).await;
            ensure!(waiting(world).await? > 0, "the broker took events on a full disk");
            report.phase("消息服务器磁盘已满 the broker's disk full", full.elapsed());
            disk.clear()?;
            load.stop();
            let room = Instant::now();
            let empty = || async { Ok((waiting(world).await? == 0).then_some(())) };
            if until("the broker goes on by itself", BY_ITSELF, empty).await.is_err() {
                report.note(
                    "the broker's disk: after there was room the broker had to be restarted once (the stated act)",
                );
                world.stack().nats().process().restart().await?;
                until_true("what waited is published", || async { Ok(waiting(world).await? == 0) }).await?;
            }
            report.phase("有空间后发布完毕 everything published after there was room", room.elapsed());
            Ok(())
        })
        .await?;
    let refused = lives.troubles().len() - before;
    report.note(format!("the broker's disk: {refused} requests were not served at first"));
    Ok(())
}

//! Backup and restore of PostgreSQL: a base backup under load, the write-ahead log into an archive, and the data lost.
//!
//! First to a moment: whatever was done before it is there again and proven, whatever came after is gone and is named. Then the
//! restored server, which has gone on in a timeline of its own, is lost as well, and restored to the end of the archive:
//! nothing is missing.
//!
//! After a restore to a moment the streams tell of things that never happened, and consumers have acknowledged what their
//! restored inboxes do not know. So the broker is emptied before any service starts; the relays fill it from the journals.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use local_stack::{Postgres, PostgresOptions, Tools, workspace_root};
use uuid::Uuid;

use super::ground::invariants;
use super::{Ground, Report};
use crate::lives::{Lives, flow, proof};
use crate::world::wait::until_true;
use crate::world::{World, WorldOptions};

/// How old at most what is not archived yet may become; what a real loss costs at most (RPO).
const ARCHIVE_EVERY: Duration = Duration::from_secs(5);

/// Where things lie.
struct Places {
    /// The archive of the write-ahead log: on another disk than the data.
    archive: PathBuf,
    /// The base backup.
    base: PathBuf,
}

impl Places {
    /// Settings of a server that archives here.
    fn archiving(&self) -> Vec<String> {
        let archive = self.archive.display();
        vec![
            "archive_mode=on".to_owned(),
            // Whole or not at all, and never over what is there.
            format!(
                "archive_command=test ! -f {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f"
            ),
            format!("archive_timeout={}", ARCHIVE_EVERY.as_secs()),
        ]
    }

    /// Starts a new server from the base backup and the archive; returns when it takes writes.
    async fn restore(&self, into: &Path, moment: Option<&str>) -> anyhow::Result<Postgres> {
        let into = &local_stack::server_folder(into)?;
        copy(&self.base, into)?;
        Postgres::make_recovery(into)?;
        let mut settings = self.archiving();
        settings.push(format!("restore_command=cp {}/%f %p", self.archive.display()));
        settings.push("recovery_target_action=promote".to_owned());
        settings.extend(moment.map(|moment| format!("recovery_target_time={moment}")));
        let tools = Tools::find(&workspace_root())?;
        let server = Postgres::start(into, &PostgresOptions { settings, ..PostgresOptions::new(tools.pg_bin) }).await?;
        until_true("the restored server takes writes", || async {
            let mut connection = server.connect("postgres").await?;
            Ok(!sqlx::query_scalar::<_, bool>("SELECT pg_is_in_recovery()").fetch_one(&mut connection).await?)
        })
        .await?;
        Ok(server)
    }

    /// Closes the current file of the log and waits until it is archived.
    async fn archive_all(&self, world: &World) -> anyhow::Result<()> {
        let mut connection = world.administrator("postgres").await?;
        let file: String =
            sqlx::query_scalar("SELECT pg_walfile_name(pg_switch_wal())").fetch_one(&mut connection).await?;
        until_true("the log is archived", || async { Ok(self.archive.join(&file).is_file()) }).await
    }
}

/// What lies in a folder, with owners and modes, which PostgreSQL insists on.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copied =
        std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().context("running cp")?;
    ensure!(copied.success(), "copying {} to {}", from.display(), to.display());
    Ok(())
}

fn ids(events: &BTreeMap<String, BTreeSet<Uuid>>) -> BTreeSet<Uuid> {
    events.values().flatten().copied().collect()
}

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let places = Places {
        archive: local_stack::server_folder(&ground.folder.join("archive"))?,
        base: local_stack::server_folder(&ground.folder.join("base"))?,
    };
    let options = WorldOptions { postgres: places.archiving(), behind_doors: 1, ..ground.world() };
    let (world, people) = ground.start(options).await?;
    let lives = Lives::new(&world, &people, &ground.size)?;
    let share = ground.size.rectifications / 6;

    let ((), took) = ground
        .under_load_of(&lives, share, async |_| Ok(world.stack().postgres().base_backup(&places.base).await?))
        .await?;
    report.phase("在负载下基础备份 base backup under load", took);
    lives.live_next(share).await?;

    // Consumers are still busy with what was done: a moment in the middle of everything that follows from it.
    let before = flow::journalled(&world).await?;
    let kept = lives.begun();
    let mut connection = world.administrator("postgres").await?;
    let moment: String = sqlx::query_scalar("SELECT clock_timestamp()::text").fetch_one(&mut connection).await?;
    drop(connection);
    lives.live_next(share).await?;
    let after = flow::journalled(&world).await?;
    places.archive_all(&world).await?;
    ground.say.it(&format!("the moment is {moment}; now the data is lost"));

    let lost = Instant::now();
    let door = world.doors()?.database();
    door.shut();
    world.stack().postgres().process().take_down().await;
    let data = world.stack().postgres().password_file().parent().context("a folder")?.join("data");
    std::fs::remove_dir_all(&data).context("losing the data")?;
    world.stop_services().await;
    let restored = places.restore(&ground.folder.join("restored-to-moment"), Some(&moment)).await?;
    report.phase("恢复到指定时刻 restored to the moment", lost.elapsed());
    world.stack().nats().wipe().await?;
    door.lead_to(SocketAddr::from((Ipv4Addr::LOCALHOST, restored.port())));
    // At this moment, before anybody goes on: what is there again, and what is not.
    let now = ids(&flow::journalled(&world).await?);
    let missing = ids(&before).difference(&now).count();
    ensure!(missing == 0, "{missing} events from before the moment are not there");
    let gone: BTreeSet<Uuid> = ids(&after).difference(&now).copied().collect();
    lives.give_up(kept);
    report.by_nature("该时刻后的整改 rectifications after the moment", i64::try_from(lives.gone().len())?);
    report.by_nature("该时刻后的事件 events after the moment", i64::try_from(gone.len())?);
    let letters = after.get(crate::lives::LETTER).map_or(0, |ids| ids.intersection(&gone).count());
    ensure!(letters == lives.gone().len(), "{letters} letters are gone, {} were issued later", lives.gone().len());
    world.start_services().await?;
    report.phase("恢复后重新服务 serving again after the restore", lost.elapsed());
    lives.live_next(share).await?;
    report.phase("恢复后全部跟上 everything caught up after the restore", ground.quiet(&world).await?);
    proof::chains(&world).await?;
    invariants(&world).await?;

    ground.say.it("and now the restored server is lost as well");
    let before = ids(&flow::journalled(&world).await?);
    places.archive_all(&world).await?;
    let lost = Instant::now();
    door.shut();
    restored.process().take_down().await;
    let data = restored.password_file().parent().context("a folder")?.join("data");
    std::fs::remove_dir_all(&data).context("losing the data")?;
    world.stop_services().await;
    let restored = places.restore(&ground.folder.join("restored-to-end"), None).await?;
    report.phase("恢复到归档末尾 restored to the end", lost.elapsed());
    door.lead_to(SocketAddr::from((Ipv4Addr::LOCALHOST, restored.port())));
    world.start_services().await?;
    report.phase("恢复到末尾后重新服务 serving again after that", lost.elapsed());
    let missing = before.difference(&ids(&flow::journalled(&world).await?)).count();
    ensure!(missing == 0, "{missing} events are not there after the restore to the end");
    lives.live_next(share).await?;
    ground.prove(&world, &lives, &mut report).await?;
    report.note(format!(
        "RPO: what is not archived yet when the data is lost, here at most {} s (archive_timeout); the restore to the end lost \
         nothing, since everything was archived.",
        ARCHIVE_EVERY.as_secs()
    ));
    world.stop().await;
    restored.process().terminate().await;
    Ok(report)
}

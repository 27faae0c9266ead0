//! Upgrade and roll-back under load: the former version runs with two processes of each service; the new programs migrate while
//! it runs on; each process is exchanged for the new one, and later for the former one again, on tables that have been migrated
//! further. No request fails, and nothing is lost or doubled.
//!
//! A process is exchanged as a rolling update does it: it leaves its door, a moment passes, it is asked to end and finishes what
//! runs; the new one is led to when it is ready. People open a connection for each request, as a gateway in front spares them
//! the moment in which an idle connection is closed.
//!
//! **Old code on new tables.** In full size the former version is a commit (`--from`, else the newest tag, else what the main
//! line was before its last merge) that is built beside this one. In `make test` a build of another version is out of reach, so
//! there the programs of this version are both: the tables are migrated further than they know, in the ways in which the next
//! version may do it ([`expand`]), and everything has to work on: what runs, and what starts anew. Besides, every statement that
//! the last release had recorded (`.sqlx`) is prepared on the new tables, as far as there is a release.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures_util::future::try_join_all;
use local_stack::{SERVICES, workspace_root};
use postgres::{LOCK_PAUSE, LOCK_WAIT};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _};
use tokio::process::Command;

use super::{Ground, Report};
use crate::lives::{Lives, flow, people};
use crate::world::wait::{LIMIT, until_true};
use crate::world::{Version, World, WorldOptions};

/// Steps that people take on each version.
const STEPS: usize = 8;
/// Between leaving the door and the request to end, as `preStopSeconds` of the chart.
const PRE_STOP: Duration = Duration::from_secs(1);

/// The version that runs at first.
struct Former {
    /// What it is called.
    name: String,
    /// Its programs and rulebook.
    version: Version,
    /// Its sources, with the statements that it had recorded; `None`: there is no release yet.
    sources: Option<PathBuf>,
}

/// Plays it.
pub async fn drill(ground: &Ground) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let building = Instant::now();
    let former = former(ground).await?;
    if !ground.small {
        report.phase("构建旧版本 building the former version (if not there)", building.elapsed());
    }
    report.note(format!("the former version: {}", former.name));
    let options = WorldOptions { version: Some(former.version.clone()), behind_doors: 2, ..ground.world() };
    let (world, people) = ground.start(options).await?;
    let lives = Lives::new(&world, &people, &ground.size)?.with_fresh_connections()?;
    let new = Version::own()?;
    ground
        .under_load(&lives, async |_| {
            ground.steps_or_end(&lives, STEPS).await?;
            let migrating = Instant::now();
            for service in flow::JOURNALS {
                migrate(&world, service, &new).await?;
                expand(&world, service).await.with_context(|| format!("migrating {service} further"))?;
            }
            report.phase("旧版本运行时迁移 migrations while the former version runs", migrating.elapsed());
            ground.steps_or_end(&lives, STEPS).await?;
            for (what, version) in [("滚动升级 rolled over", &new), ("回退 rolled back", &former.version)] {
                ground.say.it(what);
                let rolling = Instant::now();
                // All services at once, as the chart's roll-out, of each one process after the other.
                try_join_all(SERVICES.map(|service| roll(&world, service, version)))
                    .await
                    .with_context(|| what.to_owned())?;
                report.phase(what, rolling.elapsed());
                ground.steps_or_end(&lives, STEPS).await?;
            }
            Ok(())
        })
        .await?;
    let troubles: Vec<String> = lives.troubles().into_iter().map(|trouble| trouble.what).collect();
    ensure!(troubles.is_empty(), "{} requests failed: {troubles:?}", troubles.len());
    match &former.sources {
        Some(sources) => {
            let count = prepare_statements(&world, sources).await?;
            report.note(format!("{count} recorded statements of the former version were prepared on the new tables"));
        }
        None => report.note("there is no release yet (no tag): no statements of one to prepare on the new tables"),
    }
    ground.prove(&world, &lives, &mut report).await?;
    world.stop().await;
    Ok(report)
}

/// Finds the former version, and builds it in full size.
async fn former(ground: &Ground) -> anyhow::Result<Former> {
    let tag = git(&["describe", "--tags", "--abbrev=0"]).await.ok();
    if ground.small {
        let sources = match &tag {
            Some(tag) => Some(sources(tag, &ground.folder.join("former"), &["crates/messaging", "services"]).await?),
            None => None,
        };
        return Ok(Former { name: "the same programs".to_owned(), version: Version::own()?, sources });
    }
    let name = match (&ground.from, tag) {
        (Some(from), _) => from.clone(),
        (None, Some(tag)) => tag,
        (None, None) => {
            let merge = git(&["log", "-1", "--merges", "--format=%H"]).await?;
            ensure!(!merge.is_empty(), "no tag and no merge in the history: name the former version with --from");
            format!("{merge}^1")
        }
    };
    let commit = git(&["rev-parse", "--verify", &format!("{name}^{{commit}}")]).await?;
    let short: String = commit.chars().take(12).collect();
    // Kept: the next drill from there builds nothing.
    let folder = workspace_root().join("target/drills/former").join(&short);
    let root = if folder.join("Cargo.toml").is_file() { folder } else { sources(&commit, &folder, &["."]).await? };
    ground.say.it(&format!("building {short} in {}", root.display()));
    let built = Command::new("cargo")
        .args(["build", "--workspace", "--bins"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .kill_on_drop(true)
        .status()
        .await
        .context("running cargo")?;
    ensure!(built.success(), "{short} does not build");
    let version = Version { programs: root.join("target/debug"), rulebook: root.join("rulebook") };
    Ok(Former { name: format!("{name} ({short})"), version, sources: Some(root) })
}

/// A line that git says.
async fn git(arguments: &[&str]) -> anyhow::Result<String> {
    let output =
        Command::new("git").args(arguments).current_dir(workspace_root()).output().await.context("running git")?;
    ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Unpacks the sources of a commit, without touching the work tree.
async fn sources(commit: &str, into: &Path, paths: &[&str]) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(into)?;
    let archive = Command::new("git")
        .args(["archive", "--format=tar", commit, "--"])
        .args(paths)
        .current_dir(workspace_root())
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("running git archive")?;
    ensure!(archive.status.success(), "git archive {commit}");
    let tar = into.join("sources.tar");
    std::fs::write(&tar, archive.stdout)?;
    let unpacked =
        Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(into).status().await.context("running tar")?;
    ensure!(unpacked.success(), "unpacking {}", tar.display());
    std::fs::remove_file(&tar)?;
    Ok(into.to_owned())
}

/// `SERVICE --migrate`, as the chart's Job runs it before the roll-out.
async fn migrate(world: &World, service: &str, version: &Version) -> anyhow::Result<()> {
    let folder = world.folder().join("config");
    let text = std::fs::read_to_string(folder.join(format!("{service}.toml")))?;
    let quoted = |path: &Path| path.display().to_string();
    // Its own rulebook, as the Job's image has it.
    let text = text.replace(&quoted(&world.rulebook_of(service, 0)), &quoted(&version.rulebook));
    let config = folder.join(format!("{service}-migrate.toml"));
    std::fs::write(&config, text)?;
    let output = Command::new(version.programs.join(service))
        .arg("--config")
        .arg(config)
        .arg("--migrate")
        .kill_on_drop(true)
        .output()
        .await
        .context("running a migration")?;
    if !output.status.success() {
        bail!("{service} --migrate: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Migrates a service's database as the next version may: a table, and in every table a column with and one without a default,
/// with an index; both registers of migrations know a migration that these programs do not.
async fn expand(world: &World, service: &str) -> anyhow::Result<()> {
    let database = people::connect(world, service).await?;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN ('public', 'messaging')
             AND c.relname <> '_sqlx_migrations' ORDER BY 1, 2",
    )
    .fetch_all(database.pool())
    .await?;
    ensure!(!tables.is_empty(), "no tables");
    let mut statements = vec!["CREATE TABLE drill_later (id bigint PRIMARY KEY, note text)".to_owned()];
    for (schema, table) in tables {
        statements.push(format!(
            "ALTER TABLE {schema}.{table} ADD COLUMN drill_note text, ADD COLUMN drill_count integer NOT NULL DEFAULT 0"
        ));
        statements.push(format!("CREATE INDEX ON {schema}.{table} (drill_note)"));
    }
    for register in ["public._sqlx_migrations", "messaging._sqlx_migrations"] {
        statements.push(format!(
            "INSERT INTO {register} (version, description, installed_on, success, checksum, execution_time)
             VALUES (99990101000000, 'drill later', now(), true, '\\x00', 0)"
        ));
    }
    // As `Database::migrate` does it: a lock that is not to be had at once would make everybody wait behind it.
    let limit = format!("SET LOCAL lock_timeout = {}", LOCK_WAIT.as_millis());
    for statement in statements {
        let begun = Instant::now();
        let altered = async || {
            let mut tx = database.pool().begin().await?;
            tx.execute(AssertSqlSafe(limit.as_str())).await?;
            tx.execute(AssertSqlSafe(statement.as_str())).await?;
            tx.commit().await
        };
        while let Err(error) = altered().await {
            ensure!(begun.elapsed() < LIMIT, "no lock for the migration: {error}");
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
    database.pool().close().await;
    Ok(())
}

/// Exchanges both processes of a service, one after the other.
async fn roll(world: &World, service: &str, version: &Version) -> anyhow::Result<()> {
    let door = world.doors()?.service(service)?;
    for place in 0..2 {
        until_true("both processes are ready", || async { Ok(door.open_targets() == 2) }).await?;
        door.take_out(place);
        tokio::time::sleep(PRE_STOP).await;
        let process = world.replica(service, place)?;
        process.terminate().await;
        world.put(version, service, place)?;
        process.bring_up().await?;
        door.put_back(place);
    }
    until_true("both processes are ready", || async { Ok(door.open_targets() == 2) }).await
}

/// Prepares every statement that the former version had recorded, on the database of its service; answers how many there were.
async fn prepare_statements(world: &World, sources: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    let mut refused = Vec::new();
    for service in flow::JOURNALS {
        let mut connection = world.administrator(service).await?;
        for folder in [sources.join("services").join(service), sources.join("crates/messaging")] {
            let Ok(entries) = std::fs::read_dir(folder.join(".sqlx")) else { continue };
            for entry in entries {
                let path = entry?.path();
                let recorded: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)?;
                let statement =
                    recorded["query"].as_str().with_context(|| format!("no query in {}", path.display()))?;
                if let Err(error) = connection.describe(AssertSqlSafe(statement).into_sql_str()).await {
                    refused.push(format!("{service}: {error}: {statement}"));
                }
                count += 1;
            }
        }
        connection.close().await?;
    }
    ensure!(count > 0, "the former version had recorded no statements");
    ensure!(refused.is_empty(), "statements of the former version that the new tables refuse: {refused:#?}");
    Ok(count)
}

//! `drill list` names the drills; `drill run` plays them in full size, one after the other, and ends with 0 only if nothing was
//! lost in any.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use local_stack::{Interrupted, until_interrupted, workspace_root};
use tests::drill::{self, ALL, Drill, Outcome};

/// 演练：运维人员演习的各种情形 | what an operator rehearses, played on real processes on this machine
#[derive(Debug, Parser)]
#[command(name = "drill")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 列出全部演练 | names the drills
    List,
    /// 进行演练 | plays drills
    Run(Run),
    /// 把结果写成表格 | writes results as a table for deploy/drills.md
    Table {
        /// 结果文件 | what `run --results` wrote
        results: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// 演练名称，缺省为全部 | names of drills; all when none is given
    names: Vec<String>,
    /// 数据文件夹 | data folder; target/drills/<process id> when not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// 整改件数 | rectifications, instead of each drill's own number
    #[arg(long)]
    size: Option<usize>,
    /// 随机种子 | seed of every chance
    #[arg(long, default_value_t = 20_260_210)]
    seed: u64,
    /// 升级演练的旧版本 | the former version (a commit or a tag) of the drill that upgrades
    #[arg(long)]
    from: Option<String>,
    /// 结果追加到此文件 | appends the results to this file, a JSON object a line
    #[arg(long)]
    results: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::install_crypto();
    let result = match Arguments::parse().command {
        Command::List => list(),
        Command::Table { results } => {
            read(&results).and_then(|outcomes| out(&drill::markdown(&outcomes))).map(|()| true)
        }
        Command::Run(run) => match Box::pin(until_interrupted(play_all(&run))).await {
            Ok(result) => result,
            // The worlds were dropped on the way: every process has ended.
            Err(Interrupted) => return ExitCode::from(130),
        },
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "无法演练 · cannot drill: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn out(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", text.trim_end())?)
}

fn list() -> anyhow::Result<bool> {
    for drill in ALL {
        out(&format!("{:<16}{}", drill.name, drill.title))?;
    }
    Ok(true)
}

fn read(results: &Path) -> anyhow::Result<Vec<Outcome>> {
    let text = std::fs::read_to_string(results).with_context(|| format!("reading {}", results.display()))?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

async fn play_all(run: &Run) -> anyhow::Result<bool> {
    let mut chosen: Vec<&Drill> = Vec::new();
    for name in &run.names {
        chosen.push(drill::find(name).with_context(|| format!("no drill is called {name}; `drill list` names them"))?);
    }
    if chosen.is_empty() {
        chosen.extend(ALL);
    }
    let default = workspace_root().join("target/drills").join(std::process::id().to_string());
    let folder = run.folder.clone().unwrap_or(default);
    let mut outcomes = Vec::new();
    for drill in chosen {
        let size = run.size.unwrap_or(drill.full);
        let outcome = drill.play(&folder.join(drill.name), size, run.seed, false, run.from.clone()).await;
        if let Some(results) = &run.results {
            append(results, &outcome)?;
        }
        out(&drill::table(std::slice::from_ref(&outcome)))?;
        outcomes.push(outcome);
    }
    if outcomes.len() > 1 {
        out(&drill::table(&outcomes))?;
    }
    std::fs::remove_dir(&folder).ok();
    Ok(outcomes.iter().all(Outcome::is_good))
}

fn append(results: &Path, outcome: &Outcome) -> anyhow::Result<()> {
    if let Some(parent) = results.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(results)?;
    writeln!(file, "{}", serde_json::to_string(outcome)?).with_context(|| format!("writing {}", results.display()))
}

//! The story of the main job, from the spreadsheet to the national platform, in ten steps.

mod browser;
mod cast;
mod facts;
mod photo;
mod plot;
mod show;
mod steps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use comfy_table::Table;
use local_stack::{Interrupted, interrupted, until_interrupted, workspace_root};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tests::province::Province;
use tests::world::{self, PASSWORD, World, WorldOptions, api, http, json, wait};

use cast::{Cast, account};
use facts::Facts;
use plot::Story;
use show::{Show, say};

/// Seed of the province.
const SEED: u64 = 20_210_415;

/// 演示：从导入到上报的完整流程 | plays the whole chain on real processes
#[derive(Debug, Parser)]
#[command(name = "story")]
pub struct Arguments {
    /// 演示结束后保持运行，Ctrl-C 结束 | stay up afterwards, until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// 数据文件夹 | data folder; without it .run/demo with --stay, otherwise a new one under target/story
    #[arg(long)]
    folder: Option<PathBuf>,
    /// 只演示前几步（开发用）| play the first steps only, while developing; the result is then a failure
    #[arg(long, default_value_t = STEPS.len(), hide = true)]
    steps: usize,
    /// 保留数据文件夹 | keep the data folder of a run without --stay
    #[arg(long)]
    keep: bool,
}

/// A step as it goes into the result.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Played {
    name: String,
    ok: bool,
    seconds: f64,
    facts: Value,
}

/// `result.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Outcome {
    seconds: f64,
    steps: Vec<Played>,
}

/// The names of the steps, Chinese and English.
const STEPS: [&str; 10] = [
    "1 导入基础数据 · import",
    "2 计划与督导 · supervision",
    "3 签收起算 · clocks",
    "4 整改与核查 · rectification",
    "5 逾期督办 · overdue",
    "6 提醒与送达 · notifications",
    "7 台账与统计 · ledger",
    "8 信息公开 · publication",
    "9 上报国家平台 · exchange",
    "10 控制台 · console",
];

/// Runs the program.
pub async fn run(arguments: Arguments) -> ExitCode {
    // From here on Ctrl-C is ours: everything is stopped in good order.
    match Box::pin(until_interrupted(prepare_and_play(&arguments))).await {
        Ok(Ok(Ended { world, outcome })) => {
            let ok = outcome.steps.len() == STEPS.len() && outcome.steps.iter().all(|step| step.ok);
            if arguments.stay {
                goodbye(&world);
                interrupted().await;
            }
            say("正在停止全部进程 · stopping everything");
            let folder = world.folder().to_owned();
            world.stop().await;
            tidy(&arguments, &folder, ok);
            if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok(Err(error)) => {
            say(&format!("无法运行 · cannot run: {error:#}"));
            ExitCode::FAILURE
        }
        // The world was dropped on the way: every process has ended.
        Err(Interrupted) => {
            say("已中断，全部进程已停止 · interrupted, everything is stopped");
            ExitCode::from(130)
        }
    }
}

struct Ended {
    world: World,
    outcome: Outcome,
}

async fn prepare_and_play(arguments: &Arguments) -> anyhow::Result<Ended> {
    let began = Instant::now();
    let workspace = workspace_root();
    let folder = match (&arguments.folder, arguments.stay) {
        (Some(folder), _) => folder.clone(),
        (None, true) => workspace.join(".run/demo"),
        (None, false) => workspace.join(format!("target/story/run-{}", std::process::id())),
    };
    let told = folder.join("told.json");
    let again = told.exists();
    if !again && folder.exists() {
        // A run that did not come to its end: its data would fit no second beginning.
        std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let show = Show::new(STEPS.len() as u64);
    show.now("启动数据库、消息服务器和全部服务 · starting servers and services");
    let ports = if arguments.stay { wishes() } else { BTreeMap::new() };
    let options = WorldOptions {
        ports,
        durable: arguments.stay,
        console: arguments.steps == STEPS.len(),
        ..WorldOptions::new(folder)
    };
    let world = match World::start(options).await {
        Ok(world) => world,
        Err(error) => {
            show.finish();
            write(&Outcome { seconds: began.elapsed().as_secs_f64(), steps: Vec::new() })?;
            return Err(error);
        }
    };
    show.line(&format!("全部服务就绪 · all services are ready ({:.1} s)", began.elapsed().as_secs_f64()));
    if again {
        show.finish();
        let outcome: Outcome = serde_json::from_str(&std::fs::read_to_string(&told)?)
            .with_context(|| format!("{} cannot be read; remove its folder to begin anew", told.display()))?;
        table(&outcome);
        return Ok(Ended { world, outcome });
    }
    let province = Province::try_generate(SEED)?;
    let cast = Cast::of(&province)?;
    let mut story =
        Story { world, province, cast, persons: BTreeMap::new(), cases: Vec::new(), show, lives: Mutex::default() };
    let outcome = play(&mut story, began, arguments.steps).await?;
    story.show.finish();
    if outcome.steps.len() == STEPS.len() && outcome.steps.iter().all(|step| step.ok) {
        std::fs::write(&told, serde_json::to_string_pretty(&outcome)?).context("writing told.json")?;
    }
    table(&outcome);
    Ok(Ended { world: story.world, outcome })
}

/// Plays the steps; after one that failed, the others do not begin.
async fn play(story: &mut Story, began: Instant, steps: usize) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome { seconds: 0.0, steps: Vec::new() };
    let mut failed = false;
    for (n, name) in STEPS.iter().enumerate().take(steps) {
        let mut facts = Facts::default();
        let step_began = Instant::now();
        if failed {
            facts.set("not_played", "an earlier step failed");
        } else {
            story.show.now(name);
            let done = match n {
                0 => steps::s01_import::play(story, &mut facts).await,
                1 => steps::s02_supervise::play(story, &mut facts).await,
                2 => steps::s03_clocks::play(story, &mut facts).await,
                3 => steps::s04_report::play(story, &mut facts).await,
                4 => steps::s05_overdue::play(story, &mut facts).await,
                5 => steps::s06_tell::play(story, &mut facts).await,
                6 => steps::s07_account::play(story, &mut facts).await,
                7 => steps::s08_publish::play(story, &mut facts).await,
                8 => steps::s09_exchange::play(story, &mut facts).await,
                _ => steps::s10_console::play(story, &mut facts).await,
            };
            if let Err(error) = done {
                failed = true;
                facts.set("error", format!("{error:#}"));
                story.show.line(&format!("✗ {name}: {error:#}"));
            }
            story.show.step(name, !failed, step_began.elapsed().as_secs_f64());
        }
        let seconds = step_began.elapsed().as_secs_f64();
        outcome.steps.push(Played { name: (*name).to_owned(), ok: !failed, seconds, facts: facts.into_value() });
        outcome.seconds = began.elapsed().as_secs_f64();
        // After every step, so that an interrupted run leaves what is known.
        write(&outcome)?;
    }
    Ok(outcome)
}

/// Writes `target/story/result.json`, whole or not at all.
fn write(outcome: &Outcome) -> anyhow::Result<()> {
    let folder = workspace_root().join("target/story");
    std::fs::create_dir_all(&folder).context("making target/story")?;
    let unfinished = folder.join("result.json.unfinished");
    let text = serde_json::to_string_pretty(&json!(outcome))?;
    std::fs::write(&unfinished, text).context("writing the result")?;
    std::fs::rename(unfinished, folder.join("result.json")).context("writing the result")
}

/// Addresses that a person likes to find again, if they are free.
fn wishes() -> BTreeMap<String, u16> {
    let wishes = [("console", 8080), ("publication", 8090), ("mail-sink", 8025), ("national-platform", 8099)];
    wishes.map(|(name, port)| (name.to_owned(), port)).into()
}

fn table(outcome: &Outcome) {
    let mut table = Table::new();
    table.set_header(["步骤 step", "结果 result", "秒 s", "事实 facts"]);
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);

    for step in &outcome.steps {
        let facts = step.facts.as_object();
        let error = facts.and_then(|facts| facts.get("error").or_else(|| facts.get("not_played")));
        let text = match error {
            Some(error) => error.as_str().unwrap_or_default().chars().take(100).collect(),
            None => format!("{} 项已核对 checked", facts.map_or(0, serde_json::Map::len)),
        };
        let mark = if step.ok { "✓" } else { "✗" };
        table.add_row([step.name.clone(), mark.to_owned(), format!("{:.1}", step.seconds), text]);
    }
    say(&table.to_string());
    say(&format!("共 {:.0} 秒 · {:.0} s in all; target/story/result.json", outcome.seconds, outcome.seconds));
}

/// What a person needs in order to look around.
fn goodbye(world: &World) {
    let mut table = Table::new();
    table.set_header(["", "地址 address"]);
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    for (name, service, path) in [
        ("控制台 console", "console", "/"),
        ("公开门户 public portal", "publication", "/"),
        ("邮件 mail sink", "mail-sink", "/messages"),
        ("国家平台（模拟）national platform (simulated)", "national-platform", "/v1/received"),
        ("接口 APIs (tasks)", "tasks", "/docs"),
    ] {
        table.add_row([name.to_owned(), format!("{}{path}", world.api.base(service).unwrap_or_default())]);
    }
    say(&table.to_string());
    let mut table = Table::new();
    table.set_header(["账号 account", "身份 post", "密码 password"]);
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    for (login, post) in [
        (account::PROVINCE, "省教督委办公室管理员"),
        (account::PROVINCE_DESK, "省教督委办公室督管员"),
        (account::COUNTY, "海口市督导办管理员"),
        (account::COUNTY_DESK, "海口市督导办督管员"),
        (account::BUREAU, "海口市教育局（主管部门）"),
        ("principal.460100", "海口市人民政府（被督导单位）"),
        (account::PUBLICITY, "信息公开负责人"),
        (account::CHAIR, "省教督委主任"),
        (account::AUDITOR, "审计人员"),
        (account::OPERATOR, "系统初始管理员"),
    ] {
        table.add_row([login, post, PASSWORD]);
    }
    if let Ok(cast) = Province::try_generate(SEED).map_err(anyhow::Error::from).and_then(|province| Cast::of(&province))
    {
        for (unit, what) in
            [(&cast.punctual, "按期整改的学校"), (&cast.late, "逾期的学校"), (&cast.browser, "控制台演示的学校")]
        {
            table.add_row([unit.principal.as_str(), &format!("校长（{what}）"), PASSWORD]);
            table.add_row([unit.contact.as_str(), &format!("整改联络员（{what}）"), PASSWORD]);
        }
        for (login, _) in cast.county_inspectors.iter().take(3) {
            table.add_row([login.as_str(), "海口市督学", PASSWORD]);
        }
    }
    say(&table.to_string());
    let description = world.folder().join("stack.toml");
    say(&format!("target/debug/dudao doctor --stack {}", description.display()));
    say("按 Ctrl-C 结束 · Ctrl-C ends it");
}

/// A run for machines leaves nothing behind, unless it failed or was told to.
fn tidy(arguments: &Arguments, folder: &Path, ok: bool) {
    if arguments.stay || arguments.keep || arguments.folder.is_some() {
        return;
    }
    if ok {
        // What cannot be removed does no harm in target/.
        std::fs::remove_dir_all(folder).ok();
    } else {
        say(&format!("数据和日志保留在 · data and logs stay in {}", folder.display()));
    }
}

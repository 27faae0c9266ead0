//! `dudao`: the operator's tool.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use comfy_table::Table;
use dudao::doctor::{self, Grade};
use dudao::import::{self, ImportKind, RowFault};
use dudao::keys::{self, KeyPurpose};
use dudao::{Installation, journal};
use service_kit::ids::{Ids as _, SystemIds};

/// Longest wait for one service's replay.
const REPLAY_LIMIT: Duration = Duration::from_mins(5);
/// Rows of a refused import that are shown.
const SHOWN: usize = 50;

/// 督导平台运维工具 | the operator's tool of the supervision platform
#[derive(Debug, Parser)]
#[command(
    name = "dudao",
    version,
    after_help = "退出码：0 正常，1 发现问题，2 未能执行 | exit code: 0 well, 1 something is wrong, 2 it could not be done"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 导入表格（XLSX 或 CSV）| import a spreadsheet (XLSX or CSV)
    Import {
        /// 文件 | the file
        file: PathBuf,
        /// 登记服务的地址 | address of the registry, http://host:port
        #[arg(long)]
        registry: String,
        /// 存放登录令牌的文件 | file with the token of a signed-in account
        #[arg(long)]
        token_file: PathBuf,
        /// 内容；缺省时 CSV 为账号，XLSX 为基础数据 | what it holds; without it a CSV holds accounts
        #[arg(long)]
        kind: Option<ImportKind>,
    },
    /// 重新发布事件日志；已处理过的不会重复生效 | publish a journal again; nothing takes effect twice
    Replay {
        /// 服务名称，或 all | a service, or all
        service: String,
        /// 部署描述文件 | description of the installation (TOML)
        #[arg(long)]
        stack: PathBuf,
    },
    /// 校验全部日志链 | verify the audit chain of every journal
    Verify {
        /// 部署描述文件 | description of the installation (TOML)
        #[arg(long)]
        stack: PathBuf,
    },
    /// 检查运行状况，说明问题和办法 | look at a running installation and say what is wrong
    Doctor {
        /// 部署描述文件 | description of the installation (TOML)
        #[arg(long)]
        stack: PathBuf,
    },
    /// 密钥 | keys
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// 生成密钥对，公钥写入同名 .pub 文件 | make a key pair, its public half beside it in .pub
    New {
        /// 私钥文件，不得已存在 | file of the private key, must not exist
        file: PathBuf,
        /// 用途 | what for
        #[arg(long, value_enum, default_value = "journal")]
        purpose: KeyPurpose,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    service_kit::install_crypto();
    let done = match Arguments::parse().command {
        Command::Import { file, registry, token_file, kind } => import(&file, &registry, &token_file, kind).await,
        Command::Replay { service, stack } => replay(&service, &stack).await,
        Command::Verify { stack } => verify(&stack).await,
        Command::Doctor { stack } => examine(&stack).await,
        Command::Key { command: KeyCommand::New { file, purpose } } => new_key(purpose, &file),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "dudao: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output")
}

async fn import(file: &Path, registry: &str, token_file: &Path, kind: Option<ImportKind>) -> anyhow::Result<bool> {
    let token = std::fs::read_to_string(token_file).with_context(|| token_file.display().to_string())?;
    let report = import::import(file, kind, registry, token.trim(), SystemIds.new_id()).await?;
    say(format!(
        "导入 {}：{} 行，新增 {}，变更 {}，未变 {}，未导入 {}（提示 {}）",
        report.import_id,
        report.rows,
        report.created,
        report.changed,
        report.unchanged,
        report.rejected_rows,
        report.warnings.len()
    ))?;
    if !report.rejected.is_empty() || !report.warnings.is_empty() {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
        table.set_header(["", "工作表 sheet", "行 row", "列 column", "原因 reason"]);
        let rows = |word, faults: &[RowFault]| -> Vec<[String; 5]> {
            let row = |fault: &RowFault| {
                let column = fault.column.clone().unwrap_or_default();
                let reason = format!("{}\n{}", fault.reason.zh, fault.reason.en);
                [String::from(word), fault.sheet.clone(), fault.row.to_string(), column, reason]
            };
            faults.iter().take(SHOWN).map(row).collect()
        };
        table.add_rows(rows("✗", &report.rejected));
        table.add_rows(rows("!", &report.warnings));
        say(table)?;
    }
    Ok(report.rejected_rows == 0)
}

async fn replay(service: &str, stack: &Path) -> anyhow::Result<bool> {
    let installation = Installation::load(stack)?;
    for service in installation.chosen(service)? {
        let events = journal::replay(service, SystemIds.new_id(), "dudao replay", REPLAY_LIMIT).await?;
        say(format!("{}：已重新发布 {events} 个事件 | {events} events published again", service.name))?;
    }
    Ok(true)
}

async fn verify(stack: &Path) -> anyhow::Result<bool> {
    let installation = Installation::load(stack)?;
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(["服务 service", "批次 batches", "事件 events", "结果 result", "链头 head"]);
    let mut all_good = true;
    for service in installation.journals() {
        let report = journal::verify(service).await?;
        let result = if report.faults.is_empty() { "完好 holds".to_owned() } else { report.faults.join("\n") };
        all_good &= report.faults.is_empty();
        let head = report.head.as_deref().and_then(|head| head.get(..16)).unwrap_or("—").to_owned();
        table.add_row([service.name.clone(), report.batches.to_string(), report.events.to_string(), result, head]);
    }
    say(table)?;
    Ok(all_good)
}

async fn examine(stack: &Path) -> anyhow::Result<bool> {
    let installation = Installation::load(stack)?;
    let findings = doctor::examine(&installation).await;
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(["", "对象 subject", "情况 state", "办法 remedy"]);
    for finding in &findings {
        let mark = match finding.grade {
            Grade::Good => "✓",
            Grade::Notice => "!",
            Grade::Bad => "✗",
        };
        table.add_row([
            mark.to_owned(),
            finding.subject.clone(),
            format!("{}\n{}", finding.zh, finding.en),
            finding.remedy.clone(),
        ]);
    }
    say(table)?;
    let bad = findings.iter().filter(|finding| finding.grade == Grade::Bad).count();
    say(format!("{}　{bad} 个问题 | {bad} faults", doctor::now()))?;
    Ok(bad == 0)
}

fn new_key(purpose: KeyPurpose, file: &Path) -> anyhow::Result<bool> {
    let public = keys::make(purpose, file)?;
    say(format!("私钥 private: {}\n公钥 public: {}", file.display(), public.display()))?;
    Ok(true)
}

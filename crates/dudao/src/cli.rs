//! The command line of `dudao`, the operator's tool: what it is asked, and what it says.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use comfy_table::Table;
use service_kit::ids::{Ids as _, SystemIds};

use crate::doctor::{self, Grade};
use crate::import::{self, ImportKind, RowFault};
use crate::keys::{self, KeyPurpose};
use crate::rehearse::{self, COLUMNS};
use crate::{Installation, diagrams, due, journal, rules};

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
    /// 依次运行 doctor、prove、verify | doctor, prove and verify, one after the other
    Check {
        /// 部署描述文件 | description of the installation (TOML)
        #[arg(long)]
        stack: PathBuf,
        /// 只读取描述文件及其密码和公钥，不连接 | only read the description with its passwords and keys, connect to nothing
        #[arg(long)]
        check_config: bool,
    },
    /// 计算期限届满日 | when something is due
    Due {
        /// 起算日，当日不计入 | day 0, which is not counted, like 2026-09-29
        #[arg(required_unless_present = "batch")]
        start: Option<String>,
        /// 期限：5wd 工作日，30cd 自然日，3months 月，24h 小时 | the period
        #[arg(required_unless_present = "batch", num_args = 1..=2)]
        period: Vec<String>,
        /// 行政区划代码；缺省时用全国日历 | division code; the country's calendar without it
        #[arg(long)]
        county: Option<String>,
        /// 从标准输入逐行读取“日期 期限 [行政区划代码]” | read lines from standard input, answer each with a line
        #[arg(long, conflicts_with_all = ["start", "period", "county"])]
        batch: bool,
        /// 规则文件夹；缺省时用 ./rulebook 或内置规则 | folder of rules; else ./rulebook, else those inside the tool
        #[arg(long, env = "DUDAO_RULEBOOK")]
        rulebook: Option<PathBuf>,
    },
    /// 由规则数据绘制状态图 | draw the state machines and the ladder of the rulebook
    Diagrams {
        /// 规则文件夹 | folder of rules
        #[arg(long, env = "DUDAO_RULEBOOK", default_value = "rulebook")]
        rulebook: PathBuf,
        /// 输出文件夹；缺省时为规则库下的 diagrams | where to; else the folder diagrams of the rulebook
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// 自证：没有遗漏、没有重复、没有提前 | prove that nothing was missed, done twice or moved earlier
    Prove {
        /// 部署描述文件 | description of the installation (TOML)
        #[arg(long)]
        stack: PathBuf,
    },
    /// 解释一个期限：重算其计算书，与告知的逐字节比对 | explain a deadline: compute its sheet again and compare
    Explain {
        /// 期限编号 | the deadline's identifier
        deadline_id: uuid::Uuid,
        /// 部署描述文件 | description of the installation (TOML)
        #[arg(long)]
        stack: PathBuf,
    },
    /// 预演：若无人办理，今后各日将触发什么 | rehearse: what the clock will do if nobody does anything
    Rehearse {
        /// 天数 | days
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3660))]
        days: u16,
        /// 部署描述文件 | description of the installation (TOML)
        #[arg(long)]
        stack: PathBuf,
        /// 规则库文件夹 | folder of the rules that the installation began with
        #[arg(long, default_value = "rulebook")]
        rules: PathBuf,
        /// 以 JSON 输出 | print JSON
        #[arg(long)]
        json: bool,
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
    /// 输出日志私钥对应的公钥 | print the public half of a journal key
    Public {
        /// 私钥文件；缺省时读标准输入 | file of the private key; standard input without one
        file: Option<PathBuf>,
    },
}

/// The whole main function of `dudao`: reads the process's arguments, does what they ask, says it.
#[tokio::main]
pub async fn run() -> ExitCode {
    service_kit::install_crypto();
    let done = match Arguments::parse().command {
        Command::Import { file, registry, token_file, kind } => import(&file, &registry, &token_file, kind).await,
        Command::Replay { service, stack } => replay(&service, &stack).await,
        Command::Verify { stack } => verify(&stack).await,
        Command::Doctor { stack } => examine(&stack).await,
        Command::Check { stack, check_config: true } => read_only(&stack),
        Command::Check { stack, check_config: false } => check(&stack).await,
        Command::Due { batch: true, rulebook, .. } => due_batch(rulebook.as_deref()),
        Command::Due { start, period, county, rulebook, batch: false } => {
            due_one(&start.unwrap_or_default(), &period, county.as_deref(), rulebook.as_deref())
        }
        Command::Diagrams { rulebook, out } => draw(&rulebook, out),
        Command::Prove { stack } => prove(&stack).await,
        Command::Explain { deadline_id, stack } => explain(deadline_id, &stack).await,
        Command::Rehearse { days, stack, rules, json } => rehearse(&stack, &rules, days, json).await,
        Command::Key { command: KeyCommand::New { file, purpose } } => new_key(purpose, &file),
        Command::Key { command: KeyCommand::Public { file } } => public_key(file.as_deref()),
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

fn read_only(stack: &Path) -> anyhow::Result<bool> {
    Installation::load(stack)?.read_secrets()?;
    say("部署描述文件可用 | the description can be used")?;
    Ok(true)
}

/// Each of them is run whatever the others found: a database that is away must not hide what is wrong with the others. Every one
/// says its name first and what it ended with last, so that what was kept of them can be read without the exit code.
async fn check(stack: &Path) -> anyhow::Result<bool> {
    // A description that cannot be read is said once, not three times.
    Installation::load(stack)?;
    let doctor = checked("doctor", Box::pin(examine(stack))).await?;
    let prove = checked("prove", prove(stack)).await?;
    let verify = checked("verify", verify(stack)).await?;
    Ok(doctor && prove && verify)
}

async fn checked(name: &str, command: impl Future<Output = anyhow::Result<bool>>) -> anyhow::Result<bool> {
    say(format!("== dudao {name}"))?;
    let good =
        command.await.or_else(|error| say(format!("✗ 未能执行 it could not be done: {error:#}")).map(|()| false))?;
    say(format!("== dudao {name}: {}\n", i32::from(!good)))?;
    Ok(good)
}

fn due_one(start: &str, period: &[String], county: Option<&str>, rulebook: Option<&Path>) -> anyhow::Result<bool> {
    let sheet = due::sheet(&rules::load(rulebook)?, start, period, county)?;
    say(due::written(&sheet))?;
    Ok(true)
}

fn due_batch(rulebook: Option<&Path>) -> anyhow::Result<bool> {
    let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let answered = due::batch(&rules::load(rulebook)?, input, std::io::BufWriter::new(output), std::io::stderr())?;
    Ok(answered.refused == 0)
}

fn draw(rulebook: &Path, out: Option<PathBuf>) -> anyhow::Result<bool> {
    let folder = rules::load(Some(rulebook))?;
    let out = out.map_or_else(|| diagrams::usual_folder(rulebook, &folder), Ok)?;
    for path in diagrams::write(&diagrams::draw(&folder)?, &out)? {
        say(path.display())?;
    }
    Ok(true)
}

async fn prove(stack: &Path) -> anyhow::Result<bool> {
    let installation = Installation::load(stack)?;
    let proof = crate::prove::prove(deadlines_of(&installation)?).await?;
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(["", "不变式 invariant", "证明的内容 what it proves", "违反 broken by"]);
    for finding in &proof.findings {
        let (mark, broken) = if finding.violations == 0 {
            ("✓", "0".to_owned())
        } else {
            ("✗", format!("{}\n{}", finding.violations, finding.offenders.join("\n")))
        };
        let what = format!("{}\n{}", finding.invariant.zh, finding.invariant.en);
        table.add_row([mark.to_owned(), finding.invariant.name.to_owned(), what, broken]);
    }
    say(table)?;
    let extent = proof.extent;
    let broken = proof.findings.iter().filter(|finding| finding.violations > 0).count();
    say(format!(
        "{}　未办结 {}，已办结 {}，期限 {}，督办单 {}；{broken} 项不成立 | {broken} broken",
        proof.at, extent.open_cases, extent.closed_cases, extent.limits, extent.urging_orders
    ))?;
    Ok(proof.holds())
}

async fn explain(deadline_id: uuid::Uuid, stack: &Path) -> anyhow::Result<bool> {
    let installation = Installation::load(stack)?;
    let (kept, recomputed) = crate::explain::explain(deadlines_of(&installation)?, deadline_id).await?;
    say(recomputed.sheet.print_zh())?;
    say(format!(
        "整改 {}　事项 {}　第{}次期限（{}）",
        kept.rectification_id,
        kept.item_id,
        kept.round + 1,
        kept.basis
    ))?;
    if recomputed.identical {
        say("与告知的计算书逐字节一致 | identical")?;
    } else {
        say(format!(
            "与告知的计算书不一致 | differs\n告知 told:     {}\n重算 computed: {}",
            kept.proof, recomputed.text
        ))?;
    }
    Ok(recomputed.identical)
}

async fn rehearse(stack: &Path, rules: &Path, days: u16, json: bool) -> anyhow::Result<bool> {
    let installation = Installation::load(stack)?;
    let report = rehearse::rehearse(deadlines_of(&installation)?, rules, days).await?;
    let well = report.failed.is_empty();
    if json {
        say(serde_json::to_string_pretty(&report).context("writing JSON")?)?;
        return Ok(well);
    }
    let mut months = Table::new();
    months.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    months.set_header(std::iter::once("月份 month").chain(COLUMNS));
    for month in &report.months {
        let name = month.month.strftime("%Y-%m").to_string();
        months.add_row(std::iter::once(name).chain(rehearse::row(&month.notices).map(|count| count.to_string())));
    }
    say(months)?;
    let mut weeks = Table::new();
    weeks.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    weeks.set_header(["市县 county", "星期一 week of"].into_iter().chain(COLUMNS));
    for week in &report.weeks {
        let name = [week.county.clone(), week.week.to_string()];
        weeks.add_row(name.into_iter().chain(rehearse::row(&week.notices).map(|count| count.to_string())));
    }
    say(weeks)?;
    for day in &report.provisional {
        say(format!("暂定 provisional：{} 有 {} 个期限 | {} limits", day.due_on, day.limits, day.limits))?;
    }
    for rule in &report.silent {
        let (zh, en) = if rule.needs_act {
            ("须先有人办理，预演中不触发", "begins with an act of people")
        } else {
            ("从未触发，请核对规则或案例", "never fired: look at the rule, or at the cases")
        };
        say(format!("规则 rule {}：{zh} | {en}", rule.rule_id))?;
    }
    for failed in &report.failed {
        say(format!("✗ {} 个整改无法判定 | {} cases: {}", failed.cases, failed.cases, failed.cause))?;
    }
    say(format!(
        "{} — {}　整改 {}，另将立 {}，触发 {} 次 | {} cases, {} more, {} firings",
        report.from,
        report.until,
        report.cases,
        report.opened,
        report.firings,
        report.cases,
        report.opened,
        report.firings
    ))?;
    Ok(well)
}

/// The entry of the service that keeps the clocks.
fn deadlines_of(installation: &Installation) -> anyhow::Result<&crate::ServiceEntry> {
    installation.chosen("deadlines")?.into_iter().next().context("the installation has no service deadlines")
}

fn new_key(purpose: KeyPurpose, file: &Path) -> anyhow::Result<bool> {
    let public = keys::make(purpose, file)?;
    say(format!("私钥 private: {}\n公钥 public: {}", file.display(), public.display()))?;
    Ok(true)
}

fn public_key(file: Option<&Path>) -> anyhow::Result<bool> {
    say(keys::public(file)?)?;
    Ok(true)
}

//! Looks at a running installation from outside and says in words what is wrong and what to do.

use std::path::Path;
use std::time::Duration;

use contracts::subjects;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use messaging::Broker;
use postgres::Database;
use reqwest::Method;
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::health::Readiness;
use service_kit::http_client::{self, HttpClient, HttpClientOptions};

use crate::installation::{Installation, ServiceEntry, patiently};

/// Longest time for one look.
const LOOK_LIMIT: Duration = Duration::from_secs(5);
/// Unpublished events above which the relay is thought to hang.
const MUCH_LAG: u64 = 1_000;
/// Undelivered events above which a consumer is thought to hang.
const MUCH_PENDING: u64 = 1_000;
/// A larger difference between the clocks of database and machine is worth a word, in seconds.
const MUCH_SKEW_SECONDS: i64 = 2;
/// An event that is later than legal time by more than this shows that the clock went back, in seconds.
const MUCH_AHEAD_SECONDS: f64 = 2.0;
/// Free share of a disk below which it is about to be full, in percent.
const LITTLE_SPACE_PERCENT: u64 = 10;

/// How good or bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Good,
    /// Works, but somebody should look.
    Notice,
    /// Does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What: a service, `broker`, `disk`.
    pub subject: String,
    /// How it is.
    pub grade: Grade,
    /// The state in Simplified Chinese.
    pub zh: String,
    /// The state in English.
    pub en: String,
    /// What to do, in both languages; empty when all is well.
    pub remedy: String,
}

impl Finding {
    fn good(subject: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), grade: Grade::Good, zh: zh.into(), en: en.into(), remedy: String::new() }
    }

    fn notice(subject: &str, zh: impl Into<String>, en: impl Into<String>, remedy: &str) -> Self {
        Self { grade: Grade::Notice, remedy: remedy.to_owned(), ..Self::good(subject, zh, en) }
    }

    fn bad(subject: &str, zh: impl Into<String>, en: impl Into<String>, remedy: &str) -> Self {
        Self { grade: Grade::Bad, remedy: remedy.to_owned(), ..Self::good(subject, zh, en) }
    }
}

/// Looks at everything. Never fails: what cannot be looked at is a finding.
pub async fn examine(installation: &Installation) -> Vec<Finding> {
    let (services, broker) =
        tokio::join!(join_all(installation.services.iter().map(of_service)), of_broker(installation));
    let mut findings: Vec<Finding> = Vec::new();
    let mut shifts = Vec::new();
    for (service, (found, shift)) in installation.services.iter().zip(services) {
        findings.extend(found);
        shifts.extend(shift.map(|shift| (service.name.as_str(), shift)));
    }
    findings.extend(of_shifts(&shifts));
    findings.extend(broker);
    if let Some(files) = &installation.files {
        findings.push(of_disk(files));
    }
    findings
}

async fn of_service(service: &ServiceEntry) -> (Vec<Finding>, Option<SignedDuration>) {
    let mut findings = of_readiness(service).await;
    if service.database.is_none() {
        return (findings, None);
    }
    let name = service.name.as_str();
    match tokio::time::timeout(LOOK_LIMIT, service.connect()).await {
        Ok(Ok(database)) => {
            let (found, shift) = of_database(name, &database).await;
            findings.extend(found);
            database.pool().close().await;
            (findings, shift)
        }
        Ok(Err(error)) => {
            findings.push(no_database(name, &chain(&error)));
            (findings, None)
        }
        Err(_) => {
            findings.push(no_database(name, "no answer within 5 s"));
            (findings, None)
        }
    }
}

fn no_database(name: &str, error: &str) -> Finding {
    Finding::bad(
        name,
        format!("数据库连接不上：{error}"),
        format!("its database cannot be reached: {error}"),
        "检查数据库是否运行、地址和密码文件是否正确。Is the database running, are address and password file right?",
    )
}

fn client(address: &str) -> Result<HttpClient, String> {
    let url = reqwest::Url::parse(address).map_err(|error| format!("{address}: {error}"))?;
    http_client::client(&HttpClientOptions {
        allowed_hosts: url.host_str().map(str::to_owned).into_iter().collect(),
        allow_private_addresses: true,
        connect_timeout: LOOK_LIMIT,
        timeout: LOOK_LIMIT,
        authority_file: None,
    })
    .map_err(|error| chain(&error))
}

async fn readiness(address: &str) -> Result<Readiness, String> {
    let request = client(address)?
        .request(Method::GET, &format!("{}/readyz", address.trim_end_matches('/')))
        .map_err(|error| chain(&error))?;
    let answer = request.send().await.map_err(|error| chain(&error))?;
    answer.json().await.map_err(|error| chain(&error))
}

async fn of_readiness(service: &ServiceEntry) -> Vec<Finding> {
    let name = service.name.as_str();
    match patiently(|_| true, || readiness(&service.operations)).await {
        Err(error) => vec![Finding::bad(
            name,
            format!("没有应答：{error}"),
            format!("does not answer: {error}"),
            "启动该服务，查看它的日志。Start the service and read its log.",
        )],
        Ok(readiness) if readiness.ready => {
            let checks: Vec<&str> = readiness.checks.iter().map(|check| check.name.as_str()).collect();
            let checks = checks.join(", ");
            vec![Finding::good(name, format!("就绪（{checks}）"), format!("ready ({checks})"))]
        }
        Ok(readiness) => readiness
            .checks
            .iter()
            .filter(|check| !check.ok)
            .map(|check| {
                let remedy = match check.name.as_str() {
                    "database" => "检查数据库是否运行。Is the database running?",
                    "broker" => "检查消息服务器是否运行。Is the broker running?",
                    "migrations" => "用与数据库相符的版本启动服务。Start the version that fits the database.",
                    "clock" => {
                        "用 NTP 校准该节点或数据库节点的时钟；生产环境不得移动时钟。Set the clock of its node or of the database's by NTP; no clock is moved in production."
                    }
                    _ => "查看该服务的日志。Read the log of the service.",
                };
                Finding::bad(
                    name,
                    format!("未就绪（{}）：{}", check.name, check.zh),
                    format!("not ready ({}): {}", check.name, check.en),
                    remedy,
                )
            })
            .collect(),
    }
}

async fn of_database(name: &str, database: &Database) -> (Vec<Finding>, Option<SignedDuration>) {
    let mut findings = Vec::new();
    let broken = |what: &str, error: &sqlx::Error| {
        Finding::bad(
            name,
            format!("无法读取{what}：{error}"),
            format!("cannot read {what}: {error}"),
            "先启动一次该服务，让它建表。Start the service once, so that it makes its tables.",
        )
    };
    match unfinished_migrations(database).await {
        Ok(0) => {}
        Ok(count) => findings.push(Finding::bad(
            name,
            format!("{count} 个数据库变更没有完成"),
            format!("{count} migrations did not finish"),
            "查看日志中的原因，修复后重新启动。Read the reason in the log, mend it, start again.",
        )),
        Err(error) => findings.push(broken("migrations", &error)),
    }
    match messaging::lag(database).await {
        Ok(lag) if lag > MUCH_LAG => findings.push(Finding::bad(
            name,
            format!("{lag} 个事件还没有发出"),
            format!("{lag} events are not published yet"),
            "检查消息服务器和该服务的日志（relay）。Look at the broker and at the service's log (relay).",
        )),
        Ok(lag) => findings.push(Finding::good(name, format!("待发事件 {lag}"), format!("{lag} events to publish"))),
        Err(error) => findings.push(broken("journal", &error)),
    }
    match messaging::dead_letters::waiting(database).await {
        Ok(0) => {}
        Ok(count) => findings.push(Finding::bad(
            name,
            format!("{count} 条死信等待处理"),
            format!("{count} dead letters wait for a person"),
            "GET /v1/service/dead-letters 查看原因，更正后重发。Read the cause, correct it, send it again.",
        )),
        Err(error) => findings.push(broken("dead letters", &error)),
    }
    match messaging::ahead_of_clock(database).await {
        Ok(ahead) if ahead > MUCH_AHEAD_SECONDS => findings.push(Finding::bad(
            name,
            format!("最新事件比法定时间晚 {ahead:.0} 秒：数据库时钟倒退了"),
            format!("its newest event is {ahead:.0} s later than legal time: the database's clock went back"),
            "校准数据库节点的时钟（NTP），见 DudaoDatabaseClockOff。Set the clock of the database's node by NTP.",
        )),
        Ok(_) => {}
        Err(error) => findings.push(broken("journal", &error)),
    }
    match clock(database).await {
        Ok((skew, shift)) => {
            if skew.as_secs().abs() > MUCH_SKEW_SECONDS {
                findings.push(Finding::notice(
                    name,
                    format!("数据库时钟与本机相差 {} 秒", skew.as_secs()),
                    format!("the database's clock differs from this machine's by {} s", skew.as_secs()),
                    "校准时钟（NTP）；期限以数据库时钟为准。Set the clocks by NTP; the database's decides deadlines.",
                ));
            }
            (findings, Some(shift))
        }
        Err(error) => {
            findings.push(broken("clock", &error));
            (findings, None)
        }
    }
}

async fn unfinished_migrations(database: &Database) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations WHERE NOT success").fetch_one(database.pool()).await
}

/// The database's clock against the machine's, and legal time against the database's clock.
async fn clock(database: &Database) -> Result<(SignedDuration, SignedDuration), sqlx::Error> {
    let before = SystemClock.now();
    let (clock, legal): (i64, i64) = sqlx::query_as(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
                (extract(epoch FROM messaging.legal_now()) * 1000)::bigint",
    )
    .fetch_one(database.pool())
    .await?;
    let after = SystemClock.now();
    let own = i64::midpoint(before.as_millisecond(), after.as_millisecond());
    Ok((SignedDuration::from_millis(clock - own), SignedDuration::from_millis(legal - clock)))
}

/// A rehearsal shifts legal time; all services must agree on by how much.
fn of_shifts(shifts: &[(&str, SignedDuration)]) -> Vec<Finding> {
    let seconds = |shift: &SignedDuration| shift.as_secs();
    let (Some((_, least)), Some((_, most))) =
        (shifts.iter().min_by_key(|(_, shift)| *shift), shifts.iter().max_by_key(|(_, shift)| *shift))
    else {
        return Vec::new();
    };
    if seconds(most) - seconds(least) > MUCH_SKEW_SECONDS {
        let list: Vec<String> = shifts.iter().map(|(name, shift)| format!("{name} {}s", seconds(shift))).collect();
        let list = list.join(", ");
        return vec![Finding::bad(
            "clock",
            format!("各服务的法定时间不一致：{list}"),
            format!("the services' legal times differ: {list}"),
            "把演练时钟调成一致。Move the rehearsal clocks together.",
        )];
    }
    if seconds(most) > MUCH_SKEW_SECONDS {
        let days = seconds(most) / 86_400;
        return vec![Finding::notice(
            "clock",
            format!("演练时钟已前移约 {days} 天"),
            format!("the rehearsal clock is about {days} days ahead"),
            "演练中属正常；生产环境不得出现。Normal in a rehearsal, never in production.",
        )];
    }
    vec![Finding::good("clock", "法定时间与数据库时钟一致", "legal time is the database's clock")]
}

async fn of_broker(installation: &Installation) -> Vec<Finding> {
    let error = match installation.broker.connect(LOOK_LIMIT).await {
        Ok(broker) => return of_streams(installation, &broker).await,
        Err(error) => chain(&error),
    };
    vec![Finding::bad(
        "broker",
        format!("消息服务器连接不上：{error}"),
        format!("the broker cannot be reached: {error}"),
        "启动消息服务器；事件留在数据库里，不会丢失。Start it; events wait in the databases, nothing is lost.",
    )]
}

async fn of_streams(installation: &Installation, broker: &Broker) -> Vec<Finding> {
    use futures_util::TryStreamExt as _;
    let mut findings = Vec::new();
    for service in installation.journals() {
        let name = subjects::stream(broker.prefix(), &service.name);
        let stream = match broker.context().get_stream(&name).await {
            Ok(stream) => stream,
            Err(error) => {
                findings.push(Finding::bad(
                    "broker",
                    format!("没有事件流 {name}：{error}"),
                    format!("there is no stream {name}: {error}"),
                    "启动该服务，它会自行建立事件流并补发。Start the service: it makes the stream and fills it again.",
                ));
                continue;
            }
        };
        let consumers: Vec<_> = match stream.consumers().try_collect().await {
            Ok(consumers) => consumers,
            Err(error) => {
                findings.push(Finding::notice(
                    "broker",
                    format!("无法列出 {name} 的消费者：{error}"),
                    format!("cannot list the consumers of {name}: {error}"),
                    "稍后再试。Try again.",
                ));
                continue;
            }
        };
        let waiting = consumers.iter().filter(|consumer| consumer.num_pending > MUCH_PENDING);
        for consumer in waiting {
            findings.push(Finding::notice(
                "broker",
                format!("消费者 {} 还有 {} 个事件未处理", consumer.name, consumer.num_pending),
                format!("consumer {} has {} events before it", consumer.name, consumer.num_pending),
                "查看该服务是否运行、是否报错。Is that service running, does its log complain?",
            ));
        }
        let (messages, count) = (stream.cached_info().state.messages, consumers.len());
        findings.push(Finding::good(
            "broker",
            format!("事件流 {name}：{messages} 个事件，{count} 个消费者"),
            format!("stream {name}: {messages} events, {count} consumers"),
        ));
    }
    findings
}

fn of_disk(folder: &Path) -> Finding {
    let output = std::process::Command::new("df").arg("-Pk").arg(folder).output();
    let used = output.ok().filter(|output| output.status.success()).and_then(|output| used_percent(&output.stdout));
    let place = folder.display();
    match used {
        None => Finding::notice(
            "disk",
            format!("无法查看 {place} 所在磁盘"),
            format!("cannot look at the disk of {place}"),
            "检查文件夹是否存在。Does the folder exist?",
        ),
        Some(used) if used + LITTLE_SPACE_PERCENT > 100 => Finding::bad(
            "disk",
            format!("{place} 所在磁盘已用 {used}%"),
            format!("the disk of {place} is {used} % full"),
            "腾出空间；磁盘写满后证据无法上传。Make room: no evidence can be uploaded when it is full.",
        ),
        Some(used) => Finding::good(
            "disk",
            format!("{place} 所在磁盘已用 {used}%"),
            format!("the disk of {place} is {used} % full"),
        ),
    }
}

/// The fifth column of the second line of `df -Pk`.
fn used_percent(output: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(output).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(4)?.strip_suffix('%')?.parse().ok()
}

/// An error with everything below it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(below) = source {
        text.push_str(": ");
        text.push_str(&below.to_string());
        source = below.source();
    }
    text
}

/// Machine time at which an examination is made, for its head line.
pub fn now() -> Timestamp {
    SystemClock.now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BrokerEntry;

    #[test]
    fn df_is_read_by_its_columns() {
        let text = b"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a b 10 9 1 93% /\n";
        assert_eq!(used_percent(text), None, "a device with a blank is not misread");
        let text = b"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 10 9 1 93% /a b\n";
        assert_eq!(used_percent(text), Some(93));
    }

    #[test]
    fn services_must_agree_on_legal_time() {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        assert_eq!(of_shifts(&[("a", days(0)), ("b", days(0))])[0].grade, Grade::Good);
        assert_eq!(of_shifts(&[("a", days(40)), ("b", days(40))])[0].grade, Grade::Notice);
        let apart = of_shifts(&[("a", days(40)), ("b", days(39))]);
        assert_eq!(apart[0].grade, Grade::Bad);
        assert!(apart[0].en.contains("b 3369600s"), "{}", apart[0].en);
    }

    #[tokio::test]
    async fn what_does_not_answer_is_named_with_a_remedy() {
        service_kit::install_crypto();
        let installation = Installation {
            // Port 1 is never served.
            broker: BrokerEntry { url: "nats://127.0.0.1:1".to_owned(), ..BrokerEntry::default() },
            files: None,
            services: vec![ServiceEntry {
                name: "console".to_owned(),
                operations: "http://127.0.0.1:1".to_owned(),
                journal_public_keys: Vec::new(),
                journal_public_keys_file: None,
                database: None,
            }],
        };
        let findings = examine(&installation).await;
        let bad: Vec<&str> =
            findings.iter().filter(|it| it.grade == Grade::Bad).map(|it| it.subject.as_str()).collect();
        assert_eq!(bad, ["console", "broker"]);
        assert!(findings.iter().all(|finding| !finding.remedy.is_empty()));
    }
}

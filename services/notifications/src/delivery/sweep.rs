//! The sweeper: a proof that every notice has reached an end or is being tried, and the names of those that have not.
//!
//! An end is a delivery that was accepted, a digest that was sent, or a decision of a person. What was given up (`failed`) is no
//! violation: it is at its end until a person decides, and is counted beside. A unit without anybody to tell is named elsewhere
//! (`unreached`) and told as soon as it has somebody.

use std::time::Duration;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use opentelemetry::{
    KeyValue,
    metrics::{Gauge, Meter},
};
use postgres::Database;
use serde::{Deserialize, Serialize};
use service_kit::{Round, Worker};
use sqlx::PgConnection;
use uuid::Uuid;

const PERIOD: Duration = Duration::from_secs(30);
/// So many offenders are named of each kind.
const NAMED: i32 = 20;

/// One thing that must not be.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The stable key.
    pub name: &'static str,
    /// What must not be, in Chinese.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// Gives (how many, some of their ids); $1 is legal time, $2 how many are named.
    sql: &'static str,
}

/// Everything that is looked for.
pub const RULES: [Rule; 9] = [
    Rule {
        name: "untold",
        zh: "有事项超过一分钟未告知任何人",
        en: "a notice has waited for over a minute, or cannot be told",
        sql: "SELECT count(*), (array_agg(notice_id))[1:$2] FROM untold
              WHERE attempts > 0 OR next_attempt_at < statement_timestamp() - interval '1 minute' OR $1::timestamptz IS NULL",
    },
    Rule {
        name: "told_to_nobody",
        zh: "有事项既未告知任何人，也未登记无人可告知",
        en: "a notice was told to nobody, and no unit is named as not reached",
        sql: "SELECT count(*), (array_agg(n.notice_id))[1:$2] FROM notices n
              WHERE n.created_at > $1 - interval '30 days'
                AND NOT EXISTS (SELECT 1 FROM untold q WHERE q.notice_id = n.notice_id)
                AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.event_id = n.notice_id)
                AND NOT EXISTS (SELECT 1 FROM unreached u WHERE u.event_id = n.notice_id)",
    },
    Rule {
        name: "without_delivery",
        zh: "有消息没有任何送达方式",
        en: "a message has no delivery",
        sql: "SELECT count(*), (array_agg(m.message_id))[1:$2] FROM messages m
              WHERE m.created_at > $1 - interval '30 days'
                AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id)",
    },
    Rule {
        name: "not_taken",
        zh: "有到时待发的消息十五分钟无人发送",
        en: "a delivery has been due for a quarter of an hour and nobody takes it",
        sql: "SELECT count(*), (array_agg(delivery_id))[1:$2] FROM deliveries
              WHERE next_attempt_at < statement_timestamp() - interval '15 minutes' OR $1::timestamptz IS NULL",
    },
    Rule {
        name: "not_released",
        zh: "有消息已到发送时段仍未放行",
        en: "a held delivery was not released in its hours",
        sql: "SELECT count(*), (array_agg(delivery_id))[1:$2] FROM deliveries WHERE not_before < $1 - interval '5 minutes'",
    },
    Rule {
        name: "digest_without_mail",
        zh: "有摘要没有对应的邮件",
        en: "a digest has no mail of its own",
        sql: "SELECT count(*), (array_agg(g.digest_id))[1:$2] FROM digests g
              WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.digest_of = g.digest_id) OR $1::timestamptz IS NULL",
    },
    Rule {
        name: "legal_collected",
        zh: "有具有法定效力的消息被收入摘要",
        en: "a message of legal effect was collected into a digest",
        sql: "SELECT count(*), (array_agg(d.delivery_id))[1:$2] FROM deliveries d JOIN messages m USING (message_id)
              JOIN notices n ON n.notice_id = m.event_id
              WHERE n.legal AND (d.digest_id IS NOT NULL OR (d.collected AND d.not_before IS NOT NULL) OR $1::timestamptz IS NULL)",
    },
    Rule {
        name: "receipt_not_opened",
        zh: "有需要签收的文书没有签收记录",
        en: "a document that must be acknowledged has no receipt",
        sql: "SELECT count(*), (array_agg(n.notice_id))[1:$2] FROM notices n
              WHERE n.created_at > $1 - interval '30 days' AND n.document_id IS NOT NULL
                AND n.template IN ('supervision_notification', 'preliminary_opinion', 'opinion_letter', 'urging_order')
                AND NOT EXISTS (SELECT 1 FROM untold q WHERE q.notice_id = n.notice_id)
                AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.document_id = n.document_id)",
    },
    Rule {
        name: "unsigned_unchased",
        zh: "有逾期未签收的文书没有催告",
        en: "an unsigned document was not chased when its instant came",
        sql: "SELECT count(*), (array_agg(receipt_id))[1:$2] FROM receipts WHERE next_chase_at < $1 - interval '5 minutes'",
    },
];

/// What was found of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The key of the rule.
    pub name: String,
    /// How many.
    pub count: i64,
    /// Some of them.
    pub offenders: Vec<Uuid>,
}

/// A sweep.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Legal time.
    pub swept_at: Timestamp,
    /// One finding for each rule.
    pub findings: Vec<Finding>,
    /// Deliveries that wait or are tried.
    pub open: i64,
}

/// Looks at everything once and keeps what was found.
pub async fn sweep(database: &Database) -> Result<Sweep, sqlx::Error> {
    let mut tx = database.begin().await?;
    let at = tx.at();
    let mut findings = Vec::with_capacity(RULES.len());
    for rule in RULES {
        let (count, offenders): (i64, Option<Vec<Uuid>>) =
            sqlx::query_as(rule.sql).bind(at.to_sqlx()).bind(NAMED).fetch_one(&mut *tx).await?;
        findings.push(Finding { name: rule.name.to_owned(), count, offenders: offenders.unwrap_or_default() });
    }
    let open: i64 = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM deliveries WHERE next_attempt_at IS NOT NULL OR not_before IS NOT NULL"#
    )
    .fetch_one(&mut *tx)
    .await?;
    let text = serde_json::to_string(&findings).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query!(
        "WITH old AS (DELETE FROM sweeps WHERE swept_at < $1::timestamptz - interval '30 days')
         INSERT INTO sweeps (swept_at, findings, open) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        at.to_sqlx() as _,
        text,
        open,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Sweep { swept_at: at, findings, open })
}

/// The last sweep.
pub async fn latest(db: &mut PgConnection) -> Result<Option<Sweep>, sqlx::Error> {
    let row = sqlx::query!("SELECT swept_at, findings, open FROM sweeps ORDER BY swept_at DESC LIMIT 1")
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let swept_at: jiff_sqlx::Timestamp = row.swept_at;
    let findings = serde_json::from_str(&row.findings).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Some(Sweep { swept_at: swept_at.to_jiff(), findings, open: row.open }))
}

/// The worker: sweeps, shows the counts as a metric, and names what it finds in the log.
pub fn sweep_worker(database: Database, meter: &Meter) -> Worker {
    let violations: Gauge<i64> = meter
        .i64_gauge("dudao_notifications_violations")
        .with_description("Notices that have not reached an end and are not being tried, by what is wrong")
        .build();
    Worker::every("delivery-sweep", PERIOD, move || {
        let (database, violations) = (database.clone(), violations.clone());
        async move {
            let sweep = sweep(&database).await?;
            for finding in &sweep.findings {
                violations.record(finding.count, &[KeyValue::new("invariant", finding.name.clone())]);
                if finding.count > 0 {
                    let offenders: Vec<String> = finding.offenders.iter().map(ToString::to_string).collect();
                    tracing::error!(
                        invariant = finding.name,
                        violations = finding.count,
                        offenders = offenders.join(" "),
                        "notices have not reached an end and are not being tried"
                    );
                }
            }
            Ok(Round::Done)
        }
    })
}

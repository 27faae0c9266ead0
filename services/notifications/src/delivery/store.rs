//! The SQL of deliveries.

use access::Scope;
use domain::ids::{AccountId, MessageId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use service_kit::ids::{Ids as _, SystemIds};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::{
    About, Outcome,
    carry::{Facts, Parcel},
    plan::{Begin, Plan},
};
use crate::{language::Language, message::store::FrameRow, rules::Channel};

/// The class of the advisory locks of senders, as PostgreSQL's two-part locks have it.
const LANES: i32 = 77_010;

/// What a sender took, with what the receipt's link needs.
#[derive(Debug)]
pub struct Claimed {
    pub parcel: Parcel,
    /// The open receipt of the document, for its addressee.
    pub receipt: Option<OpenReceipt>,
    /// The parcel's frame, to be written again with a link.
    pub frame: Option<FrameRow>,
}

/// A receipt that the reader may sign.
#[derive(Debug, Clone, Copy)]
pub struct OpenReceipt {
    pub receipt: Uuid,
    pub account: Uuid,
    pub message: Uuid,
}

/// What waits.
#[derive(Debug)]
pub struct Backlog {
    pub oldest_seconds: f64,
    pub waiting: i64,
    pub held: i64,
    pub failed: i64,
    pub unreached: i64,
    pub untold: i64,
}

/// A delivery, or a unit that nobody could be told in.
#[derive(Debug)]
pub struct DeliveryRow {
    pub delivery_id: Uuid,
    pub message_id: Option<Uuid>,
    pub template: String,
    pub capacity: String,
    pub doc_no: String,
    pub language: String,
    pub recipient: String,
    pub account_id: Option<Uuid>,
    pub unit_id: Uuid,
    pub unit_name: String,
    pub channel: Option<String>,
    pub state: String,
    pub attempts: i32,
    pub next_attempt_at: Option<jiff_sqlx::Timestamp>,
    pub not_before: Option<jiff_sqlx::Timestamp>,
    pub last_error: Option<String>,
    pub provider: Option<String>,
    pub redrives: i32,
    pub discard_reason: Option<String>,
    pub created_at: jiff_sqlx::Timestamp,
    pub delivered_at: Option<jiff_sqlx::Timestamp>,
    pub read_at: Option<jiff_sqlx::Timestamp>,
}

/// How many deliveries are in which state.
#[derive(Debug)]
pub struct CountRow {
    pub queued: i64,
    pub held: i64,
    pub sending: i64,
    pub delivered: i64,
    pub digested: i64,
    pub failed: i64,
    pub discarded: i64,
    pub no_recipient: i64,
}

/// A delivery that a person decides about.
#[derive(Debug)]
pub struct Decidable {
    pub delivery_id: Uuid,
    pub state: String,
    pub area_path: Vec<Uuid>,
}

/// Writes deliveries as they begin.
pub async fn insert(tx: &mut Tx, plans: &[Plan]) -> Result<(), sqlx::Error> {
    let at = tx.at();
    write(tx, plans, at).await
}

async fn write(db: &mut PgConnection, plans: &[Plan], at: Timestamp) -> Result<(), sqlx::Error> {
    if plans.is_empty() {
        return Ok(());
    }
    // In the order of time, so that a storm writes its index in a row; that a message goes by a way once is kept by the table.
    let ids: Vec<Uuid> = plans.iter().map(|_| SystemIds.new_id()).collect();
    let messages: Vec<Uuid> = plans.iter().map(|plan| plan.message).collect();
    let channels: Vec<String> = plans.iter().map(|plan| plan.channel.as_str().to_owned()).collect();
    let states = plans.iter().map(|plan| match plan.begin {
        Begin::Delivered => "delivered",
        Begin::Queued => "queued",
        Begin::Held { .. } => "held",
        Begin::Failed(_) => "failed",
    });
    let states: Vec<String> = states.map(str::to_owned).collect();
    let not_before = plans.iter().map(|plan| match plan.begin {
        Begin::Held { not_before, .. } => Some(not_before.to_sqlx()),
        Begin::Delivered | Begin::Queued | Begin::Failed(_) => None,
    });
    let not_before: Vec<Option<jiff_sqlx::Timestamp>> = not_before.collect();
    let collected: Vec<bool> =
        plans.iter().map(|plan| matches!(plan.begin, Begin::Held { collected: true, .. })).collect();
    let errors = plans.iter().map(|plan| match plan.begin {
        Begin::Failed(error) => Some(error.to_owned()),
        Begin::Delivered | Begin::Queued | Begin::Held { .. } => None,
    });
    let errors: Vec<Option<String>> = errors.collect();
    sqlx::query!(
        "INSERT INTO deliveries (delivery_id, message_id, channel, state, not_before, collected, last_error, next_attempt_at,
                                 queued_at, delivered_at)
         SELECT p.id, p.message, p.channel, p.state, p.not_before, p.collected, p.error,
                CASE WHEN p.state = 'queued' THEN statement_timestamp() END, $8,
                CASE WHEN p.state = 'delivered' THEN $8::timestamptz END
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::text[])
              AS p(id, message, channel, state, not_before, collected, error)
         ON CONFLICT DO NOTHING",
        &ids,
        &messages,
        &channels,
        &states,
        &not_before as &[Option<jiff_sqlx::Timestamp>],
        &collected,
        &errors as &[Option<String>],
        at.to_sqlx() as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Failed mail of an account waits again: the account has another address now.
pub async fn try_failed_again(tx: &mut Tx, account: AccountId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE deliveries d SET state = 'queued', attempts = 0, refusals = 0, next_attempt_at = statement_timestamp()
         FROM messages m
         WHERE m.message_id = d.message_id AND m.account_id = $1 AND d.channel = 'mail' AND d.state = 'failed'",
        Uuid::from(account),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a number of its own for a sender, by an advisory lock of its connection.
pub async fn open_lane(db: &mut PgConnection) -> Result<i64, sqlx::Error> {
    loop {
        let row = sqlx::query!(
            r#"SELECT n.number::bigint AS "number!", pg_try_advisory_lock($1, n.number) AS "locked!"
               FROM (SELECT 1 + (random() * 2147483645)::integer AS number OFFSET 0) AS n"#,
            LANES,
        )
        .fetch_one(&mut *db)
        .await?;
        if row.locked {
            return Ok(row.number);
        }
    }
}

/// Takes deliveries that are due: those that wait, and those whose sender's lock is gone.
#[expect(clippy::too_many_lines, reason = "one statement, and its row read out")]
pub async fn claim(
    db: &mut PgConnection,
    channel: Channel,
    lane: i64,
    limit: i64,
    support: &str,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"WITH live AS MATERIALIZED (
               SELECT objid::bigint AS lane FROM pg_locks
               WHERE locktype = 'advisory' AND classid::bigint = $4::integer AND objsubid = 2 AND granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
           due AS (
               SELECT delivery_id FROM deliveries
               WHERE channel = $1 AND next_attempt_at <= statement_timestamp()
                 AND (state = 'queued' OR lane NOT IN (SELECT live.lane FROM live))
               ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED),
           taken AS (
               UPDATE deliveries d SET state = 'sending', lane = $2, attempts = attempts + 1,
                                       next_attempt_at = statement_timestamp() + interval '2 seconds'
               FROM due WHERE d.delivery_id = due.delivery_id
               RETURNING d.delivery_id, d.message_id, d.digest_of, d.attempts, d.refusals)
           SELECT d.delivery_id AS "delivery_id!", coalesce(d.message_id, d.digest_of) AS "key!", d.attempts AS "attempts!",
                  d.refusals AS "refusals!", a.email AS "email?", p.phone AS "phone?", m.endpoint AS "endpoint?",
                  coalesce(m.language, g.language) AS "language!", m.template AS "template?", m.capacity AS "capacity?",
                  m.account_id AS "account_id?", m.subject AS "old_subject?", m.body AS "old_body?",
                  coalesce(m.created_at, g.created_at) AS "created_at!", t.body AS "body?",
                  g.subject AS "digest_subject?", g.body AS "digest_body?",
                  n.legal AS "legal?", n.urgent AS "urgent?", n.county_code AS "county_code?", n.addressee_name AS "addressee_name?",
                  n.department_name AS "department_name?", n.issuing_name AS "issuing_name?", n.link AS "link?",
                  n.document_id AS "document_id?", n.doc_no AS "doc_no?", n.case_id AS "case_id?",
                  n.rectification_id AS "rectification_id?", n.unit_id AS "unit_id?", n.unit_name AS "unit_name?",
                  r.receipt_id AS "receipt_id?"
           FROM taken d
           LEFT JOIN messages m ON m.message_id = d.message_id
           LEFT JOIN notices n ON n.notice_id = m.event_id
           LEFT JOIN texts t ON t.notice_id = m.event_id AND t.language = m.language
           LEFT JOIN digests g ON g.digest_id = d.digest_of
           LEFT JOIN accounts a ON a.account_id = coalesce(m.account_id, g.account_id)
           LEFT JOIN preferences p ON p.account_id = a.account_id
           LEFT JOIN receipts r ON r.document_id = n.document_id AND r.signed_at IS NULL"#,
        channel.as_str(),
        lane,
        limit,
        LANES,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let frame = row.template.as_ref().zip(row.capacity.as_ref()).map(|(template, capacity)| FrameRow {
                template: template.clone(),
                capacity: capacity.clone(),
                language: row.language.clone(),
                addressee_name: row.addressee_name.clone().unwrap_or_default(),
                department_name: row.department_name.clone(),
                issuing_name: row.issuing_name.clone().unwrap_or_default(),
                link: row.link.clone().unwrap_or_default(),
                doc_no: row.doc_no.clone().unwrap_or_default(),
                unit_name: row.unit_name.clone().unwrap_or_default(),
                body: row.body.clone(),
                old_subject: row.old_subject.clone(),
                old_body: row.old_body.clone(),
            });
            let (written, short) = if let Some(frame) = &frame {
                (frame.write(support, None)?, frame.frame(support, None)?.short())
            } else {
                let (subject, text) = (row.digest_subject.unwrap_or_default(), row.digest_body.unwrap_or_default());
                (crate::message::store::Written { subject, text }, String::new())
            };
            let capacity = match &row.capacity {
                Some(capacity) => Some(capacity.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?),
                None => None,
            };
            let receipt = match (row.receipt_id, row.account_id, row.capacity.as_deref()) {
                (Some(receipt_id), Some(account_id), Some("to")) => {
                    Some(OpenReceipt { receipt: receipt_id, account: account_id, message: row.key })
                }
                _ => None,
            };
            let parcel = Parcel {
                delivery_id: row.delivery_id,
                key: row.key,
                attempt: row.attempts,
                refusals: row.refusals,
                email: row.email,
                phone: row.phone,
                endpoint: row.endpoint,
                language: Language::of_account(&row.language),
                subject: written.subject,
                text: written.text,
                short,
                link: row.link.unwrap_or_default(),
                sign_link: None,
                created_at: row.created_at.to_jiff(),
                facts: Facts {
                    template: row.template.unwrap_or_default(),
                    capacity,
                    legal: row.legal.unwrap_or_default(),
                    urgent: row.urgent.unwrap_or_default(),
                    county: row.county_code,
                    document_id: row.document_id,
                    doc_no: row.doc_no.unwrap_or_default(),
                    case_id: row.case_id,
                    rectification_id: row.rectification_id,
                    unit_id: row.unit_id,
                    unit_name: row.unit_name.unwrap_or_default(),
                },
            };
            Ok(Claimed { parcel, receipt, frame })
        })
        .collect()
}

/// A delivery that was taken waits for its hours.
pub async fn hold(db: &mut PgConnection, lane: i64, parcel: &Parcel, not_before: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE deliveries SET state = 'held', not_before = $4, next_attempt_at = NULL, lane = NULL, attempts = attempts - 1
         WHERE delivery_id = $1 AND attempts = $2 AND lane = $3 AND state = 'sending'",
        parcel.delivery_id,
        parcel.attempt,
        lane,
        not_before.to_sqlx() as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes down what became of an attempt, with the next way if it was given up: committed when this returns.
pub async fn settle(
    db: &mut PgConnection,
    lane: i64,
    parcel: &Parcel,
    outcome: &Outcome,
    next: Option<&Plan>,
) -> Result<(), sqlx::Error> {
    let settled = match outcome {
        Outcome::Delivered { provider } => {
            sqlx::query!(
            "UPDATE deliveries SET state = 'delivered', delivered_at = messaging.legal_now(), next_attempt_at = NULL,
                        lane = NULL, last_error = NULL, provider = $4
                 WHERE delivery_id = $1 AND attempts = $2 AND lane = $3 AND state = 'sending'",
            parcel.delivery_id,
            parcel.attempt,
            lane,
            provider,
        )
            .execute(db)
            .await?
        }
        Outcome::Again { after, refused, error } => {
            sqlx::query!(
                "UPDATE deliveries SET state = 'queued', lane = NULL, refusals = refusals + $4, last_error = $5,
                        next_attempt_at = statement_timestamp() + make_interval(secs => $6)
                 WHERE delivery_id = $1 AND attempts = $2 AND lane = $3 AND state = 'sending'",
                parcel.delivery_id,
                parcel.attempt,
                lane,
                i32::from(*refused),
                error,
                after.as_secs_f64(),
            )
            .execute(db)
            .await?
        }
        Outcome::Later { after } => {
            sqlx::query!(
                "UPDATE deliveries SET state = 'queued', lane = NULL, attempts = attempts - 1,
                        next_attempt_at = statement_timestamp() + make_interval(secs => $4)
                 WHERE delivery_id = $1 AND attempts = $2 AND lane = $3 AND state = 'sending'",
                parcel.delivery_id,
                parcel.attempt,
                lane,
                after.as_secs_f64(),
            )
            .execute(db)
            .await?
        }
        Outcome::Failed { error } => {
            let mut tx = db.begin().await?;
            let settled = sqlx::query!(
                "UPDATE deliveries SET state = 'failed', next_attempt_at = NULL, lane = NULL, last_error = $4
                 WHERE delivery_id = $1 AND attempts = $2 AND lane = $3 AND state = 'sending'",
                parcel.delivery_id,
                parcel.attempt,
                lane,
                error,
            )
            .execute(&mut *tx)
            .await?;
            if let Some(next) = next {
                let at = postgres::legal_now(&mut tx).await?;
                write(&mut tx, std::slice::from_ref(next), at).await?;
            }
            tx.commit().await?;
            settled
        }
    };
    // Nobody else takes it while the lock is held; this connection holds it.
    if settled.rows_affected() != 1 {
        return Err(sqlx::Error::RowNotFound);
    }
    Ok(())
}

/// What was held and may leave now; returns how many.
pub async fn release(tx: &mut Tx, limit: i64) -> Result<u64, sqlx::Error> {
    let at = tx.at().to_sqlx();
    let done = sqlx::query!(
        "UPDATE deliveries SET state = 'queued', not_before = NULL, next_attempt_at = statement_timestamp()
         WHERE delivery_id IN (SELECT delivery_id FROM deliveries WHERE not_before <= $1 AND NOT collected
                               ORDER BY not_before LIMIT $2 FOR UPDATE SKIP LOCKED)",
        at as _,
        limit,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// A legal message that has not arrived in time by a way.
#[derive(Debug)]
pub struct Slow {
    pub delivery_id: Uuid,
    pub message_id: Uuid,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub urgent: bool,
    pub county_code: Option<String>,
}

/// Locks legal messages that have not arrived by a way since an instant, and have not gone by the next one.
pub async fn lock_slow(tx: &mut Tx, channel: Channel, since: Timestamp, limit: i64) -> Result<Vec<Slow>, sqlx::Error> {
    sqlx::query_as!(
        Slow,
        r#"SELECT d.delivery_id, m.message_id, a.email AS "email?", p.phone AS "phone?", n.urgent, n.county_code
           FROM deliveries d JOIN messages m USING (message_id) JOIN notices n ON n.notice_id = m.event_id
           JOIN accounts a ON a.account_id = m.account_id LEFT JOIN preferences p ON p.account_id = m.account_id
           WHERE d.channel = $1 AND d.next_attempt_at IS NOT NULL AND d.attempts > 0 AND d.fell_back_at IS NULL
             AND d.queued_at <= $2 AND n.legal
           ORDER BY d.queued_at LIMIT $3 FOR UPDATE OF d SKIP LOCKED"#,
        channel.as_str(),
        since.to_sqlx() as _,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
}

/// They go by the next way as well.
pub async fn mark_fallen_back(tx: &mut Tx, deliveries: &[Uuid]) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!("UPDATE deliveries SET fell_back_at = $2 WHERE delivery_id = ANY($1)", deliveries, at as _)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A collected message.
#[derive(Debug)]
pub struct Collected {
    pub delivery_id: Uuid,
    pub frame: FrameRow,
}

/// Somebody whose collected messages leave now; his row is locked, so that two replicas never make two digests of them.
pub async fn next_collector(tx: &mut Tx) -> Result<Option<Uuid>, sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query_scalar!(
        r#"SELECT a.account_id AS "account_id!" FROM deliveries d JOIN messages m USING (message_id)
               JOIN accounts a USING (account_id)
           WHERE d.not_before <= $1 AND d.collected ORDER BY d.not_before LIMIT 1 FOR UPDATE OF a SKIP LOCKED"#,
        at as _,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Locks the collected messages of an account that leave now.
pub async fn lock_collected(tx: &mut Tx, account: Uuid) -> Result<Vec<Collected>, sqlx::Error> {
    let at = tx.at().to_sqlx();
    let rows = sqlx::query!(
        r#"SELECT d.delivery_id, m.template, m.capacity, m.language, n.addressee_name, n.department_name, n.issuing_name, n.link,
                  n.doc_no, n.unit_name
           FROM deliveries d JOIN messages m USING (message_id) JOIN notices n ON n.notice_id = m.event_id
           WHERE m.account_id = $1 AND d.not_before <= $2 AND d.collected
           ORDER BY m.created_at, m.message_id FOR UPDATE OF d SKIP LOCKED"#,
        account,
        at as _,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Collected {
            delivery_id: row.delivery_id,
            frame: FrameRow {
                template: row.template,
                capacity: row.capacity,
                language: row.language,
                addressee_name: row.addressee_name,
                department_name: row.department_name,
                issuing_name: row.issuing_name,
                link: row.link,
                doc_no: row.doc_no,
                unit_name: row.unit_name,
                body: None,
                old_subject: None,
                old_body: None,
            },
        })
        .collect())
}

/// A digest, its own mail, and the one transition of everything in it; returns how many went into it.
pub async fn insert_digest(
    tx: &mut Tx,
    digest: Uuid,
    account: Uuid,
    language: &str,
    subject: &str,
    body: &str,
    deliveries: &[Uuid],
) -> Result<u64, sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!(
        "INSERT INTO digests (digest_id, account_id, language, subject, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        digest,
        account,
        language,
        subject,
        body,
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "INSERT INTO deliveries (delivery_id, digest_of, channel, state, next_attempt_at, queued_at)
         VALUES ($1, $2, 'mail', 'queued', statement_timestamp(), $3)",
        Uuid::from(MessageId::derived(&["delivery", &digest.to_string(), "mail"])),
        digest,
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    let done = sqlx::query!(
        "UPDATE deliveries SET state = 'digested', digest_id = $1, not_before = NULL
         WHERE delivery_id = ANY($2) AND state = 'held' AND collected",
        digest,
        deliveries,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// What waits, by legal time.
pub async fn backlog(db: &mut PgConnection) -> Result<Backlog, sqlx::Error> {
    sqlx::query_as!(
        Backlog,
        r#"SELECT greatest(0, coalesce(extract(epoch FROM messaging.legal_now() - min(queued_at)), 0))::float8 AS "oldest_seconds!",
                  count(*) AS "waiting!",
                  (SELECT count(*) FROM deliveries WHERE state = 'failed') AS "failed!",
                  (SELECT count(*) FROM deliveries WHERE not_before IS NOT NULL) AS "held!",
                  (SELECT count(*) FROM unreached WHERE reached_at IS NULL) AS "unreached!",
                  (SELECT count(*) FROM untold) AS "untold!"
           FROM deliveries WHERE next_attempt_at IS NOT NULL"#
    )
    .fetch_one(db)
    .await
}

/// Locks a delivery that a person decides about; `None` when there is none with a matter of its own.
pub async fn lock_decidable(tx: &mut Tx, delivery: Uuid) -> Result<Option<Decidable>, sqlx::Error> {
    sqlx::query_as!(
        Decidable,
        "SELECT d.delivery_id, d.state, n.area_path
         FROM deliveries d JOIN messages m USING (message_id) JOIN notices n ON n.notice_id = m.event_id
         WHERE d.delivery_id = $1 FOR UPDATE OF d",
        delivery,
    )
    .fetch_optional(&mut **tx)
    .await
}

/// Sends what was given up again, from the beginning.
pub async fn redrive(tx: &mut Tx, delivery: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE deliveries SET state = 'queued', attempts = 0, refusals = 0, redrives = redrives + 1,
                next_attempt_at = statement_timestamp()
         WHERE delivery_id = $1 AND state = 'failed'",
        delivery,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Sends everything in the scope that was given up on a channel again; returns how many.
pub async fn redrive_all(tx: &mut Tx, scope: &Scope, channel: Option<Channel>, limit: i64) -> Result<u64, sqlx::Error> {
    let areas: Vec<Uuid> = scope.areas.iter().copied().map(Uuid::from).collect();
    let units: Vec<Uuid> = scope.units.iter().copied().map(Uuid::from).collect();
    let done = sqlx::query!(
        "UPDATE deliveries SET state = 'queued', attempts = 0, refusals = 0, redrives = redrives + 1,
                next_attempt_at = statement_timestamp()
         WHERE delivery_id IN (
             SELECT d.delivery_id FROM deliveries d JOIN messages m USING (message_id) JOIN notices n ON n.notice_id = m.event_id
             WHERE d.state = 'failed' AND ($1::text IS NULL OR d.channel = $1) AND (n.area_path && $2 OR n.unit_ids && $3)
             ORDER BY d.queued_at LIMIT $4 FOR UPDATE OF d SKIP LOCKED)",
        channel.map(Channel::as_str),
        &areas,
        &units,
        limit,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// A person decides that what was given up stays so.
pub async fn discard(tx: &mut Tx, delivery: Uuid, by: AccountId, reason: &str) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!(
        "UPDATE deliveries SET state = 'discarded', discarded_by = $2, discarded_at = $3, discard_reason = $4
         WHERE delivery_id = $1 AND state = 'failed'",
        delivery,
        Uuid::from(by),
        at as _,
        reason,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One delivery as it is shown.
pub async fn one(db: &mut PgConnection, delivery: Uuid) -> Result<DeliveryRow, sqlx::Error> {
    sqlx::query_as!(
        DeliveryRow,
        r#"SELECT d.delivery_id, m.message_id AS "message_id?", m.template, m.capacity, n.doc_no, m.language,
                  coalesce(a.display_name, m.endpoint) AS "recipient!", m.account_id, n.unit_id, n.unit_name,
                  d.channel AS "channel?", d.state, d.attempts, d.next_attempt_at, d.not_before, d.last_error, d.provider,
                  d.redrives, d.discard_reason, m.created_at, d.delivered_at, m.read_at
           FROM deliveries d JOIN messages m USING (message_id) JOIN notices n ON n.notice_id = m.event_id
           LEFT JOIN accounts a ON a.account_id = m.account_id
           WHERE d.delivery_id = $1"#,
        delivery,
    )
    .fetch_one(db)
    .await
}

/// A page of deliveries in the scope, newest first, with the units that nobody could be told in.
pub async fn page(
    db: &mut PgConnection,
    about: About,
    state: Option<&str>,
    scope: &Scope,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<DeliveryRow>, sqlx::Error> {
    let areas: Vec<Uuid> = scope.areas.iter().copied().map(Uuid::from).collect();
    let units: Vec<Uuid> = scope.units.iter().copied().map(Uuid::from).collect();
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at.to_sqlx()), Some(id)));
    sqlx::query_as!(
        DeliveryRow,
        r#"SELECT * FROM (
               SELECT d.delivery_id AS "delivery_id!", m.message_id, m.template AS "template!", m.capacity AS "capacity!",
                      n.doc_no AS "doc_no!", m.language AS "language!", coalesce(a.display_name, m.endpoint) AS "recipient!",
                      m.account_id, n.unit_id AS "unit_id!", n.unit_name AS "unit_name!", d.channel, d.state AS "state!",
                      d.attempts AS "attempts!", d.next_attempt_at, d.not_before, d.last_error, d.provider,
                      d.redrives AS "redrives!", d.discard_reason, m.created_at AS "created_at!", d.delivered_at, m.read_at
               FROM notices n JOIN messages m ON m.event_id = n.notice_id JOIN deliveries d USING (message_id)
               LEFT JOIN accounts a ON a.account_id = m.account_id
               WHERE ($1::uuid IS NULL OR n.document_id = $1) AND ($2::uuid IS NULL OR n.rectification_id = $2)
                 AND ($3::uuid IS NULL OR n.case_id = $3) AND (n.area_path && $4 OR n.unit_ids && $5)
                 AND ($9::text IS NULL OR d.state = $9)
               UNION ALL
               SELECT u.unreached_id, NULL, u.template, u.capacity, n.doc_no, 'zh-Hans', u.awaited_unit_name, NULL, n.unit_id,
                      n.unit_name, NULL, 'no_recipient', 0, NULL, NULL, NULL, NULL, 0, NULL, u.created_at, NULL, NULL
               FROM unreached u JOIN notices n ON n.notice_id = u.event_id
               WHERE u.reached_at IS NULL AND ($9::text IS NULL OR $9 = 'no_recipient')
                 AND ($1::uuid IS NULL OR n.document_id = $1) AND ($2::uuid IS NULL OR n.rectification_id = $2)
                 AND ($3::uuid IS NULL OR n.case_id = $3) AND (n.area_path && $4 OR n.unit_ids && $5)
           ) AS r
           WHERE $6::timestamptz IS NULL OR ("created_at!", "delivery_id!") < ($6, $7::uuid)
           ORDER BY "created_at!" DESC, "delivery_id!" DESC LIMIT $8"#,
        about.document_id,
        about.rectification_id,
        about.case_id,
        &areas,
        &units,
        at as _,
        id,
        limit,
        state,
    )
    .fetch_all(db)
    .await
}

/// How many deliveries in the scope are in which state.
pub async fn counts(db: &mut PgConnection, about: About, scope: &Scope) -> Result<CountRow, sqlx::Error> {
    let areas: Vec<Uuid> = scope.areas.iter().copied().map(Uuid::from).collect();
    let units: Vec<Uuid> = scope.units.iter().copied().map(Uuid::from).collect();
    sqlx::query_as!(
        CountRow,
        r#"SELECT count(*) FILTER (WHERE d.state = 'queued') AS "queued!",
                  count(*) FILTER (WHERE d.state = 'held') AS "held!",
                  count(*) FILTER (WHERE d.state = 'sending') AS "sending!",
                  count(*) FILTER (WHERE d.state = 'delivered') AS "delivered!",
                  count(*) FILTER (WHERE d.state = 'digested') AS "digested!",
                  count(*) FILTER (WHERE d.state = 'failed') AS "failed!",
                  count(*) FILTER (WHERE d.state = 'discarded') AS "discarded!",
                  (SELECT count(*) FROM unreached u JOIN notices n ON n.notice_id = u.event_id
                   WHERE u.reached_at IS NULL
                     AND ($1::uuid IS NULL OR n.document_id = $1) AND ($2::uuid IS NULL OR n.rectification_id = $2)
                     AND ($3::uuid IS NULL OR n.case_id = $3) AND (n.area_path && $4 OR n.unit_ids && $5)) AS "no_recipient!"
           FROM notices n JOIN messages m ON m.event_id = n.notice_id JOIN deliveries d USING (message_id)
           WHERE ($1::uuid IS NULL OR n.document_id = $1) AND ($2::uuid IS NULL OR n.rectification_id = $2)
             AND ($3::uuid IS NULL OR n.case_id = $3) AND (n.area_path && $4 OR n.unit_ids && $5)"#,
        about.document_id,
        about.rectification_id,
        about.case_id,
        &areas,
        &units,
    )
    .fetch_one(db)
    .await
}

//! The SQL of deliveries.

use access::Scope;
use domain::ids::{AccountId, MessageId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use postgres::Tx;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{About, Claim, Outcome};

/// Why mail without an address has failed.
const NO_ADDRESS: &str = "the account has no mail address";

/// A mail with all that sending needs.
#[derive(Debug)]
pub struct Mail {
    pub message_id: Uuid,
    pub email: Option<String>,
    pub subject: String,
    pub body: String,
    pub refusals: i32,
    pub created_at: jiff_sqlx::Timestamp,
}

/// What waits.
#[derive(Debug)]
pub struct Backlog {
    pub oldest_seconds: f64,
    pub waiting: i64,
    pub failed: i64,
    pub unreached: i64,
}

/// A delivery, or a unit that nobody could be told in.
#[derive(Debug)]
pub struct DeliveryRow {
    pub delivery_id: Uuid,
    pub message_id: Option<Uuid>,
    pub template: String,
    pub capacity: String,
    pub subject: String,
    pub recipient: String,
    pub account_id: Option<Uuid>,
    pub unit_id: Uuid,
    pub unit_name: String,
    pub channel: Option<String>,
    pub state: String,
    pub attempts: i32,
    pub next_attempt_at: Option<jiff_sqlx::Timestamp>,
    pub last_error: Option<String>,
    pub created_at: jiff_sqlx::Timestamp,
    pub delivered_at: Option<jiff_sqlx::Timestamp>,
    pub read_at: Option<jiff_sqlx::Timestamp>,
}

/// How many deliveries are in which state.
#[derive(Debug)]
pub struct CountRow {
    pub queued: i64,
    pub sending: i64,
    pub delivered: i64,
    pub failed: i64,
    pub no_recipient: i64,
}

fn delivery_id(message: MessageId, channel: &str) -> Uuid {
    MessageId::derived(&["delivery", &message.to_string(), channel]).into()
}

/// A message in the inbox is delivered when it is written.
pub async fn insert_in_app(tx: &mut Tx, message: MessageId) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!(
        "INSERT INTO deliveries (delivery_id, message_id, channel, state, queued_at, delivered_at)
         VALUES ($1, $2, 'in_app', 'delivered', $3, $3)",
        delivery_id(message, "in_app"),
        Uuid::from(message),
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A mail waits for a sender; without an address it has failed already, which is better than silence.
pub async fn insert_mail(tx: &mut Tx, message: MessageId, has_address: bool) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    sqlx::query!(
        "INSERT INTO deliveries (delivery_id, message_id, channel, state, next_attempt_at, last_error, queued_at)
         VALUES ($1, $2, 'mail', CASE WHEN $3 THEN 'queued' ELSE 'failed' END,
                 CASE WHEN $3 THEN clock_timestamp() END, CASE WHEN $3 THEN NULL ELSE $4::text END, $5)",
        delivery_id(message, "mail"),
        Uuid::from(message),
        has_address,
        NO_ADDRESS,
        at as _,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Failed mail of an account waits again: the account has another address now.
pub async fn try_failed_again(tx: &mut Tx, account: AccountId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE deliveries d SET state = 'queued', attempts = 0, refusals = 0, next_attempt_at = clock_timestamp()
         FROM messages m
         WHERE m.message_id = d.message_id AND m.account_id = $1 AND d.channel = 'mail' AND d.state = 'failed'",
        Uuid::from(account),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes the next mail that is due. A mail whose sender died is due again after a second: nobody holds its lock then.
///
/// The lock of a sender is an advisory one, not a row's: a row lock would give the sending transaction a number, and the
/// relays of all services on the server wait for the oldest number that is still open, here as long as the mail relay thinks.
pub async fn claim(db: &mut PgConnection) -> Result<Option<Claim>, sqlx::Error> {
    sqlx::query_as!(
        Claim,
        r#"UPDATE deliveries SET state = 'sending', attempts = attempts + 1,
                                 next_attempt_at = clock_timestamp() + interval '1 second'
           WHERE next_attempt_at <= clock_timestamp() AND delivery_id = (
               SELECT delivery_id FROM (
                   SELECT delivery_id FROM deliveries
                   WHERE next_attempt_at <= clock_timestamp() AND channel = 'mail'
                   ORDER BY next_attempt_at LIMIT 100) AS due
               WHERE pg_try_advisory_xact_lock(hashtextextended('notifications.delivery ' || delivery_id::text, 0)) LIMIT 1)
           RETURNING delivery_id, attempts AS "attempt!""#
    )
    .fetch_optional(db)
    .await
}

/// Locks a mail for this attempt, until the transaction ends; `None` when it is no longer this attempt's.
pub async fn lock(db: &mut PgConnection, claim: Claim) -> Result<Option<Mail>, sqlx::Error> {
    let locked = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtextextended('notifications.delivery ' || $1::uuid::text, 0)) AS "locked!""#,
        claim.delivery_id
    )
    .fetch_one(&mut *db)
    .await?;
    if !locked {
        return Ok(None);
    }
    sqlx::query_as!(
        Mail,
        "SELECT d.message_id, a.email, m.subject, m.body, d.refusals, m.created_at
         FROM deliveries d JOIN messages m USING (message_id) JOIN accounts a USING (account_id)
         WHERE d.delivery_id = $1 AND d.attempts = $2 AND d.state = 'sending'",
        claim.delivery_id,
        claim.attempt,
    )
    .fetch_optional(db)
    .await
}

/// Writes down what became of an attempt.
pub async fn settle(tx: &mut Tx, claim: Claim, outcome: &Outcome) -> Result<(), sqlx::Error> {
    let at = tx.at().to_sqlx();
    match outcome {
        Outcome::Delivered => {
            sqlx::query!(
                "UPDATE deliveries SET state = 'delivered', delivered_at = $2, next_attempt_at = NULL, last_error = NULL
                 WHERE delivery_id = $1",
                claim.delivery_id,
                at as _,
            )
            .execute(&mut **tx)
            .await?;
        }
        Outcome::Again { after, refused, error } => {
            sqlx::query!(
                "UPDATE deliveries SET state = 'queued', refusals = refusals + $2, last_error = $3,
                        next_attempt_at = clock_timestamp() + make_interval(secs => $4)
                 WHERE delivery_id = $1",
                claim.delivery_id,
                i32::from(*refused),
                error,
                after.as_secs_f64(),
            )
            .execute(&mut **tx)
            .await?;
        }
        Outcome::Failed { error } => {
            sqlx::query!(
                "UPDATE deliveries SET state = 'failed', next_attempt_at = NULL, last_error = $2 WHERE delivery_id = $1",
                claim.delivery_id,
                error,
            )
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}

/// What waits, by legal time.
pub async fn backlog(db: &mut PgConnection) -> Result<Backlog, sqlx::Error> {
    sqlx::query_as!(
        Backlog,
        r#"SELECT greatest(0, coalesce(extract(epoch FROM messaging.legal_now() - min(queued_at)), 0))::float8 AS "oldest_seconds!",
                  count(*) AS "waiting!",
                  (SELECT count(*) FROM deliveries WHERE state = 'failed') AS "failed!",
                  (SELECT count(*) FROM unreached WHERE reached_at IS NULL) AS "unreached!"
           FROM deliveries WHERE next_attempt_at IS NOT NULL"#
    )
    .fetch_one(db)
    .await
}

/// A page of deliveries in the scope, newest first, with the units that nobody could be told in.
pub async fn page(
    db: &mut PgConnection,
    about: About,
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
                      m.subject AS "subject!", a.display_name AS "recipient!", m.account_id, m.unit_id AS "unit_id!",
                      m.unit_name AS "unit_name!", d.channel, d.state AS "state!", d.attempts AS "attempts!",
                      d.next_attempt_at, d.last_error, m.created_at AS "created_at!", d.delivered_at, m.read_at
               FROM messages m JOIN deliveries d USING (message_id) JOIN accounts a USING (account_id)
               WHERE ($1::uuid IS NULL OR m.document_id = $1) AND ($2::uuid IS NULL OR m.rectification_id = $2)
                 AND ($3::uuid IS NULL OR m.case_id = $3) AND (m.area_path && $4 OR m.unit_ids && $5)
               UNION ALL
               SELECT u.unreached_id, NULL, u.template, u.capacity, u.subject, u.awaited_unit_name, NULL, u.unit_id,
                      u.unit_name, NULL, 'no_recipient', 0, NULL, NULL, u.created_at, NULL, NULL
               FROM unreached u
               WHERE u.reached_at IS NULL
                 AND ($1::uuid IS NULL OR u.document_id = $1) AND ($2::uuid IS NULL OR u.rectification_id = $2)
                 AND ($3::uuid IS NULL OR u.case_id = $3) AND (u.area_path && $4 OR u.unit_ids && $5)
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
                  count(*) FILTER (WHERE d.state = 'sending') AS "sending!",
                  count(*) FILTER (WHERE d.state = 'delivered') AS "delivered!",
                  count(*) FILTER (WHERE d.state = 'failed') AS "failed!",
                  (SELECT count(*) FROM unreached u
                   WHERE u.reached_at IS NULL
                     AND ($1::uuid IS NULL OR u.document_id = $1) AND ($2::uuid IS NULL OR u.rectification_id = $2)
                     AND ($3::uuid IS NULL OR u.case_id = $3) AND (u.area_path && $4 OR u.unit_ids && $5)) AS "no_recipient!"
           FROM messages m JOIN deliveries d USING (message_id)
           WHERE ($1::uuid IS NULL OR m.document_id = $1) AND ($2::uuid IS NULL OR m.rectification_id = $2)
             AND ($3::uuid IS NULL OR m.case_id = $3) AND (m.area_path && $4 OR m.unit_ids && $5)"#,
        about.document_id,
        about.rectification_id,
        about.case_id,
        &areas,
        &units,
    )
    .fetch_one(db)
    .await
}

//! SQL of messages, cases, attempts and corrections.

use contracts::Actor;
use contracts::registry::AreaMerged;
use domain::ids::MessageId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde_json::Value;
use service_kit::page::PageRequest;
use sqlx::PgConnection;
use uuid::Uuid;

use super::http::{AttemptView, Correction, CorrectionView, Resend};
use super::{Message, State};
use crate::national::{self, Fault, Kind};

/// A message to be stored.
pub(crate) struct NewMessage<'a> {
    pub message: &'a national::Message,
    pub state: State,
    pub doc_no: &'a str,
    pub area_path: Vec<Uuid>,
    pub unit_ids: Vec<Uuid>,
    pub payload: &'a str,
    pub sha256: &'a str,
    pub traceparent: Option<String>,
    pub faults: &'a [Fault],
}

/// An attempt to be recorded.
pub(crate) struct Attempt<'a> {
    pub started_at: Timestamp,
    pub outcome: &'a str,
    pub status: Option<i16>,
    pub answer: Option<&'a str>,
}

/// Sort key of the list, newest first.
pub(crate) type Cursor = (Timestamp, Uuid);

/// What the list shows.
pub(crate) struct Filter<'a> {
    pub areas: &'a [Uuid],
    pub units: &'a [Uuid],
    pub state: Option<State>,
    pub kind: Option<Kind>,
    pub case_id: Option<Uuid>,
}

struct MessageRow {
    message_id: Uuid,
    version: i64,
    case_id: Uuid,
    case_title: String,
    kind: String,
    sequence: i32,
    state: String,
    unit_name: String,
    doc_no: Option<String>,
    area_path: Vec<Uuid>,
    unit_ids: Vec<Uuid>,
    occurred_at: jiff_sqlx::Timestamp,
    occurred_on: jiff_sqlx::Date,
    payload: String,
    sha256: String,
    traceparent: Option<String>,
    attempts: i32,
    failures: i32,
    next_attempt_at: Option<jiff_sqlx::Timestamp>,
    last_outcome: Option<String>,
    reason: Option<String>,
    faults: Value,
    receipt_no: Option<String>,
    accepted_at: Option<jiff_sqlx::Timestamp>,
}

impl TryFrom<MessageRow> for Message {
    type Error = sqlx::Error;

    fn try_from(row: MessageRow) -> Result<Self, sqlx::Error> {
        let unknown = |column: &str, value: &str| {
            sqlx::Error::Decode(format!("messages.{column} of {}: unknown word {value:?}", row.message_id).into())
        };
        Ok(Self {
            kind: Kind::from_word(&row.kind).ok_or_else(|| unknown("kind", &row.kind))?,
            state: State::from_word(&row.state).ok_or_else(|| unknown("state", &row.state))?,
            faults: serde_json::from_value(row.faults).map_err(|error| sqlx::Error::Decode(error.into()))?,
            message_id: row.message_id.into(),
            version: row.version,
            case_id: row.case_id.into(),
            case_title: row.case_title,
            sequence: row.sequence,
            unit_name: row.unit_name,
            doc_no: row.doc_no,
            area_path: row.area_path,
            unit_ids: row.unit_ids,
            occurred_at: row.occurred_at.to_jiff(),
            occurred_on: row.occurred_on.to_jiff(),
            payload: row.payload,
            sha256: row.sha256,
            traceparent: row.traceparent,
            attempts: row.attempts,
            failures: row.failures,
            next_attempt_at: row.next_attempt_at.map(jiff_sqlx::Timestamp::to_jiff),
            last_outcome: row.last_outcome,
            reason: row.reason,
            receipt_no: row.receipt_no,
            accepted_at: row.accepted_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Locks a case, makes it known if it is new, and says through which number the platform has it.
///
/// Whoever adds a message and whoever accepts one meet here, so that neither overlooks the other.
pub(crate) async fn lock_case(tx: &mut PgConnection, case_id: Uuid) -> sqlx::Result<i32> {
    sqlx::query!("INSERT INTO cases (case_id) VALUES ($1) ON CONFLICT DO NOTHING", case_id).execute(&mut *tx).await?;
    sqlx::query_scalar!("SELECT accepted_through FROM cases WHERE case_id = $1 FOR UPDATE", case_id).fetch_one(tx).await
}

/// Stores a message; false when the message, or another in its place, is there.
pub(crate) async fn insert(tx: &mut PgConnection, new: &NewMessage<'_>) -> sqlx::Result<bool> {
    let message = new.message;
    let faults = serde_json::to_value(new.faults).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let done = sqlx::query!(
        "INSERT INTO messages (message_id, version, case_id, case_title, kind, sequence, state, unit_name, doc_no,
             area_path, unit_ids, occurred_at, occurred_on, payload, sha256, traceparent, faults, next_attempt_at)
         VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
             CASE WHEN $6 = 'ready' THEN clock_timestamp() END)
         ON CONFLICT DO NOTHING",
        message.message_id,
        message.case.case_id,
        message.case.title,
        message.content.kind().as_str(),
        message.case.sequence,
        new.state.as_str(),
        message.unit.name,
        new.doc_no,
        &new.area_path,
        &new.unit_ids,
        message.occurred_at.to_sqlx() as _,
        message.occurred_on.to_sqlx() as _,
        new.payload,
        new.sha256,
        new.traceparent,
        faults,
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the platform needs no such message any more: it is here already, or the closure that comes before its place is.
pub(crate) async fn is_settled(
    tx: &mut PgConnection,
    message_id: Uuid,
    case_id: Uuid,
    sequence: i32,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM messages WHERE message_id = $1
               OR case_id = $2 AND kind = 'closure' AND sequence <= $3) AS "settled!""#,
        message_id,
        case_id,
        sequence,
    )
    .fetch_one(tx)
    .await
}

pub(crate) async fn find(tx: &mut PgConnection, message_id: MessageId) -> sqlx::Result<Option<Message>> {
    sqlx::query_as!(
        MessageRow,
        "SELECT message_id, version, case_id, case_title, kind, sequence, state, unit_name, doc_no, area_path,
             unit_ids, occurred_at, occurred_on, payload, sha256, traceparent, attempts, failures, next_attempt_at,
             last_outcome, reason, faults, receipt_no, accepted_at
         FROM messages WHERE message_id = $1",
        message_id.as_uuid()
    )
    .fetch_optional(tx)
    .await?
    .map(Message::try_from)
    .transpose()
}

/// As [`find`], and locks the row.
pub(crate) async fn lock(tx: &mut PgConnection, message_id: MessageId) -> sqlx::Result<Option<Message>> {
    sqlx::query!("SELECT message_id FROM messages WHERE message_id = $1 FOR UPDATE", message_id.as_uuid())
        .fetch_optional(&mut *tx)
        .await?;
    find(tx, message_id).await
}

/// Takes one message that is due, for this transaction alone; `None` when there is none, or others have them all.
///
/// The claim is an advisory lock, not a row lock: a row lock would give the transaction a number, and the relays of all
/// services on the server wait for the oldest number that is still open, here as long as the platform thinks.
pub(crate) async fn take_due(tx: &mut PgConnection) -> sqlx::Result<Option<(Message, Timestamp)>> {
    let taken = sqlx::query_scalar!(
        "SELECT message_id FROM (
             SELECT message_id FROM messages WHERE state = 'ready' AND next_attempt_at <= clock_timestamp()
             ORDER BY next_attempt_at, message_id LIMIT 100) AS due
         WHERE pg_try_advisory_xact_lock(hashtextextended('exchange.message ' || message_id::text, 0)) LIMIT 1"
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(taken) = taken else { return Ok(None) };
    // Whoever held it before may have finished after the look and before the lock.
    let still_due = sqlx::query_scalar!(
        r#"SELECT clock_timestamp() AS "now!" FROM messages
           WHERE message_id = $1 AND state = 'ready' AND next_attempt_at <= clock_timestamp()"#,
        taken
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(now) = still_due else { return Ok(None) };
    let message = find(tx, taken.into()).await?;
    Ok(message.map(|message| (message, now.to_jiff())))
}

/// Records an attempt under the next number.
pub(crate) async fn save_attempt(tx: &mut PgConnection, message: &Message, attempt: &Attempt<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO attempts (message_id, attempt, started_at, finished_at, outcome, status, answer)
         VALUES ($1, $2, $3, clock_timestamp(), $4, $5, $6)",
        message.message_id.as_uuid(),
        message.attempts + 1,
        attempt.started_at.to_sqlx() as _,
        attempt.outcome,
        attempt.status,
        attempt.answer,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The platform has it: the message is done, the case one further, the next message of the case is head of line.
/// Returns the message's new version.
pub(crate) async fn accept(
    tx: &mut PgConnection,
    message: &Message,
    outcome: &str,
    receipt_no: &str,
    receipt_at: &str,
    accepted_at: Timestamp,
) -> sqlx::Result<i64> {
    lock_case(tx, message.case_id.as_uuid()).await?;
    let version = sqlx::query_scalar!(
        "UPDATE messages SET version = version + 1, state = 'accepted', attempts = attempts + 1, failures = 0,
             next_attempt_at = NULL, last_outcome = $2, reason = NULL, receipt_no = $3, receipt_at = $4, accepted_at = $5
         WHERE message_id = $1 AND state = 'ready' RETURNING version",
        message.message_id.as_uuid(),
        outcome,
        receipt_no,
        receipt_at,
        accepted_at.to_sqlx() as _,
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE cases SET accepted_through = $2 WHERE case_id = $1",
        message.case_id.as_uuid(),
        message.sequence
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE messages SET version = version + 1, state = 'ready', next_attempt_at = clock_timestamp()
         WHERE case_id = $1 AND sequence = $2 AND state = 'held'",
        message.case_id.as_uuid(),
        message.sequence + 1
    )
    .execute(tx)
    .await?;
    Ok(version)
}

/// The platform refused it: a person has to look.
pub(crate) async fn reject(tx: &mut PgConnection, message: &Message, reason: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE messages SET version = version + 1, state = 'rejected', attempts = attempts + 1, failures = 0,
             next_attempt_at = NULL, last_outcome = 'rejected', reason = $2
         WHERE message_id = $1",
        message.message_id.as_uuid(),
        reason
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// It failed for a reason that may pass: next attempt after the pause. No new version: nobody has to decide anew.
pub(crate) async fn postpone(
    tx: &mut PgConnection,
    message: &Message,
    outcome: &str,
    reason: &str,
    pause_seconds: f64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE messages SET attempts = attempts + 1, failures = failures + 1, last_outcome = $2, reason = $3,
             next_attempt_at = clock_timestamp() + make_interval(secs => $4)
         WHERE message_id = $1",
        message.message_id.as_uuid(),
        outcome,
        reason,
        pause_seconds
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends the pause of a message that waits for its next attempt.
pub(crate) async fn try_now(tx: &mut PgConnection, message_id: MessageId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE messages SET version = version + 1, failures = 0, next_attempt_at = clock_timestamp()
         WHERE message_id = $1 AND state = 'ready'",
        message_id.as_uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Puts a refused message back into its line, with the payload as it is now.
pub(crate) async fn put_back(
    tx: &mut PgConnection,
    message: &Message,
    state: State,
    payload: &str,
    sha256: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE messages SET version = version + 1, state = $2, payload = $3, sha256 = $4, failures = 0, reason = NULL,
             faults = '[]', next_attempt_at = CASE WHEN $2 = 'ready' THEN clock_timestamp() END
         WHERE message_id = $1",
        message.message_id.as_uuid(),
        state.as_str(),
        payload,
        sha256
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records who sent a message again, why, and what was changed.
pub(crate) async fn save_correction(
    tx: &mut PgConnection,
    message: &Message,
    at: Timestamp,
    actor: &Actor,
    command: &Resend,
) -> sqlx::Result<()> {
    let encode = |error: serde_json::Error| sqlx::Error::Encode(error.into());
    sqlx::query!(
        "INSERT INTO corrections (message_id, version, made_at, made_by, reason, changes, sha256_before)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        message.message_id.as_uuid(),
        message.version,
        at.to_sqlx() as _,
        serde_json::to_value(actor).map_err(encode)?,
        command.reason,
        serde_json::to_value(&command.corrections).map_err(encode)?,
        message.sha256,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A page of the list, newest first.
pub(crate) async fn list(
    tx: &mut PgConnection,
    filter: &Filter<'_>,
    page: &PageRequest<Cursor>,
) -> sqlx::Result<Vec<Message>> {
    let (after_at, after_id) = page.after.unzip();
    sqlx::query_as!(
        MessageRow,
        "SELECT message_id, version, case_id, case_title, kind, sequence, state, unit_name, doc_no, area_path,
             unit_ids, occurred_at, occurred_on, payload, sha256, traceparent, attempts, failures, next_attempt_at,
             last_outcome, reason, faults, receipt_no, accepted_at
         FROM messages
         WHERE (area_path && $1 OR unit_ids && $2)
           AND ($3::text IS NULL OR state = $3)
           AND ($4::text IS NULL OR kind = $4)
           AND ($5::uuid IS NULL OR case_id = $5)
           AND ($6::timestamptz IS NULL OR (occurred_at, message_id) < ($6, $7))
         ORDER BY occurred_at DESC, message_id DESC LIMIT $8",
        filter.areas,
        filter.units,
        filter.state.map(State::as_str),
        filter.kind.map(Kind::as_str),
        filter.case_id,
        after_at.map(|at: Timestamp| at.to_sqlx()) as _,
        after_id,
        page.fetch(),
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(Message::try_from)
    .collect()
}

/// The attempts of a message, oldest first.
pub(crate) async fn attempts(tx: &mut PgConnection, message_id: MessageId) -> sqlx::Result<Vec<AttemptView>> {
    let rows = sqlx::query!(
        "SELECT attempt, started_at, finished_at, outcome, status, answer
         FROM attempts WHERE message_id = $1 ORDER BY attempt",
        message_id.as_uuid()
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| AttemptView {
            attempt: row.attempt,
            started_at: row.started_at.to_jiff(),
            finished_at: row.finished_at.to_jiff(),
            outcome: row.outcome,
            status: row.status,
            answer: row.answer,
        })
        .collect())
}

/// What was corrected, oldest first.
pub(crate) async fn corrections(tx: &mut PgConnection, message_id: MessageId) -> sqlx::Result<Vec<CorrectionView>> {
    let rows = sqlx::query!(
        "SELECT made_at, made_by, reason, changes, sha256_before
         FROM corrections WHERE message_id = $1 ORDER BY version",
        message_id.as_uuid()
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let changes: Vec<Correction> =
                serde_json::from_value(row.changes).map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok(CorrectionView {
                made_at: row.made_at.to_jiff(),
                made_by: row.made_by.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
                reason: row.reason,
                changes,
                sha256_before: row.sha256_before,
            })
        })
        .collect()
}

/// How many messages are in each state that is not done, and the age of the oldest in seconds.
pub(crate) async fn waiting(tx: &mut PgConnection) -> sqlx::Result<Vec<(String, i64, f64)>> {
    let rows = sqlx::query!(
        r#"SELECT state, count(*) AS "messages!",
               coalesce(extract(epoch FROM messaging.legal_now() - min(occurred_at)), 0)::float8 AS "age!"
           FROM messages WHERE state <> 'accepted' GROUP BY state"#
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.state, row.messages, row.age)).collect())
}

/// Gives the messages about a county that became a part of another one to the office that takes over; what was sent stays.
pub(crate) async fn hand_over(connection: &mut PgConnection, merged: &AreaMerged) -> sqlx::Result<()> {
    let path: Vec<Uuid> = merged.path.iter().map(domain::ids::AreaId::as_uuid).collect();
    // Whoever is writing comes to an end first; whoever writes next sees the merger.
    sqlx::query!("LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE").execute(&mut *connection).await?;
    sqlx::query!(
        "INSERT INTO area_mergers (area_id, path) VALUES ($1, $2) ON CONFLICT (area_id) DO NOTHING",
        merged.area_id.as_uuid(),
        &path,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE messages SET area_path = $2 || area_path[array_position(area_path, $1) + 1:]
         WHERE area_path @> ARRAY[$1::uuid] AND area_path[:cardinality($2::uuid[])] <> $2",
        merged.area_id.as_uuid(),
        &path,
    )
    .execute(connection)
    .await?;
    Ok(())
}

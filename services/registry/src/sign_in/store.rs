//! Every statement about secrets, sessions and throttles.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::throttle::Subject;

/// Longest pause, in seconds.
const LONGEST_PAUSE: f64 = 900.0;

/// Counts an attempt and arms the pause after it; while a pause lasts, gives back its end and counts nothing.
pub(crate) async fn count_attempt(
    connection: &mut PgConnection,
    subject: Subject<'_>,
    now: Timestamp,
) -> Result<Option<Timestamp>, sqlx::Error> {
    // An hour without an attempt forgets the earlier ones.
    let counted = sqlx::query_scalar!(
        r#"INSERT INTO throttles AS t (kind, subject, failures, last_failed_at, blocked_until)
           VALUES ($1, $2, 1, $3, $3)
           ON CONFLICT (kind, subject) DO UPDATE
           SET failures = CASE WHEN t.last_failed_at < $3::timestamptz - interval '1 hour' THEN 1 ELSE t.failures + 1 END,
               last_failed_at = $3,
               blocked_until = CASE WHEN t.last_failed_at < $3::timestamptz - interval '1 hour' OR t.failures + 1 < $4 THEN $3
                                    ELSE $3::timestamptz + make_interval(secs => least($5::float8, power(2, least(t.failures + 1 - $4, 20))))
                               END
           WHERE t.blocked_until <= $3
           RETURNING failures"#,
        subject.kind(),
        subject.text(),
        now.to_sqlx() as _,
        subject.free(),
        LONGEST_PAUSE,
    )
    .fetch_optional(&mut *connection)
    .await?;
    if counted.is_some() {
        return Ok(None);
    }
    let until = sqlx::query_scalar!(
        "SELECT blocked_until FROM throttles WHERE kind = $1 AND subject = $2",
        subject.kind(),
        subject.text(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(Some(until.map_or(now, jiff_sqlx::Timestamp::to_jiff)))
}

/// Forgets every failure of a subject.
pub(crate) async fn forget_attempts(connection: &mut PgConnection, subject: Subject<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM throttles WHERE kind = $1 AND subject = $2", subject.kind(), subject.text())
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes one attempt of a subject back, and the pause that it armed.
pub(crate) async fn take_attempt_back(connection: &mut PgConnection, subject: Subject<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE throttles SET failures = greatest(failures - 1, 0), blocked_until = last_failed_at WHERE kind = $1 AND subject = $2",
        subject.kind(),
        subject.text(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes what has no meaning any more; for a worker.
pub(crate) async fn clean(connection: &mut PgConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM throttles WHERE last_failed_at < $1::timestamptz - interval '1 day'",
        now.to_sqlx() as _,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("DELETE FROM activations WHERE expires_at < $1", now.to_sqlx() as _).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM identity_permits WHERE expires_at < $1", now.to_sqlx() as _)
        .execute(&mut *connection)
        .await?;
    sqlx::query!("DELETE FROM sessions WHERE expires_at < $1::timestamptz - interval '180 days'", now.to_sqlx() as _,)
        .execute(connection)
        .await?;
    Ok(())
}

/// The hash of an account's password.
pub(crate) async fn password_hash(
    connection: &mut PgConnection,
    account_id: Uuid,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("SELECT password_hash FROM credentials WHERE account_id = $1", account_id)
        .fetch_optional(connection)
        .await
}

/// Sets an account's password.
pub(crate) async fn set_password(
    connection: &mut PgConnection,
    account_id: Uuid,
    hash: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO credentials (account_id, password_hash, changed_at) VALUES ($1, $2, $3)
         ON CONFLICT (account_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at",
        account_id,
        hash,
        now.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A one-time code that waits to be used.
#[derive(Debug, Clone)]
pub(crate) struct Activation {
    pub code_sha256: Vec<u8>,
    pub expires_at: jiff_sqlx::Timestamp,
    pub failures: i32,
}

/// Puts a new code in the place of an older one.
pub(crate) async fn put_activation(
    connection: &mut PgConnection,
    account_id: Uuid,
    code_sha256: &[u8],
    issued_by: Uuid,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO activations (account_id, code_sha256, issued_by, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account_id) DO UPDATE
         SET code_sha256 = excluded.code_sha256, issued_by = excluded.issued_by, issued_at = excluded.issued_at,
             expires_at = excluded.expires_at, failures = 0",
        account_id,
        code_sha256,
        issued_by,
        now.to_sqlx() as _,
        expires_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks the waiting code of an account.
pub(crate) async fn lock_activation(
    connection: &mut PgConnection,
    account_id: Uuid,
) -> Result<Option<Activation>, sqlx::Error> {
    sqlx::query_as!(
        Activation,
        "SELECT code_sha256, expires_at, failures FROM activations WHERE account_id = $1 FOR UPDATE",
        account_id,
    )
    .fetch_optional(connection)
    .await
}

/// Counts a wrong code.
pub(crate) async fn count_wrong_code(connection: &mut PgConnection, account_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE activations SET failures = failures + 1 WHERE account_id = $1", account_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a code that was used.
pub(crate) async fn remove_activation(connection: &mut PgConnection, account_id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM activations WHERE account_id = $1", account_id).execute(connection).await?;
    Ok(())
}

/// An issued token, for the record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noted<'a> {
    pub session_id: Uuid,
    pub account_id: Uuid,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub address: Option<&'a str>,
    pub way: &'static str,
}

/// Notes an issued token.
pub(crate) async fn put_session(connection: &mut PgConnection, session: &Noted<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO sessions (session_id, account_id, issued_at, expires_at, address, way) VALUES ($1, $2, $3, $4, $5, $6)",
        session.session_id,
        session.account_id,
        session.issued_at.to_sqlx() as _,
        session.expires_at.to_sqlx() as _,
        session.address,
        session.way,
    )
    .execute(connection)
    .await?;
    Ok(())
}

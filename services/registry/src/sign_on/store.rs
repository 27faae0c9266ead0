//! Every statement about bound identities.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

/// An identity that shall be bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding<'a> {
    pub identity_id: Uuid,
    pub account_id: Uuid,
    pub issuer: &'a str,
    pub subject: &'a str,
    pub by: Uuid,
    pub at: Timestamp,
}

/// Binds an identity; false when it, or the account, is bound already.
pub(super) async fn bind(connection: &mut PgConnection, binding: &Binding<'_>) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO identities (identity_id, account_id, issuer, subject, bound_at, bound_by)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        binding.identity_id,
        binding.account_id,
        binding.issuer,
        binding.subject,
        binding.at.to_sqlx() as _,
        binding.by,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends an account's binding; false when there is none.
pub(super) async fn end(
    connection: &mut PgConnection,
    account_id: Uuid,
    by: Uuid,
    at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE identities SET ended_at = $3, ended_by = $2 WHERE account_id = $1 AND ended_at IS NULL",
        account_id,
        by,
        at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The account that an identity is bound to.
pub(super) async fn account_of(
    connection: &mut PgConnection,
    issuer: &str,
    subject: &str,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT account_id FROM identities WHERE issuer = $1 AND subject = $2 AND ended_at IS NULL",
        issuer,
        subject,
    )
    .fetch_optional(connection)
    .await
}

/// Notes that somebody gave the password and may bind what comes back.
pub(super) async fn put_permit(
    connection: &mut PgConnection,
    account_id: Uuid,
    expires_at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO identity_permits (account_id, expires_at) VALUES ($1, $2)
         ON CONFLICT (account_id) DO UPDATE SET expires_at = excluded.expires_at",
        account_id,
        expires_at.to_sqlx() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes that note, once; false when there is none, or an old one.
pub(super) async fn take_permit(
    connection: &mut PgConnection,
    account_id: Uuid,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let holds = sqlx::query_scalar!(
        r#"DELETE FROM identity_permits WHERE account_id = $1 RETURNING expires_at > $2 AS "holds!""#,
        account_id,
        now.to_sqlx() as _,
    )
    .fetch_optional(connection)
    .await?;
    Ok(holds == Some(true))
}

//! The SQL of preferences.

use domain::ids::AccountId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::template::Template;

/// The preferences of an account; version 0 when it has never set any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    pub version: i64,
    pub mail_off: Vec<String>,
}

/// Whether the account does not want this kind by mail.
pub async fn is_off(db: &mut PgConnection, account: AccountId, template: Template) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM preferences WHERE account_id = $1 AND $2 = ANY(mail_off)) AS "off!""#,
        Uuid::from(account),
        template.as_str(),
    )
    .fetch_one(db)
    .await
}

/// The preferences of an account.
pub async fn of(db: &mut PgConnection, account: AccountId) -> Result<Preferences, sqlx::Error> {
    let row = sqlx::query_as!(
        Preferences,
        "SELECT version, mail_off FROM preferences WHERE account_id = $1",
        Uuid::from(account)
    )
    .fetch_optional(db)
    .await?;
    Ok(row.unwrap_or_default())
}

/// The preferences of an account, locked; writes an empty row for an account that has none, so that there is one to lock.
pub async fn lock(db: &mut PgConnection, account: AccountId) -> Result<Preferences, sqlx::Error> {
    let id = Uuid::from(account);
    sqlx::query!(
        "INSERT INTO preferences (account_id, version, mail_off) VALUES ($1, 0, '{}') ON CONFLICT DO NOTHING",
        id
    )
    .execute(&mut *db)
    .await?;
    sqlx::query_as!(Preferences, "SELECT version, mail_off FROM preferences WHERE account_id = $1 FOR UPDATE", id)
        .fetch_one(db)
        .await
}

/// Saves the preferences of an account.
pub async fn save(db: &mut PgConnection, account: AccountId, next: &Preferences) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE preferences SET version = $2, mail_off = $3 WHERE account_id = $1",
        Uuid::from(account),
        next.version,
        &next.mail_off,
    )
    .execute(db)
    .await?;
    Ok(())
}

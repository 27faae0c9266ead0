//! The SQL of preferences.

use domain::ids::AccountId;
use sqlx::PgConnection;
use uuid::Uuid;

/// The preferences of an account; version 0 when it has never set any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preferences {
    pub version: i64,
    pub mail_off: Vec<String>,
    pub sms_off: Vec<String>,
    pub phone: Option<String>,
    pub daily_digest: bool,
}

/// The preferences of an account.
pub async fn of(db: &mut PgConnection, account: AccountId) -> Result<Preferences, sqlx::Error> {
    let row = sqlx::query_as!(
        Preferences,
        "SELECT version, mail_off, sms_off, phone, daily_digest FROM preferences WHERE account_id = $1",
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
    sqlx::query_as!(
        Preferences,
        "SELECT version, mail_off, sms_off, phone, daily_digest FROM preferences WHERE account_id = $1 FOR UPDATE",
        id
    )
    .fetch_one(db)
    .await
}

/// Saves the preferences of an account.
pub async fn save(db: &mut PgConnection, account: AccountId, next: &Preferences) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE preferences SET version = $2, mail_off = $3, sms_off = $4, phone = $5, daily_digest = $6 WHERE account_id = $1",
        Uuid::from(account),
        next.version,
        &next.mail_off,
        &next.sms_off,
        next.phone,
        next.daily_digest,
    )
    .execute(db)
    .await?;
    Ok(())
}

//! Every statement about accounts, but for their secrets.

use std::collections::HashMap;

use access::Grant;
use jiff::civil::Date;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::Account;
use crate::area::store::day;

/// An account as it shall be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub account_id: Uuid,
    pub login: String,
    pub display_name: String,
    pub email: Option<String>,
    pub language: Option<&'static str>,
    pub grants: Vec<Grant>,
    pub unit_id: Option<Uuid>,
    pub person_id: Option<Uuid>,
    pub area_id: Uuid,
    pub built_in: bool,
    pub valid_from: Option<Date>,
}

/// What an import must know of an account that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub account_id: Uuid,
    pub built_in: bool,
}

/// All accounts, by login.
pub(crate) async fn known(connection: &mut PgConnection) -> Result<HashMap<String, Known>, sqlx::Error> {
    let rows = sqlx::query!("SELECT login, account_id, built_in FROM accounts").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.login, Known { account_id: row.account_id, built_in: row.built_in })).collect())
}

/// Whether the installation has made its own account already.
pub(crate) async fn has_built_in(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM accounts WHERE built_in) AS "found!""#)
        .fetch_one(connection)
        .await
}

/// The account of the installation.
pub(crate) async fn built_in(connection: &mut PgConnection) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT account_id FROM accounts WHERE built_in").fetch_optional(connection).await
}

/// Lets one replica at a time see to the first start.
pub(crate) async fn lock_bootstrap(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('registry.bootstrap', 0))").execute(connection).await?;
    Ok(())
}

/// Records accounts by their logins; gives back those that are new (version 1) or changed. Whether an account may sign in
/// stays as it is.
///
/// `email` and `language` say whether the file speaks about them at all.
pub(crate) async fn upsert(
    connection: &mut PgConnection,
    drafts: &[Draft],
    email: bool,
    language: bool,
    today: Date,
) -> Result<Vec<Account>, sqlx::Error> {
    let ids: Vec<Uuid> = drafts.iter().map(|draft| draft.account_id).collect();
    let logins: Vec<String> = drafts.iter().map(|draft| draft.login.clone()).collect();
    let names: Vec<String> = drafts.iter().map(|draft| draft.display_name.clone()).collect();
    let emails: Vec<Option<String>> = drafts.iter().map(|draft| draft.email.clone()).collect();
    let languages: Vec<String> = drafts.iter().map(|draft| draft.language.unwrap_or("zh-Hans").to_owned()).collect();
    let grants = drafts
        .iter()
        .map(|draft| serde_json::to_string(&draft.grants))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let units: Vec<Option<Uuid>> = drafts.iter().map(|draft| draft.unit_id).collect();
    let persons: Vec<Option<Uuid>> = drafts.iter().map(|draft| draft.person_id).collect();
    let areas: Vec<Uuid> = drafts.iter().map(|draft| draft.area_id).collect();
    let built_in: Vec<bool> = drafts.iter().map(|draft| draft.built_in).collect();
    let days: Vec<Option<String>> = drafts.iter().map(|draft| draft.valid_from.map(|day| day.to_string())).collect();
    let changed = sqlx::query_as!(
        Account,
        r#"INSERT INTO accounts AS t (account_id, version, login, display_name, email, language, grants, unit_id, person_id,
                                      area_id, area_path, active, built_in, valid_from)
           SELECT r.account_id, 1, r.login, r.display_name, r.email, r.language, r.grants::jsonb, r.unit_id, r.person_id,
                  a.area_id, a.path, true, r.built_in, coalesce(r.valid_from::date, $12)
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
                       $9::uuid[], $10::bool[], $11::text[])
                AS r(account_id, login, display_name, email, language, grants, unit_id, person_id, area_id, built_in, valid_from)
           JOIN areas a ON a.area_id = r.area_id
           ON CONFLICT (login) DO UPDATE
           SET version = t.version + 1, display_name = excluded.display_name,
               email = CASE WHEN $13 THEN excluded.email ELSE t.email END,
               language = CASE WHEN $14 THEN excluded.language ELSE t.language END,
               grants = excluded.grants, unit_id = excluded.unit_id, person_id = excluded.person_id,
               area_id = excluded.area_id, area_path = excluded.area_path,
               valid_from = CASE WHEN excluded.valid_from > t.valid_from THEN excluded.valid_from
                                 ELSE greatest($12, t.valid_from) END
           WHERE (t.display_name, t.grants, t.unit_id, t.person_id, t.area_id, t.area_path)
                 IS DISTINCT FROM (excluded.display_name, excluded.grants, excluded.unit_id, excluded.person_id,
                                   excluded.area_id, excluded.area_path)
              OR ($13 AND t.email IS DISTINCT FROM excluded.email)
              OR ($14 AND t.language IS DISTINCT FROM excluded.language)
           RETURNING account_id, version, login, display_name, email, language, active,
                     EXISTS (SELECT 1 FROM credentials c WHERE c.account_id = t.account_id) AS "activated!",
                     EXISTS (SELECT 1 FROM identities i WHERE i.account_id = t.account_id AND i.ended_at IS NULL)
                         AS "identity_bound!",
                     built_in,
                     unit_id, person_id, (SELECT code FROM areas a WHERE a.area_id = t.area_id) AS "area_code!", area_path,
                     grants AS "grants: Json<Vec<Grant>>""#,
        &ids,
        &logins,
        &names,
        &emails as &[Option<String>],
        &languages,
        &grants,
        &units as &[Option<Uuid>],
        &persons as &[Option<Uuid>],
        &areas,
        &built_in,
        &days as &[Option<String>],
        day(today) as _,
        email,
        language,
    )
    .fetch_all(&mut *connection)
    .await?;
    keep_versions(connection, &changed).await?;
    Ok(changed)
}

/// Carries a changed tree into the accounts. Their events do not name the path, so there is nothing to tell.
pub(crate) async fn follow_areas(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE accounts t SET area_path = a.path FROM areas a
         WHERE a.area_id = t.area_id AND t.area_path IS DISTINCT FROM a.path"
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the grants of the offices of an area away: it has none of its own any more. Its inspectors go on, under the county's.
/// Gives back the accounts that changed.
pub(crate) async fn end_offices(
    connection: &mut PgConnection,
    area_id: Uuid,
    today: Date,
) -> Result<Vec<Account>, sqlx::Error> {
    let changed = sqlx::query_as!(
        Account,
        r#"UPDATE accounts t
           SET version = t.version + 1, valid_from = greatest($2, t.valid_from),
               grants = (SELECT coalesce(jsonb_agg(g ORDER BY n), '[]')
                         FROM jsonb_array_elements(t.grants) WITH ORDINALITY AS e(g, n)
                         WHERE g->>'area_id' IS DISTINCT FROM $1::uuid::text OR g->>'role' = 'inspector')
           WHERE EXISTS (SELECT FROM jsonb_array_elements(t.grants) AS g
                         WHERE g->>'area_id' = $1::uuid::text AND g->>'role' <> 'inspector')
           RETURNING account_id, version, login, display_name, email, language, active,
                     EXISTS (SELECT 1 FROM credentials c WHERE c.account_id = t.account_id) AS "activated!",
                     EXISTS (SELECT 1 FROM identities i WHERE i.account_id = t.account_id AND i.ended_at IS NULL)
                         AS "identity_bound!",
                     built_in,
                     unit_id, person_id, (SELECT code FROM areas a WHERE a.area_id = t.area_id) AS "area_code!", area_path,
                     grants AS "grants: Json<Vec<Grant>>""#,
        area_id,
        day(today) as _,
    )
    .fetch_all(&mut *connection)
    .await?;
    keep_versions(connection, &changed).await?;
    Ok(changed)
}

/// Lets an account sign in, or no longer; the caller has locked the row.
pub(crate) async fn set_active(
    connection: &mut PgConnection,
    account_id: Uuid,
    active: bool,
    today: Date,
) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query!(
        "UPDATE accounts SET active = $2, version = version + 1, valid_from = greatest($3, valid_from) WHERE account_id = $1",
        account_id,
        active,
        day(today) as _,
    )
    .execute(&mut *connection)
    .await?;
    kept(connection, account_id).await
}

/// The next version of an account of which something has changed that stands elsewhere; the caller has locked the row.
pub(crate) async fn next_version(
    connection: &mut PgConnection,
    account_id: Uuid,
    today: Date,
) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query!(
        "UPDATE accounts SET version = version + 1, valid_from = greatest($2, valid_from) WHERE account_id = $1",
        account_id,
        day(today) as _,
    )
    .execute(&mut *connection)
    .await?;
    kept(connection, account_id).await
}

/// An account as it stands after a change, with its version kept.
async fn kept(connection: &mut PgConnection, account_id: Uuid) -> Result<Option<Account>, sqlx::Error> {
    let account = get(connection, account_id).await?;
    keep_versions(connection, account.as_slice()).await?;
    Ok(account)
}

async fn keep_versions(connection: &mut PgConnection, changed: &[Account]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = changed.iter().map(|account| account.account_id).collect();
    sqlx::query!(
        "UPDATE account_versions v SET valid_to = t.valid_from - 1 FROM accounts t
         WHERE t.account_id = ANY($1) AND v.account_id = t.account_id AND v.version < t.version AND v.valid_to IS NULL",
        &ids,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO account_versions (account_id, version, valid_from, record)
         SELECT account_id, version, valid_from, to_jsonb(accounts) FROM accounts WHERE account_id = ANY($1)",
        &ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a list of accounts is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub areas: Vec<Uuid>,
    pub area_code: Option<String>,
    pub role: Option<String>,
    pub pattern: Option<String>,
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of accounts by login.
pub(crate) async fn page(connection: &mut PgConnection, filter: &Filter) -> Result<Vec<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        r#"SELECT t.account_id, t.version, t.login, t.display_name, t.email, t.language, t.active,
                  EXISTS (SELECT 1 FROM credentials c WHERE c.account_id = t.account_id) AS "activated!",
                  EXISTS (SELECT 1 FROM identities i WHERE i.account_id = t.account_id AND i.ended_at IS NULL) AS "identity_bound!",
                  t.built_in,
                  t.unit_id, t.person_id, o.code AS area_code, t.area_path, t.grants AS "grants: Json<Vec<Grant>>"
           FROM accounts t JOIN areas o ON o.area_id = t.area_id
           WHERE t.area_path && $1
             AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM areas a WHERE a.code = $2 AND a.area_id = ANY(t.area_path)))
             AND ($3::text IS NULL OR t.grants @> jsonb_build_array(jsonb_build_object('role', $3::text)))
             AND ($4::text IS NULL OR t.login ILIKE $4 OR t.display_name ILIKE $4)
             AND ($5::text IS NULL OR t.login > $5)
           ORDER BY t.login LIMIT $6"#,
        &filter.areas,
        filter.area_code.as_deref(),
        filter.role.as_deref(),
        filter.pattern.as_deref(),
        filter.after.as_deref(),
        filter.limit,
    )
    .fetch_all(connection)
    .await
}

/// One account.
pub(crate) async fn get(connection: &mut PgConnection, account_id: Uuid) -> Result<Option<Account>, sqlx::Error> {
    sqlx::query_as!(
        Account,
        r#"SELECT t.account_id, t.version, t.login, t.display_name, t.email, t.language, t.active,
                  EXISTS (SELECT 1 FROM credentials c WHERE c.account_id = t.account_id) AS "activated!",
                  EXISTS (SELECT 1 FROM identities i WHERE i.account_id = t.account_id AND i.ended_at IS NULL) AS "identity_bound!",
                  t.built_in,
                  t.unit_id, t.person_id, o.code AS area_code, t.area_path, t.grants AS "grants: Json<Vec<Grant>>"
           FROM accounts t JOIN areas o ON o.area_id = t.area_id
           WHERE t.account_id = $1"#,
        account_id,
    )
    .fetch_optional(connection)
    .await
}

/// One account, by login.
pub(crate) async fn by_login(connection: &mut PgConnection, login: &str) -> Result<Option<Account>, sqlx::Error> {
    let id = sqlx::query_scalar!("SELECT account_id FROM accounts WHERE login = $1", login)
        .fetch_optional(&mut *connection)
        .await?;
    match id {
        Some(id) => get(connection, id).await,
        None => Ok(None),
    }
}

/// Locks an account for a change.
pub(crate) async fn lock(connection: &mut PgConnection, account_id: Uuid) -> Result<Option<Account>, sqlx::Error> {
    let found = sqlx::query_scalar!("SELECT account_id FROM accounts WHERE account_id = $1 FOR UPDATE", account_id)
        .fetch_optional(&mut *connection)
        .await?;
    match found {
        Some(id) => get(connection, id).await,
        None => Ok(None),
    }
}

/// Names for the ids in an account's grants.
#[derive(Debug, Clone)]
pub(crate) struct AreaName {
    pub area_id: Uuid,
    pub code: String,
    pub name: String,
}

/// The same for units.
#[derive(Debug, Clone)]
pub(crate) struct UnitName {
    pub unit_id: Uuid,
    pub key: String,
    pub name: String,
}

/// Names of areas.
pub(crate) async fn area_names(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<AreaName>, sqlx::Error> {
    sqlx::query_as!(AreaName, "SELECT area_id, code, name FROM areas WHERE area_id = ANY($1)", ids)
        .fetch_all(connection)
        .await
}

/// Names of units.
pub(crate) async fn unit_names(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<UnitName>, sqlx::Error> {
    sqlx::query_as!(UnitName, "SELECT unit_id, key, name FROM units WHERE unit_id = ANY($1)", ids)
        .fetch_all(connection)
        .await
}

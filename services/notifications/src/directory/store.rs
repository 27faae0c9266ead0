//! The SQL of the copies.

use contracts::{
    registry::{AccountRecorded, AreaMerged, UnitRecorded},
    tasks::NotificationIssued,
};
use domain::ids::{AccountId, AreaId, ItemId, RectificationId, UnitId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Person;
use crate::language::Language;

/// The mail address that is known of an account; `None` when the account is not known.
pub async fn address_of(db: &mut PgConnection, account: AccountId) -> Result<Option<Option<String>>, sqlx::Error> {
    sqlx::query_scalar!("SELECT email FROM accounts WHERE account_id = $1", Uuid::from(account))
        .fetch_optional(db)
        .await
}

/// Keeps the account unless a newer version is known. True when it was kept.
pub async fn save_account(db: &mut PgConnection, account: &AccountRecorded) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO accounts (account_id, version, display_name, email, language, unit_id, person_id, active)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, display_name = excluded.display_name,
             email = excluded.email, language = excluded.language, unit_id = excluded.unit_id,
             person_id = excluded.person_id, active = excluded.active
         WHERE accounts.version < excluded.version",
        Uuid::from(account.account_id),
        account.version,
        account.display_name,
        account.email,
        account.language,
        account.unit_id.map(Uuid::from),
        account.person_id.map(Uuid::from),
        account.active,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces the grants of an account.
pub async fn save_grants(db: &mut PgConnection, account: &AccountRecorded) -> Result<(), sqlx::Error> {
    let id = Uuid::from(account.account_id);
    sqlx::query!("DELETE FROM grants WHERE account_id = $1", id).execute(&mut *db).await?;
    let roles: Vec<String> = account.grants.iter().map(|grant| grant.role.clone()).collect();
    let areas: Vec<Option<Uuid>> = account.grants.iter().map(|grant| grant.area_id.map(Uuid::from)).collect();
    let units: Vec<Option<Uuid>> = account.grants.iter().map(|grant| grant.unit_id.map(Uuid::from)).collect();
    sqlx::query!(
        "INSERT INTO grants (account_id, role, area_id, unit_id)
         SELECT $1, g.role, g.area_id, g.unit_id FROM unnest($2::text[], $3::uuid[], $4::uuid[]) AS g(role, area_id, unit_id)",
        id,
        &roles,
        &areas as &[Option<Uuid>],
        &units as &[Option<Uuid>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the unit unless a newer version is known.
pub async fn save_unit(db: &mut PgConnection, unit: &UnitRecorded) -> Result<(), sqlx::Error> {
    let path: Vec<Uuid> = unit.area_path.iter().copied().map(Uuid::from).collect();
    let kind = match unit.kind {
        contracts::registry::UnitKind::School => "school",
        contracts::registry::UnitKind::Government => "government",
        contracts::registry::UnitKind::Department => "department",
        contracts::registry::UnitKind::EducationBureau => "education_bureau",
        contracts::registry::UnitKind::SupervisionAgency => "supervision_agency",
    };
    sqlx::query!(
        "INSERT INTO units (unit_id, version, name, kind, area_path, competent_unit_id, key) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (unit_id) DO UPDATE SET version = excluded.version, name = excluded.name, kind = excluded.kind,
             area_path = excluded.area_path, competent_unit_id = excluded.competent_unit_id, key = excluded.key
         WHERE units.version < excluded.version",
        Uuid::from(unit.unit_id),
        unit.version,
        unit.name,
        kind,
        &path,
        unit.competent_unit_id.map(Uuid::from),
        unit.key,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Brings the areas of messages and receipts to where they lie after a merger of counties.
pub async fn hand_over(db: &mut PgConnection, merged: &AreaMerged) -> Result<(), sqlx::Error> {
    let (area, path) = (Uuid::from(merged.area_id), merged.path.iter().copied().map(Uuid::from).collect::<Vec<_>>());
    // Whoever is writing comes to an end first; whoever writes next sees the merger.
    sqlx::query!("LOCK TABLE notices, receipts IN SHARE ROW EXCLUSIVE MODE").execute(&mut *db).await?;
    sqlx::query!(
        "INSERT INTO area_mergers (area_id, path) VALUES ($1, $2) ON CONFLICT (area_id) DO NOTHING",
        area,
        &path,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "UPDATE notices SET area_path = $2 || area_path[array_position(area_path, $1) + 1:]
         WHERE area_path @> ARRAY[$1::uuid] AND area_path[:cardinality($2::uuid[])] <> $2",
        area,
        &path,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "UPDATE receipts SET area_path = $2 || area_path[array_position(area_path, $1) + 1:]
         WHERE area_path @> ARRAY[$1::uuid] AND area_path[:cardinality($2::uuid[])] <> $2",
        area,
        &path,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the group of a case unless a newer version is known.
pub async fn save_case(db: &mut PgConnection, notice: &NotificationIssued) -> Result<(), sqlx::Error> {
    let team: Vec<Uuid> = notice.team.iter().map(|member| member.person_id.into()).collect();
    sqlx::query!(
        "INSERT INTO cases (case_id, version, team) VALUES ($1, $2, $3)
         ON CONFLICT (case_id) DO UPDATE SET version = excluded.version, team = excluded.team
         WHERE cases.version < excluded.version",
        Uuid::from(notice.case_id),
        notice.version,
        &team,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Keeps the open items unless a newer version is known; returns those of the newest version.
pub async fn save_open_items(
    db: &mut PgConnection,
    rectification: RectificationId,
    version: i64,
    open: &[ItemId],
) -> Result<Vec<ItemId>, sqlx::Error> {
    let open: Vec<Uuid> = open.iter().copied().map(Uuid::from).collect();
    let newest = sqlx::query_scalar!(
        "INSERT INTO rectifications (rectification_id, version, open_item_ids) VALUES ($1, $2, $3)
         ON CONFLICT (rectification_id) DO UPDATE SET
             version = greatest(rectifications.version, excluded.version),
             open_item_ids = CASE WHEN rectifications.version < excluded.version
                                  THEN excluded.open_item_ids ELSE rectifications.open_item_ids END
         RETURNING open_item_ids",
        Uuid::from(rectification),
        version,
        &open,
    )
    .fetch_one(db)
    .await?;
    Ok(newest.into_iter().map(ItemId::from).collect())
}

/// Somebody found by a role for something.
#[derive(Debug)]
pub struct Holder {
    pub thing: Uuid,
    pub role: String,
    pub account_id: Uuid,
}

/// The areas of units.
pub async fn area_paths(db: &mut PgConnection, units: &[Uuid]) -> Result<Vec<(UnitId, Vec<AreaId>)>, sqlx::Error> {
    if units.is_empty() {
        return Ok(Vec::new());
    }
    let rows =
        sqlx::query!("SELECT unit_id, area_path FROM units WHERE unit_id = ANY($1)", units).fetch_all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.unit_id.into(), row.area_path.into_iter().map(AreaId::from).collect()))
        .collect())
}

/// Active accounts with a role for units.
pub async fn of_units(db: &mut PgConnection, units: &[Uuid]) -> Result<Vec<Holder>, sqlx::Error> {
    sqlx::query_as!(
        Holder,
        r#"SELECT g.unit_id AS "thing!", g.role, a.account_id FROM grants g JOIN accounts a USING (account_id)
           WHERE a.active AND g.unit_id = ANY($1)"#,
        units,
    )
    .fetch_all(db)
    .await
}

/// Active accounts with any role that work for units.
pub async fn at_homes(db: &mut PgConnection, units: &[Uuid]) -> Result<Vec<Holder>, sqlx::Error> {
    sqlx::query_as!(
        Holder,
        r#"SELECT a.unit_id AS "thing!", g.role, a.account_id FROM accounts a JOIN grants g USING (account_id)
           WHERE a.active AND a.unit_id = ANY($1)"#,
        units,
    )
    .fetch_all(db)
    .await
}

/// Active accounts with a role over areas.
pub async fn over_areas(db: &mut PgConnection, areas: &[Uuid]) -> Result<Vec<Holder>, sqlx::Error> {
    sqlx::query_as!(
        Holder,
        r#"SELECT g.area_id AS "thing!", g.role, a.account_id FROM grants g JOIN accounts a USING (account_id)
           WHERE a.active AND g.area_id = ANY($1)"#,
        areas,
    )
    .fetch_all(db)
    .await
}

/// Active accounts of the groups of cases.
pub async fn of_teams(db: &mut PgConnection, cases: &[Uuid]) -> Result<Vec<Holder>, sqlx::Error> {
    sqlx::query_as!(
        Holder,
        r#"SELECT c.case_id AS thing, '' AS "role!", a.account_id FROM cases c JOIN accounts a ON a.person_id = ANY(c.team)
           WHERE a.active AND c.case_id = ANY($1) ORDER BY a.account_id"#,
        cases,
    )
    .fetch_all(db)
    .await
}

/// Active accounts with one of the roles for a unit, or that work for it.
pub async fn awaited(db: &mut PgConnection, roles: &[String], unit: UnitId) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT DISTINCT a.account_id FROM grants g JOIN accounts a USING (account_id)
         WHERE a.active AND g.role = ANY($1) AND (g.unit_id = $2 OR a.unit_id = $2) ORDER BY a.account_id",
        roles,
        Uuid::from(unit),
    )
    .fetch_all(db)
    .await
}

/// Accounts as people who can be told, with what they want.
pub async fn people(db: &mut PgConnection, accounts: &[Uuid]) -> Result<Vec<Person>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT a.account_id AS "account_id!", a.email, a.language AS "language!", p.phone AS "phone?", coalesce(p.mail_off, '{}') AS "mail_off!",
                  coalesce(p.sms_off, '{}') AS "sms_off!", coalesce(p.daily_digest, false) AS "daily_digest!"
           FROM accounts a LEFT JOIN preferences p USING (account_id) WHERE a.account_id = ANY($1)"#,
        accounts,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Person {
            account_id: row.account_id.into(),
            email: row.email,
            phone: row.phone,
            language: Language::of_account(&row.language),
            mail_off: row.mail_off,
            sms_off: row.sms_off,
            daily_digest: row.daily_digest,
        })
        .collect())
}

/// The units with keys of the register.
pub async fn keyed(db: &mut PgConnection, keys: &[String]) -> Result<Vec<(String, UnitId)>, sqlx::Error> {
    let rows =
        sqlx::query!(r#"SELECT key AS "key!", unit_id FROM units WHERE key = ANY($1)"#, keys).fetch_all(db).await?;
    Ok(rows.into_iter().map(|row| (row.key, row.unit_id.into())).collect())
}

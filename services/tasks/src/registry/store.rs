//! SQL of the copies: the newest version wins, whatever the order of arrival.

use contracts::registry::{AccountRecorded, AreaLevel, AreaRecorded, InspectorRecorded, UnitKind, UnitRecorded};
use domain::ids::{AreaId, PersonId, UnitId};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Unit;

/// An inspector as copied: what the validity guard of a team asks.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "identities are named in full everywhere")]
pub(crate) struct Inspector {
    pub person_id: PersonId,
    pub inspector_no: String,
    pub name: String,
    pub term_from: Date,
    pub term_to: Date,
    pub training_hours: i32,
    pub suspended: bool,
}

pub(crate) fn uuids<T: Copy + Into<Uuid>>(ids: &[T]) -> Vec<Uuid> {
    ids.iter().map(|id| (*id).into()).collect()
}

pub(crate) async fn save_area(tx: &mut PgConnection, area: &AreaRecorded) -> sqlx::Result<()> {
    let level = match area.level {
        AreaLevel::Province => "province",
        AreaLevel::CountyUnit => "county_unit",
        AreaLevel::District => "district",
    };
    sqlx::query!(
        "INSERT INTO areas (area_id, version, code, name, level, path) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (area_id) DO UPDATE SET version = excluded.version, code = excluded.code, name = excluded.name,
             level = excluded.level, path = excluded.path
         WHERE areas.version < excluded.version",
        area.area_id.as_uuid(),
        area.version,
        area.code,
        area.name,
        level,
        &uuids(&area.path),
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn kind_word(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::School => "school",
        UnitKind::Government => "government",
        UnitKind::Department => "department",
        UnitKind::EducationBureau => "education_bureau",
        UnitKind::SupervisionAgency => "supervision_agency",
    }
}

pub(crate) async fn save_unit(tx: &mut PgConnection, unit: &UnitRecorded) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO units (unit_id, version, key, school_code, name, kind, area_path, area_code, county_code,
             county_name, competent_unit_id, private, students)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (unit_id) DO UPDATE SET version = excluded.version, key = excluded.key,
             school_code = excluded.school_code, name = excluded.name, kind = excluded.kind,
             area_path = excluded.area_path, area_code = excluded.area_code, county_code = excluded.county_code,
             county_name = excluded.county_name, competent_unit_id = excluded.competent_unit_id,
             private = excluded.private, students = excluded.students
         WHERE units.version < excluded.version",
        unit.unit_id.as_uuid(),
        unit.version,
        unit.key,
        unit.school_code,
        unit.name,
        kind_word(unit.kind),
        &uuids(&unit.area_path),
        unit.area_code,
        unit.county_code,
        unit.county_name,
        unit.competent_unit_id.map(|id| id.as_uuid()),
        unit.private,
        unit.students,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn save_inspector(tx: &mut PgConnection, inspector: &InspectorRecorded) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO inspectors (person_id, version, inspector_no, name, area_path, full_time, grade, term_from,
             term_to, training_hours, suspended)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (person_id) DO UPDATE SET version = excluded.version, inspector_no = excluded.inspector_no,
             name = excluded.name, area_path = excluded.area_path, full_time = excluded.full_time,
             grade = excluded.grade, term_from = excluded.term_from, term_to = excluded.term_to,
             training_hours = excluded.training_hours, suspended = excluded.suspended
         WHERE inspectors.version < excluded.version",
        inspector.person_id.as_uuid(),
        inspector.version,
        inspector.inspector_no,
        inspector.name,
        &uuids(&inspector.area_path),
        inspector.full_time,
        inspector.grade,
        inspector.term_from.to_sqlx() as _,
        inspector.term_to.to_sqlx() as _,
        inspector.training_hours,
        inspector.suspended,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn save_account(tx: &mut PgConnection, account: &AccountRecorded) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO accounts (account_id, version, display_name, person_id, unit_id, active)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, display_name = excluded.display_name,
             person_id = excluded.person_id, unit_id = excluded.unit_id, active = excluded.active
         WHERE accounts.version < excluded.version",
        account.account_id.as_uuid(),
        account.version,
        account.display_name,
        account.person_id.map(|id| id.as_uuid()),
        account.unit_id.map(|id| id.as_uuid()),
        account.active,
    )
    .execute(tx)
    .await?;
    Ok(())
}

struct UnitRow {
    unit_id: Uuid,
    key: String,
    school_code: Option<String>,
    name: String,
    kind: String,
    area_path: Vec<Uuid>,
    area_code: String,
    county_code: Option<String>,
    county_name: Option<String>,
    competent_unit_id: Option<Uuid>,
    competent_unit_name: Option<String>,
}

impl From<UnitRow> for Unit {
    fn from(row: UnitRow) -> Self {
        Self {
            unit_id: row.unit_id.into(),
            key: row.key,
            school_code: row.school_code,
            name: row.name,
            kind: row.kind,
            area_path: row.area_path.into_iter().map(AreaId::from).collect(),
            area_code: row.area_code,
            county_code: row.county_code,
            county_name: row.county_name,
            competent_unit_id: row.competent_unit_id.map(UnitId::from),
            competent_unit_name: row.competent_unit_name,
        }
    }
}

/// The units with these identities, in no order.
pub(crate) async fn units(tx: &mut PgConnection, ids: &[UnitId]) -> sqlx::Result<Vec<Unit>> {
    let rows = sqlx::query_as!(
        UnitRow,
        r#"SELECT u.unit_id, u.key, u.school_code, u.name, u.kind, u.area_path, u.area_code, u.county_code, u.county_name,
                  u.competent_unit_id,
                  (SELECT c.name FROM units c WHERE c.unit_id = u.competent_unit_id) AS "competent_unit_name?"
           FROM units u
           WHERE u.unit_id = ANY($1)"#,
        &uuids(ids),
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Unit::from).collect())
}

pub(crate) async fn unit(tx: &mut PgConnection, id: UnitId) -> sqlx::Result<Option<Unit>> {
    Ok(units(tx, &[id]).await?.pop())
}

/// The supervision agency of an area (its own, not of an area above).
pub(crate) async fn agency_of_area(tx: &mut PgConnection, area: AreaId) -> sqlx::Result<Option<Unit>> {
    let row = sqlx::query_as!(
        UnitRow,
        r#"SELECT u.unit_id, u.key, u.school_code, u.name, u.kind, u.area_path, u.area_code, u.county_code, u.county_name,
                  u.competent_unit_id,
                  (SELECT c.name FROM units c WHERE c.unit_id = u.competent_unit_id) AS "competent_unit_name?"
           FROM units u
           WHERE u.kind = 'supervision_agency' AND u.area_path[cardinality(u.area_path)] = $1
           ORDER BY u.key LIMIT 1"#,
        area.as_uuid(),
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Unit::from))
}

/// Identities of the units with these keys.
pub(crate) async fn unit_ids_by_key(tx: &mut PgConnection, keys: &[String]) -> sqlx::Result<Vec<(String, UnitId)>> {
    let rows =
        sqlx::query!("SELECT key, unit_id FROM units WHERE key = ANY($1) ORDER BY key", keys).fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.key, UnitId::from(row.unit_id))).collect())
}

/// The inspectors among these persons.
pub(crate) async fn inspectors(tx: &mut PgConnection, ids: &[PersonId]) -> sqlx::Result<Vec<Inspector>> {
    let rows = sqlx::query!(
        "SELECT person_id, inspector_no, name, term_from, term_to, training_hours, suspended
         FROM inspectors WHERE person_id = ANY($1)",
        &uuids(ids),
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Inspector {
            person_id: row.person_id.into(),
            inspector_no: row.inspector_no,
            name: row.name,
            term_from: row.term_from.to_jiff(),
            term_to: row.term_to.to_jiff(),
            training_hours: row.training_hours,
            suspended: row.suspended,
        })
        .collect())
}

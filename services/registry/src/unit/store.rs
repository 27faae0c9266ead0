//! Every statement about units.

use std::collections::HashMap;

use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Unit;
use crate::area::store::day;

/// A unit as it shall be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub unit_id: Uuid,
    pub key: String,
    pub school_code: Option<String>,
    pub school_kind: Option<&'static str>,
    pub name: String,
    pub kind: &'static str,
    pub area_id: Uuid,
    pub competent_unit_id: Option<Uuid>,
    pub private: bool,
    pub students: Option<i32>,
    pub credit_code: Option<String>,
    /// First day of the new version, when the file says so.
    pub valid_from: Option<Date>,
}

/// Which of the attributes that may be left out a file speaks about; the others stay as they are.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is about another column and goes to the statement as it is")]
pub(crate) struct Spoken {
    pub competent: bool,
    pub private: bool,
    pub students: bool,
    pub credit: bool,
}

/// The ids of all units, by key.
pub(crate) async fn ids_by_key(connection: &mut PgConnection) -> Result<HashMap<String, Uuid>, sqlx::Error> {
    let rows = sqlx::query!("SELECT key, unit_id FROM units").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.key, row.unit_id)).collect())
}

/// The areas of some units, by unit.
pub(crate) async fn areas_of(
    connection: &mut PgConnection,
    units: &[Uuid],
) -> Result<HashMap<Uuid, Uuid>, sqlx::Error> {
    let rows =
        sqlx::query!("SELECT unit_id, area_id FROM units WHERE unit_id = ANY($1)", units).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.unit_id, row.area_id)).collect())
}

/// Records units by their keys; gives back those that are new (version 1) or changed.
pub(crate) async fn upsert(
    connection: &mut PgConnection,
    drafts: &[Draft],
    spoken: Spoken,
    today: Date,
) -> Result<Vec<Unit>, sqlx::Error> {
    let ids: Vec<Uuid> = drafts.iter().map(|draft| draft.unit_id).collect();
    let keys: Vec<String> = drafts.iter().map(|draft| draft.key.clone()).collect();
    let school_codes: Vec<Option<String>> = drafts.iter().map(|draft| draft.school_code.clone()).collect();
    let school_kinds: Vec<Option<&str>> = drafts.iter().map(|draft| draft.school_kind).collect();
    let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
    let kinds: Vec<String> = drafts.iter().map(|draft| draft.kind.to_owned()).collect();
    let areas: Vec<Uuid> = drafts.iter().map(|draft| draft.area_id).collect();
    let competent: Vec<Option<Uuid>> = drafts.iter().map(|draft| draft.competent_unit_id).collect();
    let private: Vec<bool> = drafts.iter().map(|draft| draft.private).collect();
    let students: Vec<Option<i32>> = drafts.iter().map(|draft| draft.students).collect();
    let credits: Vec<Option<String>> = drafts.iter().map(|draft| draft.credit_code.clone()).collect();
    let days: Vec<Option<String>> = drafts.iter().map(|draft| draft.valid_from.map(|day| day.to_string())).collect();
    let changed = sqlx::query_as!(
        Unit,
        r#"INSERT INTO units AS u (unit_id, version, key, school_code, school_kind, name, kind, area_id, area_path, area_code,
                                   county_code, county_name, competent_unit_id, private, students, credit_code, valid_from)
           SELECT r.unit_id, 1, r.key, r.school_code, r.school_kind, r.name, r.kind, a.area_id, a.path, a.code,
                  c.code, c.name, r.competent_unit_id, r.private, r.students, r.credit_code, coalesce(r.valid_from::date, $13)
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::uuid[],
                       $9::bool[], $10::int[], $11::text[], $12::text[])
                AS r(unit_id, key, school_code, school_kind, name, kind, area_id, competent_unit_id, private, students,
                     credit_code, valid_from)
           JOIN areas a ON a.area_id = r.area_id
           LEFT JOIN areas c ON c.area_id = a.county_id
           ON CONFLICT (key) DO UPDATE
           SET version = u.version + 1, school_kind = excluded.school_kind, name = excluded.name, kind = excluded.kind,
               area_id = excluded.area_id, area_path = excluded.area_path, area_code = excluded.area_code,
               county_code = excluded.county_code, county_name = excluded.county_name,
               competent_unit_id = CASE WHEN $14 THEN excluded.competent_unit_id ELSE u.competent_unit_id END,
               private = CASE WHEN $15 THEN excluded.private ELSE u.private END,
               students = CASE WHEN $16 THEN excluded.students ELSE u.students END,
               credit_code = CASE WHEN $17 THEN excluded.credit_code ELSE u.credit_code END,
               -- A date that the register has seen already is no news: then the change holds from today.
               valid_from = CASE WHEN excluded.valid_from > u.valid_from THEN excluded.valid_from
                                 ELSE greatest($13, u.valid_from) END
           WHERE (u.school_kind, u.name, u.kind, u.area_id, u.area_path, u.area_code, u.county_code, u.county_name)
                 IS DISTINCT FROM (excluded.school_kind, excluded.name, excluded.kind, excluded.area_id, excluded.area_path,
                                   excluded.area_code, excluded.county_code, excluded.county_name)
              OR ($14 AND u.competent_unit_id IS DISTINCT FROM excluded.competent_unit_id)
              OR ($15 AND u.private IS DISTINCT FROM excluded.private)
              OR ($16 AND u.students IS DISTINCT FROM excluded.students)
              OR ($17 AND u.credit_code IS DISTINCT FROM excluded.credit_code)
           RETURNING unit_id, version, key, school_code, school_kind, name, kind, area_id, area_path, area_code,
                     county_code, county_name, competent_unit_id, private, students, credit_code, valid_from"#,
        &ids,
        &keys,
        &school_codes as &[Option<String>],
        &school_kinds as &[Option<&str>],
        &names,
        &kinds,
        &areas,
        &competent as &[Option<Uuid>],
        &private,
        &students as &[Option<i32>],
        &credits as &[Option<String>],
        &days as &[Option<String>],
        day(today) as _,
        spoken.competent,
        spoken.private,
        spoken.students,
        spoken.credit,
    )
    .fetch_all(&mut *connection)
    .await?;
    keep_versions(connection, &changed).await?;
    Ok(changed)
}

/// Carries a changed tree into the units below it; gives back those that changed.
pub(crate) async fn follow_areas(connection: &mut PgConnection, today: Date) -> Result<Vec<Unit>, sqlx::Error> {
    let changed = sqlx::query_as!(
        Unit,
        r#"UPDATE units u
           SET version = u.version + 1, area_path = a.path, area_code = a.code, county_code = c.code, county_name = c.name,
               valid_from = greatest($1, u.valid_from)
           FROM areas a LEFT JOIN areas c ON c.area_id = a.county_id
           WHERE a.area_id = u.area_id
             AND (u.area_path, u.area_code, u.county_code, u.county_name) IS DISTINCT FROM (a.path, a.code, c.code, c.name)
           RETURNING u.unit_id, u.version, u.key, u.school_code, u.school_kind, u.name, u.kind, u.area_id, u.area_path,
                     u.area_code, u.county_code, u.county_name, u.competent_unit_id, u.private, u.students, u.credit_code,
                     u.valid_from"#,
        day(today) as _,
    )
    .fetch_all(&mut *connection)
    .await?;
    keep_versions(connection, &changed).await?;
    Ok(changed)
}

/// Gives the units of one competent department to another one; gives back those that changed.
pub(crate) async fn succeed(
    connection: &mut PgConnection,
    from: Uuid,
    to: Uuid,
    today: Date,
) -> Result<Vec<Unit>, sqlx::Error> {
    let changed = sqlx::query_as!(
        Unit,
        r#"UPDATE units u
           SET version = u.version + 1, competent_unit_id = $2, valid_from = greatest($3, u.valid_from)
           WHERE u.competent_unit_id = $1 AND u.unit_id <> $2
           RETURNING u.unit_id, u.version, u.key, u.school_code, u.school_kind, u.name, u.kind, u.area_id, u.area_path,
                     u.area_code, u.county_code, u.county_name, u.competent_unit_id, u.private, u.students, u.credit_code,
                     u.valid_from"#,
        from,
        to,
        day(today) as _,
    )
    .fetch_all(&mut *connection)
    .await?;
    keep_versions(connection, &changed).await?;
    Ok(changed)
}

async fn keep_versions(connection: &mut PgConnection, changed: &[Unit]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = changed.iter().map(|unit| unit.unit_id).collect();
    if changed.iter().any(|unit| unit.version > 1) {
        sqlx::query!(
            "UPDATE unit_versions v SET valid_to = u.valid_from - 1 FROM units u
             WHERE u.unit_id = ANY($1) AND v.unit_id = u.unit_id AND v.version < u.version AND v.valid_to IS NULL",
            &ids,
        )
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query!(
        "INSERT INTO unit_versions (unit_id, version, valid_from, record)
         SELECT unit_id, version, valid_from, to_jsonb(units) FROM units WHERE unit_id = ANY($1)",
        &ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a list of units is asked for; everything but the scope may be left open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub areas: Vec<Uuid>,
    pub units: Vec<Uuid>,
    pub kind: Option<String>,
    pub area_code: Option<String>,
    /// A pattern for ILIKE.
    pub pattern: Option<String>,
    pub competent: Option<Uuid>,
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of units by key.
pub(crate) async fn page(connection: &mut PgConnection, filter: &Filter) -> Result<Vec<Unit>, sqlx::Error> {
    sqlx::query_as!(
        Unit,
        "SELECT unit_id, version, key, school_code, school_kind, name, kind, area_id, area_path, area_code, county_code,
                county_name, competent_unit_id, private, students, credit_code, valid_from
         FROM units u
         WHERE (area_path && $1 OR unit_id = ANY($2) OR competent_unit_id = ANY($2))
           AND ($3::text IS NULL OR kind = $3)
           AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM areas a WHERE a.code = $4 AND a.area_id = ANY(u.area_path)))
           AND ($5::text IS NULL OR name ILIKE $5 OR key ILIKE $5)
           AND ($6::uuid IS NULL OR competent_unit_id = $6)
           AND ($7::text IS NULL OR key > $7)
         ORDER BY key LIMIT $8",
        &filter.areas,
        &filter.units,
        filter.kind.as_deref(),
        filter.area_code.as_deref(),
        filter.pattern.as_deref(),
        filter.competent,
        filter.after.as_deref(),
        filter.limit,
    )
    .fetch_all(connection)
    .await
}

/// A page of units by key, as they stood on a day.
pub(crate) async fn page_on(
    connection: &mut PgConnection,
    filter: &Filter,
    on: Date,
) -> Result<Vec<Unit>, sqlx::Error> {
    sqlx::query_as!(
        Unit,
        r#"SELECT u.unit_id AS "unit_id!", u.version AS "version!", u.key AS "key!", u.school_code, u.school_kind,
                  u.name AS "name!", u.kind AS "kind!", u.area_id AS "area_id!", u.area_path AS "area_path!",
                  u.area_code AS "area_code!", u.county_code, u.county_name, u.competent_unit_id, u.private AS "private!",
                  u.students, u.credit_code, u.valid_from AS "valid_from!"
           FROM unit_versions v CROSS JOIN LATERAL jsonb_populate_record(NULL::units, v.record) u
           WHERE v.valid_from <= $9 AND (v.valid_to IS NULL OR $9 <= v.valid_to)
             AND (u.area_path && $1 OR u.unit_id = ANY($2) OR u.competent_unit_id = ANY($2))
             AND ($3::text IS NULL OR u.kind = $3)
             AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM areas a WHERE a.code = $4 AND a.area_id = ANY(u.area_path)))
             AND ($5::text IS NULL OR u.name ILIKE $5 OR u.key ILIKE $5)
             AND ($6::uuid IS NULL OR u.competent_unit_id = $6)
             AND ($7::text IS NULL OR u.key > $7)
           ORDER BY u.key LIMIT $8"#,
        &filter.areas,
        &filter.units,
        filter.kind.as_deref(),
        filter.area_code.as_deref(),
        filter.pattern.as_deref(),
        filter.competent,
        filter.after.as_deref(),
        filter.limit,
        day(on) as _,
    )
    .fetch_all(connection)
    .await
}

/// The body of that kind which an area itself has: its agency, its bureau. Of several the one with the first key.
pub(crate) async fn body_of(
    connection: &mut PgConnection,
    area_id: Uuid,
    kind: &str,
) -> Result<Option<Unit>, sqlx::Error> {
    sqlx::query_as!(
        Unit,
        "SELECT unit_id, version, key, school_code, school_kind, name, kind, area_id, area_path, area_code, county_code,
                county_name, competent_unit_id, private, students, credit_code, valid_from
         FROM units WHERE area_id = $1 AND kind = $2 ORDER BY key LIMIT 1",
        area_id,
        kind,
    )
    .fetch_optional(connection)
    .await
}

/// The id of a unit by its key.
pub(crate) async fn id_of_key(connection: &mut PgConnection, key: &str) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT unit_id FROM units WHERE key = $1", key).fetch_optional(connection).await
}

/// One unit.
pub(crate) async fn get(connection: &mut PgConnection, unit_id: Uuid) -> Result<Option<Unit>, sqlx::Error> {
    sqlx::query_as!(
        Unit,
        "SELECT unit_id, version, key, school_code, school_kind, name, kind, area_id, area_path, area_code, county_code,
                county_name, competent_unit_id, private, students, credit_code, valid_from
         FROM units WHERE unit_id = $1",
        unit_id,
    )
    .fetch_optional(connection)
    .await
}

/// One unit as it stood on a day.
pub(crate) async fn get_on(
    connection: &mut PgConnection,
    unit_id: Uuid,
    on: Date,
) -> Result<Option<Unit>, sqlx::Error> {
    sqlx::query_as!(
        Unit,
        r#"SELECT u.unit_id AS "unit_id!", u.version AS "version!", u.key AS "key!", u.school_code, u.school_kind,
                  u.name AS "name!", u.kind AS "kind!", u.area_id AS "area_id!", u.area_path AS "area_path!",
                  u.area_code AS "area_code!", u.county_code, u.county_name, u.competent_unit_id, u.private AS "private!",
                  u.students, u.credit_code, u.valid_from AS "valid_from!"
           FROM unit_versions v CROSS JOIN LATERAL jsonb_populate_record(NULL::units, v.record) u
           WHERE v.unit_id = $1 AND v.valid_from <= $2 AND (v.valid_to IS NULL OR $2 <= v.valid_to)
           ORDER BY v.version DESC LIMIT 1"#,
        unit_id,
        day(on) as _,
    )
    .fetch_optional(connection)
    .await
}

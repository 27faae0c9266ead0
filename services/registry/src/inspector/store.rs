//! Every statement about inspectors.

use std::collections::HashMap;

use jiff::civil::Date;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Inspector;
use crate::area::store::day;

/// An inspector as it shall be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub person_id: Uuid,
    pub number: String,
    pub name: String,
    pub area_id: Uuid,
    pub full_time: bool,
    pub grade: Option<String>,
    pub term_from: Date,
    pub term_to: Date,
    pub training_hours: Option<i32>,
    pub valid_from: Option<Date>,
}

/// The ids of all inspectors, by number.
pub(crate) async fn ids_by_number(connection: &mut PgConnection) -> Result<HashMap<String, Uuid>, sqlx::Error> {
    let rows = sqlx::query!("SELECT inspector_no, person_id FROM inspectors").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.inspector_no, row.person_id)).collect())
}

/// Records inspectors by their numbers; gives back those that are new (version 1) or changed.
///
/// `grade` and `hours` say whether the file speaks about them at all.
pub(crate) async fn upsert(
    connection: &mut PgConnection,
    drafts: &[Draft],
    grade: bool,
    hours: bool,
    today: Date,
) -> Result<Vec<Inspector>, sqlx::Error> {
    let ids: Vec<Uuid> = drafts.iter().map(|draft| draft.person_id).collect();
    let numbers: Vec<String> = drafts.iter().map(|draft| draft.number.clone()).collect();
    let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
    let areas: Vec<Uuid> = drafts.iter().map(|draft| draft.area_id).collect();
    let full_time: Vec<bool> = drafts.iter().map(|draft| draft.full_time).collect();
    let grades: Vec<Option<String>> = drafts.iter().map(|draft| draft.grade.clone()).collect();
    let from: Vec<String> = drafts.iter().map(|draft| draft.term_from.to_string()).collect();
    let to: Vec<String> = drafts.iter().map(|draft| draft.term_to.to_string()).collect();
    let trained: Vec<i32> = drafts.iter().map(|draft| draft.training_hours.unwrap_or_default()).collect();
    let days: Vec<Option<String>> = drafts.iter().map(|draft| draft.valid_from.map(|day| day.to_string())).collect();
    let changed = sqlx::query_as!(
        Inspector,
        r#"INSERT INTO inspectors AS i (person_id, version, inspector_no, name, area_id, area_path, area_code, full_time, grade,
                                        term_from, term_to, training_hours, suspended, valid_from)
           SELECT r.person_id, 1, r.number, r.name, a.area_id, a.path, a.code, r.full_time, r.grade,
                  r.term_from::date, r.term_to::date, r.training_hours, false, coalesce(r.valid_from::date, $11)
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bool[], $6::text[], $7::text[], $8::text[],
                       $9::int[], $10::text[])
                AS r(person_id, number, name, area_id, full_time, grade, term_from, term_to, training_hours, valid_from)
           JOIN areas a ON a.area_id = r.area_id
           ON CONFLICT (inspector_no) DO UPDATE
           SET version = i.version + 1, name = excluded.name, area_id = excluded.area_id, area_path = excluded.area_path,
               area_code = excluded.area_code, full_time = excluded.full_time,
               grade = CASE WHEN $12 THEN excluded.grade ELSE i.grade END,
               term_from = excluded.term_from, term_to = excluded.term_to,
               training_hours = CASE WHEN $13 THEN excluded.training_hours ELSE i.training_hours END,
               valid_from = CASE WHEN excluded.valid_from > i.valid_from THEN excluded.valid_from
                                 ELSE greatest($11, i.valid_from) END
           WHERE (i.name, i.area_id, i.area_path, i.area_code, i.full_time, i.term_from, i.term_to)
                 IS DISTINCT FROM (excluded.name, excluded.area_id, excluded.area_path, excluded.area_code, excluded.full_time,
                                   excluded.term_from, excluded.term_to)
              OR ($12 AND i.grade IS DISTINCT FROM excluded.grade)
              OR ($13 AND i.training_hours IS DISTINCT FROM excluded.training_hours)
           RETURNING person_id, version, inspector_no, name, area_id, area_path, area_code, full_time, grade, term_from,
                     term_to, training_hours, suspended, valid_from"#,
        &ids,
        &numbers,
        &names,
        &areas,
        &full_time,
        &grades as &[Option<String>],
        &from,
        &to,
        &trained,
        &days as &[Option<String>],
        day(today) as _,
        grade,
        hours,
    )
    .fetch_all(&mut *connection)
    .await?;
    keep_versions(connection, &changed).await?;
    Ok(changed)
}

/// Carries a changed tree into the inspectors; gives back those that changed.
pub(crate) async fn follow_areas(connection: &mut PgConnection, today: Date) -> Result<Vec<Inspector>, sqlx::Error> {
    let changed = sqlx::query_as!(
        Inspector,
        r#"UPDATE inspectors i
           SET version = i.version + 1, area_path = a.path, area_code = a.code, valid_from = greatest($1, i.valid_from)
           FROM areas a
           WHERE a.area_id = i.area_id AND (i.area_path, i.area_code) IS DISTINCT FROM (a.path, a.code)
           RETURNING i.person_id, i.version, i.inspector_no, i.name, i.area_id, i.area_path, i.area_code, i.full_time, i.grade,
                     i.term_from, i.term_to, i.training_hours, i.suspended, i.valid_from"#,
        day(today) as _,
    )
    .fetch_all(&mut *connection)
    .await?;
    keep_versions(connection, &changed).await?;
    Ok(changed)
}

async fn keep_versions(connection: &mut PgConnection, changed: &[Inspector]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = changed.iter().map(|inspector| inspector.person_id).collect();
    sqlx::query!(
        "UPDATE inspector_versions v SET valid_to = i.valid_from - 1 FROM inspectors i
         WHERE i.person_id = ANY($1) AND v.person_id = i.person_id AND v.version < i.version AND v.valid_to IS NULL",
        &ids,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO inspector_versions (person_id, version, valid_from, record)
         SELECT person_id, version, valid_from, to_jsonb(inspectors) FROM inspectors WHERE person_id = ANY($1)",
        &ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a list of inspectors is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub areas: Vec<Uuid>,
    pub area_code: Option<String>,
    pub pattern: Option<String>,
    pub after: Option<String>,
    pub limit: i64,
}

/// A page of inspectors by number.
pub(crate) async fn page(connection: &mut PgConnection, filter: &Filter) -> Result<Vec<Inspector>, sqlx::Error> {
    sqlx::query_as!(
        Inspector,
        "SELECT person_id, version, inspector_no, name, area_id, area_path, area_code, full_time, grade, term_from, term_to,
                training_hours, suspended, valid_from
         FROM inspectors i
         WHERE area_path && $1
           AND ($2::text IS NULL OR EXISTS (SELECT 1 FROM areas a WHERE a.code = $2 AND a.area_id = ANY(i.area_path)))
           AND ($3::text IS NULL OR name ILIKE $3 OR inspector_no ILIKE $3)
           AND ($4::text IS NULL OR inspector_no > $4)
         ORDER BY inspector_no LIMIT $5",
        &filter.areas,
        filter.area_code.as_deref(),
        filter.pattern.as_deref(),
        filter.after.as_deref(),
        filter.limit,
    )
    .fetch_all(connection)
    .await
}

/// One inspector.
pub(crate) async fn get(connection: &mut PgConnection, person_id: Uuid) -> Result<Option<Inspector>, sqlx::Error> {
    sqlx::query_as!(
        Inspector,
        "SELECT person_id, version, inspector_no, name, area_id, area_path, area_code, full_time, grade, term_from, term_to,
                training_hours, suspended, valid_from
         FROM inspectors WHERE person_id = $1",
        person_id,
    )
    .fetch_optional(connection)
    .await
}

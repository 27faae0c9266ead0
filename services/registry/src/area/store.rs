//! Every statement about areas.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Area;

/// An area as it shall be recorded.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub area_id: Uuid,
    pub code: String,
    pub name: String,
    pub level: &'static str,
    pub parent_id: Option<Uuid>,
    pub path: Vec<Uuid>,
    pub county_id: Option<Uuid>,
    pub effective_on: Date,
}

/// The whole tree, parents before children.
pub(crate) async fn all(connection: &mut PgConnection) -> Result<Vec<Area>, sqlx::Error> {
    sqlx::query_as!(
        Area,
        "SELECT area_id, version, code, name, level, parent_id, path, effective_on
         FROM areas ORDER BY cardinality(path), code"
    )
    .fetch_all(connection)
    .await
}

/// A page of the tree, parents before children.
pub(crate) async fn page(
    connection: &mut PgConnection,
    after: Option<(i32, String)>,
    limit: i64,
) -> Result<Vec<Area>, sqlx::Error> {
    let (depth, code) = after.unwrap_or_default();
    sqlx::query_as!(
        Area,
        "SELECT area_id, version, code, name, level, parent_id, path, effective_on
         FROM areas WHERE (cardinality(path), code) > ($1, $2) ORDER BY cardinality(path), code LIMIT $3",
        depth,
        code,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// The province, once it is recorded.
pub(crate) async fn root(connection: &mut PgConnection) -> Result<Option<Area>, sqlx::Error> {
    sqlx::query_as!(
        Area,
        "SELECT area_id, version, code, name, level, parent_id, path, effective_on FROM areas WHERE level = 'province'"
    )
    .fetch_optional(connection)
    .await
}

/// Records areas by their codes; gives back those that are new (version 1) or changed.
pub(crate) async fn upsert(connection: &mut PgConnection, drafts: &[Draft]) -> Result<Vec<Area>, sqlx::Error> {
    let ids: Vec<Uuid> = drafts.iter().map(|draft| draft.area_id).collect();
    let codes: Vec<String> = drafts.iter().map(|draft| draft.code.clone()).collect();
    let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
    let levels: Vec<String> = drafts.iter().map(|draft| draft.level.to_owned()).collect();
    let parents: Vec<Option<Uuid>> = drafts.iter().map(|draft| draft.parent_id).collect();
    // unnest takes arrays apart to their elements, so a path travels as the text of an array.
    let paths: Vec<String> = drafts.iter().map(|draft| array_text(&draft.path)).collect();
    let counties: Vec<Option<Uuid>> = drafts.iter().map(|draft| draft.county_id).collect();
    let days: Vec<String> = drafts.iter().map(|draft| draft.effective_on.to_string()).collect();
    let mut changed = sqlx::query_as!(
        Area,
        r#"INSERT INTO areas AS a (area_id, version, code, name, level, parent_id, path, county_id, effective_on)
           SELECT r.area_id, 1, r.code, r.name, r.level, r.parent_id, r.path::uuid[], r.county_id, r.effective_on::date
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::uuid[], $8::text[])
                AS r(area_id, code, name, level, parent_id, path, county_id, effective_on)
           ON CONFLICT (code) DO UPDATE
           SET version = a.version + 1, name = excluded.name, parent_id = excluded.parent_id, path = excluded.path,
               county_id = excluded.county_id, effective_on = excluded.effective_on
           WHERE (a.name, a.parent_id, a.path, a.county_id, a.effective_on)
                 IS DISTINCT FROM (excluded.name, excluded.parent_id, excluded.path, excluded.county_id, excluded.effective_on)
           RETURNING area_id, version, code, name, level, parent_id, path, effective_on"#,
        &ids,
        &codes,
        &names,
        &levels,
        &parents as &[Option<Uuid>],
        &paths,
        &counties as &[Option<Uuid>],
        &days,
    )
    .fetch_all(&mut *connection)
    .await?;
    changed.sort_by(|left, right| (left.path.len(), &left.code).cmp(&(right.path.len(), &right.code)));
    keep_versions(connection, &changed.iter().map(|area| area.area_id).collect::<Vec<_>>()).await?;
    Ok(changed)
}

/// Makes a county unit a district of another one from a day on.
pub(crate) async fn merge(
    connection: &mut PgConnection,
    area_id: Uuid,
    into_area_id: Uuid,
    effective_on: Date,
) -> Result<Area, sqlx::Error> {
    let area = sqlx::query_as!(
        Area,
        "UPDATE areas a
         SET version = a.version + 1, level = 'district', parent_id = i.area_id, path = i.path || a.area_id,
             county_id = i.area_id, effective_on = $3
         FROM areas i WHERE a.area_id = $1 AND i.area_id = $2 AND a.level = 'county_unit' AND i.level = 'county_unit'
         RETURNING a.area_id, a.version, a.code, a.name, a.level, a.parent_id, a.path, a.effective_on",
        area_id,
        into_area_id,
        day(effective_on) as _,
    )
    .fetch_one(&mut *connection)
    .await?;
    keep_versions(connection, &[area_id]).await?;
    Ok(area)
}

async fn keep_versions(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE area_versions v SET valid_to = a.effective_on - 1 FROM areas a
         WHERE a.area_id = ANY($1) AND v.area_id = a.area_id AND v.version < a.version AND v.valid_to IS NULL",
        ids,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "INSERT INTO area_versions (area_id, version, valid_from, record)
         SELECT area_id, version, effective_on, to_jsonb(areas) FROM areas WHERE area_id = ANY($1)",
        ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn array_text(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

/// A day for a checked statement.
pub(crate) fn day(day: Date) -> jiff_sqlx::Date {
    day.to_sqlx()
}

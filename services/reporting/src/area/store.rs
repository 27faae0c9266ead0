//! SQL of the counties: the newest version wins.

use access::Scope;
use contracts::registry::{AreaLevel, AreaRecorded};
use domain::ids::AreaId;
use sqlx::PgConnection;
use uuid::Uuid;

/// A county unit (市县).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct County {
    pub code: String,
    pub name: String,
}

pub(crate) async fn save(tx: &mut PgConnection, area: &AreaRecorded) -> sqlx::Result<()> {
    let level = match area.level {
        AreaLevel::Province => "province",
        AreaLevel::CountyUnit => "county_unit",
        AreaLevel::District => "district",
    };
    let path: Vec<Uuid> = area.path.iter().map(AreaId::as_uuid).collect();
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
        &path,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The counties that lie in the caller's areas, by code.
pub(crate) async fn counties(tx: &mut PgConnection, scope: &Scope) -> sqlx::Result<Vec<County>> {
    let areas: Vec<Uuid> = scope.areas.iter().map(AreaId::as_uuid).collect();
    sqlx::query_as!(
        County,
        "SELECT code, name FROM areas WHERE level = 'county_unit' AND path && $1 ORDER BY code",
        &areas
    )
    .fetch_all(tx)
    .await
}

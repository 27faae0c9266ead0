//! Routes of units.

use access::Permit;
use axum::extract::State;
use jiff::civil::Date;
use problem::{Json, Path, Problem, Query, Text};
use serde::Deserialize;
use service_kit::{
    etag::Versioned,
    page::{Page, PageQuery},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{KINDS, Unit, kind_word, store};
use crate::{
    app::AppState,
    query::{pattern, plain},
};

/// What a list of units is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UnitQuery {
    /// `school`, `government`, `department`, `education_bureau` or `supervision_agency`.
    kind: Option<String>,
    /// Division code; with everything below it.
    area: Option<String>,
    /// Part of the name or of the key.
    q: Option<String>,
    /// Competent department.
    competent: Option<Uuid>,
    /// As it stood on this day.
    on: Option<Date>,
}

/// The day for one unit.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OnQuery {
    /// As it stood on this day.
    on: Option<Date>,
}

/// The units that the caller may read, by key.
#[utoipa::path(get, path = "/v1/units", tag = "单位", summary = "查看单位", params(UnitQuery, PageQuery),
    responses((status = 200, body = Page<Unit>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<UnitQuery>,
    Query(page): Query<PageQuery>,
) -> problem::Result<Json<Page<Unit>>> {
    let page = page.request::<String>()?;
    if let Some(kind) = &query.kind
        && !KINDS.iter().any(|known| kind_word(*known) == kind)
    {
        let kinds: Vec<&str> = KINDS.iter().map(|kind| kind_word(*kind)).collect();
        return Err(Problem::invalid_field(
            "query/kind",
            Text::new(format!("应为：{}", kinds.join("、")), format!("must be one of {}", kinds.join(", "))),
        ));
    }
    for (pointer, text) in [("query/area", &query.area), ("query/after", &page.after)] {
        text.as_deref().map(|text| plain(pointer, text)).transpose()?;
    }
    let scope = permit.scope();
    let filter = store::Filter {
        areas: scope.areas.into_iter().map(Into::into).collect(),
        units: scope.units.into_iter().map(Into::into).collect(),
        kind: query.kind,
        area_code: query.area,
        pattern: pattern(query.q.as_deref())?,
        competent: query.competent,
        after: page.after.clone(),
        limit: page.fetch(),
    };
    let mut connection = state.database.pool().acquire().await?;
    let rows = match query.on {
        Some(on) => store::page_on(&mut connection, &filter, on).await?,
        None => store::page(&mut connection, &filter).await?,
    };
    Ok(Json(Page::new(rows, &page, |unit| unit.key.clone())))
}

/// One unit.
#[utoipa::path(get, path = "/v1/units/{unit_id}", tag = "单位", summary = "查看一个单位",
    params(("unit_id" = Uuid, Path), OnQuery), responses((status = 200, body = Unit)))]
pub(crate) async fn one(
    State(state): State<AppState>,
    permit: Permit,
    Path(unit_id): Path<Uuid>,
    Query(query): Query<OnQuery>,
) -> problem::Result<Versioned<Json<Unit>>> {
    found(&state, &permit, unit_id, query.on).await
}

/// One unit by its key or school identifier.
#[utoipa::path(get, path = "/v1/units/by-key/{key}", tag = "单位", summary = "按单位键或学校标识码查看单位",
    params(("key" = String, Path), OnQuery), responses((status = 200, body = Unit)))]
pub(crate) async fn by_key(
    State(state): State<AppState>,
    permit: Permit,
    Path(key): Path<String>,
    Query(query): Query<OnQuery>,
) -> problem::Result<Versioned<Json<Unit>>> {
    if plain("path/key", &key).is_err() {
        return Err(unknown());
    }
    let unit_id = {
        let mut connection = state.database.pool().acquire().await?;
        store::id_of_key(&mut connection, &key.to_lowercase()).await?.ok_or_else(unknown)?
    };
    found(&state, &permit, unit_id, query.on).await
}

/// Whoever may not read a unit is not told that it exists.
async fn found(
    state: &AppState,
    permit: &Permit,
    unit_id: Uuid,
    on: Option<Date>,
) -> problem::Result<Versioned<Json<Unit>>> {
    let mut connection = state.database.pool().acquire().await?;
    let unit = match on {
        Some(on) => store::get_on(&mut connection, unit_id, on).await?,
        None => store::get(&mut connection, unit_id).await?,
    };
    let unit = unit.filter(|unit| permit.on(&unit.resource()).is_ok()).ok_or_else(unknown)?;
    Ok(Versioned(unit.version, Json(unit)))
}

fn unknown() -> Problem {
    Problem::unknown_resource(Text::new("没有这个单位。", "There is no such unit."))
}

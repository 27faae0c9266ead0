//! Routes of inspectors.

use access::Permit;
use axum::extract::State;
use problem::{Json, Path, Problem, Query, Text};
use serde::Deserialize;
use service_kit::{
    etag::Versioned,
    page::{Page, PageQuery},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Inspector, store};
use crate::{
    app::AppState,
    query::{pattern, plain},
};

/// What a list of inspectors is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InspectorQuery {
    /// Division code; with everything below it.
    area: Option<String>,
    /// Part of the name or of the number.
    q: Option<String>,
}

/// The inspectors that the caller may see, by number.
#[utoipa::path(get, path = "/v1/inspectors", tag = "督学", summary = "查看督学", params(InspectorQuery, PageQuery),
    responses((status = 200, body = Page<Inspector>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<InspectorQuery>,
    Query(page): Query<PageQuery>,
) -> problem::Result<Json<Page<Inspector>>> {
    let page = page.request::<String>()?;
    for (pointer, text) in [("query/area", &query.area), ("query/after", &page.after)] {
        text.as_deref().map(|text| plain(pointer, text)).transpose()?;
    }
    let filter = store::Filter {
        areas: permit.scope().areas.into_iter().map(Into::into).collect(),
        area_code: query.area,
        pattern: pattern(query.q.as_deref())?,
        after: page.after.clone(),
        limit: page.fetch(),
    };
    let mut connection = state.database.pool().acquire().await?;
    let rows = store::page(&mut connection, &filter).await?;
    Ok(Json(Page::new(rows, &page, |inspector| inspector.inspector_no.clone())))
}

/// One inspector.
#[utoipa::path(get, path = "/v1/inspectors/{person_id}", tag = "督学", summary = "查看一名督学",
    params(("person_id" = Uuid, Path)), responses((status = 200, body = Inspector)))]
pub(crate) async fn one(
    State(state): State<AppState>,
    permit: Permit,
    Path(person_id): Path<Uuid>,
) -> problem::Result<Versioned<Json<Inspector>>> {
    let mut connection = state.database.pool().acquire().await?;
    let inspector = store::get(&mut connection, person_id)
        .await?
        .filter(|inspector| permit.on(&inspector.resource()).is_ok())
        .ok_or_else(|| Problem::unknown_resource(Text::new("没有这名督学。", "There is no such inspector.")))?;
    Ok(Versioned(inspector.version, Json(inspector)))
}

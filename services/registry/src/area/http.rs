//! Routes of areas.

use access::Permit;
use axum::extract::State;
use problem::{Json, Query};
use service_kit::page::{Page, PageQuery};

use super::{Area, store};
use crate::app::AppState;

/// The administrative tree, parents before children. It is public knowledge: everyone who reads units sees all of it.
#[utoipa::path(get, path = "/v1/areas", tag = "区划", summary = "查看行政区划", params(PageQuery),
    responses((status = 200, body = Page<Area>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    _permit: Permit,
    Query(page): Query<PageQuery>,
) -> problem::Result<Json<Page<Area>>> {
    let page = page.request::<(i32, String)>()?;
    let mut connection = state.database.pool().acquire().await?;
    if let Some((_, code)) = &page.after {
        crate::query::plain("query/after", code)?;
    }
    let rows = store::page(&mut connection, page.after.clone(), page.fetch()).await?;
    Ok(Json(Page::new(rows, &page, |area| (i32::try_from(area.path.len()).unwrap_or(i32::MAX), area.code.clone()))))
}

//! Routes of mergers.

use access::Permit;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::civil::Date;
use problem::{Json, Path, Problem, Query, Text};
use serde::Deserialize;
use service_kit::{
    etag::{IfMatch, Versioned},
    idempotency::{Begun, Idempotent},
    page::{Page, PageQuery},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Merger, Wish, announce, store, withdraw as take_back};
use crate::app::{AppState, actor_of};
use crate::query::plain;

/// A merger to announce.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMerger {
    /// Division code of the county unit that ends as one.
    area_code: String,
    /// Division code of the county unit that takes it in.
    into_code: String,
    /// The first day on which it is so; a whole day must lie before it.
    #[schema(value_type = String, format = Date)]
    effective_on: Date,
    /// The document that decided it.
    ground: String,
}

/// Announces that a county unit becomes a part of another one on a day.
#[utoipa::path(post, path = "/v1/area-mergers", tag = "区划", summary = "公布市县并入", request_body = NewMerger,
    responses((status = 201, body = Merger)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Json(new): Json<NewMerger>,
) -> problem::Result<Response> {
    for (pointer, text) in [("/area_code", &new.area_code), ("/into_code", &new.into_code), ("/ground", &new.ground)] {
        if plain(pointer, text)?.trim().is_empty() {
            return Err(Problem::invalid_field(pointer, Text::new("不能为空", "must not be empty")));
        }
    }
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let NewMerger { area_code, into_code, effective_on, ground } = new;
    let wish = Wish { area_code, into_code, effective_on, ground };
    let merger = announce(&mut work, &permit, &actor_of(&permit), state.ids.as_ref(), wish).await?;
    work.commit((StatusCode::CREATED, Versioned(merger.version, Json(merger)))).await
}

/// Mergers of county units, the latest day first.
#[utoipa::path(get, path = "/v1/area-mergers", tag = "区划", summary = "查看市县并入", params(PageQuery),
    responses((status = 200, body = Page<Merger>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    _permit: Permit,
    Query(page): Query<PageQuery>,
) -> problem::Result<Json<Page<Merger>>> {
    let page = page.request::<(Date, Uuid)>()?;
    let mut connection = state.database.pool().acquire().await?;
    let rows = store::page(&mut connection, page.after, page.fetch()).await?;
    Ok(Json(Page::new(rows, &page, |merger| (merger.effective_on, merger.merger_id))))
}

/// Takes an announced merger back, before its day.
#[utoipa::path(post, path = "/v1/area-mergers/{merger_id}/withdrawal", tag = "区划", summary = "撤回市县并入",
    params(("merger_id" = Uuid, Path)), responses((status = 200, body = Merger)))]
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    version: IfMatch,
    Path(merger_id): Path<Uuid>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let merger = take_back(&mut work, &permit, &actor_of(&permit), merger_id, version).await?;
    work.commit(Versioned(merger.version, Json(merger))).await
}

//! Reading rectifications.

use access::Permit;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::tasks::LetterIssued;
use domain::ids::{RectificationId, UnitId};
use domain::rectification::{Item, Limit, Link, Rectification};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use problem::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{answer, visible};
use crate::app::AppState;
use crate::rectification::view::RectificationView;

/// Which rectifications to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ListState {
    /// With open items.
    Open,
    /// With items whose limit has passed, those under an urging order included.
    Late,
    /// Closed.
    Closed,
}

impl ListState {
    fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Late => "late",
            Self::Closed => "closed",
        }
    }
}

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only these.
    state: Option<ListState>,
    /// Only this county unit, by division code.
    county: Option<String>,
    /// Words in the unit's name, its code, the title or the document number.
    q: Option<String>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A row of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RectificationRow {
    rectification_id: RectificationId,
    version: i64,
    case_title: String,
    unit_id: UnitId,
    unit_name: String,
    county_name: Option<String>,
    letter_no: String,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    total_items: usize,
    open_items: usize,
    late_items: usize,
    /// The nearest limit that the unit must still keep.
    #[schema(value_type = Option<String>, format = Date)]
    next_due_on: Option<Date>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_due_at: Option<Timestamp>,
    urging_orders: usize,
    /// The clock is stopped.
    paused: bool,
    /// The competent department's case under joint liability.
    liable: bool,
}

/// 整改列表
#[utoipa::path(get, path = "/v1/rectifications", tag = "整改", params(ListQuery),
    responses((status = 200, body = Page<RectificationRow>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<RectificationRow>>, Problem> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<(Timestamp, Uuid)>()?;
    let scope = permit.scope();
    let areas: Vec<Uuid> = scope.areas.iter().copied().map(Uuid::from).collect();
    let units: Vec<Uuid> = scope.units.iter().copied().map(Uuid::from).collect();
    let (after_at, after_id) = page.after.unzip();
    let mut tx = state.database.begin().await?;
    let at = tx.at();
    let rows = sqlx::query!(
        r#"SELECT r.rectification_id, r.version, r.state, d.letter AS "letter: sqlx::types::Json<LetterIssued>",
                  d.received_at, r.closed_at
           FROM dossiers d JOIN rectifications r USING (rectification_id)
           WHERE (d.area_path && $2 OR d.unit_ids && $3 OR d.reader_ids && $3)
             AND ($4::text IS NULL OR d.county_code = $4)
             AND ($5::text IS NULL OR strpos(lower(d.search_text), lower($5)) > 0)
             AND ($6::text IS NULL OR ($6 = 'open' AND r.closed_at IS NULL) OR ($6 = 'closed' AND r.closed_at IS NOT NULL)
                  OR ($6 = 'late' AND r.late_from <= $1))
             AND ($7::timestamptz IS NULL OR (d.received_at, d.rectification_id) < ($7, $8))
           ORDER BY d.received_at DESC, d.rectification_id DESC LIMIT $9"#,
        at.to_sqlx() as _,
        &areas,
        &units,
        query.county,
        query.q,
        query.state.map(ListState::key),
        after_at.map(ToSqlx::to_sqlx) as _,
        after_id,
        page.fetch(),
    )
    .fetch_all(&mut *tx)
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| {
            let rectification: Rectification =
                serde_json::from_str(&row.state).map_err(|error| Problem::internal(&error))?;
            let letter = row.letter.0;
            let owed = || rectification.items.iter().filter(|item| item.state.awaits_unit());
            let paused = rectification.is_paused();
            let late =
                |item: &&Item| !paused && item.limit().is_some_and(|limit| !limit.is_binding() || limit.due_at() <= at);
            let next = owed().filter_map(Item::limit).min_by_key(|limit| limit.due_at());
            Ok(RectificationRow {
                rectification_id: row.rectification_id.into(),
                version: row.version,
                case_title: letter.case_title,
                unit_id: letter.unit.unit_id,
                unit_name: letter.unit.name,
                county_name: letter.unit.county_name,
                letter_no: letter.document.doc_no,
                received_at: row.received_at.to_jiff(),
                closed_at: row.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
                total_items: rectification.items.len(),
                open_items: rectification.items.iter().filter(|item| !item.state.is_done()).count(),
                late_items: owed().filter(late).count(),
                next_due_on: next.map(Limit::due_on),
                next_due_at: next.map(Limit::due_at),
                urging_orders: usize::try_from(rectification.urging_orders).unwrap_or(usize::MAX),
                paused,
                liable: matches!(rectification.link, Some(Link::Unit { .. })),
            })
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    Ok(Json(Page::new(rows, &page, |row: &RectificationRow| (row.received_at, Uuid::from(row.rectification_id)))))
}

/// 整改详情
#[utoipa::path(get, path = "/v1/rectifications/{rectification_id}", tag = "整改",
    params(("rectification_id" = RectificationId, Path)), responses((status = 200, body = RectificationView)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    permit: Permit,
    Path(rectification_id): Path<RectificationId>,
) -> Result<Response, Problem> {
    let mut connection = state.database.pool().acquire().await?;
    let stored = visible(&mut connection, &permit, rectification_id).await?;
    Ok(answer(&mut connection, &permit, &state.rules, &stored).await?.into_response())
}

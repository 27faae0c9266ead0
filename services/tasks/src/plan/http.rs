//! Plans over HTTP.

use access::{Permit, Resource};
use axum::extract::State;
use axum::response::Response;
use contracts::shared::DocumentRef;
use contracts::tasks::SupervisionKind;
use domain::ids::{PlanId, PlanItemId, UnitId};
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use problem::{Json, Path, Problem, Query, Text};
use serde::{Deserialize, Serialize};
use service_kit::etag::{IfMatch, Versioned, etag_header};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::page::{Page, PageQuery};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};

use super::{Plan, create, issue, store};
use crate::app::AppState;
use crate::registry::store as copies;

/// A plan to be drafted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlan {
    /// Year (年度).
    pub year: i16,
    /// Title.
    pub title: String,
    /// Items (督导事项), at least one.
    pub items: Vec<NewPlanItem>,
}

/// An item to be planned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlanItem {
    /// Type of supervision.
    pub supervision_kind: SupervisionKind,
    /// Matter.
    pub matter: String,
    /// Units to be supervised, at least one.
    pub target_unit_ids: Vec<UnitId>,
    /// First day of the window.
    #[schema(value_type = String, format = Date)]
    pub window_from: Date,
    /// Last day of the window.
    #[schema(value_type = String, format = Date)]
    pub window_to: Date,
}

/// A plan (督导计划).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    /// The plan.
    plan_id: PlanId,
    /// Version, for `If-Match`.
    version: i64,
    /// Year.
    year: i16,
    /// Title.
    title: String,
    /// `draft` or `issued`.
    state: &'static str,
    /// The agency that plans.
    agency: NamedUnit,
    /// Items.
    items: Vec<PlanItemView>,
    /// The issued document.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<DocumentRef>,
    /// When it was drafted.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A unit with its name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct NamedUnit {
    /// The unit.
    pub unit_id: UnitId,
    /// Its name.
    pub name: String,
}

/// An item of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanItemView {
    /// The item.
    plan_item_id: PlanItemId,
    /// Number, from 1.
    number: i32,
    /// Type of supervision.
    supervision_kind: SupervisionKind,
    /// Matter.
    matter: String,
    /// Units to be supervised.
    target_units: Vec<NamedUnit>,
    /// First day of the window.
    #[schema(value_type = String, format = Date)]
    window_from: Date,
    /// Last day of the window.
    #[schema(value_type = String, format = Date)]
    window_to: Date,
}

/// A page of plans.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlanQuery {
    /// Plans of this year only.
    year: Option<i16>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

async fn view(tx: &mut PgConnection, plan: Plan) -> problem::Result<PlanView> {
    let targets: Vec<UnitId> = plan.items.iter().flat_map(|item| item.target_unit_ids.iter().copied()).collect();
    let units = copies::units(tx, &targets).await?;
    let named = |id: &UnitId| NamedUnit {
        unit_id: *id,
        name: units.iter().find(|unit| unit.unit_id == *id).map_or_else(String::new, |unit| unit.name.clone()),
    };
    Ok(PlanView {
        plan_id: plan.plan_id,
        version: plan.version,
        year: plan.year,
        title: plan.title,
        state: if plan.document.is_some() { "issued" } else { "draft" },
        agency: NamedUnit { unit_id: plan.agency_id, name: plan.agency_name },
        items: plan
            .items
            .into_iter()
            .map(|item| PlanItemView {
                plan_item_id: item.plan_item_id,
                number: item.number,
                supervision_kind: item.supervision_kind,
                matter: item.matter,
                target_units: item.target_unit_ids.iter().map(named).collect(),
                window_from: item.window_from,
                window_to: item.window_to,
            })
            .collect(),
        document: plan.document,
        created_at: plan.created_at,
    })
}

/// 编制督导计划
#[utoipa::path(post, path = "/v1/plans", tag = "督导计划", request_body = NewPlan, responses((status = 201, body = PlanView)))]
pub(crate) async fn create_plan(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Json(new): Json<NewPlan>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let plan = create::create(&mut work, state.ids.as_ref(), &permit, new).await?;
    let view = view(&mut work, plan).await?;
    work.commit((StatusCode::CREATED, etag_header(view.version), Json(view))).await
}

/// 查询督导计划
#[utoipa::path(get, path = "/v1/plans", tag = "督导计划", params(PlanQuery), responses((status = 200, body = Page<PlanView>)))]
pub(crate) async fn list_plans(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<PlanQuery>,
) -> problem::Result<Json<Page<PlanView>>> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<store::Cursor>()?;
    let mut tx = state.database.begin().await?;
    let plans = store::list(&mut tx, &permit.scope().areas, query.year, &page).await?;
    let plans = Page::new(plans, &page, |plan| (plan.created_at, plan.plan_id.as_uuid()));
    let mut items = Vec::with_capacity(plans.items.len());
    for plan in plans.items {
        items.push(view(&mut tx, plan).await?);
    }
    Ok(Json(Page { items, next: plans.next }))
}

/// 查看督导计划
#[utoipa::path(get, path = "/v1/plans/{plan_id}", tag = "督导计划", params(("plan_id" = PlanId, Path)), responses((status = 200, body = PlanView)))]
pub(crate) async fn get_plan(
    State(state): State<AppState>,
    permit: Permit,
    Path(plan_id): Path<PlanId>,
) -> problem::Result<Versioned<Json<PlanView>>> {
    let unknown = || Problem::unknown_resource(Text::new("没有这个督导计划。", "There is no such plan."));
    let mut tx = state.database.begin().await?;
    let plan = store::find(&mut tx, plan_id).await?.ok_or_else(unknown)?;
    permit.on(&Resource::in_area(plan.area_path.iter().copied())).map_err(|_| unknown())?;
    let view = view(&mut tx, plan).await?;
    Ok(Versioned(view.version, Json(view)))
}

/// 印发督导计划
#[utoipa::path(post, path = "/v1/plans/{plan_id}/issue", tag = "督导计划", params(("plan_id" = PlanId, Path)), responses((status = 200, body = PlanView)))]
pub(crate) async fn issue_plan(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(plan_id): Path<PlanId>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let plan = issue::issue(&mut work, &state, &permit, plan_id, if_match).await?;
    let view = view(&mut work, plan).await?;
    work.commit((etag_header(view.version), Json(view))).await
}

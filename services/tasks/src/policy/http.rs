//! Reading the plan and the duties of a unit.

use access::{Permit, Resource};
use axum::extract::State;
use domain::ids::UnitId;
use domain::policy::{Document, Goal, Principle};
use problem::{Json, Problem, Query, Text};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::store;
use crate::app::AppState;
use crate::registry::store as copies;

/// The implementation plan (实施方案).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImplementationPlan {
    /// Stable key.
    key: String,
    /// Document number.
    number: String,
    /// Title.
    title: String,
    /// The bodies that issued it.
    issued_by: Vec<String>,
    /// Day of issue.
    issued_on: jiff::civil::Date,
    /// To whom it is addressed.
    addressees: String,
    /// The sentence before the first part.
    preamble: String,
    /// Goals (工作目标).
    goals: Vec<PlanText>,
    /// Principles (基本原则).
    principles: Vec<PlanText>,
    /// The 22 measures and the work requirements, in the order of the document.
    items: Vec<PlanMeasure>,
}

/// A titled text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanText {
    /// Key, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Title.
    title: String,
    /// Text.
    text: String,
}

/// A measure (措施) or work requirement (工作要求).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanMeasure {
    /// `1` to `22`, `W1`, `W2`.
    key: String,
    /// `measure` or `requirement`.
    kind: String,
    /// Number of the section.
    section: Option<i32>,
    /// Title of the section.
    section_title: Option<String>,
    /// Title.
    title: String,
    /// Text in full.
    text: String,
    /// The responsible units as printed (责任单位).
    as_named: String,
    /// The responsible units one by one.
    units: Vec<ResponsibleUnit>,
}

/// A responsible unit (责任单位).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResponsibleUnit {
    /// Stable key.
    unit_key: String,
    /// The unit, once the register has it.
    unit_id: Option<UnitId>,
    /// Name.
    name: String,
    /// The group that the document names instead: `county_units`, `committee_members`, `provincial_departments`.
    group: Option<String>,
}

/// The duties of a unit under the plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnitDuties {
    /// The unit.
    unit_id: UnitId,
    /// Its key.
    unit_key: String,
    /// Its name.
    unit_name: String,
    /// In the order of the document.
    duties: Vec<UnitDuty>,
}

/// One duty.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnitDuty {
    /// `1` to `22`, `W1`, `W2`.
    key: String,
    /// `measure` or `requirement`.
    kind: String,
    /// Title.
    title: String,
    /// Text in full.
    text: String,
    /// The responsible units as printed.
    as_named: String,
    /// The group through which the unit is named.
    group: Option<String>,
}

/// Which unit.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DutyQuery {
    /// The unit; the caller's own when absent.
    unit_id: Option<UnitId>,
}

fn read<T: DeserializeOwned>(value: Value) -> problem::Result<T> {
    serde_json::from_value(value).map_err(|error| Problem::internal(&error))
}

fn not_loaded() -> Problem {
    Problem::unknown_resource(Text::new("实施方案尚未载入。", "The implementation plan is not loaded yet."))
}

/// 查看实施方案及责任单位
#[utoipa::path(get, path = "/v1/implementation-plan", tag = "实施方案", responses((status = 200, body = ImplementationPlan)))]
pub(crate) async fn implementation_plan(
    State(state): State<AppState>,
    _permit: Permit,
) -> problem::Result<Json<ImplementationPlan>> {
    let mut tx = state.database.begin().await?;
    let plan = store::plan(&mut tx).await?.ok_or_else(not_loaded)?;
    let measures = store::measures(&mut tx, &plan.key).await?;
    let duties = store::duties(&mut tx, &plan.key).await?;
    let keys: Vec<String> = duties.iter().map(|duty| duty.unit_key.clone()).collect();
    let known = copies::unit_ids_by_key(&mut tx, &keys).await?;
    let document: Document = read(plan.document)?;
    let goals: Vec<Goal> = read(plan.goals)?;
    let principles: Vec<Principle> = read(plan.principles)?;
    let units_of = |key: &str| {
        let cells = duties.iter().filter(|duty| duty.measure_key == key);
        cells
            .map(|duty| ResponsibleUnit {
                unit_key: duty.unit_key.clone(),
                unit_id: known.iter().find(|(known, _)| *known == duty.unit_key).map(|(_, id)| *id),
                name: duty.unit_name.clone(),
                group: duty.named_as.clone(),
            })
            .collect()
    };
    Ok(Json(ImplementationPlan {
        key: plan.key,
        number: document.number,
        title: document.title,
        issued_by: document.issued_by,
        issued_on: document.issued_on,
        addressees: document.addressees,
        preamble: document.preamble,
        goals: goals.into_iter().map(|it| PlanText { key: Some(it.key), title: it.title, text: it.text }).collect(),
        principles: principles.into_iter().map(|it| PlanText { key: None, title: it.title, text: it.text }).collect(),
        items: measures
            .into_iter()
            .map(|measure| PlanMeasure {
                units: units_of(&measure.key),
                key: measure.key,
                kind: measure.kind,
                section: measure.section,
                section_title: measure.section_title,
                title: measure.title,
                text: measure.text,
                as_named: measure.as_named,
            })
            .collect(),
    }))
}

/// 查看某单位的任务分工
#[utoipa::path(get, path = "/v1/duties", tag = "实施方案", params(DutyQuery), responses((status = 200, body = UnitDuties)))]
pub(crate) async fn duties(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<DutyQuery>,
) -> problem::Result<Json<UnitDuties>> {
    let unit_id = query.unit_id.or(permit.caller().unit_id).ok_or_else(|| {
        Problem::invalid_field(
            "query/unit_id",
            Text::new("您的账号没有所属单位，请指定 unit_id。", "Your account has no unit; name a unit_id."),
        )
    })?;
    let mut tx = state.database.begin().await?;
    let unknown = || Problem::unknown_resource(Text::new("没有这个单位。", "There is no such unit."));
    let unit = copies::unit(&mut tx, unit_id).await?.ok_or_else(unknown)?;
    let mut resource = Resource::in_area(unit.area_path.iter().copied()).concerning(unit.unit_id);
    if let Some(competent) = unit.competent_unit_id {
        resource = resource.read_by(competent);
    }
    permit.on(&resource)?;
    let plan = store::plan(&mut tx).await?.ok_or_else(not_loaded)?;
    let measures = store::measures(&mut tx, &plan.key).await?;
    let cells = store::duties(&mut tx, &plan.key).await?;
    let duties = measures
        .into_iter()
        .filter_map(|measure| {
            let cell = cells.iter().find(|it| it.measure_key == measure.key && it.unit_key == unit.key)?;
            Some(UnitDuty {
                group: cell.named_as.clone(),
                key: measure.key,
                kind: measure.kind,
                title: measure.title,
                text: measure.text,
                as_named: measure.as_named,
            })
        })
        .collect();
    Ok(Json(UnitDuties { unit_id, unit_key: unit.key, unit_name: unit.name, duties }))
}

//! Assignments over HTTP.

use access::{Caller, Permit, Resource, Role};
use axum::extract::State as Shared;
use axum::response::Response;
use contracts::shared::DocumentRef;
use domain::ids::{AssignmentId, CaseId, ItemId, ProposalId, RectificationId};
use http::StatusCode;
use jiff::Timestamp;
use postgres::Tx;
use problem::{Json, Path, Problem, Query, Text};
use serde::{Deserialize, Serialize};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};

use super::paper::{NewCircular, NewInterviewNotice};
use super::{Assignment, ItemFact, Kind, State, Subject, paper, store};
use crate::app::AppState;
use crate::document;
use crate::plan::http::NamedUnit;

/// Which assignments.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AssignmentQuery {
    /// Assignments of this kind only.
    kind: Option<Kind>,
    /// Assignments in this state only.
    state: Option<State>,
    /// Assignments about units of the county unit (市县) with this code only.
    county: Option<String>,
    /// `true`: those that wait although their time has passed; `false`: all others.
    overdue: Option<bool>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// An assignment (待办事项) as a row of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssignmentSummary {
    /// The assignment.
    assignment_id: AssignmentId,
    /// What is to be done.
    kind: Kind,
    /// The same in words.
    kind_zh: &'static str,
    /// Where it stands.
    state: State,
    /// The same in words.
    state_zh: &'static str,
    /// By when the step must have been decided, or the visit recorded.
    #[schema(value_type = String, format = DateTime)]
    due: Timestamp,
    /// It waits although its time has passed.
    overdue: bool,
    /// Since when it is to be done.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The rectification (整改), in which the decision is recorded.
    rectification_id: RectificationId,
    /// Number of the opinion letter.
    letter_no: String,
    /// Name of the supervision.
    case_title: String,
    /// Supervised unit.
    unit: NamedUnit,
    /// Code of the county unit that it lies in; absent for provincial units.
    #[serde(skip_serializing_if = "Option::is_none")]
    county_code: Option<String>,
    /// Name of that county unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    county_name: Option<String>,
    /// Numbers of the items within the letter.
    item_numbers: Vec<i32>,
    /// For a step: its level, 2 interview (约谈), 3 circular (通报), 4 accountability (问责).
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<i16>,
    /// When it was done, lifted, or became moot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
}

/// An assignment with everything that people need for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssignmentView {
    #[serde(flatten)]
    summary: AssignmentSummary,
    /// The supervision case.
    case_id: CaseId,
    /// Version of the rectification that says where it stands.
    version: i64,
    /// For a step: the proposal; `deadlines` records the decision under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposal_id: Option<ProposalId>,
    /// For a look-back: the item; `deadlines` records the result under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<ItemId>,
    /// For a step: the measure that it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<String>,
    /// For a step: facts on which the policy allows it.
    policy_facts: Vec<String>,
    /// The items, as they stood when the assignment arose.
    facts: Vec<ItemFact>,
    /// What was done, or why it need not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// For a step: its paper, once it is issued: the interview notice (约谈通知书) or the circular (通报).
    #[serde(skip_serializing_if = "Option::is_none")]
    paper: Option<DocumentRef>,
}

fn summary(assignment: &Assignment, at: Timestamp) -> AssignmentSummary {
    let (kind, standing, unit) = (assignment.kind(), &assignment.standing, &assignment.unit);
    AssignmentSummary {
        assignment_id: assignment.assignment_id,
        kind,
        kind_zh: kind.zh(),
        state: standing.state,
        state_zh: standing.state.zh(),
        due: standing.due,
        overdue: standing.state == State::Open && standing.due <= at,
        since: assignment.since,
        rectification_id: assignment.rectification_id,
        letter_no: assignment.letter_no.clone(),
        case_title: assignment.case_title.clone(),
        unit: NamedUnit { unit_id: unit.unit_id, name: unit.name.clone() },
        county_code: unit.county_code.clone(),
        county_name: unit.county_name.clone(),
        item_numbers: assignment.item_numbers.clone(),
        level: match assignment.subject {
            Subject::Step { level, .. } => Some(level),
            Subject::LookBack { .. } => None,
        },
        done_at: standing.done_at,
    }
}

/// The caller without what he is as an inspector: inspectors visit, offices and chairs deal with the steps. Part-time
/// inspectors work in schools, and a step is about their neighbours before it is decided.
pub(super) fn without_inspector(caller: &Caller) -> Caller {
    let mut caller = caller.clone();
    caller.grants.retain(|grant| grant.role != Role::Inspector);
    caller
}

/// 查询待办事项
#[utoipa::path(get, path = "/v1/assignments", tag = "待办事项", params(AssignmentQuery), responses((status = 200, body = Page<AssignmentSummary>)))]
pub(crate) async fn list_assignments(
    Shared(state): Shared<AppState>,
    permit: Permit,
    Query(query): Query<AssignmentQuery>,
) -> problem::Result<Json<Page<AssignmentSummary>>> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<store::Cursor>()?;
    let all = permit.access().scope(&without_inspector(permit.caller()), permit.action());
    let look_backs = permit.scope();
    let mut tx = state.database.begin().await?;
    let at = tx.at();
    let wanted = store::Wanted {
        areas: &all.areas,
        look_back_areas: &look_backs.areas,
        kind: query.kind,
        state: query.state,
        county: query.county.as_deref(),
        overdue: query.overdue,
        at,
    };
    let found = store::list(&mut tx, &wanted, &page).await?;
    let page = Page::new(found, &page, |row| (row.standing.due, row.assignment_id.as_uuid()));
    Ok(Json(page.map(|assignment| summary(&assignment, at))))
}

/// 404: also for an assignment that the caller may not know about.
pub(super) fn unknown() -> Problem {
    Problem::unknown_resource(Text::new("没有这个待办事项。", "There is no such assignment."))
}

/// 查看待办事项
#[utoipa::path(get, path = "/v1/assignments/{assignment_id}", tag = "待办事项", params(("assignment_id" = AssignmentId, Path)), responses((status = 200, body = AssignmentView)))]
pub(crate) async fn get_assignment(
    Shared(state): Shared<AppState>,
    permit: Permit,
    Path(assignment_id): Path<AssignmentId>,
) -> problem::Result<Json<AssignmentView>> {
    let mut tx = state.database.begin().await?;
    let assignment = store::find(&mut tx, assignment_id).await?.ok_or_else(unknown)?;
    let matter = Resource::in_area(assignment.unit.area_path.iter().copied());
    let caller = match assignment.subject {
        Subject::Step { .. } => without_inspector(permit.caller()),
        Subject::LookBack { .. } => permit.caller().clone(),
    };
    permit.access().permits(&caller, permit.action(), &matter).map_err(|_| unknown())?;
    Ok(Json(view(&mut tx, assignment).await?))
}

/// 印发约谈通知书
#[utoipa::path(post, path = "/v1/assignments/{assignment_id}/interview-notice", tag = "待办事项", params(("assignment_id" = AssignmentId, Path)), request_body = NewInterviewNotice, responses((status = 201, body = AssignmentView)))]
pub(crate) async fn issue_interview_notice(
    Shared(state): Shared<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(assignment_id): Path<AssignmentId>,
    Json(new): Json<NewInterviewNotice>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let assignment = paper::invite(&mut work, &state, &permit, assignment_id, new).await?;
    let shown = view(&mut work, assignment).await?;
    work.commit((StatusCode::CREATED, Json(shown))).await
}

/// 印发通报
#[utoipa::path(post, path = "/v1/assignments/{assignment_id}/circular", tag = "待办事项", params(("assignment_id" = AssignmentId, Path)), request_body = NewCircular, responses((status = 201, body = AssignmentView)))]
pub(crate) async fn issue_circular(
    Shared(state): Shared<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(assignment_id): Path<AssignmentId>,
    Json(new): Json<NewCircular>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let assignment = paper::name(&mut work, &state, &permit, assignment_id, new).await?;
    let shown = view(&mut work, assignment).await?;
    work.commit((StatusCode::CREATED, Json(shown))).await
}

async fn view(tx: &mut Tx, assignment: Assignment) -> problem::Result<AssignmentView> {
    let (proposal_id, item_id) = match assignment.subject {
        Subject::Step { proposal_id, .. } => (Some(proposal_id), None),
        Subject::LookBack { item_id } => (None, Some(item_id)),
    };
    let paper = document::store::of_assignment(tx, assignment.assignment_id).await?;
    Ok(AssignmentView {
        summary: summary(&assignment, tx.at()),
        case_id: assignment.case_id,
        version: assignment.standing.version,
        proposal_id,
        item_id,
        article: assignment.article,
        policy_facts: assignment.policy_facts,
        facts: assignment.facts,
        note: assignment.standing.note,
        paper,
    })
}

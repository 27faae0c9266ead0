//! Cases over HTTP: thin handlers.

use access::Permit;
use axum::body::Body;
use axum::extract::{Multipart, State};
use axum::response::Response;
use domain::ids::{CaseId, FindingId, UnitId};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use problem::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use service_kit::etag::{IfMatch, Versioned, etag_header};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};

use super::create::NewCase;
use super::feedback::NewOpinion;
use super::findings::NewFinding;
use super::letter::NewLetter;
use super::notify::NewNotice;
use super::plea::{NewPlea, NewTreatment};
use super::report::{NewReport, ReportDraft};
use super::standing::{office, office_or_team, reading, unknown};
use super::store::Wanted;
use super::team::NewTeam;
use super::view::{CaseSummary, CaseView, EvidenceView, summary, view};
use super::visit::{NewHearing, NewReview, NewSelfEvaluation, NewVisit};
use super::{Case, create as opening, evidence, feedback, findings, letter, notify, plea, report, store, team, visit};
use crate::app::AppState;
use crate::plan::store::Cursor;

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    /// Cases in this state only.
    state: Option<String>,
    /// Cases of this unit only.
    unit_id: Option<UnitId>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// An upload of evidence.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the multipart form in the OpenAPI document")]
pub(crate) struct EvidenceUpload {
    /// Files, one part each.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

/// The evidence that an upload added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceList {
    /// One entry for each file.
    items: Vec<EvidenceView>,
}

/// What the caller may see of a case, in the transaction at hand.
async fn seen(tx: &mut postgres::Tx, permit: &Permit, case: &Case) -> problem::Result<CaseView> {
    let standing = reading(permit, &case.record)?;
    let evidence = store::evidence(tx, case.case_id).await?;
    let at = tx.at();
    Ok(view(case, evidence, standing, at))
}

/// The case, locked.
async fn locked(tx: &mut postgres::Tx, case_id: CaseId) -> problem::Result<Case> {
    store::find_for_update(tx, case_id).await?.ok_or_else(unknown)
}

/// The frame of every POST that changes a case: once, permitted, on the version that was seen; then the use case.
macro_rules! change {
    ($state:ident, $permit:ident, $idempotent:ident, $if_match:ident, $case_id:ident, $status:expr, $may:expr,
     |$tx:ident, $case:ident| $act:expr) => {{
        let mut work = match $idempotent.begin(&$state.database).await? {
            Begun::Fresh(work) => work,
            Begun::Replay(answer) => return Ok(answer),
        };
        let $tx: &mut postgres::Tx = &mut work;
        let mut loaded = locked($tx, $case_id).await?;
        let may: Result<_, Problem> = $may(&$permit, &loaded);
        may?;
        $if_match.check(loaded.version)?;
        let $case = &mut loaded;
        $act?;
        let shown = seen($tx, &$permit, &loaded).await?;
        work.commit(($status, etag_header(shown.version), Json(shown))).await
    }};
}

fn by_office(permit: &Permit, case: &Case) -> Result<(), Problem> {
    office(permit, &case.record)
}

fn by_team(permit: &Permit, case: &Case) -> Result<(), Problem> {
    office_or_team(permit, &case.record).map(drop)
}

/// 立项
#[utoipa::path(post, path = "/v1/cases", tag = "督导", request_body = NewCase, responses((status = 201, body = CaseView)))]
pub(crate) async fn create_case(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Json(new): Json<NewCase>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let case = opening::create(&mut work, &state, &permit, new).await?;
    let shown = seen(&mut work, &permit, &case).await?;
    work.commit((StatusCode::CREATED, etag_header(shown.version), Json(shown))).await
}

/// 查询督导
#[utoipa::path(get, path = "/v1/cases", tag = "督导", params(CaseQuery), responses((status = 200, body = Page<CaseSummary>)))]
pub(crate) async fn list_cases(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<CaseQuery>,
) -> problem::Result<Json<Page<CaseSummary>>> {
    let page = PageQuery { limit: query.limit, after: query.after }.request::<Cursor>()?;
    let scope = permit.scope();
    let wanted =
        Wanted { scope: &scope, person: permit.caller().person_id, state: query.state.as_deref(), unit: query.unit_id };
    let mut tx = state.database.begin().await?;
    let cases = store::list(&mut tx, &wanted, &page).await?;
    let page = Page::new(cases, &page, |case| (case.created_at, case.case_id.as_uuid()));
    // A row that the scope let through and the policy does not is left out rather than shown.
    let items = page
        .items
        .into_iter()
        .filter_map(|case| reading(&permit, &case.record).ok().map(|standing| summary(case, standing)))
        .collect();
    Ok(Json(Page { items, next: page.next }))
}

/// 查看督导
#[utoipa::path(get, path = "/v1/cases/{case_id}", tag = "督导", params(("case_id" = CaseId, Path)), responses((status = 200, body = CaseView)))]
pub(crate) async fn get_case(
    State(state): State<AppState>,
    permit: Permit,
    Path(case_id): Path<CaseId>,
) -> problem::Result<Versioned<Json<CaseView>>> {
    let mut tx = state.database.begin().await?;
    let case = store::find(&mut tx, case_id).await?.ok_or_else(unknown)?;
    let shown = seen(&mut tx, &permit, &case).await?;
    Ok(Versioned(shown.version, Json(shown)))
}

/// 组成督导小组
#[utoipa::path(post, path = "/v1/cases/{case_id}/team", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewTeam, responses((status = 200, body = CaseView)))]
pub(crate) async fn form_team(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewTeam>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_office, |tx, case| {
        team::form(tx, &permit, case, new).await
    })
}

/// 印发督导通知书
#[utoipa::path(post, path = "/v1/cases/{case_id}/notify", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewNotice, responses((status = 200, body = CaseView)))]
pub(crate) async fn notify_unit(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewNotice>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_office, |tx, case| {
        notify::notify(tx, &state, &permit, case, new).await
    })
}

/// 登记自评报告
#[utoipa::path(post, path = "/v1/cases/{case_id}/self-evaluation", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewSelfEvaluation, responses((status = 200, body = CaseView)))]
pub(crate) async fn receive_self_evaluation(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewSelfEvaluation>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_team, |tx, case| {
        visit::receive_self_evaluation(tx, &permit, case, new).await
    })
}

/// 审核自评报告
#[utoipa::path(post, path = "/v1/cases/{case_id}/self-evaluation/review", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewReview, responses((status = 200, body = CaseView)))]
pub(crate) async fn review_self_evaluation(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewReview>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_team, |tx, case| {
        visit::review_self_evaluation(tx, &permit, case, new).await
    })
}

/// 填写督导纪实
#[utoipa::path(post, path = "/v1/cases/{case_id}/visit-records", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewVisit, responses((status = 201, body = CaseView)))]
pub(crate) async fn record_visit(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewVisit>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::CREATED, by_team, |tx, case| {
        visit::record_visit(tx, &state, &permit, case, new).await
    })
}

/// 听取意见
#[utoipa::path(post, path = "/v1/cases/{case_id}/hearings", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewHearing, responses((status = 201, body = CaseView)))]
pub(crate) async fn hear(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewHearing>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::CREATED, by_team, |tx, case| {
        visit::hear(tx, &permit, case, new).await
    })
}

/// 提出问题
#[utoipa::path(post, path = "/v1/cases/{case_id}/findings", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewFinding, responses((status = 201, body = CaseView)))]
pub(crate) async fn add_finding(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewFinding>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::CREATED, by_team, |tx, case| {
        findings::add(tx, &state, &permit, case, new).await
    })
}

/// 修改问题
#[utoipa::path(put, path = "/v1/cases/{case_id}/findings/{finding_id}", tag = "督导", params(("case_id" = CaseId, Path), ("finding_id" = FindingId, Path)), request_body = NewFinding, responses((status = 200, body = CaseView)))]
pub(crate) async fn edit_finding(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    Path((case_id, finding_id)): Path<(CaseId, FindingId)>,
    Json(new): Json<NewFinding>,
) -> problem::Result<Versioned<Json<CaseView>>> {
    let mut tx = state.database.begin().await?;
    let mut case = locked(&mut tx, case_id).await?;
    by_team(&permit, &case)?;
    if_match.check(case.version)?;
    findings::edit(&mut tx, &permit, &mut case, finding_id, new).await?;
    let shown = seen(&mut tx, &permit, &case).await?;
    tx.commit().await?;
    Ok(Versioned(shown.version, Json(shown)))
}

/// 删除问题
#[utoipa::path(delete, path = "/v1/cases/{case_id}/findings/{finding_id}", tag = "督导", params(("case_id" = CaseId, Path), ("finding_id" = FindingId, Path)), responses((status = 200, body = CaseView)))]
pub(crate) async fn remove_finding(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    Path((case_id, finding_id)): Path<(CaseId, FindingId)>,
) -> problem::Result<Versioned<Json<CaseView>>> {
    let mut tx = state.database.begin().await?;
    let mut case = locked(&mut tx, case_id).await?;
    by_team(&permit, &case)?;
    if_match.check(case.version)?;
    findings::remove(&mut tx, &permit, &mut case, finding_id).await?;
    let shown = seen(&mut tx, &permit, &case).await?;
    tx.commit().await?;
    Ok(Versioned(shown.version, Json(shown)))
}

/// 反馈初步督导意见
#[utoipa::path(post, path = "/v1/cases/{case_id}/feedback", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewOpinion, responses((status = 200, body = CaseView)))]
pub(crate) async fn feed_back(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewOpinion>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_office, |tx, case| {
        feedback::feed_back(tx, &state, &permit, case, new).await
    })
}

/// 提出申辩
#[utoipa::path(post, path = "/v1/cases/{case_id}/plea", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewPlea, responses((status = 200, body = CaseView)))]
pub(crate) async fn plead(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewPlea>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let mut case = locked(&mut work, case_id).await?;
    plea::for_unit(&permit, &case)?;
    if_match.check(case.version)?;
    plea::plead(&mut work, &permit, &mut case, new).await?;
    // The right to plead is the right of the unit to see what it pleads to.
    let at = work.at();
    let shown = view(&case, Vec::new(), super::Standing::Unit, at);
    work.commit((etag_header(shown.version), Json(shown))).await
}

/// 处理申辩
#[utoipa::path(post, path = "/v1/cases/{case_id}/plea-decision", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewTreatment, responses((status = 200, body = CaseView)))]
pub(crate) async fn decide_plea(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewTreatment>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_office, |tx, case| {
        plea::decide(tx, &permit, case, new).await
    })
}

/// 印发督导意见书；经常性督导印发整改通知书
#[utoipa::path(post, path = "/v1/cases/{case_id}/letter", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewLetter, responses((status = 200, body = CaseView)))]
pub(crate) async fn issue_letter(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewLetter>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_office, |tx, case| {
        letter::issue(tx, &state, &permit, case, new).await
    })
}

/// 督导报告初稿
#[utoipa::path(get, path = "/v1/cases/{case_id}/report-draft", tag = "督导", params(("case_id" = CaseId, Path)), responses((status = 200, body = ReportDraft)))]
pub(crate) async fn draft_report(
    State(state): State<AppState>,
    permit: Permit,
    Path(case_id): Path<CaseId>,
) -> problem::Result<Json<ReportDraft>> {
    let mut tx = state.database.begin().await?;
    let case = store::find(&mut tx, case_id).await?.ok_or_else(unknown)?;
    reading(&permit, &case.record)?;
    Ok(Json(report::draft(&mut tx, &state, &permit, &case).await?))
}

/// 印发督导报告
#[utoipa::path(post, path = "/v1/cases/{case_id}/report", tag = "督导", params(("case_id" = CaseId, Path)), request_body = NewReport, responses((status = 200, body = CaseView)))]
pub(crate) async fn issue_report(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    if_match: IfMatch,
    Path(case_id): Path<CaseId>,
    Json(new): Json<NewReport>,
) -> problem::Result<Response> {
    change!(state, permit, idempotent, if_match, case_id, StatusCode::OK, by_office, |tx, case| {
        report::issue(tx, &state, &permit, case, new).await
    })
}

/// 上传佐证材料
#[utoipa::path(post, path = "/v1/cases/{case_id}/evidence", tag = "督导", params(("case_id" = CaseId, Path)), request_body(content = EvidenceUpload, content_type = "multipart/form-data"), responses((status = 201, body = EvidenceList)))]
pub(crate) async fn add_evidence(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(case_id): Path<CaseId>,
    parts: Multipart,
) -> problem::Result<Response> {
    evidence::may_upload(&state, &permit, case_id).await?;
    // Files are stored before the transaction: nothing leaves the database from inside one.
    let uploaded = evidence::store_files(&state.files, parts).await?;
    let content: Vec<&str> = uploaded.iter().map(|file| file.file.sha256.as_str()).collect();
    let idempotent = idempotent.with_content(content.concat().as_bytes());
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let rows = evidence::add(&mut work, &permit, case_id, uploaded).await?;
    let items = rows.into_iter().map(EvidenceView::from).collect();
    work.commit((StatusCode::CREATED, Json(EvidenceList { items }))).await
}

/// 查看佐证材料
#[utoipa::path(get, path = "/v1/evidence/{sha256}", tag = "督导", params(("sha256" = String, Path)), responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(crate) async fn get_evidence(
    State(state): State<AppState>,
    permit: Permit,
    Path(sha256): Path<String>,
) -> problem::Result<Response> {
    let mut tx = state.database.begin().await?;
    let media_type = evidence::readable(&mut tx, &permit, &sha256).await?;
    drop(tx);
    let content = state.files.get(&sha256).await?;
    let mut response = Response::new(Body::from(content));
    let media_type = HeaderValue::from_str(&media_type).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}

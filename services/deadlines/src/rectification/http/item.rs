//! Acts on one item over HTTP.

use access::Permit;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{FileId, ItemId, RectificationId};
use domain::rectification::{Decision, PlannedMeasure};
use garde::Validate;
use jiff::civil::Date;
use problem::{Path, Problem, ValidJson};
use serde::Deserialize;
use service_kit::etag::IfMatch;
use service_kit::idempotency::Idempotent;
use utoipa::ToSchema;

use super::perform;
use crate::app::AppState;
use crate::rectification::act::{Act, ItemAct};
use crate::rectification::view::RectificationView;

/// A rectification plan (整改方案).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlan {
    /// The goal and the way.
    #[garde(length(chars, min = 1, max = 20_000))]
    text: String,
    /// What will be done, by whom and until when; at least one.
    #[garde(length(min = 1, max = 100), dive)]
    measures: Vec<NewMeasure>,
}

/// A measure of a plan (整改措施).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMeasure {
    /// What will be done.
    #[garde(length(chars, min = 1, max = 2_000))]
    what: String,
    /// Who answers for it.
    #[garde(length(chars, min = 1, max = 200))]
    responsible: String,
    /// Until when.
    #[garde(skip)]
    #[schema(value_type = String, format = Date)]
    until: Date,
    /// By what one sees that it is done (验收标准).
    #[serde(default)]
    #[garde(length(chars, max = 2_000))]
    standard: String,
}

/// A note on the progress (整改进展).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProgress {
    /// What was reached.
    #[garde(length(chars, min = 1, max = 5_000))]
    text: String,
}

/// The unit's report on an item (整改报告).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReport {
    /// What was done and with what result.
    #[garde(length(chars, min = 1, max = 20_000))]
    text: String,
    /// Evidence uploaded before, at least one.
    #[garde(length(max = 100))]
    evidence: Vec<FileId>,
}

/// A judgement: of a plan, of a report, of what a look-back found.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Accepted; for a look-back: the problem stays solved.
    Accept,
    /// Returned, the unit goes on; for a look-back: the problem is back.
    Return,
}

/// A verification (核查).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVerification {
    /// Accept or return.
    #[garde(skip)]
    decision: Verdict,
    /// The conclusion in words; for a return the reason.
    #[garde(length(chars, min = 1, max = 5_000))]
    note: String,
}

impl From<NewVerification> for Decision {
    fn from(body: NewVerification) -> Self {
        match body.decision {
            Verdict::Accept => Self::Accept { note: body.note },
            Verdict::Return => Self::Return { reason: body.note },
        }
    }
}

/// One approval of a close-out (销号审批).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCloseOut {
    /// The opinion, if any.
    #[serde(default)]
    #[garde(length(chars, max = 2_000))]
    opinion: String,
}

/// The refusal of a close-out (不予销号).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefusal {
    /// Why.
    #[garde(length(chars, min = 1, max = 5_000))]
    reason: String,
}

/// Help asked of another office (协商意见书).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConsultation {
    /// The office.
    #[garde(length(chars, min = 1, max = 200))]
    office: String,
    /// What is asked of it.
    #[garde(length(chars, min = 1, max = 5_000))]
    question: String,
}

/// The answer of the consulted office (协商意见答复).
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAnswer {
    /// What it answered.
    #[garde(length(chars, min = 1, max = 5_000))]
    text: String,
}

/// 提交整改方案
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/plan", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewPlan, responses((status = 200, body = RectificationView)))]
pub(crate) async fn submit_plan(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewPlan>,
) -> Result<Response, Problem> {
    let measures = body
        .measures
        .into_iter()
        .map(|NewMeasure { what, responsible, until, standard }| PlannedMeasure { what, responsible, until, standard })
        .collect();
    let act = ItemAct::SubmitPlan { text: body.text, measures };
    perform_on_item(&state, &permit, if_match, &idempotent, target, act).await
}

/// 审核整改方案
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/plan/judgement", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewVerification, responses((status = 200, body = RectificationView)))]
pub(crate) async fn judge_plan(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewVerification>,
) -> Result<Response, Problem> {
    perform_on_item(&state, &permit, if_match, &idempotent, target, ItemAct::JudgePlan(body.into())).await
}

/// 报告整改进展
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/progress", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewProgress, responses((status = 200, body = RectificationView)))]
pub(crate) async fn note_progress(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewProgress>,
) -> Result<Response, Problem> {
    perform_on_item(&state, &permit, if_match, &idempotent, target, ItemAct::NoteProgress(body.text)).await
}

/// 报告整改结果
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/report", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewReport, responses((status = 200, body = RectificationView)))]
pub(crate) async fn report(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewReport>,
) -> Result<Response, Problem> {
    let act = ItemAct::Report { text: body.text, evidence: body.evidence };
    perform_on_item(&state, &permit, if_match, &idempotent, target, act).await
}

/// 核查整改结果
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/verify", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewVerification, responses((status = 200, body = RectificationView)))]
pub(crate) async fn verify(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewVerification>,
) -> Result<Response, Problem> {
    perform_on_item(&state, &permit, if_match, &idempotent, target, ItemAct::Verify(body.into())).await
}

/// 销号
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/close-out", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewCloseOut, responses((status = 200, body = RectificationView)))]
pub(crate) async fn close_out(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewCloseOut>,
) -> Result<Response, Problem> {
    let act = ItemAct::CloseOut { opinion: body.opinion };
    perform_on_item(&state, &permit, if_match, &idempotent, target, act).await
}

/// 不予销号（退回核查）
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/close-out/refusal", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewRefusal, responses((status = 200, body = RectificationView)))]
pub(crate) async fn refuse_close_out(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewRefusal>,
) -> Result<Response, Problem> {
    let act = ItemAct::RefuseCloseOut { reason: body.reason };
    perform_on_item(&state, &permit, if_match, &idempotent, target, act).await
}

/// 发起协商
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/consultation", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewConsultation, responses((status = 200, body = RectificationView)))]
pub(crate) async fn consult(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewConsultation>,
) -> Result<Response, Problem> {
    let act = ItemAct::Consult { office: body.office, question: body.question };
    perform_on_item(&state, &permit, if_match, &idempotent, target, act).await
}

/// 登记协商答复
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/consultation/answer", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewAnswer, responses((status = 200, body = RectificationView)))]
pub(crate) async fn answer_consultation(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewAnswer>,
) -> Result<Response, Problem> {
    perform_on_item(&state, &permit, if_match, &idempotent, target, ItemAct::AnswerConsultation(body.text)).await
}

/// 记录回头看
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/items/{item_id}/look-back", tag = "整改",
    params(("rectification_id" = RectificationId, Path), ("item_id" = ItemId, Path)),
    request_body = NewVerification, responses((status = 200, body = RectificationView)))]
pub(crate) async fn look_back(
    State(state): State<AppState>,
    permit: Permit,
    if_match: IfMatch,
    idempotent: Idempotent,
    Path(target): Path<(RectificationId, ItemId)>,
    ValidJson(body): ValidJson<NewVerification>,
) -> Result<Response, Problem> {
    perform_on_item(&state, &permit, if_match, &idempotent, target, ItemAct::LookBack(body.into())).await
}

async fn perform_on_item(
    state: &AppState,
    permit: &Permit,
    if_match: IfMatch,
    idempotent: &Idempotent,
    (rectification_id, item_id): (RectificationId, ItemId),
    act: ItemAct,
) -> Result<Response, Problem> {
    perform(state, permit, if_match, idempotent, rectification_id, Act::Item(item_id, act)).await
}

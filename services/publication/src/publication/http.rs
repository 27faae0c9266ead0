//! Drafts over HTTP: what would be public, and the decisions on it.

use access::{Permit, Resource};
use axum::extract::State;
use axum::response::Response;
use contracts::deadlines::ItemState;
use contracts::shared::DocumentRef;
use domain::ids::PublicationId;
use domain::proof::ProofSheet;
use jiff::Timestamp;
use jiff::civil::Date;
use postgres::Tx;
use problem::{Json, Path, Problem, Query, Text};
use serde::{Deserialize, Serialize};
use service_kit::etag::{IfMatch, Versioned, etag_header};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::report;
use super::state::{Publication, State as Stand};
use super::store::{self, Line};
use super::{Edit, PageContent};
use crate::app::AppState;
use crate::redact::Mark;

/// Which publications are wanted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WantedState {
    /// Nobody has decided yet (待审批).
    Draft,
    /// Public (已公开).
    Published,
    /// Withdrawn (已撤回).
    Withdrawn,
    /// A person must decide: drafts, and pages whose wording changed.
    NeedsApproval,
}

/// The query of the list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DraftQuery {
    /// State.
    state: Option<WantedState>,
    /// Rows of the page, 1 to 200; 50 when absent.
    limit: Option<u16>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A line of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftLine {
    publication_id: Uuid,
    version: i64,
    state: String,
    state_zh: &'static str,
    needs_approval: bool,
    rectification_id: Uuid,
    title: String,
    unit_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    county_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    county_name: Option<String>,
    letter_no: String,
    /// Last day of the limit for publication (20 working days from the report, or from the letter before there is one).
    #[schema(value_type = String, format = Date)]
    due_on: Date,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// Not decided, and the limit has passed.
    overdue: bool,
    /// Passages that the machine masked.
    marks: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl DraftLine {
    fn of(line: Line, now: Timestamp) -> Self {
        let (state_zh, public) = match line.state.as_str() {
            "published" => ("已公开", true),
            "withdrawn" => ("已撤回", false),
            _ => ("待审批", false),
        };
        let due_at = line.due_at.to_jiff();
        Self {
            publication_id: line.publication_id,
            version: line.version,
            overdue: line.state == "draft" && due_at <= now,
            state: line.state,
            state_zh,
            needs_approval: line.needs_approval,
            rectification_id: line.rectification_id,
            title: line.title,
            unit_name: line.unit_name,
            county_code: line.county_code,
            county_name: line.county_name,
            letter_no: line.letter_no,
            due_on: line.due_on.to_jiff(),
            due_at,
            marks: line.marks,
            published_at: line.published_at.map(jiff_sqlx::Timestamp::to_jiff),
            path: public.then(|| store::path(line.publication_id.into())),
        }
    }
}

/// A finding with its public wording.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DraftFinding {
    item_id: Uuid,
    number: i32,
    severity: String,
    severity_zh: &'static str,
    category: String,
    /// The letter's wording; not public.
    original: String,
    /// The public wording.
    text: String,
    /// What was masked in it.
    marks: Vec<Mark>,
    /// A person wrote it.
    edited: bool,
    #[schema(value_type = String, format = Date)]
    due_on: Date,
    state: ItemState,
    state_zh: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    urging_order_no: Option<String>,
}

/// Who approved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    version: i64,
}

/// Who withdrew, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WithdrawalView {
    by: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    reason: String,
}

/// A version that was public.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    published_at: Timestamp,
    content_sha256: String,
    /// `approved` by a person, or a new `status`.
    cause: String,
}

/// A draft or publication, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Draft {
    publication_id: Uuid,
    version: i64,
    state: &'static str,
    state_zh: &'static str,
    needs_approval: bool,
    rectification_id: Uuid,
    title: String,
    case_title: String,
    unit_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    county_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    county_name: Option<String>,
    letter_no: String,
    /// The supervision report of the case, once it is issued: the term runs from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<DocumentRef>,
    #[schema(value_type = String, format = Date)]
    due_on: Date,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    overdue: bool,
    /// How that day was counted.
    #[schema(value_type = Object)]
    due_proof: ProofSheet,
    marks: usize,
    findings: Vec<DraftFinding>,
    /// The page as it would be published now.
    preview: PageContent,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<ApprovalView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawal: Option<WithdrawalView>,
    history: Vec<VersionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

async fn view(tx: &mut Tx, publication: &Publication) -> Result<Draft, Problem> {
    let history = store::history(tx, publication.publication_id).await?;
    let snapshot = &publication.snapshot;
    let findings = snapshot
        .items
        .iter()
        .map(|item| {
            let wording = publication.wording(item);
            DraftFinding {
                item_id: item.item_id.into(),
                number: item.number,
                severity: item.severity.key().to_owned(),
                severity_zh: item.severity.zh(),
                category: item.category.clone(),
                original: item.description.clone(),
                text: wording.approved.text,
                marks: wording.marks,
                edited: wording.approved.edited,
                due_on: item.due_on,
                state: item.state,
                state_zh: item.state.zh(),
                urging_order_no: item.urging_order_no.clone(),
            }
        })
        .collect();
    let withdrawal = match &publication.state {
        Stand::Withdrawn { withdrawal, .. } => Some(WithdrawalView {
            by: withdrawal.by_name.clone(),
            at: withdrawal.at,
            reason: withdrawal.reason.clone(),
        }),
        Stand::Draft | Stand::Published { .. } => None,
    };
    let preview = publication.preview();
    let report = report::of_case(tx, snapshot.case_id).await?;
    Ok(Draft {
        report,
        publication_id: publication.publication_id.into(),
        version: publication.version,
        state: publication.state.as_str(),
        state_zh: publication.state.zh(),
        needs_approval: publication.needs_approval(),
        rectification_id: snapshot.rectification_id.into(),
        title: preview.title.clone(),
        case_title: snapshot.case_title.clone(),
        unit_name: snapshot.unit.name.clone(),
        county_code: snapshot.unit.county_code.clone(),
        county_name: snapshot.unit.county_name.clone(),
        letter_no: snapshot.letter.doc_no.clone(),
        due_on: publication.due.due_on,
        due_at: publication.due.due_at,
        overdue: matches!(publication.state, Stand::Draft) && publication.due.due_at <= tx.at(),
        due_proof: publication.due.clone(),
        marks: publication.marks(),
        findings,
        preview,
        approval: publication.approval().map(|approval| ApprovalView {
            by: approval.by_name.clone(),
            at: approval.at,
            version: approval.version,
        }),
        withdrawal,
        history: history
            .into_iter()
            .map(|line| VersionView {
                version: line.version,
                published_at: line.published_at.to_jiff(),
                content_sha256: line.content_sha256,
                cause: line.cause,
            })
            .collect(),
        content_sha256: publication.page().map(|page| page.sha256.clone()),
        published_at: publication.page().map(|page| page.published_at),
        path: publication.page().map(|_| store::path(publication.publication_id)),
    })
}

fn resource(publication: &Publication) -> Resource {
    Resource::in_area(publication.snapshot.unit.area_path.iter().copied()).concerning(publication.snapshot.unit.unit_id)
}

fn unknown() -> Problem {
    Problem::unknown_resource(Text::new("没有这项公开内容。", "There is no such publication."))
}

/// 待公开内容列表
#[utoipa::path(get, path = "/v1/drafts", tag = "公开", summary = "待公开内容列表", params(DraftQuery),
    responses((status = 200, body = Page<DraftLine>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(query): Query<DraftQuery>,
) -> problem::Result<axum::Json<Page<DraftLine>>> {
    let request = PageQuery { limit: query.limit, after: query.after }.request::<(Timestamp, Uuid)>()?;
    let wanted = query.state.map(|state| match state {
        WantedState::Draft => "draft",
        WantedState::Published => "published",
        WantedState::Withdrawn => "withdrawn",
        WantedState::NeedsApproval => "needs_approval",
    });
    let mut tx = state.database.begin().await?;
    let now = tx.at();
    let rows = store::list(&mut tx, &permit.scope(), wanted, request.after, request.fetch()).await?;
    let page = Page::new(rows, &request, |line| (line.due_at.to_jiff(), line.publication_id));
    Ok(axum::Json(page.map(|line| DraftLine::of(line, now))))
}

/// 待公开内容
#[utoipa::path(get, path = "/v1/drafts/{publication_id}", tag = "公开", summary = "待公开内容",
    params(("publication_id" = Uuid, Path)), responses((status = 200, body = Draft)))]
pub(crate) async fn show(
    State(state): State<AppState>,
    permit: Permit,
    Path(id): Path<PublicationId>,
) -> problem::Result<Versioned<axum::Json<Draft>>> {
    let mut tx = state.database.begin().await?;
    let publication = store::find(&mut tx, id).await?.ok_or_else(unknown)?;
    // Outside of the scope it is as if it did not exist.
    permit.on(&resource(&publication)).map_err(|_| unknown())?;
    let draft = view(&mut tx, &publication).await?;
    Ok(Versioned(publication.version, axum::Json(draft)))
}

/// Another wording for a finding.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindingEdit {
    /// Number of the finding within the letter.
    number: i32,
    /// Its public wording.
    text: String,
    /// What looks like a name was checked by the person who approves.
    #[serde(default)]
    names_checked: bool,
}

/// An approval.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approve {
    /// Findings that are to be worded in another way.
    #[serde(default)]
    findings: Vec<FindingEdit>,
}

/// 批准公开
#[utoipa::path(post, path = "/v1/drafts/{publication_id}/approve", tag = "公开", summary = "批准公开",
    params(("publication_id" = Uuid, Path), ("If-Match" = String, Header)), request_body = Approve,
    responses((status = 200, body = Draft)))]
pub(crate) async fn approve(
    State(state): State<AppState>,
    permit: Permit,
    Path(id): Path<PublicationId>,
    version: IfMatch,
    idempotent: Idempotent,
    Json(command): Json<Approve>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let publication = store::lock(&mut work, id).await?.ok_or_else(unknown)?;
    permit.on(&resource(&publication))?;
    version.check(publication.version)?;
    let edits: Vec<Edit> = command
        .findings
        .into_iter()
        .map(|edit| Edit { number: edit.number, text: edit.text, names_checked: edit.names_checked })
        .collect();
    let caller = permit.caller();
    let publication = super::approve(&mut work, publication, &edits, caller.account_id, &caller.display_name).await?;
    let draft = view(&mut work, &publication).await?;
    tracing::info!(publication.id = %id, account.id = %caller.account_id, version = publication.version, "publication approved");
    work.commit((etag_header(publication.version), axum::Json(draft))).await
}

/// A withdrawal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withdraw {
    /// Why; it is not public.
    reason: String,
}

/// 撤回公开
#[utoipa::path(post, path = "/v1/drafts/{publication_id}/withdraw", tag = "公开", summary = "撤回公开",
    params(("publication_id" = Uuid, Path), ("If-Match" = String, Header)), request_body = Withdraw,
    responses((status = 200, body = Draft)))]
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    permit: Permit,
    Path(id): Path<PublicationId>,
    version: IfMatch,
    idempotent: Idempotent,
    Json(command): Json<Withdraw>,
) -> problem::Result<Response> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let publication = store::lock(&mut work, id).await?.ok_or_else(unknown)?;
    permit.on(&resource(&publication))?;
    version.check(publication.version)?;
    let caller = permit.caller();
    let publication =
        super::withdraw(&mut work, publication, &command.reason, caller.account_id, &caller.display_name).await?;
    let draft = view(&mut work, &publication).await?;
    tracing::info!(publication.id = %id, account.id = %caller.account_id, version = publication.version, "publication withdrawn");
    work.commit((etag_header(publication.version), axum::Json(draft))).await
}

//! Rectifications over HTTP.

use access::Permit;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use contracts::deadlines::RectificationSnapshot;
use domain::ids::{FileId, ItemId, RectificationId, UnitId};
use domain::rectification::Decision;
use garde::Validate;
use http::{StatusCode, header};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use problem::{Json, Path, Problem, ProblemKind, Query, Text, ValidJson};
use serde::{Deserialize, Serialize};
use service_kit::etag::{IfMatch, Versioned};
use service_kit::files::{self, FileRef};
use service_kit::idempotency::{Begun, Idempotent};
use service_kit::page::{Page, PageQuery};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::act::{self, Act};
use super::evidence::{self, EvidenceView, NewEvidence};
use super::snapshot::snapshot;
use super::store::{self, Stored};
use crate::app::AppState;

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
    total_items: i64,
    open_items: i64,
    late_items: i64,
    /// The nearest limit that the unit must still keep.
    #[schema(value_type = Option<String>, format = Date)]
    next_due_on: Option<Date>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_due_at: Option<Timestamp>,
    urging_orders: usize,
}

/// A rectification with its evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RectificationView {
    rectification: RectificationSnapshot,
    evidence: Vec<EvidenceView>,
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

/// The conclusion of a verification.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Rectified.
    Accept,
    /// Not rectified; the unit goes on.
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

/// A close-out carries nothing but the act.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCloseOut {}

/// What an upload became.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Uploaded {
    file_id: FileId,
    sha256: String,
    bytes: u64,
    media_type: String,
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
        r#"SELECT r.rectification_id, r.version, r.dossier -> 'letter' ->> 'case_title' AS "case_title!",
                  (r.dossier -> 'letter' -> 'unit' ->> 'unit_id')::uuid AS "unit_id!",
                  r.dossier -> 'letter' -> 'unit' ->> 'name' AS "unit_name!",
                  r.dossier -> 'letter' -> 'unit' ->> 'county_name' AS county_name,
                  r.dossier -> 'letter' -> 'document' ->> 'doc_no' AS "letter_no!",
                  jsonb_array_length(r.dossier -> 'orders') AS "orders!",
                  r.received_at, r.closed_at, i.total AS "total!", i.open AS "open!", i.late AS "late!", i.due_on, i.due_at
           FROM rectifications r
           JOIN LATERAL (
               SELECT count(*) AS total, count(*) FILTER (WHERE state <> 'closed') AS open,
                      count(*) FILTER (WHERE awaits_unit AND (urged OR due_at <= $1)) AS late,
                      min(due_on) FILTER (WHERE awaits_unit) AS due_on, min(due_at) FILTER (WHERE awaits_unit) AS due_at
               FROM items WHERE items.rectification_id = r.rectification_id) i ON true
           WHERE (r.area_path && $2 OR r.unit_ids && $3 OR r.reader_ids && $3)
             AND ($4::text IS NULL OR r.county_code = $4)
             AND ($5::text IS NULL OR strpos(lower(r.search_text), lower($5)) > 0)
             AND ($6::text IS NULL OR ($6 = 'open' AND r.closed_at IS NULL) OR ($6 = 'closed' AND r.closed_at IS NOT NULL)
                  OR ($6 = 'late' AND i.late > 0))
             AND ($7::timestamptz IS NULL OR (r.received_at, r.rectification_id) < ($7, $8))
           ORDER BY r.received_at DESC, r.rectification_id DESC LIMIT $9"#,
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
        .map(|row| RectificationRow {
            rectification_id: row.rectification_id.into(),
            version: row.version,
            case_title: row.case_title,
            unit_id: row.unit_id.into(),
            unit_name: row.unit_name,
            county_name: row.county_name,
            letter_no: row.letter_no,
            received_at: row.received_at.to_jiff(),
            closed_at: row.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
            total_items: row.total,
            open_items: row.open,
            late_items: row.late,
            next_due_on: row.due_on.map(jiff_sqlx::Date::to_jiff),
            next_due_at: row.due_at.map(jiff_sqlx::Timestamp::to_jiff),
            urging_orders: usize::try_from(row.orders).unwrap_or(0),
        })
        .collect();
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
    let evidence = evidence::of(&mut connection, rectification_id).await?;
    let view = RectificationView { rectification: snapshot(&stored.dossier, stored.version), evidence };
    Ok(Versioned(stored.version, Json(view)).into_response())
}

/// What the caller may not see does not exist for him.
pub(crate) async fn visible(
    connection: &mut sqlx::PgConnection,
    permit: &Permit,
    rectification_id: RectificationId,
) -> Result<Stored, Problem> {
    let stored = store::find(connection, rectification_id).await?.ok_or_else(act::unknown)?;
    permit.on(&stored.dossier.resource()).map_err(|_| act::unknown())?;
    Ok(stored)
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
    let act = Act::Report { text: body.text, evidence: body.evidence };
    perform(&state, &permit, if_match, &idempotent, target, act).await
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
    let decision = match body.decision {
        Verdict::Accept => Decision::Accept { note: body.note },
        Verdict::Return => Decision::Return { reason: body.note },
    };
    perform(&state, &permit, if_match, &idempotent, target, Act::Verify(decision)).await
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
    Json(NewCloseOut {}): Json<NewCloseOut>,
) -> Result<Response, Problem> {
    perform(&state, &permit, if_match, &idempotent, target, Act::CloseOut).await
}

async fn perform(
    state: &AppState,
    permit: &Permit,
    if_match: IfMatch,
    idempotent: &Idempotent,
    target: (RectificationId, ItemId),
    act: Act,
) -> Result<Response, Problem> {
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let stored = act::perform(&mut work, &state.rules, permit, if_match, target, act).await?;
    let evidence = evidence::of(&mut work, target.0).await?;
    let view = RectificationView { rectification: snapshot(&stored.dossier, stored.version), evidence };
    work.commit(Versioned(stored.version, Json(view))).await
}

/// 上传佐证材料
#[utoipa::path(post, path = "/v1/rectifications/{rectification_id}/evidence", tag = "整改",
    params(("rectification_id" = RectificationId, Path)),
    request_body(content_type = "multipart/form-data", content = String, description = "字段 file：文件；字段 item_id：整改事项（可选）"),
    responses((status = 201, body = Uploaded)))]
pub(crate) async fn upload(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    Path(rectification_id): Path<RectificationId>,
    form: Multipart,
) -> Result<Response, Problem> {
    // Seen before the file is taken in: nobody fills the store of a case that is not his.
    let mut connection = state.database.pool().acquire().await?;
    visible(&mut connection, &permit, rectification_id).await?;
    drop(connection);
    let Form { file, name, item_id } = read_form(&state, form).await?;
    let idempotent = idempotent.with_content(file.sha256.as_bytes());
    let mut work = match idempotent.begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let file_id = FileId::derived(&[&rectification_id.to_string(), &idempotent.derived_id().to_string()]);
    evidence::record(&mut work, &permit, rectification_id, &NewEvidence { file_id, item_id, name, file: file.clone() })
        .await?;
    let FileRef { sha256, bytes, media_type } = file;
    work.commit((StatusCode::CREATED, Json(Uploaded { file_id, sha256, bytes, media_type }))).await
}

struct Form {
    file: FileRef,
    name: String,
    item_id: Option<ItemId>,
}

async fn read_form(state: &AppState, mut form: Multipart) -> Result<Form, Problem> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        Problem::new(
            ProblemKind::MalformedBody,
            Text::new(format!("上传的表单无法读取：{error}"), format!("The form cannot be read: {error}")),
        )
    };
    let (mut file, mut item_id) = (None, None);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name() {
            Some("file") => {
                let name = field.file_name().unwrap_or("未命名").chars().take(200).collect::<String>();
                file = Some((state.files.accept(field, files::EVIDENCE).await?, name));
            }
            Some("item_id") => {
                let text = field.text().await.map_err(broken)?;
                if !text.is_empty() {
                    let parsed = text.parse().map_err(|_| {
                        Problem::invalid_field(
                            "/item_id",
                            Text::new("不是整改事项的编号。", "Not the identifier of an item."),
                        )
                    })?;
                    item_id = Some(parsed);
                }
            }
            _ => {}
        }
    }
    let (file, name) = file.ok_or_else(|| {
        Problem::invalid_field("/file", Text::new("请选择要上传的文件（字段 file）。", "Choose a file (field `file`)."))
    })?;
    Ok(Form { file, name, item_id })
}

/// 查看佐证材料
#[utoipa::path(get, path = "/v1/evidence/{file_id}", tag = "整改", params(("file_id" = FileId, Path)),
    responses((status = 200, description = "文件内容", content_type = "application/octet-stream")))]
pub(crate) async fn download(
    State(state): State<AppState>,
    permit: Permit,
    Path(file_id): Path<FileId>,
) -> Result<Response, Problem> {
    let mut connection = state.database.pool().acquire().await?;
    let unknown = || {
        Problem::unknown_resource(Text::new(
            "没有这份材料，或您无权查看。",
            "There is no such file, or you may not see it.",
        ))
    };
    let (rectification_id, sha256, media_type) = evidence::find(&mut connection, file_id).await?.ok_or_else(unknown)?;
    visible(&mut connection, &permit, rectification_id).await.map_err(|_| unknown())?;
    drop(connection);
    let content = state.files.get(&sha256).await?;
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
    ];
    Ok((headers, content).into_response())
}

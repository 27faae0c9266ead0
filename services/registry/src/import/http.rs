//! Routes of imports.

use std::sync::Arc;

use access::{Permit, Resource};
use axum::extract::{Multipart, State, multipart::MultipartError};
use axum::response::{IntoResponse as _, Response};
use http::{
    StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use jiff::Timestamp;
use problem::{Json, Path, Problem, ProblemKind, Query, Text};
use serde::Serialize;
use service_kit::{
    idempotency::{Begun, Idempotent},
    page::{Page, PageQuery},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ImportKind, read_upload, report::Report, run, store};
use crate::app::{AppState, actor_of};

/// The form of an upload.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form for the OpenAPI document; the fields are read as they stream in")]
pub(crate) struct UploadForm {
    /// What the file brings.
    kind: ImportKind,
    /// XLSX, or CSV in UTF-8.
    #[schema(value_type = String, format = Binary)]
    file: String,
}

/// Imports a file. Synchronous: the answer says what became of every row.
#[utoipa::path(post, path = "/v1/imports", tag = "导入", summary = "导入基础数据",
    request_body(content = UploadForm, content_type = "multipart/form-data"), responses((status = 201, body = Report)))]
pub(crate) async fn create(
    State(state): State<AppState>,
    permit: Permit,
    idempotent: Idempotent,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> problem::Result<Response> {
    let form = form.map_err(|rejection| {
        tracing::debug!(%rejection, "no form");
        Problem::new(
            ProblemKind::UnsupportedMedia,
            Text::new(
                "请以 multipart/form-data 上传，包含 kind 和 file。",
                "Upload as multipart/form-data with kind and file.",
            ),
        )
    })?;
    let limits = state.limits;
    let Form { kind, name, bytes } = read_form(form, limits.file_bytes).await?;
    // Files are large; no more of them are taken apart at a time than there is room for.
    let place = Arc::clone(&state.import_places).acquire_owned().await.map_err(|error| Problem::internal(&error))?;
    let upload = tokio::task::spawn_blocking(move || read_upload(kind, name, &bytes, &limits))
        .await
        .map_err(|error| Problem::internal(&error))??;
    let fingerprint = [kind.word().as_bytes(), &upload.sha256].concat();
    let mut work = match idempotent.with_content(&fingerprint).begin(&state.database).await? {
        Begun::Fresh(work) => work,
        Begun::Replay(answer) => return Ok(answer),
    };
    let report = run(&mut work, &permit, &actor_of(&permit), state.ids.as_ref(), upload).await?;
    drop(place);
    let location = [(LOCATION, format!("/v1/imports/{}", report.import_id))];
    work.commit((StatusCode::CREATED, location, Json(report.shortened()))).await
}

struct Form {
    kind: ImportKind,
    name: String,
    bytes: Vec<u8>,
}

async fn read_form(mut form: Multipart, limit: usize) -> problem::Result<Form> {
    let (mut kind, mut file) = (None, None);
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        match field.name() {
            Some("kind") => {
                let text = collect(&mut field, 64).await?;
                kind = Some(
                    std::str::from_utf8(&text).ok().and_then(|text| ImportKind::of_word(text.trim())).ok_or_else(
                        || {
                            Problem::invalid_field(
                                "/kind",
                                Text::new("应为 province 或 accounts", "must be province or accounts"),
                            )
                        },
                    )?,
                );
            }
            Some("file") => {
                let name = file_name(field.file_name());
                file = Some((name, collect(&mut field, limit).await?));
            }
            // Whatever else a form brings is not read, but counts against the limit of the body.
            Some(_) | None => {}
        }
    }
    let missing = |pointer: &str| Problem::invalid_field(pointer, Text::new("必须填写", "is required"));
    let kind = kind.ok_or_else(|| missing("/kind"))?;
    let (name, bytes) = file.ok_or_else(|| missing("/file"))?;
    Ok(Form { kind, name, bytes })
}

async fn collect(field: &mut axum::extract::multipart::Field<'_>, limit: usize) -> problem::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(Problem::new(
                ProblemKind::BodyTooLarge,
                Text::new(
                    format!("文件超过 {} MiB；请分批导入。", limit / (1024 * 1024)),
                    format!("The file exceeds {} MiB; import it in parts.", limit / (1024 * 1024)),
                ),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn broken(error: &MultipartError) -> Problem {
    tracing::debug!(%error, "a form was refused");
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::of(ProblemKind::BodyTooLarge);
    }
    Problem::of(ProblemKind::MalformedBody)
}

/// The last part of the name, as the report shows it.
fn file_name(name: Option<&str>) -> String {
    let name = name.unwrap_or_default();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    if name.trim().is_empty() { "upload".to_owned() } else { name }
}

/// A line of the list of imports.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportLine {
    import_id: Uuid,
    kind: String,
    file_name: String,
    #[schema(value_type = String, format = DateTime)]
    imported_at: Timestamp,
    imported_by: String,
    rows: i32,
    created: i32,
    changed: i32,
    unchanged: i32,
    rejected_rows: i32,
}

/// The imports so far, the newest first.
#[utoipa::path(get, path = "/v1/imports", tag = "导入", summary = "查看导入记录", params(PageQuery),
    responses((status = 200, body = Page<ImportLine>)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    permit: Permit,
    Query(page): Query<PageQuery>,
) -> problem::Result<Json<Page<ImportLine>>> {
    let page = page.request::<(Timestamp, Uuid)>()?;
    let areas: Vec<Uuid> = permit.scope().areas.into_iter().map(Into::into).collect();
    let mut connection = state.database.pool().acquire().await?;
    let rows = store::page(&mut connection, &areas, page.after, page.fetch()).await?;
    let lines = rows
        .into_iter()
        .map(|row| ImportLine {
            import_id: row.import_id,
            kind: row.kind,
            file_name: row.file_name,
            imported_at: row.imported_at.to_jiff(),
            imported_by: row.imported_by,
            rows: row.rows,
            created: row.created,
            changed: row.changed,
            unchanged: row.unchanged,
            rejected_rows: row.rejected_rows,
        })
        .collect();
    Ok(Json(Page::new(lines, &page, |line: &ImportLine| (line.imported_at, line.import_id))))
}

/// The whole report of an import.
#[utoipa::path(get, path = "/v1/imports/{import_id}", tag = "导入", summary = "查看导入报告",
    params(("import_id" = Uuid, Path)), responses((status = 200, body = Report)))]
pub(crate) async fn one(
    State(state): State<AppState>,
    permit: Permit,
    Path(import_id): Path<Uuid>,
) -> problem::Result<Response> {
    let mut connection = state.database.pool().acquire().await?;
    let (_, report) = store::report(&mut connection, import_id)
        .await?
        .filter(|(path, _)| permit.on(&Resource::in_area(path.iter().copied().map(Into::into))).is_ok())
        .ok_or_else(|| Problem::unknown_resource(Text::new("没有这次导入。", "There is no such import.")))?;
    // Stored as answered: it goes out byte for byte.
    Ok(([(CONTENT_TYPE, "application/json")], report.get().to_owned()).into_response())
}

//! Evidence over HTTP.

use access::Permit;
use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use domain::ids::{FileId, ItemId, RectificationId};
use http::{StatusCode, header};
use problem::{Json, Path, Problem, ProblemKind, Text};
use serde::Serialize;
use service_kit::files::{self, FileRef};
use service_kit::idempotency::{Begun, Idempotent};
use utoipa::ToSchema;

use super::visible;
use crate::app::AppState;
use crate::rectification::evidence::{self, NewEvidence};

/// What an upload became.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Uploaded {
    file_id: FileId,
    sha256: String,
    bytes: u64,
    media_type: String,
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

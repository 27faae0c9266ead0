//! Requests and answers.

use std::time::Duration;

use ::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use documents::{ContentError, Kind, PaperState};
use jiff::civil::Date;
use problem::{Json, Problem, ProblemKind, Query, Text};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::app::AppState;
use crate::desk::DeskError;
use crate::press::{Format, PressError, Rendered};
use crate::typeset::TypesetError;

/// The header that states which file was made; see [`documents::Rendition`].
const DUDAO_RENDITION: HeaderName = HeaderName::from_static("dudao-rendition");

/// Whether the document still holds (文书效力).
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It holds.
    #[default]
    Genuine,
    /// It was declared void (作废).
    Void,
    /// Another one stands in its place (已被替代).
    Replaced,
}

impl From<Standing> for PaperState {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Genuine => Self::Genuine,
            Standing::Void => Self::Void,
            Standing::Replaced => Self::Replaced,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RenderQuery {
    /// What to make: pdf (the default), docx or txt.
    #[param(inline)]
    format: Option<Format>,
    /// What stands across the pages.
    #[param(inline)]
    state: Option<Standing>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewQuery {
    /// What to make: pdf (the default), docx or txt.
    #[param(inline)]
    format: Option<Format>,
}

/// A trial of templates on a content (模板预览).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preview {
    /// A content, frozen or not.
    #[schema(value_type = Object)]
    content: Box<RawValue>,
    /// Version of the templates whose page is used, in effect or not.
    template_version: String,
    /// Text of a changed `template.toml`; without it the one of that version.
    template: Option<String>,
}

/// A version of the templates (文书模板).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateView {
    /// The version, which contents name.
    version: String,
    /// What it is.
    title: String,
    /// First day on which documents are issued with it.
    #[schema(value_type = String, format = Date)]
    effective_on: Date,
    /// The kinds of documents.
    kinds: Vec<KindView>,
}

/// A kind of document (文书种类).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KindView {
    /// The name in data.
    kind: String,
    /// Official name.
    name: String,
}

/// 生成文书
#[utoipa::path(post, path = "/v1/documents/render", tag = "文书", params(RenderQuery),
    request_body(content = Object, content_type = "application/json", description = "The frozen content, byte for byte."),
    responses((status = 200, description = "The document; its ETag names exactly these bytes.", content_type = "application/pdf",
            headers(("dudao-rendition" = String, description = "Which file this is, signed by the room: hand it to the portal \
                (POST /v1/renditions of publication) so that its page of verification knows the file."))),
        (status = 304, description = "The caller has these bytes already (If-None-Match).")))]
pub(crate) async fn render(
    State(state): State<AppState>,
    Query(query): Query<RenderQuery>,
    headers: HeaderMap,
    content: Bytes,
) -> problem::Result<Response> {
    let (format, standing) = (query.format.unwrap_or(Format::Pdf), query.state.unwrap_or_default());
    let press = state.press;
    let made = state.desk.run(move || press.render(&content, format, standing.into())).await;
    answer(made.map_err(|error| busy(&error))?, &headers)
}

/// 预览文书模板
#[utoipa::path(post, path = "/v1/documents/preview", tag = "文书", params(PreviewQuery), request_body = Preview,
    responses((status = 200, description = "The document, marked as a trial.", content_type = "application/pdf")))]
pub(crate) async fn preview(
    State(state): State<AppState>,
    Query(query): Query<PreviewQuery>,
    headers: HeaderMap,
    Json(preview): Json<Preview>,
) -> problem::Result<Response> {
    let format = query.format.unwrap_or(Format::Pdf);
    let press = state.press;
    let made = state
        .desk
        .run(move || {
            let (content, template) = (preview.content.get().as_bytes(), preview.template.as_deref());
            press.preview(content, &preview.template_version, template, format)
        })
        .await;
    answer(made.map_err(|error| busy(&error))?, &headers)
}

/// 查看文书模板
#[utoipa::path(get, path = "/v1/templates", tag = "文书", responses((status = 200, body = Vec<TemplateView>)))]
pub(crate) async fn list_templates(State(state): State<AppState>) -> Json<Vec<TemplateView>> {
    let kinds = || {
        Kind::ALL.iter().map(|kind| KindView { kind: kind.as_str().to_owned(), name: kind.zh().to_owned() }).collect()
    };
    let views = state.press.templates().all().iter().map(|template| TemplateView {
        version: template.version().to_owned(),
        title: template.title().to_owned(),
        effective_on: template.effective_on(),
        kinds: kinds(),
    });
    Json(views.collect())
}

fn answer(made: Result<Rendered, PressError>, headers: &HeaderMap) -> problem::Result<Response> {
    let rendered = made.map_err(refusal)?;
    let etag = HeaderValue::from_str(&format!("\"{}\"", rendered.etag)).map_err(|error| Problem::internal(&error))?;
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(',').any(|tag| tag.trim().trim_start_matches("W/").as_bytes() == etag.as_bytes())
    });
    if known {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let disposition = format!("attachment; filename*=UTF-8''{}", percent_encoded(&rendered.file_name));
    let disposition = HeaderValue::from_str(&disposition).map_err(|error| Problem::internal(&error))?;
    let media_type = HeaderValue::from_static(rendered.format.media_type());
    let headers = [(CONTENT_TYPE, media_type), (ETAG, etag), (CONTENT_DISPOSITION, disposition)];
    let mut response = (headers, rendered.bytes).into_response();
    if let Some(statement) = rendered.statement.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(DUDAO_RENDITION, statement);
    }
    Ok(response)
}

/// RFC 8187: everything but plain letters and digits.
fn percent_encoded(name: &str) -> String {
    use std::fmt::Write as _;
    name.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn busy(error: &DeskError) -> Problem {
    match error {
        DeskError::Full => Problem::unavailable(
            Text::new("正在生成的文书较多，请稍后再试。", "Many documents are being made; try again shortly."),
            Duration::from_secs(1),
        ),
        DeskError::Broken(_) => Problem::internal(error),
    }
}

fn refusal(error: PressError) -> Problem {
    match error {
        PressError::Content(ContentError::Unreadable { path, reason }) => Problem::invalid_field(
            pointer(&path),
            Text::new(format!("文书内容有误：{reason}"), format!("the content is wrong: {reason}")),
        ),
        PressError::Content(ContentError::NotCanonical(place)) => Problem::invalid_field(
            "",
            Text::new(
                format!("不是印发时固定的内容：从第{place}个字节起与规范形式不同。"),
                format!("These are not the frozen bytes: from byte {place} on they differ from the canonical form."),
            ),
        ),
        PressError::UnknownTemplate(version) => Problem::invalid_field(
            "/template",
            Text::new(
                format!("没有版本为{version}的文书模板。"),
                format!("There are no templates of version {version}."),
            ),
        ),
        PressError::Template(faults) => {
            faults.into_iter().fold(Problem::of(ProblemKind::InvalidFields), |problem, fault| {
                let place = format!("/template#L{}", fault.line);
                problem.field(
                    place,
                    Text::new(
                        format!("第{}行：{}", fault.line, fault.reason),
                        format!("line {}: {}", fault.line, fault.reason),
                    ),
                )
            })
        }
        PressError::Typeset(TypesetError::MissingCharacters(missing)) => {
            let named = |letter: &char| format!("{letter}（U+{:04X}）", u32::from(*letter));
            let list = missing.iter().map(named).collect::<Vec<_>>().join("、");
            Problem::invalid_field(
                "",
                Text::new(
                    format!("字体中没有下列字符：{list}。请安装含有这些字符的字体。"),
                    format!("No font has these characters: {list}. Install a font that has them."),
                ),
            )
        }
        error @ (PressError::Typeset(TypesetError::Refused(_)) | PressError::Fonts(_) | PressError::Docx(_)) => {
            Problem::internal(&error)
        }
    }
}

/// A path such as `body.urging_order.late_items[0].problem` as a JSON pointer.
fn pointer(path: &str) -> String {
    if path == "." {
        return String::new();
    }
    let path = path.replace('[', ".").replace(']', "");
    path.split('.').fold(String::new(), |mut pointer, segment| {
        pointer.push('/');
        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
        pointer
    })
}

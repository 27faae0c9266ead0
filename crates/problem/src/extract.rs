//! Extractors whose refusals are problems that name the field.

use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::serde_text::explain;
use crate::{Problem, ProblemKind, Text, check};

/// A JSON body, in both directions. Not well-formed: 400 with line and column. Well-formed but
/// wrong: 422 with the pointer of the field.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<T, S> FromRequest<S> for Json<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                ProblemKind::UnsupportedMedia,
                Text::new(
                    "请求体应为 JSON（Content-Type: application/json）。",
                    "The body must be JSON (Content-Type: application/json).",
                ),
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::of(ProblemKind::BodyTooLarge),
            _ => Problem::of(ProblemKind::MalformedBody),
        })?;
        from_bytes(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A JSON body that also keeps its garde rules; a refusal lists every field at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValidJson<T>(pub T);

impl<T, S> FromRequest<S> for ValidJson<T>
where
    T: DeserializeOwned + Validate,
    T::Context: Default,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(value) = Json::<T>::from_request(request, state).await?;
        check(&value)?;
        Ok(Self(value))
    }
}

/// Query parameters; a refusal is 400 and points to `query/<name>`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|axum::extract::Query(value)| Self(value)).map_err(
            |rejection| {
                let source = std::error::Error::source(&rejection).map(ToString::to_string);
                query_problem(&source.unwrap_or_else(|| rejection.body_text()))
            },
        )
    }
}

/// Path parameters; a refusal is 400 and points to `path/<name>`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                // axum does not name the parameter when there is only one.
                let names = RawPathParams::from_request_parts(parts, state).await.ok();
                let first = names.as_ref().and_then(|names| names.iter().next());
                Err(path_problem(rejection, first.map_or("", |(name, _)| name)))
            }
        }
    }
}

/// Reads a value from JSON text; the refusals are those of [`Json`].
fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().clone();
        json_problem(&path, error.inner())
    })?;
    reader.end().map_err(|error| syntax_problem(&error))?;
    Ok(value)
}

fn json_problem(path: &serde_path_to_error::Path, error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Data => {
            let mut pointer: String = path
                .iter()
                .filter_map(|segment| match segment {
                    Segment::Seq { index } => Some(format!("/{index}")),
                    Segment::Map { key } => Some(pointer_segment(key)),
                    // The name of an enum's variant is not a place in the document.
                    Segment::Enum { .. } | Segment::Unknown => None,
                })
                .collect();
            let explained = explain(&error.to_string());
            if let Some(name) = explained.missing {
                pointer.push_str(&pointer_segment(&name));
            }
            Problem::invalid_field(pointer, explained.text)
        }
        Category::Syntax | Category::Eof | Category::Io => syntax_problem(error),
    }
}

fn syntax_problem(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::new(
        ProblemKind::MalformedBody,
        Text::new(
            format!("JSON 在第 {line} 行第 {column} 列有语法错误。"),
            format!("The JSON has a syntax error at line {line}, column {column}."),
        ),
    )
    .with("line", line)
    .with("column", column)
}

/// The text is `<name>: <reason>`, or only the reason when serde could not name a parameter.
fn query_problem(text: &str) -> Problem {
    let (name, reason) = match text.split_once(": ") {
        Some((name, reason)) if !name.contains(char::is_whitespace) => (Some(name), reason),
        Some(_) | None => (None, text),
    };
    let explained = explain(reason);
    let name = explained.missing.as_deref().or(name).unwrap_or("");
    Problem::of(ProblemKind::InvalidParameters).field(format!("query/{name}"), explained.text)
}

fn path_problem(rejection: PathRejection, only: &str) -> Problem {
    let PathRejection::FailedToDeserializePathParams(error) = rejection else {
        return Problem::internal(&rejection);
    };
    let (name, text) = match error.into_kind() {
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => (key, wrong_value(&value, expected_type)),
        ErrorKind::ParseErrorAtIndex { index, value, expected_type } => {
            (index.to_string(), wrong_value(&value, expected_type))
        }
        ErrorKind::ParseError { value, expected_type } => (only.to_owned(), wrong_value(&value, expected_type)),
        ErrorKind::InvalidUtf8InPathParam { key } => (key, Text::new("不是有效的文字编码", "is not valid UTF-8")),
        ErrorKind::DeserializeError { key, message, .. } => (key, explain(&message).text),
        ErrorKind::Message(message) => (only.to_owned(), explain(&message).text),
        // The rest says that handler and route do not fit: a fault of ours.
        other => return Problem::internal(&WrongPath(other.to_string())),
    };
    Problem::of(ProblemKind::InvalidParameters).field(format!("path/{name}"), text)
}

fn wrong_value(value: &str, expected: &str) -> Text {
    Text::new(format!("“{value}”不正确，应为 {expected}"), format!("\"{value}\" is not a valid {expected}"))
}

/// A route whose parameters do not fit its handler.
#[derive(Debug)]
struct WrongPath(String);

impl std::fmt::Display for WrongPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "route and handler disagree: {}", self.0)
    }
}

impl std::error::Error for WrongPath {}

/// One reference token of a JSON pointer with its slash (RFC 6901 section 3).
pub(crate) fn pointer_segment(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or(value).trim())
        .is_some_and(|media| {
            let media = media.to_ascii_lowercase();
            media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
        })
}

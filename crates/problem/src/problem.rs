//! The problem itself and its response.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::{Lang, ProblemKind, Text};

/// The media type of RFC 9457.
const MEDIA_TYPE: &str = "application/problem+json";

/// One field that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where: a JSON pointer (`/findings/0/severity`), `query/limit`, `path/unit_id`, or for a
    /// spreadsheet `sheet/row/column`.
    pub pointer: String,
    /// Why.
    pub detail: Text,
}

/// One occurrence of a problem (RFC 9457). It is a box inside, so that a `Result` stays small.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    kind: ProblemKind,
    detail: Text,
    errors: Vec<FieldError>,
    extensions: Map<String, Value>,
    instance: Option<String>,
    retry_after: Option<Duration>,
}

impl Problem {
    /// A problem of a kind, with what is particular to this occurrence.
    pub fn new(kind: ProblemKind, detail: Text) -> Self {
        Self(Box::new(Parts {
            kind,
            detail,
            errors: Vec::new(),
            extensions: Map::new(),
            instance: None,
            retry_after: None,
        }))
    }

    /// A problem whose detail is the general advice of its kind.
    pub fn of(kind: ProblemKind) -> Self {
        Self::new(kind, kind.advice())
    }

    /// 401: no valid token.
    pub fn unauthenticated(detail: Text) -> Self {
        Self::new(ProblemKind::Unauthenticated, detail)
    }

    /// 403: known, but not permitted.
    pub fn forbidden(detail: Text) -> Self {
        Self::new(ProblemKind::Forbidden, detail)
    }

    /// 404: nothing with this id.
    pub fn unknown_resource(detail: Text) -> Self {
        Self::new(ProblemKind::UnknownResource, detail)
    }

    /// 409: the state refuses the step; the state goes into the member `current_state`.
    pub fn state_refuses(detail: Text, current_state: impl Into<Value>) -> Self {
        Self::new(ProblemKind::StateRefuses, detail).with("current_state", current_state)
    }

    /// 412: the change is based on an old version; the member `current_version` names the new one.
    pub fn stale_version(current_version: i64) -> Self {
        Self::of(ProblemKind::StaleVersion).with("current_version", current_version)
    }

    /// 422 with one field; add more with [`Problem::field`].
    pub fn invalid_field(pointer: impl Into<String>, detail: Text) -> Self {
        Self::of(ProblemKind::InvalidFields).field(pointer, detail)
    }

    /// 503: waiting helps; `retry_after` says how long.
    pub fn unavailable(detail: Text, retry_after: Duration) -> Self {
        Self::new(ProblemKind::Unavailable, detail).retry_after(retry_after)
    }

    /// 500: logs the error with its causes, once, and answers with nothing of it.
    pub fn internal(error: &dyn Error) -> Self {
        tracing::error!(error = %chain(error), "internal error");
        Self::of(ProblemKind::Internal)
    }

    /// Adds a refused field.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, detail: Text) -> Self {
        self.0.errors.push(FieldError { pointer: pointer.into(), detail });
        self
    }

    /// Adds several refused fields.
    #[must_use]
    pub fn fields(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.0.errors.extend(errors);
        self
    }

    /// Adds an extension member (RFC 9457 section 3.2). The members of the standard cannot be
    /// replaced this way.
    #[must_use]
    pub fn with(mut self, member: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.extensions.insert(member.into(), value.into());
        self
    }

    /// Sets `Retry-After`; whole seconds, at least one.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Sets the address of the occurrence, unless there is one; [`crate::localise`] calls it with
    /// the request's path.
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.0.instance.get_or_insert_with(|| instance.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> ProblemKind {
        self.0.kind
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.kind.status()
    }

    /// What is particular to this occurrence.
    pub fn detail(&self) -> &Text {
        &self.0.detail
    }

    /// The refused fields.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The extension members.
    pub fn extensions(&self) -> &Map<String, Value> {
        &self.0.extensions
    }

    /// The document in one language.
    pub fn body(&self, lang: Lang) -> ProblemBody {
        self.body_with_status(lang, self.status())
    }

    fn body_with_status(&self, lang: Lang, status: StatusCode) -> ProblemBody {
        let parts = &self.0;
        let mut extensions = parts.extensions.clone();
        for reserved in ["type", "title", "status", "detail", "instance", "errors"] {
            extensions.remove(reserved);
        }
        ProblemBody {
            kind: parts.kind.uri(),
            title: parts.kind.title().get(lang).to_owned(),
            status: status.as_u16(),
            detail: parts.detail.get(lang).to_owned(),
            instance: parts.instance.clone(),
            errors: parts
                .errors
                .iter()
                .map(|error| FieldErrorBody {
                    pointer: error.pointer.clone(),
                    detail: error.detail.get(lang).to_owned(),
                })
                .collect(),
            extensions,
        }
    }

    /// Writes the document into a response that may carry headers already.
    pub(crate) fn render(self, lang: Lang, response: &mut Response) {
        let body = self.body_with_status(lang, response.status());
        // A map of strings and JSON values always serialises; an empty body would be the honest rest.
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let headers = response.headers_mut();
        headers.remove(http::header::CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
        if let Some(after) = self.0.retry_after {
            let seconds = after.as_millis().div_ceil(1000).max(1);
            if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
                headers.insert(RETRY_AFTER, value);
            }
        }
        if self.0.kind == ProblemKind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        *response.body_mut() = Body::from(bytes);
    }
}

/// In Chinese. The problem also rides in the response's extensions, where [`crate::localise`] finds
/// it and can write it again in English.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        self.render(Lang::Zh, &mut response);
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.slug(), self.0.detail.en)?;
        for error in &self.0.errors {
            write!(f, "; {}: {}", error.pointer, error.detail.en)?;
        }
        Ok(())
    }
}

impl Error for Problem {}

/// The error and its causes in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Several libraries print their source in their own text; saying it twice helps nobody.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// The problem document as it is sent (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The URI of the problem type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The summary of the type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is particular to this occurrence.
    pub detail: String,
    /// The address of the occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The refused fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldErrorBody>,
    /// Members particular to the type, such as `current_state`.
    #[serde(flatten)]
    #[schema(ignore)]
    pub extensions: Map<String, Value>,
}

/// One refused field as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProblemField)]
pub struct FieldErrorBody {
    /// Where: JSON pointer, `query/…`, `path/…` or `sheet/row/column`.
    pub pointer: String,
    /// Why.
    pub detail: String,
}

/// The statuses that any operation may answer with.
const COMMON: &[ProblemKind] = &[
    ProblemKind::MalformedBody,
    ProblemKind::Unauthenticated,
    ProblemKind::Forbidden,
    ProblemKind::UnknownResource,
    ProblemKind::StateRefuses,
    ProblemKind::StaleVersion,
    ProblemKind::InvalidFields,
    ProblemKind::TooManyRequests,
    ProblemKind::Internal,
    ProblemKind::Unavailable,
];

/// The common refusals for an operation's `responses(…, Problem)`. `access::GuardedRouter` adds them
/// to every operation by itself.
impl IntoResponses for Problem {
    fn responses() -> std::collections::BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        COMMON
            .iter()
            .map(|kind| {
                let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
                let response = ResponseBuilder::new().description(kind.title().zh).content(MEDIA_TYPE, content).build();
                (kind.status().as_str().to_owned(), RefOr::T(response))
            })
            .collect()
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<utoipa::openapi::Schema> {
        ProblemBody::schema()
    }
}

impl ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, RefOr<utoipa::openapi::Schema>)>) {
        ProblemBody::schemas(schemas);
    }
}

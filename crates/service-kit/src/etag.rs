//! `ETag` and `If-Match` on the version of an aggregate.
//!
//! Every change of something that exists names the version that it was decided on: without one
//! the answer is 428, with an old one 412, so that nobody overwrites what he has not seen.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use problem::{Problem, ProblemKind, Text};

/// The `ETag` of a version: `"7"`.
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// The header as a response part: `(etag_header(version), Json(body))`.
pub fn etag_header(version: i64) -> [(HeaderName, HeaderValue); 1] {
    [(ETAG, etag(version))]
}

/// A response body with the version that it shows.
#[derive(Debug, Clone, Copy)]
pub struct Versioned<T>(pub i64, pub T);

impl<T: IntoResponse> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        (etag_header(self.0), self.1).into_response()
    }
}

/// The version that a change was decided on (extractor).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub i64);

impl IfMatch {
    /// Reads the header: 428 when it is missing, 400 when it is not a version of ours.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(IF_MATCH) else {
            return Err(Problem::new(
                ProblemKind::PreconditionRequired,
                Text::new(
                    "修改前请先读取当前版本，并在 If-Match 请求头中带上它的 ETag。",
                    "Read the current version first and send its ETag in the If-Match header.",
                ),
            ));
        };
        value
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix('"')?.strip_suffix('"')?.parse().ok())
            .map(Self)
            .ok_or_else(|| {
                Problem::new(
                    ProblemKind::MalformedBody,
                    Text::new(
                        "If-Match 请求头必须是一个由本系统给出的 ETag，例如 \"7\"。",
                        "The If-Match header must be one ETag given by this system, such as \"7\".",
                    ),
                )
            })
    }

    /// 412 unless `current` is the version that the change was decided on.
    pub fn check(self, current: i64) -> Result<(), Problem> {
        if self.0 == current {
            return Ok(());
        }
        Err(Problem::new(
            ProblemKind::StaleVersion,
            Text::new(
                "该记录已被他人修改，请重新读取后再提交。",
                "The record has been changed by someone else; read it again before you submit.",
            ),
        )
        .with("current_version", current)
        .with("submitted_version", self.0))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::from_headers(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(header: Option<&'static str>, current: i64) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(IF_MATCH, HeaderValue::from_static(header));
        }
        let result = IfMatch::from_headers(&headers).and_then(|found| found.check(current));
        result.map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn a_change_needs_the_version_that_it_was_decided_on() {
        assert_eq!(status(None, 7), 428);
        assert_eq!(status(Some("\"7\""), 7), 200);
        assert_eq!(status(Some("\"6\""), 7), 412);
        assert_eq!(status(Some("W/\"7\""), 7), 400);
        assert_eq!(status(Some("*"), 7), 400);
        assert_eq!(etag(7), "\"7\"");
    }
}

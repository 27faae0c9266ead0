//! An answer of the portal: body and headers, made once and given many times.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Nothing but our own style sheet; no script, no frame, forms only to ourselves.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";
/// The same with our own script, for the one page that needs it.
const WITH_SCRIPT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";
/// How long others may keep a page without asking again.
const KEEP: &str = "public, max-age=60";

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    policy: &'static str,
    language: &'static str,
    cache_control: &'static str,
    body: Bytes,
    etag: HeaderValue,
    last_modified: Option<Timestamp>,
    /// Version of what it shows.
    pub(super) version: String,
    /// Whether it may stay in memory.
    pub(super) keep: bool,
}

impl Answer {
    fn new(content_type: &'static str, body: impl Into<Bytes>, version: String, at: Option<Timestamp>) -> Self {
        let body = body.into();
        let digest = hex::encode(Sha256::digest(&body).get(..16).unwrap_or_default());
        Self {
            status: StatusCode::OK,
            content_type,
            policy: POLICY,
            language: "zh-Hans",
            cache_control: KEEP,
            etag: HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"-\"")),
            body,
            last_modified: at,
            version,
            keep: true,
        }
    }

    pub(super) fn html(body: String, version: String, at: Option<Timestamp>) -> Self {
        Self::new("text/html; charset=utf-8", body, version, at)
    }

    pub(super) fn json(body: String, version: String, at: Option<Timestamp>) -> Self {
        Self::new("application/json; charset=utf-8", body, version, at)
    }

    pub(super) fn csv(body: Vec<u8>, version: String, at: Option<Timestamp>) -> Self {
        Self::new("text/csv; charset=utf-8", body, version, at)
    }

    pub(super) fn text(body: String, version: String) -> Self {
        Self::new("text/plain; charset=utf-8", body, version, None)
    }

    pub(super) fn atom(body: String, version: String, at: Option<Timestamp>) -> Self {
        Self::new("application/atom+xml; charset=utf-8", body, version, at)
    }

    pub(super) fn style(body: &'static str, version: String) -> Self {
        Self::asset("text/css; charset=utf-8", body, version)
    }

    pub(super) fn script(body: &'static str, version: String) -> Self {
        Self::asset("text/javascript; charset=utf-8", body, version)
    }

    fn asset(content_type: &'static str, body: &'static str, version: String) -> Self {
        // Its address carries its version.
        let cache_control = "public, max-age=31536000, immutable";
        Self { cache_control, ..Self::new(content_type, body.as_bytes(), version, None) }
    }

    /// The page in the place of one that was withdrawn.
    pub(super) fn gone(body: String) -> Self {
        Self {
            status: StatusCode::GONE,
            cache_control: "no-store",
            keep: false,
            ..Self::html(body, String::new(), None)
        }
    }

    /// A page that says that there is none.
    pub(super) fn missing(body: String, status: StatusCode) -> Self {
        Self { status, cache_control: "no-store", keep: false, ..Self::html(body, String::new(), None) }
    }

    /// The same page said to be in another language than Simplified Chinese.
    #[must_use]
    pub(super) fn in_language(self, language: &'static str) -> Self {
        Self { language, ..self }
    }

    /// The same page, which may run our own script.
    #[must_use]
    pub(super) fn with_script(self) -> Self {
        Self { policy: WITH_SCRIPT, ..self }
    }

    #[must_use]
    pub(super) fn kept(self, keep: bool) -> Self {
        Self { keep, ..self }
    }

    #[cfg(test)]
    pub(super) fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The response, or 304 when the reader has it already.
    pub(super) fn respond(&self, request: &HeaderMap) -> Response {
        let known = self.status == StatusCode::OK && self.is_known(request);
        let mut response = Response::new(if known { Body::empty() } else { Body::from(self.body.clone()) });
        *response.status_mut() = if known { StatusCode::NOT_MODIFIED } else { self.status };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache_control));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(self.policy));
        if self.status == StatusCode::OK {
            headers.insert(ETAG, self.etag.clone());
            if let Some(at) = self.last_modified.and_then(|at| HeaderValue::from_str(&http_date(at)).ok()) {
                headers.insert(LAST_MODIFIED, at);
            }
        }
        if !known {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(self.language));
        }
        response
    }

    /// RFC 9110 section 13.2.2: the tag decides; the date only without one.
    fn is_known(&self, request: &HeaderMap) -> bool {
        if let Some(tags) = request.get(IF_NONE_MATCH) {
            let own = self.etag.as_bytes();
            return tags.to_str().is_ok_and(|tags| {
                // A compressed answer carries the tag in its weak form.
                tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/").as_bytes() == own)
            });
        }
        let since = request.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok()).and_then(read_http_date);
        matches!((self.last_modified, since), (Some(at), Some(since)) if at.as_second() <= since.as_second())
    }
}

/// A date as HTTP writes it (RFC 9110 section 5.6.7).
fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn read_http_date(text: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text).ok()?;
    civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_as_http_does() {
        let at: Timestamp = "2026-11-23T08:05:09.5Z".parse().unwrap();
        assert_eq!(http_date(at), "Mon, 23 Nov 2026 08:05:09 GMT");
        assert_eq!(read_http_date("Mon, 23 Nov 2026 08:05:09 GMT").unwrap().as_second(), at.as_second());
        assert_eq!(read_http_date("yesterday"), None);
    }

    #[test]
    fn a_reader_who_has_it_gets_no_body() {
        let at: Timestamp = "2026-11-23T08:05:09Z".parse().unwrap();
        let answer = Answer::html("<p>".to_owned(), "1".to_owned(), Some(at));
        let ask = |name, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
            answer.respond(&headers).status().as_u16()
        };
        let tag = answer.etag.to_str().unwrap().to_owned();
        assert_eq!(ask(IF_NONE_MATCH, &tag), 304);
        assert_eq!(ask(IF_NONE_MATCH, &format!("\"x\", W/{tag}")), 304);
        assert_eq!(ask(IF_NONE_MATCH, "\"x\""), 200);
        assert_eq!(ask(IF_MODIFIED_SINCE, "Mon, 23 Nov 2026 08:05:09 GMT"), 304);
        assert_eq!(ask(IF_MODIFIED_SINCE, "Mon, 23 Nov 2026 08:05:08 GMT"), 200);
    }
}

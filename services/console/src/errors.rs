//! From failures to pages: what happened, in words, and what to do.

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum_extra::extract::CookieJar;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;
use tower_http::csrf::ProtectionError;

use crate::api::{Failure, Refusal, percent};
use crate::app::AppState;
use crate::form::Posted;
use crate::page::{Page, html};
use crate::session::{Ctx, lang_of};

/// A page that says what went wrong.
#[derive(Debug, Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    explanation: String,
    advice: String,
    details: Vec<String>,
}

/// A page that keeps what was typed while a service is away, to send it again.
#[derive(Debug, Template)]
#[template(path = "retry.html")]
struct RetryPage {
    page: Page,
    explanation: String,
    action: String,
    values: Vec<(String, String)>,
    had_files: bool,
}

/// Handed on in the extensions: [`dress`] knows language and reader and makes the page.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        match self {
            Self::Shown(status, text) => (status, Html(text)).into_response(),
            Self::SignedOut | Self::Refused(_) | Self::Away(_) | Self::Broken(_) | Self::NotFound => {
                response.extensions_mut().insert(self);
                response
            }
        }
    }
}

impl Failure {
    /// The status of its page.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::SEE_OTHER,
            Self::Refused(refusal) => refusal.status(),
            Self::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::BAD_GATEWAY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Shown(status, _) => *status,
        }
    }
}

/// Gives every failure and every bare refusal of the framework the form of a page.
pub async fn dress(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
    let (reading, headers) = (request.method() == Method::GET, request.headers().clone());
    let mut response = next.run(request).await;
    let failure = response.extensions_mut().remove::<Failure>();
    let bare = response.headers().get(CONTENT_TYPE).is_none_or(|value| !value.as_bytes().starts_with(b"text/html"));
    let status = response.status();
    let dressed = match failure {
        Some(Failure::SignedOut) => {
            let next = if reading && path != "/" { format!("?next={}", percent(&path)) } else { String::new() };
            axum::response::Redirect::to(&format!("/sign-in{next}")).into_response()
        }
        Some(failure) => failure_page(&app, &headers, &path, &failure),
        None if bare && (status.is_client_error() || status.is_server_error()) => {
            let page = page_of(&app, &headers, &path, title_of(status));
            let crossed = response.extensions().get::<ProtectionError>().is_some();
            let (explanation, advice) = if crossed { ("error.csrf", "error.csrf_advice") } else { words_of(status) };
            said(status, page, |page| (page.t(explanation).to_owned(), page.t(advice).to_owned(), Vec::new()))
        }
        None => response,
    };
    with_headers(dressed)
}

/// Pages are not kept by caches and load nothing but what the console itself serves.
fn with_headers(mut response: Response) -> Response {
    use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
    let headers = response.headers_mut();
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    let policy = if is_page {
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    } else {
        // Uploaded files are shown in a box of their own, whatever they turn out to be.
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'; base-uri 'none'"
    };
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn page_of(app: &AppState, headers: &HeaderMap, path: &str, title: &str) -> Page {
    let jar = CookieJar::from_headers(headers);
    let lang = lang_of(&jar);
    match app.sealer.open(&jar, app.clock.now()) {
        Some(session) => {
            let ctx =
                Ctx { app: app.clone(), session: session.into(), lang, client: None, path: path.into(), done: None };
            ctx.page(title)
        }
        None => Page::outside(lang, title, path),
    }
}

fn failure_page(app: &AppState, headers: &HeaderMap, path: &str, failure: &Failure) -> Response {
    let status = failure.status();
    let page = page_of(app, headers, path, title_of(status));
    said(status, page, |page| match failure {
        Failure::Refused(refusal) => {
            let details = refusal.errors.iter().map(|fault| fault.detail.clone()).collect();
            let (_, advice) = words_of(status);
            (refusal.detail.clone(), page.t(advice).to_owned(), details)
        }
        Failure::Away(room) => {
            (page.fill("error.away", page.t(room.key())), page.t("error.away_advice").to_owned(), Vec::new())
        }
        Failure::Broken(room) => {
            (page.fill("error.broken", page.t(room.key())), page.t("error.internal_advice").to_owned(), Vec::new())
        }
        Failure::NotFound | Failure::SignedOut | Failure::Shown(..) => {
            let (explanation, advice) = words_of(status);
            (page.t(explanation).to_owned(), page.t(advice).to_owned(), Vec::new())
        }
    })
}

fn said(status: StatusCode, page: Page, words: impl FnOnce(&Page) -> (String, String, Vec<String>)) -> Response {
    let (explanation, advice, details) = words(&page);
    html(status, &ErrorPage { page, explanation, advice, details }).into_response()
}

fn title_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "error.forbidden_title",
        StatusCode::NOT_FOUND => "error.not_found_title",
        StatusCode::PAYLOAD_TOO_LARGE => "error.too_large_title",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => "error.away_title",
        status if status.is_client_error() => "error.refused_title",
        _ => "error.internal_title",
    }
}

fn words_of(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::FORBIDDEN => ("error.forbidden", "error.forbidden_advice"),
        StatusCode::NOT_FOUND => ("error.not_found", "error.not_found_advice"),
        StatusCode::PAYLOAD_TOO_LARGE => ("error.too_large", "error.too_large_advice"),
        status if status.is_client_error() => ("error.refused", "error.refused_advice"),
        _ => ("error.internal", "error.internal_advice"),
    }
}

/// A form that a service could not take because it is away: a page that keeps the input and sends it again with the
/// same key, so that what did arrive is not done twice.
fn retry(ctx: &Ctx, posted: &Posted, failure: Failure) -> Failure {
    let (Failure::Away(room) | Failure::Broken(room)) = failure else { return failure };
    let page = ctx.page("error.away_title");
    let explanation = page.fill("error.away", page.t(room.key()));
    let secret = |name: &str| name.contains("password");
    let template = RetryPage {
        explanation,
        action: ctx.path.to_string(),
        values: posted.values().iter().filter(|(name, _)| !secret(name)).cloned().collect(),
        had_files: !posted.files.is_empty(),
        page,
    };
    match template.render() {
        Ok(text) => Failure::Shown(failure.status(), text),
        Err(_) => failure,
    }
}

/// What a handler does after a form's call: go on, or show the form again.
#[derive(Debug)]
pub enum Outcome {
    /// The form was accepted with this answer.
    Done(Value),
    /// The form was refused: render the page again.
    Again(Refusal),
}

/// Sorts the outcome of a form's call; what is no matter of the form becomes a failure or the page that keeps the input.
pub fn outcome(ctx: &Ctx, posted: &Posted, result: Result<Value, Failure>) -> Result<Outcome, Failure> {
    match result {
        Ok(answer) => Ok(Outcome::Done(answer)),
        Err(Failure::Refused(refusal)) => Ok(Outcome::Again(*refusal)),
        Err(failure) => Err(retry(ctx, posted, failure)),
    }
}

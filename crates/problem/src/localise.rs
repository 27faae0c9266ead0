//! The middleware that gives every refusal its last form.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, VARY};

use crate::{Lang, Problem, ProblemKind};

/// Writes problems in the language of `Accept-Language`, fills `instance` with the request's path
/// and turns refusals of the framework (plain text or empty: no route, wrong method, body too large,
/// timeout, caught panic) into problems. A refusal that has a body of another type, such as an HTML
/// page, stays as it is.
///
/// Use with `axum::middleware::from_fn(problem::localise)`, outside of the layers whose refusals it
/// shall turn (catch-panic, timeout, limits) and inside of compression.
pub async fn localise(request: Request, next: Next) -> Response {
    let lang = Lang::of(request.headers());
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare(&response) => match ProblemKind::of_status(response.status()) {
            Some(kind) => Problem::of(kind),
            None => return response,
        },
        None => return response,
    };
    problem.instance(path).render(lang, &mut response);
    response.headers_mut().append(VARY, HeaderValue::from_static("accept-language"));
    response
}

/// Whether the body is at most a plain text that no reader was meant to see.
fn is_bare(response: &Response) -> bool {
    response.headers().get(CONTENT_TYPE).is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

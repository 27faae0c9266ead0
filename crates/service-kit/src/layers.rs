//! What lies around every route: request id, trace, metrics, limits, problems, headers.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    AUTHORIZATION, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};
use problem::{Problem, ProblemKind};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::sensitive_headers::{SetSensitiveRequestHeadersLayer, SetSensitiveResponseHeadersLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::Instrument as _;

use crate::config::HttpSection;
use crate::ids::Ids;

/// Header with the id of a request, given back in the answer and in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request being answered (a request extension).
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

#[derive(Debug, Clone)]
struct Observer {
    ids: Arc<dyn Ids>,
    requests: Counter<u64>,
    seconds: Histogram<f64>,
    active: UpDownCounter<i64>,
}

/// Puts the layers around the routes of a service.
pub fn around(routes: Router, http: &HttpSection, ids: Arc<dyn Ids>, meter: &Meter) -> Router {
    let observer = Observer {
        ids,
        requests: meter
            .u64_counter("http.server.requests")
            .with_description("Requests answered, by method, route and status")
            .build(),
        seconds: meter
            .f64_histogram("http.server.request.duration")
            .with_unit("s")
            .with_description("Time to answer a request")
            .with_boundaries(vec![0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
            .build(),
        active: meter
            .i64_up_down_counter("http.server.active_requests")
            .with_description("Requests that are being answered")
            .build(),
    };
    let secret = [AUTHORIZATION, COOKIE, SET_COOKIE];
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    routes.fallback(unknown_route).layer(
        ServiceBuilder::new()
            .layer(SetSensitiveRequestHeadersLayer::new(secret.clone()))
            .layer(from_fn_with_state(observer, observe))
            .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(header(REFERRER_POLICY, "no-referrer"))
            .layer(header(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"))
            .layer(SetSensitiveResponseHeadersLayer::new(secret))
            .layer(CompressionLayer::new())
            .layer(from_fn(problem::localise))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                Duration::from_secs(http.request_timeout_seconds),
            ))
            .layer(DefaultBodyLimit::max(http.max_body_bytes)),
    )
}

async fn unknown_route() -> Problem {
    Problem::of(ProblemKind::UnknownResource)
}

/// Opens the span of a request, counts and times it, and writes one line about it.
async fn observe(State(observer): State<Observer>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route: Arc<str> =
        request.extensions().get::<MatchedPath>().map_or_else(|| Arc::from("(none)"), |path| Arc::from(path.as_str()));
    let id = request_id(&request, observer.ids.as_ref());
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));

    let quiet = matches!(&*route, "/livez" | "/readyz" | "/metrics");
    let span = if quiet {
        tracing::Span::none()
    } else {
        tracing::info_span!(
            "http.request",
            otel.name = %format!("{} {route}", known(&method)),
            otel.kind = "server",
            http.request.method = known(&method),
            http.route = %route,
            http.response.status_code = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
            request.id = %id,
            trace.id = tracing::field::Empty,
        )
    };
    crate::trace::set_parent_from_headers(&span, request.headers());
    if let Some(trace_id) = crate::trace::trace_id(&span) {
        span.record("trace.id", trace_id.as_str());
    }

    let active = Active::one(&observer.active);
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(active);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let elapsed = began.elapsed();
    if !quiet {
        let milliseconds = elapsed.as_secs_f64() * 1000.0;
        span.in_scope(|| tracing::info!(status = status.as_u16(), milliseconds, "request answered"));
    }
    let labels = [
        KeyValue::new("http.request.method", known(&method)),
        KeyValue::new("http.route", route.to_string()),
        KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
    ];
    observer.requests.add(1, &labels);
    observer.seconds.record(elapsed.as_secs_f64(), &labels[..2]);
    response
}

/// The method as a label: anybody can invent methods, and each would be a series for ever.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// Counts a request as active until it is dropped, also when the caller has gone.
struct Active<'a>(&'a UpDownCounter<i64>);

impl<'a> Active<'a> {
    fn one(counter: &'a UpDownCounter<i64>) -> Self {
        counter.add(1, &[]);
        Self(counter)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.add(-1, &[]);
    }
}

/// The caller's id when it is harmless in a log, else a new one.
fn request_id(request: &Request, ids: &dyn Ids) -> Arc<str> {
    let harmless = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(harmless) {
        Some(id) => Arc::from(id),
        None => Arc::from(ids.new_id().to_string()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("(no message)");
    tracing::error!(panic = text, "a handler panicked");
    Problem::of(ProblemKind::Internal).into_response()
}

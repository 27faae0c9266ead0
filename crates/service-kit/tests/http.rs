//! The layers around routes, health, documentation, and stopping without losing a request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests may")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::routing::{get, post};
use http::{HeaderMap, Request, StatusCode};
use opentelemetry::trace::TracerProvider as _;
use problem::Text;
use service_kit::config::HttpSection;
use service_kit::health::{Check, Health, Readiness};
use service_kit::ids::SeededIds;
use service_kit::telemetry::Metrics;
use service_kit::{layers, openapi, server, trace};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

fn section() -> HttpSection {
    HttpSection {
        listen: "127.0.0.1:0".parse().unwrap(),
        operations_listen: None,
        max_body_bytes: 1000,
        request_timeout_seconds: 30,
        drain_seconds: 5,
    }
}

fn app(routes: Router) -> (Router, Metrics) {
    let metrics = Metrics::new("test").unwrap();
    let app = layers::around(routes, &section(), Arc::new(SeededIds::new(1)), &metrics.meter());
    (app, metrics)
}

async fn call(app: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000_000).await.unwrap();
    (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
}

/// Series of the metrics, without their values.
fn series(metrics: &Metrics) -> std::collections::BTreeSet<String> {
    let (_, text) = metrics.render();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Whoever asks for a thousand things, makes up a thousand addresses or methods, leaves no more series behind than the routes have:
/// otherwise anybody could fill the memory of the process and of the bureau's Prometheus.
#[tokio::test]
async fn no_caller_makes_series() {
    let (app, metrics) = app(Router::new().route("/v1/things/{id}", get(|| async { "ok" })));
    let ask = async |n: usize| {
        let method = format!("X{n}");
        for request in [
            Request::get(format!("/v1/things/{n}")),
            Request::get(format!("/{n}/elsewhere?{n}={n}")).header("host", format!("{n}.example")),
            Request::builder().method(method.as_str()).uri(format!("/v1/things/{n}")),
            Request::builder().method(method.as_str()).uri(format!("/{n}")),
        ] {
            call(&app, request.header("x-request-id", n.to_string()).body(Body::empty()).unwrap()).await;
        }
    };
    ask(1000).await;
    let first = series(&metrics);
    assert!(first.iter().any(|name| name.contains("_OTHER")) && first.len() < 100, "{first:?}");
    for n in 1001..2000 {
        ask(n).await;
    }
    assert_eq!(series(&metrics), first);
    assert!(first.contains("http_server_active_requests{otel_scope_name=\"dudao\"}"), "{first:?}");
    let (_, text) = metrics.render();
    assert!(text.lines().any(|line| line.starts_with("http_server_active_requests") && line.ends_with(" 0")), "{text}");
}

fn get_request(path: &str) -> Request<Body> {
    Request::get(path).header("accept-language", "en").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_answer_carries_id_and_protective_headers_and_every_failure_is_a_problem() {
    let routes = Router::new()
        .route("/v1/things/{id}", get(|| async { "ok" }))
        .route("/v1/bug", get(|| async { panic!("secret inside") as &'static str }))
        .route("/v1/upload", post(|_: Bytes| async { "taken" }));
    let (app, metrics) = app(routes);

    let request = Request::get("/v1/things/7").header("x-request-id", "caller-1").body(Body::empty()).unwrap();
    let (status, headers, body) = call(&app, request).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "ok"));
    assert_eq!(headers["x-request-id"], "caller-1");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));

    let request = Request::get("/v1/things/7").header("x-request-id", "a b<script>").body(Body::empty()).unwrap();
    let (_, headers, _) = call(&app, request).await;
    assert_eq!(headers["x-request-id"].len(), 36, "a harmful id is replaced");

    let (status, headers, body) = call(&app, get_request("/v1/bug")).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert!(!body.contains("secret inside") && body.contains("/v1/bug"), "{body}");

    let (status, headers, body) = call(&app, get_request("/v1/nothing")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(headers["content-language"], "en");
    assert!(body.contains("unknown-resource"), "{body}");

    let request = Request::post("/v1/upload").body(Body::from(vec![0; 1001])).unwrap();
    let (status, _, body) = call(&app, request).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(body.contains("body-too-large"), "{body}");

    let (_, text) = metrics.render();
    let counted = text.lines().find(|line| {
        line.starts_with("http_server_requests_total") && line.contains("/v1/things/{id}") && line.contains("\"200\"")
    });
    assert!(counted.is_some_and(|line| line.ends_with(" 2")), "{text}");
    assert!(text.contains("http_server_request_duration_seconds_bucket"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_unavailable() {
    let (app, _) = app(Router::new().route("/slow", get(std::future::pending::<&'static str>)));
    let (status, _, body) = call(&app, get_request("/slow")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("unavailable"), "{body}");
}

#[tokio::test]
async fn readyz_names_what_fails_in_words() {
    let broken = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&broken);
    let health = Health::new(
        "test",
        vec![
            Check::new("database", || async { Ok(Text::new("数据库连接正常", "the database answers")) }),
            Check::new("broker", move || {
                let broken = state.load(Ordering::SeqCst);
                async move {
                    if broken {
                        Err(Text::new("消息服务未连接", "the broker is not connected"))
                    } else {
                        Ok(Text::new("正常", "fine"))
                    }
                }
            }),
        ],
    );
    let routes = health.clone().routes(Metrics::new("test").unwrap());
    let read = |body: String| serde_json::from_str::<Readiness>(&body).unwrap();

    let (status, _, body) = call(&routes, get_request("/readyz")).await;
    assert_eq!((status, read(body).ready), (StatusCode::OK, true));
    broken.store(true, Ordering::SeqCst);
    let (status, _, body) = call(&routes, get_request("/readyz")).await;
    let readiness = read(body);
    assert_eq!((status, readiness.ready), (StatusCode::SERVICE_UNAVAILABLE, false));
    assert_eq!(readiness.checks[1].en, "the broker is not connected");
    assert!(readiness.checks[0].ok);
    assert_eq!(call(&routes, get_request("/livez")).await.0, StatusCode::OK, "not ready is still alive");
    let (status, _, body) = call(&routes, get_request("/readyz?exclude=clock,broker")).await;
    let readiness = read(body);
    assert_eq!((status, readiness.ready, readiness.checks[1].ok), (StatusCode::OK, true, false), "told, not decisive");
    assert_eq!(call(&routes, get_request("/readyz?exclude=database")).await.0, StatusCode::SERVICE_UNAVAILABLE);

    broken.store(false, Ordering::SeqCst);
    health.stopping();
    let (status, _, body) = call(&routes, get_request("/readyz?exclude=broker")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("正在停机"), "{body}");
}

#[tokio::test]
async fn the_documentation_loads_nothing_from_elsewhere() {
    let (app, _) = app(openapi::routes("test", utoipa::openapi::OpenApi::default()));
    let (status, headers, page) = call(&app, get_request("/docs")).await;
    assert_eq!(status, StatusCode::OK);
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("http"), "{policy}");
    assert!(!page.contains("//"), "no address of elsewhere: {page}");
    for path in page.split(['"']).filter(|part| part.starts_with("/docs/")) {
        assert_eq!(call(&app, get_request(path)).await.0, StatusCode::OK, "{path}");
    }
    let (_, _, document) = call(&app, get_request("/openapi.json")).await;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "dudao-test");
}

/// Sends a request on its own connection and gives back the connection.
async fn send(address: std::net::SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_request_in_flight_is_finished_at_shutdown() {
    let (arrived, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, waits) = (Arc::clone(&arrived), Arc::clone(&release));
    let routes = Router::new().route(
        "/slow",
        get(move || async move {
            told.notify_one();
            waits.notified().await;
            "finished"
        }),
    );
    let listener = server::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server::serve(listener, app(routes).0, stop.clone(), Duration::from_mins(1)));

    let mut stream = send(address, "/slow").await;
    arrived.notified().await;
    stop.cancel();
    // The listener closes while the request still runs.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!serving.is_finished());
    release.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("finished"), "{answer}");
    assert!(serving.await.unwrap().unwrap(), "everything was finished");
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_shutdown() {
    let arrived = Arc::new(Notify::new());
    let told = Arc::clone(&arrived);
    let routes = Router::new().route(
        "/never",
        get(move || async move {
            told.notify_one();
            std::future::pending::<&'static str>().await
        }),
    );
    let listener = server::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server::serve(listener, app(routes).0, stop.clone(), Duration::from_millis(50)));
    let _stream = send(address, "/never").await;
    arrived.notified().await;
    stop.cancel();
    assert!(!serving.await.unwrap().unwrap());
}

#[tokio::test]
async fn the_trace_of_the_caller_goes_on() {
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
        .with_sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff)
        .build();
    let subscriber =
        tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")));
    let _guard = tracing::subscriber::set_default(subscriber);

    let routes = Router::new().route("/trace", get(|| async { trace::current_traceparent().unwrap_or_default() }));
    let (app, _) = app(routes);
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = Request::get("/trace")
        .header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"))
        .body(Body::empty())
        .unwrap();
    let (_, _, inside) = call(&app, request).await;
    assert!(inside.contains(trace_id), "{inside}");

    // Without a caller's trace a new one begins, even when nothing is recorded.
    let (_, _, fresh) = call(&app, get_request("/trace")).await;
    assert!(fresh.starts_with("00-") && !fresh.contains(trace_id), "{fresh:?}");
    let span = tracing::info_span!("job");
    trace::set_parent(&span, &fresh);
    let continued = span.in_scope(trace::current_traceparent).unwrap();
    assert_eq!(continued[..35], fresh[..35]);
    trace::set_parent(&tracing::info_span!("other"), "nonsense");
}

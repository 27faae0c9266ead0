//! `/livez`, `/readyz` and `/metrics`.
//!
//! Alive means that the process answers; ready means that every named check passes and the process
//! is not on its way out. An operator reads in words which check fails and why. `/readyz?exclude=broker` leaves the named
//! checks (separated by commas) out of the verdict: requests are answered without a broker, so that losing it must not
//! take every replica out of service.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use problem::Text;
use serde::{Deserialize, Serialize};

use crate::telemetry::Metrics;

/// Longest time for one check.
const CHECK_LIMIT: Duration = Duration::from_secs(3);

/// The result of a check in words, whichever way it went.
pub type CheckResult = Result<Text, Text>;
type CheckFn = dyn Fn() -> BoxFuture<'static, CheckResult> + Send + Sync;

/// A named condition of readiness.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    run: Arc<CheckFn>,
}

impl Check {
    /// A check with its name (`database`) and what it does.
    pub fn new<F, Fut>(name: &'static str, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CheckResult> + Send + 'static,
    {
        Self { name, run: Arc::new(move || Box::pin(run())) }
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Check({})", self.name)
    }
}

/// The state of a process as `/readyz` tells it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Readiness {
    /// Whether requests should be sent here.
    pub ready: bool,
    /// Name of the service.
    pub service: String,
    /// Version of the program.
    pub version: String,
    /// Each check.
    pub checks: Vec<CheckState>,
}

/// The state of one check.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct CheckState {
    /// Name of the check.
    pub name: String,
    /// Whether it passes.
    pub ok: bool,
    /// The state in words, Simplified Chinese.
    pub zh: String,
    /// The state in words, English.
    pub en: String,
}

/// What a process knows of its own health.
#[derive(Debug, Clone)]
pub struct Health {
    service: &'static str,
    checks: Arc<[Check]>,
    stopping: Arc<AtomicBool>,
}

impl Health {
    /// Health with these checks.
    pub fn new(service: &'static str, checks: Vec<Check>) -> Self {
        Self { service, checks: checks.into(), stopping: Arc::new(AtomicBool::new(false)) }
    }

    /// From now on the process is not ready: it finishes what it has.
    pub fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Runs all checks side by side; those named in `excluded` are told but do not decide.
    async fn readiness(&self, excluded: &[&str]) -> Readiness {
        let checks = self.checks.iter().map(|check| async {
            let result = tokio::time::timeout(CHECK_LIMIT, (check.run)()).await.unwrap_or_else(|_| {
                Err(Text::new("检查在 3 秒内没有结果", "the check gave no result within 3 seconds"))
            });
            let ok = result.is_ok();
            let text = match result {
                Ok(text) | Err(text) => text,
            };
            CheckState { name: check.name.to_owned(), ok, zh: text.zh.into_owned(), en: text.en.into_owned() }
        });
        let mut checks = futures_util::future::join_all(checks).await;
        if self.stopping.load(Ordering::Relaxed) {
            checks.push(CheckState {
                name: "lifecycle".to_owned(),
                ok: false,
                zh: "正在停机".to_owned(),
                en: "shutting down".to_owned(),
            });
        }
        Readiness {
            ready: checks.iter().all(|check| check.ok || excluded.contains(&check.name.as_str())),
            service: self.service.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            checks,
        }
    }

    /// The three routes.
    pub fn routes(self, metrics: Metrics) -> Router {
        Router::new()
            .route("/livez", get(|| async { ([(CACHE_CONTROL, "no-store")], "ok") }))
            .route("/readyz", get(readyz))
            .with_state(self)
            .route(
                "/metrics",
                get(move || async move {
                    let (media_type, text) = metrics.render();
                    ([(CONTENT_TYPE, media_type)], text)
                }),
            )
    }
}

/// What `/readyz` may be told.
#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(default)]
    exclude: String,
}

async fn readyz(State(health): State<Health>, Query(asked): Query<Asked>) -> Response {
    let readiness = health.readiness(&asked.exclude.split(',').collect::<Vec<_>>()).await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], axum::Json(readiness)).into_response()
}

//! Where the portal's pages are read from: the standby while it is fit, else the writer.
//!
//! One answer is read from one server: a version of the one with a page of the other would keep an old page under a new version.
//! The page of verification is read from the writer alone: whether a document is void must not be ten seconds old, a
//! number that was issued a moment ago must be known, and a page a second is nothing that the writer would feel.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use postgres::{Database, Standby};
use service_kit::telemetry::Metrics;
use service_kit::{Round, Worker};

use super::answer::Answer;
use super::cache::Key;
use super::{Portal, PortalError};

impl Portal {
    /// The answer for a key, see [`super::cache::Cache::answer`]; both questions go to the same server. When the
    /// standby fails, the writer is asked.
    pub(super) async fn answer<V, M>(
        &self,
        key: &Key,
        version: impl Fn(Database) -> V,
        make: impl Fn(Database, String) -> M,
    ) -> Result<Option<Arc<Answer>>, PortalError>
    where
        V: Future<Output = Result<String, sqlx::Error>>,
        M: Future<Output = Result<Option<Answer>, PortalError>>,
    {
        if let Some(standby) = &self.standby
            && let Some(database) = standby.database()
        {
            let read = self.cache.answer(key, || version(database.clone()), |current| make(database.clone(), current));
            match read.await {
                Err(PortalError::Storage(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a page is read from the writer");
                    standby.failed();
                }
                answer => return answer,
            }
        }
        let writer = &self.database;
        self.cache.answer(key, || version(writer.clone()), |current| make(writer.clone(), current)).await
    }
}

/// Measures the standby every second, and says whether it is used.
pub(crate) fn watch(standby: Arc<Standby>, metrics: &Metrics) -> Worker {
    let meter = metrics.meter();
    let lag = meter
        .f64_gauge("dudao_standby_lag_seconds")
        .with_description("How far behind the standby is at most; the last measured value while it is not used")
        .build();
    let used = meter
        .u64_gauge("dudao_standby_used")
        .with_description("Whether the portal reads from the standby: 1, or 0 when the writer answers")
        .build();
    Worker::every("portal-standby", Duration::from_secs(1), move || {
        let (standby, lag, used) = (Arc::clone(&standby), lag.clone(), used.clone());
        async move {
            let labels = [KeyValue::new("service", "publication")];
            let was_used = standby.database().is_some();
            let measured = standby.measure().await;
            used.record(u64::from(measured.is_ok()), &labels);
            match measured {
                Ok(behind) => {
                    lag.record(behind.as_secs_f64(), &labels);
                    if !was_used {
                        tracing::info!("the portal reads from the standby");
                    }
                }
                // No failure of the worker: it has measured, and the writer answers.
                Err(error) if was_used => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the portal reads from the writer");
                }
                Err(_) => {}
            }
            Ok(Round::Done)
        }
    })
}

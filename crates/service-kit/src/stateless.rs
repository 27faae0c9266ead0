//! Processes without a database and broker: the console.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigRoot, StatelessCommon, Validate};
use crate::health::{Check, Health};
use crate::http_client::{self, HttpClient};
use crate::ids::{Ids, SystemIds};
use crate::run::{WORK_LIMIT, finish, main_of, serve_all};
use crate::telemetry::{Metrics, Telemetry};
use crate::worker::Worker;
use crate::{layers, server};

/// What a process without a database may use.
#[derive(Debug, Clone)]
pub struct StatelessKit {
    /// Name of the process.
    pub name: &'static str,
    /// The way out over HTTP.
    pub http: HttpClient,
    /// Machine time.
    pub clock: Arc<dyn Clock>,
    /// Maker of identifiers.
    pub ids: Arc<dyn Ids>,
    /// Metrics of the process.
    pub metrics: Metrics,
}

/// A process without a database and broker: the console.
pub trait StatelessService: Send + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its configuration, made by [`config!`](crate::config!) over [`StatelessCommon`].
    type Config: ConfigRoot<Common = StatelessCommon> + Validate + Send + 'static;
    /// Puts its parts together.
    fn assemble(config: Self::Config, kit: StatelessKit) -> impl Future<Output = anyhow::Result<Pages>> + Send;
}

/// The parts of a process without a database.
#[derive(Debug, Default)]
pub struct Pages {
    /// Its routes; sign-in and CSRF are its own business.
    pub routes: Router,
    /// Its workers.
    pub workers: Vec<Worker>,
    /// Its conditions of readiness.
    pub checks: Vec<Check>,
}

/// The whole main function of a process without a database.
pub fn run_stateless<S: StatelessService>() -> ExitCode {
    main_of::<S::Config, _, _>(
        S::NAME,
        |config, telemetry, arguments| async move { run_pages::<S>(config, telemetry, arguments.migrate).await },
        |common| common.telemetry.clone(),
    )
}

async fn run_pages<S: StatelessService>(
    config: S::Config,
    telemetry: Telemetry,
    only_migrate: bool,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let common = config.common().clone();
    server::until_stopped(stop.clone(), async move {
        let kit = StatelessKit {
            name: S::NAME,
            http: http_client::client(&(&common.outbound).into())?,
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            metrics: telemetry.metrics().clone(),
        };
        let pages = S::assemble(config, kit.clone()).await.context("assemble")?;
        if only_migrate {
            tracing::info!("there is no database to migrate");
            return Ok(());
        }
        let health = Health::new(S::NAME, pages.checks);
        let routes = layers::around(pages.routes, &common.http, Arc::clone(&kit.ids), &kit.metrics.meter());
        let working = CancellationToken::new();
        let tasks = TaskTracker::new();
        for worker in pages.workers {
            tasks.spawn(worker.run(kit.metrics.meter(), working.clone()));
        }
        let served = serve_all(routes, health, &kit.metrics, &common.http, stop).await;
        working.cancel();
        tasks.close();
        finish("workers", WORK_LIMIT, tasks.wait()).await;
        tracing::info!("stopped");
        served
    })
    .await
}

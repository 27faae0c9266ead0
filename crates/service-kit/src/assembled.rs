//! The parts of a service and the router made of them.

use std::future::Future;
use std::sync::Arc;

use access::{Access, GuardedRouter, RouteAccess};
use axum::Router;
use axum::middleware::from_fn_with_state;
use futures_util::future::BoxFuture;
use messaging::{Broker, Consumer, Handler, JournalPublicKey};
use postgres::Database;
use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

use crate::admin::{self, AdminState};
use crate::clock::Clock;
use crate::config::{Common, ConfigRoot, HttpSection, Validate};
use crate::files::Files;
use crate::health::Check;
use crate::http_client::HttpClient;
use crate::idempotency::{self, FingerprintRules};
use crate::ids::Ids;
use crate::telemetry::Metrics;
use crate::worker::Worker;
use crate::{layers, openapi};

/// What every part of a service may use.
#[derive(Debug, Clone)]
pub struct Kit {
    /// Name of the service.
    pub name: &'static str,
    /// Its database.
    pub database: Database,
    /// The broker.
    pub broker: Broker,
    /// Tokens and policies.
    pub access: Access,
    /// The way out over HTTP.
    pub http: HttpClient,
    /// Machine time; legal time comes with the transaction.
    pub clock: Arc<dyn Clock>,
    /// Maker of identifiers.
    pub ids: Arc<dyn Ids>,
    /// Store of evidence and documents.
    pub files: Files,
    /// Metrics of the process.
    pub metrics: Metrics,
}

/// A service with a database.
pub trait Service: Send + 'static {
    /// Its name, one of the rooms of the system: `tasks`.
    const NAME: &'static str;
    /// Its configuration, made by [`config!`](crate::config!) over [`Common`].
    type Config: ConfigRoot<Common = Common> + Validate + Send + 'static;
    /// Its own migrations, applied after those of `messaging`.
    fn migrator() -> &'static Migrator;
    /// Puts its parts together. The database is migrated when this is called.
    fn assemble(config: Self::Config, kit: Kit) -> impl Future<Output = anyhow::Result<Assembled>> + Send;
}

pub(crate) type Task = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>;

/// The parts of a service.
pub struct Assembled {
    api: OpenApiRouter,
    listing: Vec<RouteAccess>,
    plain: Router,
    pub(crate) consumers: Vec<Task>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) checks: Vec<Check>,
    keyless: Vec<&'static str>,
}

impl std::fmt::Debug for Assembled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assembled")
            .field("listing", &self.listing)
            .field("consumers", &self.consumers.len())
            .field("workers", &self.workers)
            .finish_non_exhaustive()
    }
}

impl Assembled {
    /// A service with these routes over this state.
    pub fn new<S: Clone + Send + Sync + 'static>(routes: GuardedRouter<S>, state: S) -> Self {
        let listing = routes.listing().to_vec();
        Self {
            api: routes.into_openapi_router().with_state(state),
            listing,
            plain: Router::new(),
            consumers: Vec::new(),
            workers: Vec::new(),
            checks: Vec::new(),
            keyless: Vec::new(),
        }
    }

    /// Adds a consumer.
    #[must_use]
    pub fn consumer<H: Handler>(mut self, consumer: Consumer<H>) -> Self {
        self.consumers.push(Box::new(move |cancel| Box::pin(consumer.run(cancel))));
        self
    }

    /// Adds a worker.
    #[must_use]
    pub fn worker(mut self, worker: Worker) -> Self {
        self.workers.push(worker);
        self
    }

    /// Adds a condition of readiness.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Exempts the POST of a route (its path as declared) from the idempotency key, such as signing in.
    #[must_use]
    pub fn without_idempotency(mut self, path: &'static str) -> Self {
        self.keyless.push(path);
        self
    }

    /// Adds public pages that are no API, such as the portal: no permission, not in the OpenAPI document.
    #[must_use]
    pub fn public_pages(mut self, pages: Router) -> Self {
        self.plain = self.plain.merge(pages);
        self
    }

    /// Every API route with what it takes to call it.
    pub fn listing(&self) -> &[RouteAccess] {
        &self.listing
    }

    /// The workers, for tests that run them by hand.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }
}

/// The router of a service with everything around it; the same in production and in tests.
///
/// `trusted` are the keys that the journal may be signed with.
pub fn routes_of(assembled: &mut Assembled, kit: &Kit, http: &HttpSection, trusted: Arc<[JournalPublicKey]>) -> Router {
    let admin = admin::routes(kit.access.clone());
    assembled.listing.extend(admin.listing().to_vec());
    let admin = admin.into_openapi_router().with_state(AdminState { database: kit.database.clone(), trusted });
    let api = std::mem::take(&mut assembled.api).merge(admin);
    let (routes, document) = api.split_for_parts();
    let rules = FingerprintRules { exempt: assembled.keyless.clone().into() };
    // route_layer: an unknown address is 404, whether or not it came with a key.
    let routes = routes
        .route_layer(from_fn_with_state(rules, idempotency::fingerprint))
        .merge(std::mem::take(&mut assembled.plain))
        .merge(openapi::routes(kit.name, document));
    layers::around(routes, http, Arc::clone(&kit.ids), &kit.metrics.meter())
}

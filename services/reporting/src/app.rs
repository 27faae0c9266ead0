//! What handlers share, and the only list of routes.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter};
use postgres::Database;
use service_kit::Kit;
use service_kit::ids::Ids;
use tokio::sync::Semaphore;
use utoipa_axum::routes;

use crate::config::LinksSection;
use crate::{ledger, statistics};

/// Workbooks written at the same time by one process; the others wait for their turn.
const EXPORTS: usize = 2;

/// What handlers share.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The database.
    pub(crate) database: Database,
    /// Maker of identifiers, for the names of temporary files.
    pub(crate) ids: Arc<dyn Ids>,
    /// Address of the public portal.
    pub(crate) portal: Arc<str>,
    /// Turns for exports.
    pub(crate) exports: Arc<Semaphore>,
}

impl AppState {
    /// The state of a process.
    pub fn new(kit: &Kit, links: &LinksSection) -> Self {
        Self {
            database: kit.database.clone(),
            ids: Arc::clone(&kit.ids),
            portal: Arc::from(links.portal.as_str()),
            exports: Arc::new(Semaphore::new(EXPORTS)),
        }
    }
}

/// Every route with its permission.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    GuardedRouter::new(access)
        .route(Action::ReportingLedgerRead, routes!(ledger::http::list))
        .route(Action::ReportingLedgerRead, routes!(ledger::http::export))
        .route(Action::ReportingStatisticsRead, routes!(statistics::http::rectifications))
}

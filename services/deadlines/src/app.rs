//! The state of the service and the only list of its routes, each with the permission that it takes.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter, public};
use postgres::Database;
use service_kit::files::Files;
use utoipa_axum::routes;

use crate::rules::RuleSet;
use crate::{deadline, rectification, urging_order};

/// What handlers work with.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The service's database.
    pub database: Database,
    /// Store of evidence.
    pub files: Files,
    /// Rules and calendars.
    pub rules: Arc<RuleSet>,
}

/// Every route.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    use rectification::http as rectifications;
    GuardedRouter::new(access)
        .route(Action::DeadlinesRectificationRead, routes!(rectifications::list))
        .route(Action::DeadlinesRectificationRead, routes!(rectifications::show))
        .route(Action::DeadlinesEvidenceWrite, routes!(rectifications::upload))
        .route(Action::DeadlinesRectificationRead, routes!(rectifications::download))
        .route(Action::DeadlinesItemReport, routes!(rectifications::report))
        .route(Action::DeadlinesItemVerify, routes!(rectifications::verify))
        .route(Action::DeadlinesItemClose, routes!(rectifications::close_out))
        .route(Action::DeadlinesRectificationRead, routes!(deadline::http::show))
        .public(routes!(deadline::http::proof), public())
        .route(Action::DeadlinesUrgingOrderRead, routes!(urging_order::http::show))
}

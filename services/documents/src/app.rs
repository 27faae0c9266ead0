//! What handlers share, and the only list of routes.

use access::{Access, Action, GuardedRouter, RouteAccess};
use axum::Router;
use utoipa_axum::routes;

use crate::desk::Desk;
use crate::http;
use crate::press::Press;

/// The state of the handlers.
#[derive(Debug, Clone)]
pub(crate) struct AppState {
    pub(crate) press: Press,
    pub(crate) desk: Desk,
}

/// Every route with what it takes to call it.
///
/// Whoever is signed in may render a content that he holds: it gives nothing away. Trying other templates belongs to
/// those who propose changes of rules.
pub(crate) fn routes(access: Access) -> GuardedRouter<AppState> {
    GuardedRouter::new(access)
        .route(Action::AccountSelfRead, routes!(http::render))
        .route(Action::DeadlinesRuleChangePropose, routes!(http::preview))
        .route(Action::AccountSelfRead, routes!(http::list_templates))
}

/// Every route with its action, for the walk over all services' doors.
pub fn listing(access: Access) -> Vec<RouteAccess> {
    routes(access).listing().to_vec()
}

/// The routes with their description at `/openapi.json`; the layers of the service kit go around them.
pub fn router(access: Access, press: Press, desk: Desk) -> Router {
    let (routes, document) =
        routes(access).into_openapi_router().with_state(AppState { press, desk }).split_for_parts();
    routes.merge(service_kit::openapi::routes("documents", document))
}

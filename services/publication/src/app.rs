//! What handlers share, and the only list of API routes; the portal's pages are listed in [`crate::portal`].

use access::{Access, Action, GuardedRouter};
use postgres::Database;
use utoipa_axum::routes;

use crate::publication::http;

/// What handlers share.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The database.
    pub(crate) database: Database,
}

/// Every API route with its permission.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    GuardedRouter::new(access)
        .route(Action::PublicationDraftRead, routes!(http::list))
        .route(Action::PublicationDraftRead, routes!(http::show))
        .route(Action::PublicationDraftApprove, routes!(http::approve))
        .route(Action::PublicationDraftApprove, routes!(http::withdraw))
}

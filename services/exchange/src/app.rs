//! What handlers share, and the only list of routes.

use access::{Access, Action, GuardedRouter};
use postgres::Database;
use service_kit::Kit;
use utoipa_axum::routes;

use crate::message::http as message;
use crate::reconciliation::http as reconciliation;

/// The state of the handlers.
#[derive(Debug, Clone)]
pub(crate) struct AppState {
    /// The service's own database.
    pub(crate) database: Database,
}

impl AppState {
    pub(crate) fn new(kit: &Kit) -> Self {
        Self { database: kit.database.clone() }
    }
}

/// Every route with what it takes to call it.
pub(crate) fn routes(access: Access) -> GuardedRouter<AppState> {
    GuardedRouter::new(access)
        .route(Action::ExchangeMessageRead, routes!(message::list_messages))
        .route(Action::ExchangeMessageRead, routes!(message::get_message))
        .route(Action::ExchangeMessageResend, routes!(message::resend_message))
        .route(Action::ExchangeMessageRead, routes!(reconciliation::reconciliation))
}

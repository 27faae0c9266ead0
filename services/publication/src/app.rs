//! What handlers share, and the only list of API routes; the portal's pages are listed in [`crate::portal`].

use access::{Access, Action, GuardedRouter};
use postgres::Database;
use utoipa_axum::routes;

use crate::publication::http;
use crate::register::{self, rendition};

/// What handlers share.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The database.
    pub(crate) database: Database,
    /// Whose statements about files of documents are believed.
    pub(crate) rendition_keys: rendition::Keys,
}

/// Every API route with its permission.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    GuardedRouter::new(access)
        .route(Action::PublicationDraftRead, routes!(http::list))
        .route(Action::PublicationDraftRead, routes!(http::show))
        .route(Action::PublicationDraftApprove, routes!(http::approve))
        .route(Action::PublicationDraftApprove, routes!(http::withdraw))
        .route(Action::PublicationRegisterRead, routes!(register::http::document_register))
        // Whoever is signed in may hand in what the room that renders has signed: it is believed by the signature.
        .route(Action::AccountSelfRead, routes!(rendition::add_rendition))
}

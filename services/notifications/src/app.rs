//! What handlers share, and the only list of routes.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter};
use postgres::Database;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::routes;

use crate::{
    delivery,
    message::{self, Telling},
    preference, receipt,
};

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The service's database.
    pub database: Database,
    /// The rules of telling.
    pub telling: Arc<Telling>,
}

/// Every route with its permission.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    let info = InfoBuilder::new()
        .title("告知服务 notifications")
        .description(Some("站内消息、邮件送达情况和文书签收。"))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    let document = OpenApiBuilder::new().info(info).build();
    GuardedRouter::with_openapi(access, document)
        .route(Action::NotificationsInboxRead, routes!(message::http::list))
        .route(Action::NotificationsInboxRead, routes!(message::http::read))
        .route(Action::NotificationsInboxRead, routes!(preference::http::get, preference::http::put))
        .route(Action::NotificationsReceiptSign, routes!(receipt::http::list))
        .route(Action::NotificationsReceiptSign, routes!(receipt::http::sign))
        .route(Action::NotificationsDeliveryRead, routes!(delivery::http::list))
}

//! What handlers share, and the only list of routes.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter, public};
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

/// What is posted without an idempotency key: nobody is signed in, and a link works once by itself.
pub const KEYLESS: [&str; 2] = [receipt::http::LINK_SHOW, receipt::http::LINK_SIGN];

/// Every route with its permission.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    let info = InfoBuilder::new()
        .title("告知服务 notifications")
        .description(Some("站内消息、各渠道送达情况和文书签收。"))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    let document = OpenApiBuilder::new().info(info).build();
    GuardedRouter::with_openapi(access, document)
        .route(Action::NotificationsInboxRead, routes!(message::http::list))
        .route(Action::NotificationsInboxRead, routes!(message::http::read))
        .route(Action::NotificationsInboxRead, routes!(preference::http::get, preference::http::put))
        .route(Action::NotificationsReceiptSign, routes!(receipt::http::list))
        .route(Action::NotificationsReceiptSign, routes!(receipt::http::sign))
        .route(Action::NotificationsReceiptRecord, routes!(receipt::http::record_paper))
        .public(routes!(receipt::http::show_link), public())
        .public(routes!(receipt::http::sign_by_link), public())
        .route(Action::NotificationsDeliveryRead, routes!(delivery::http::list))
        .route(Action::NotificationsDeliveryRead, routes!(message::preview::preview))
        .route(Action::NotificationsDeliveryManage, routes!(delivery::http::redrive))
        .route(Action::NotificationsDeliveryManage, routes!(delivery::http::discard))
        .route(Action::NotificationsDeliveryManage, routes!(delivery::http::redrive_all))
        .route(Action::NotificationsSweepRead, routes!(delivery::http::latest_sweep))
}

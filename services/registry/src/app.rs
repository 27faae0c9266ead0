//! The state of the service and the only list of its routes.

use std::sync::Arc;

use access::{Access, Action, GuardedRouter, Permit, TokenIssuer, public};
use contracts::Actor;
use postgres::Database;
use service_kit::{client::Network, clock::Clock, ids::Ids};
use tokio::sync::Semaphore;
use utoipa_axum::routes;

use crate::{
    account, area, import, import::FileLimits, inspector, merger, sign_in, sign_in::Hasher, sign_on, sign_on::Provider,
    unit,
};

/// Files that are taken apart at the same time by one process.
const IMPORTS_AT_ONCE: usize = 2;

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) database: Database,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) issuer: Arc<TokenIssuer>,
    pub(crate) hasher: Hasher,
    pub(crate) limits: FileLimits,
    pub(crate) trusted_proxies: Arc<[Network]>,
    pub(crate) import_places: Arc<Semaphore>,
    /// The identity provider; none unless the configuration names one.
    pub sign_on: Option<Arc<Provider>>,
}

impl AppState {
    /// Puts the state together.
    pub fn try_new(
        database: Database,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        issuer: TokenIssuer,
        limits: FileLimits,
        trusted_proxies: impl IntoIterator<Item = Network>,
    ) -> problem::Result<Self> {
        Ok(Self {
            database,
            clock,
            ids,
            issuer: Arc::new(issuer),
            hasher: Hasher::try_new()?,
            limits,
            trusted_proxies: trusted_proxies.into_iter().collect(),
            import_places: Arc::new(Semaphore::new(IMPORTS_AT_ONCE)),
            sign_on: None,
        })
    }
}

/// POST routes without an idempotency key: their answers carry secrets, which must not be stored, and repeating them is
/// harmless (a further token, a newer code, a further attempt) or refused (a used code, a binding that has ended).
pub const WITHOUT_IDEMPOTENCY: [&str; 8] = [
    "/v1/sessions",
    "/v1/activations",
    "/v1/accounts/{account_id}/activation",
    "/v1/sign-on/attempts",
    "/v1/sign-on/sessions",
    "/v1/me/identity/attempts",
    "/v1/me/identity",
    "/v1/me/identity/removal",
];

/// Every route with what it takes to call it.
pub fn routes(access: Access) -> GuardedRouter<AppState> {
    GuardedRouter::new(access)
        .public(routes!(sign_in::http::create_session), public())
        .public(routes!(sign_in::http::create_activation), public())
        .public(routes!(sign_in::http::keys), public())
        .public(routes!(sign_on::http::show), public())
        .public(routes!(sign_on::http::begin), public())
        .public(routes!(sign_on::http::create_session), public())
        .route(Action::AccountSelfRead, routes!(account::http::me))
        .route(Action::AccountIdentityBind, routes!(sign_on::http::begin_own))
        .route(Action::AccountIdentityBind, routes!(sign_on::http::bind_own))
        .route(Action::AccountIdentityBind, routes!(sign_on::http::unbind_own))
        .route(Action::RegistryImportRun, routes!(import::http::create, import::http::list))
        .route(Action::RegistryImportRun, routes!(import::http::one))
        .route(Action::RegistryImportRun, routes!(merger::http::create, merger::http::list))
        .route(Action::RegistryImportRun, routes!(merger::http::withdraw))
        .route(Action::RegistryAccountManage, routes!(account::http::list))
        .route(Action::RegistryAccountManage, routes!(account::http::one))
        .route(Action::RegistryAccountManage, routes!(sign_in::http::issue))
        .route(Action::RegistryAccountManage, routes!(account::http::deactivate))
        .route(Action::RegistryAccountManage, routes!(account::http::reactivate))
        .route(Action::RegistryIdentityManage, routes!(sign_on::http::bind))
        .route(Action::RegistryIdentityManage, routes!(sign_on::http::unbind))
        .route(Action::RegistryUnitRead, routes!(area::http::list))
        .route(Action::RegistryUnitRead, routes!(unit::http::list))
        .route(Action::RegistryUnitRead, routes!(unit::http::one))
        .route(Action::RegistryUnitRead, routes!(unit::http::by_key))
        .route(Action::RegistryInspectorRead, routes!(inspector::http::list))
        .route(Action::RegistryInspectorRead, routes!(inspector::http::one))
}

/// The actor of what a caller does.
pub(crate) fn actor_of(permit: &Permit) -> Actor {
    let caller = permit.caller();
    Actor::Person { account_id: caller.account_id, name: caller.display_name.clone() }
}

//! The only list of a service's routes.

use axum::middleware::from_fn_with_state;
use http::Method;
use problem::Problem;
use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};
use utoipa::{IntoResponses, PartialSchema, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::guard::guard;
use crate::{Access, Action, Public};

/// The name of the security scheme in the OpenAPI document.
const BEARER: &str = "bearer";
/// The vendor extension that names the permission of an operation.
const PERMISSION: &str = "x-permission";

/// One route and what it takes to call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteAccess {
    /// The method.
    pub method: Method,
    /// The path with its parameters in braces.
    pub path: String,
    /// The action; `None` is public.
    pub action: Option<Action>,
}

/// A router in which every route names its action or is public by declaration. Keep one call for
/// each path: utoipa mounts all handlers of one `routes!` under every path of it.
pub struct GuardedRouter<S = ()> {
    access: Access,
    inner: OpenApiRouter<S>,
    listing: Vec<RouteAccess>,
}

impl<S> GuardedRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// A router without routes and an empty OpenAPI document.
    pub fn new(access: Access) -> Self {
        Self::with_openapi(access, OpenApi::default())
    }

    /// A router on an OpenAPI document that has its title and version already.
    pub fn with_openapi(access: Access, mut openapi: OpenApi) -> Self {
        let components = openapi.components.get_or_insert_with(Components::new);
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        components.security_schemes.insert(BEARER.to_owned(), SecurityScheme::Http(bearer).into());
        let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
        Problem::schemas(&mut schemas);
        components.schemas.extend(schemas);
        Self { access, inner: OpenApiRouter::with_openapi(openapi), listing: Vec::new() }
    }

    /// Mounts handlers behind the guard of one action.
    #[must_use]
    pub fn route(self, action: Action, routes: UtoipaMethodRouter<S>) -> Self {
        let (schemas, mut paths, methods) = routes;
        let layer = from_fn_with_state((self.access.clone(), action), guard);
        let listed = describe(&mut paths, Some(action));
        self.add(listed, (schemas, paths, methods.route_layer(layer)))
    }

    /// Mounts handlers that everyone may call. The second argument is [`crate::public`], so that a
    /// search finds every open door.
    #[must_use]
    pub fn public(self, routes: UtoipaMethodRouter<S>, _: Public) -> Self {
        let (schemas, mut paths, methods) = routes;
        let listed = describe(&mut paths, None);
        self.add(listed, (schemas, paths, methods))
    }

    /// Takes in the routes of another list.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.listing.extend(other.listing);
        self.inner = self.inner.merge(other.inner);
        self
    }

    fn add(mut self, listed: Vec<RouteAccess>, routes: UtoipaMethodRouter<S>) -> Self {
        self.listing.extend(listed);
        self.inner = self.inner.routes(routes);
        self
    }

    /// Every route with its action, in the order of mounting.
    pub fn listing(&self) -> &[RouteAccess] {
        &self.listing
    }

    /// The router for serving.
    pub fn into_openapi_router(self) -> OpenApiRouter<S> {
        self.inner
    }
}

impl<S> std::fmt::Debug for GuardedRouter<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuardedRouter").field("listing", &self.listing).finish_non_exhaustive()
    }
}

/// Writes permission, security and the common problems into each operation and lists the routes.
fn describe(paths: &mut Paths, action: Option<Action>) -> Vec<RouteAccess> {
    let mut listed = Vec::new();
    for (path, item) in &mut paths.paths {
        let operations = [
            (Method::GET, &mut item.get),
            (Method::PUT, &mut item.put),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
            (Method::OPTIONS, &mut item.options),
            (Method::HEAD, &mut item.head),
            (Method::PATCH, &mut item.patch),
            (Method::TRACE, &mut item.trace),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                describe_one(operation, action);
                listed.push(RouteAccess { method, path: path.clone(), action });
            }
        }
    }
    listed
}

fn describe_one(operation: &mut Operation, action: Option<Action>) {
    let extensions = operation.extensions.get_or_insert_default();
    let permission = action.map_or("public", Action::as_str);
    extensions.insert(PERMISSION.to_owned(), permission.into());
    operation.security = Some(match action {
        Some(_) => vec![SecurityRequirement::new(BEARER, Vec::<String>::new())],
        None => Vec::new(),
    });
    for (status, response) in Problem::responses() {
        let needs_caller = matches!(status.as_str(), "401" | "403");
        if action.is_some() || !needs_caller {
            operation.responses.responses.entry(status).or_insert(response);
        }
    }
}

//! The guard before a route and what it leaves for the handler.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use problem::Problem;

use crate::gate::missing;
use crate::{Access, Action, Caller, Resource, Scope};

/// The right to be in this handler: who calls, for which action. It is not yet the right to touch a
/// particular matter; ask [`Permit::on`].
#[derive(Debug, Clone)]
pub struct Permit {
    caller: Caller,
    action: Action,
    access: Access,
}

impl Permit {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The action of the route.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The gate, for questions about other actions (what to show on a page).
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Whether the caller may do the route's action on this resource; 403 if not.
    pub fn on(&self, resource: &Resource) -> Result<(), Problem> {
        self.access.permits(&self.caller, self.action, resource)
    }

    /// Where the caller may do the route's action, for list queries.
    pub fn scope(&self) -> Scope {
        self.access.scope(&self.caller, self.action)
    }
}

/// Fails closed: without a guard there is no permit, and the handler does not run.
impl<S: Send + Sync> FromRequestParts<S> for Permit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::internal(&Unguarded))
    }
}

/// A handler asked for a permit on a route that has no guard.
#[derive(Debug, thiserror::Error)]
#[error("route is mounted without a guard")]
struct Unguarded;

/// The middleware: authenticates, admits, inserts the [`Permit`].
pub(crate) async fn guard(
    State((access, action)): State<(Access, Action)>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match access.authenticate(request.headers(), access.now()) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    if !access.admits(&caller, action) {
        return missing(action).into_response();
    }
    request.extensions_mut().insert(Permit { caller, action, access });
    next.run(request).await
}

/// The written statement that a route is open to everyone; see
/// [`GuardedRouter::public`](crate::GuardedRouter::public).
#[derive(Debug, Clone, Copy)]
pub struct Public(());

/// Says on purpose that a route needs no sign-in.
pub fn public() -> Public {
    Public(())
}

//! The gate that services hold.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use problem::{Problem, Text};

use crate::{Action, Caller, Policies, Resource, Scope, TokenError, TokenVerifier};

/// Reads the time for tokens: machine time, not the legal clock.
type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tokens and policies together; cheap to clone.
#[derive(Clone)]
pub struct Access {
    verifier: Arc<TokenVerifier>,
    policies: Arc<Policies>,
    now: Now,
}

impl Access {
    /// An access gate. `now` gives machine time to the guards of the routes.
    pub fn new(
        verifier: TokenVerifier,
        policies: Policies,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self { verifier: Arc::new(verifier), policies: Arc::new(policies), now: Arc::new(now) }
    }

    /// The verifier, to reload its keys.
    pub fn verifier(&self) -> &TokenVerifier {
        &self.verifier
    }

    /// The policies.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Machine time as the guards see it.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The caller behind a request's bearer token; 401 when there is none that holds.
    pub fn authenticate(&self, headers: &HeaderMap, now: Timestamp) -> Result<Caller, Problem> {
        let token = bearer(headers).ok_or_else(|| {
            Problem::unauthenticated(Text::new(
                "请先登录（Authorization: Bearer …）。",
                "Sign in first (Authorization: Bearer …).",
            ))
        })?;
        self.verifier.verify(token, now).map_err(|error| {
            tracing::debug!(%error, "token refused");
            Problem::unauthenticated(match error {
                TokenError::Expired => Text::new("登录已过期，请重新登录。", "The sign-in has expired; sign in again."),
                TokenError::Malformed
                | TokenError::WrongAlgorithm
                | TokenError::UnknownKey
                | TokenError::WrongSignature
                | TokenError::WrongClaims => {
                    Text::new("登录凭证无效，请重新登录。", "The token is not valid; sign in again.")
                }
            })
        })
    }

    /// Whether the caller may do the action on this resource; 403 names the missing permission.
    pub fn permits(&self, caller: &Caller, action: Action, resource: &Resource) -> Result<(), Problem> {
        if self.policies.allow(caller, action, resource) {
            Ok(())
        } else {
            Err(missing(action).with("out_of_scope", self.admits(caller, action)))
        }
    }

    /// Whether some grant of the caller could do the action somewhere in its own scope.
    pub fn admits(&self, caller: &Caller, action: Action) -> bool {
        self.policies.admit(caller, action)
    }

    /// Where the caller may do the action.
    pub fn scope(&self, caller: &Caller, action: Action) -> Scope {
        self.policies.scope(caller, action)
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// 403 for an action.
pub(crate) fn missing(action: Action) -> Problem {
    Problem::forbidden(Text::new(
        format!("您没有此项权限：{}（{action}）。", action.zh()),
        format!("You do not have the permission to {} ({action}).", action.en()),
    ))
    .with("permission", action.as_str())
}

/// The token of a bearer header; the scheme's letter case does not matter (RFC 9110 section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

//! Who may do what: roles with scope, the actions of the system, the Cedar policies that join them,
//! tokens, and the glue that puts a permission on every route.
//!
//! Owned here: [`Role`], [`Action`], the policy text (`policies/dudao.cedar`), [`Access`] and
//! [`GuardedRouter`]. Not owned here: accounts and their grants (registry keeps them and puts them
//! into tokens), and rules about a matter's own course (who reports does not verify, who is assigned
//! to a case): those are refusals of the domain.
//!
//! How a request is judged: [`GuardedRouter`] puts a guard before each handler. The guard reads the
//! bearer token (401) and asks whether any grant could do the action at all (403). The handler takes
//! a [`Permit`], loads the matter and asks [`Permit::on`] about this very matter (403), or filters a
//! list with [`Permit::scope`]. Everything is denied unless a policy permits it; a handler that asks
//! for a [`Permit`] behind no guard fails.
//!
//! A new action: a line in `action.rs`, a line in `policies/dudao.cedarschema`, its name in the
//! policies that permit it, and the new lines of `tests/matrix.txt` read before they are accepted.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may"))]

mod action;
mod caller;
mod gate;
mod guard;
mod keys;
mod policies;
mod role;
mod router;
mod token;

pub use action::{Action, UnknownAction};
pub use caller::{Caller, Grant, Resource, Scope};
pub use gate::Access;
pub use guard::{Permit, Public, public};
pub use keys::KeyPair;
pub use policies::{POLICY_TEXT, Policies, PolicyError, SCHEMA_TEXT};
pub use role::{Role, UnknownRole};
pub use router::{GuardedRouter, RouteAccess};
pub use token::{IssuedToken, KeyError, TOKEN_LIFE, TokenError, TokenIssuer, TokenVerifier};

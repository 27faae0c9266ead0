//! Signing on (统一身份认证) at an OpenID Connect provider, beside the own accounts: authorization code with PKCE (S256), state and
//! nonce.
//!
//! The provider says who somebody is, and nothing else: roles are the register's, and so are the tokens. No account is ever made
//! by signing on; an identity (issuer and subject) must have been bound to one before. Nothing of an attempt is kept here: the
//! console keeps it in a sealed cookie of the browser that began it, and compares the state.
//!
//! Own code on `jsonwebtoken`, which the tokens use already: the crate for OpenID Connect would bring the `rsa` crate with its
//! open advisory, and a second shape of everything.

mod claims;
pub(crate) mod http;
mod identity;
mod provider;
mod session;
mod store;

pub(crate) use provider::Attempt;
pub use provider::Provider;

use std::time::Duration;

use problem::{Problem, Text};

/// Seconds after which asking a provider that was away makes sense again.
const AWAY_SECONDS: u64 = 5;

/// Why somebody is not signed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignOnError {
    /// The provider cannot be reached, or answers what cannot be used.
    #[error("the identity provider cannot be used: {0}")]
    Away(String),
    /// The code, or the ID token that came for it, is refused.
    #[error("the sign-on is refused: {0}")]
    Refused(&'static str),
}

impl From<SignOnError> for Problem {
    fn from(error: SignOnError) -> Self {
        match error {
            SignOnError::Away(_) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "nobody can sign on");
                Self::unavailable(
                    Text::new(
                        "统一身份认证暂时无法访问。请用账号和密码登录，或者稍后重试。",
                        "The sign-on cannot be reached at the moment. Sign in with account and password, or try again later.",
                    ),
                    Duration::from_secs(AWAY_SECONDS),
                )
            }
            SignOnError::Refused(_) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a sign-on was refused");
                Self::unauthenticated(Text::new(
                    "统一身份认证的应答无效或已过期，请重新登录；如果一直如此，请联系系统运维人员。",
                    "The answer of the sign-on is not valid or has expired; sign on again. If it stays so, tell the operators.",
                ))
            }
        }
    }
}

/// 409 where the installation has no sign-on.
fn not_configured() -> Problem {
    Problem::state_refuses(
        Text::new("本系统没有启用统一身份认证。", "This installation has no sign-on."),
        "not_configured",
    )
}

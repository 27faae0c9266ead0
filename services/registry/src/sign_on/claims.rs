//! What an ID token must say.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::SignOnError;

/// Signatures that are believed: with a key pair, never with a shared secret.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far the provider's clock may be from ours, in seconds.
const LEEWAY: i64 = 60;
/// Longest subject (OpenID Connect Core, 2).
const SUBJECT_MAX: usize = 255;

#[derive(Debug, Deserialize)]
struct Claims {
    aud: Value,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// What is expected of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    /// Name of the claim that says who it is.
    pub subject_claim: &'a str,
}

/// The subject of an ID token whose key is known; refuses whatever was not made for this very attempt.
pub(super) fn subject_of(
    token: &str,
    algorithm: Algorithm,
    key: &DecodingKey,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<String, SignOnError> {
    let mut validation = Validation::new(algorithm);
    // Times are checked against the given moment below, not by the library's own clock.
    validation.validate_exp = false;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|error| refused(&error))?.claims;
    let ours = claims.azp.as_deref().is_none_or(|party| party == expected.client_id);
    let shared = claims.aud.as_array().is_some_and(|all| all.len() > 1);
    if !ours || (shared && claims.azp.is_none()) {
        return Err(SignOnError::Refused("the token was made for another client"));
    }
    let now = now.as_second();
    if now.saturating_sub(LEEWAY) >= claims.exp {
        return Err(SignOnError::Refused("the token has expired"));
    }
    if claims.iat > now.saturating_add(LEEWAY) {
        return Err(SignOnError::Refused("the token comes from the future"));
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(SignOnError::Refused("the token belongs to another attempt (nonce)"));
    }
    let subject = claims.more.get(expected.subject_claim).and_then(Value::as_str).unwrap_or_default();
    if subject.is_empty() || subject.len() > SUBJECT_MAX || subject.contains(char::is_control) {
        return Err(SignOnError::Refused("the token does not say who it is (oidc.subject_claim)"));
    }
    Ok(subject.to_owned())
}

fn refused(error: &jsonwebtoken::errors::Error) -> SignOnError {
    use jsonwebtoken::errors::ErrorKind;
    SignOnError::Refused(match error.kind() {
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::InvalidIssuer => "the token comes from another issuer",
        ErrorKind::InvalidAudience => "the token was made for another client",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks a claim",
        _ => "the token cannot be read",
    })
}

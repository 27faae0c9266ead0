//! Tokens: made by the registry, checked by every service.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use domain::ids::{AccountId, PersonId, UnitId};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Caller, Grant};

/// How long a token holds.
pub const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(8);
/// How far the clocks of two machines may differ before a token counts as from the future.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);
/// Issuer and audience: tokens are for this system alone.
const DUDAO: &str = "dudao";
/// A token longer than this is none of ours; it keeps the parser from feeding on anything.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file or folder cannot be read.
    #[error("cannot read keys at {path}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is no Ed25519 key in PEM or JWK form.
    #[error("{0} holds no usable Ed25519 key")]
    Unusable(String),
    /// Two keys with one id.
    #[error("key id {0} occurs twice")]
    Twice(String),
    /// No key at all: every request would be refused.
    #[error("no public key found at {0}")]
    Empty(PathBuf),
    /// The machine could not make a key.
    #[error("cannot generate a key")]
    Generate,
    /// The claims could not be signed.
    #[error("cannot sign a token")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not a token.
    #[error("token is malformed")]
    Malformed,
    /// Signed otherwise than by Ed25519, or not at all.
    #[error("token is signed with another algorithm")]
    WrongAlgorithm,
    /// Its key id is not among the public keys.
    #[error("token names an unknown key")]
    UnknownKey,
    /// The signature does not fit.
    #[error("token signature does not fit")]
    WrongSignature,
    /// Issuer, audience, times or caller do not fit.
    #[error("token claims do not fit")]
    WrongClaims,
    /// Its time is over.
    #[error("token has expired")]
    Expired,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: AccountId,
    iat: i64,
    exp: i64,
    jti: Uuid,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person_id: Option<PersonId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit_id: Option<UnitId>,
    #[serde(default)]
    grants: Vec<Grant>,
}

/// A token and when it ends.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The compact form for the `Authorization` header.
    pub token: String,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
}

/// Signs tokens; only the registry has one.
pub struct TokenIssuer {
    kid: String,
    key: EncodingKey,
}

impl TokenIssuer {
    /// Reads the private key (PKCS #8 PEM) from a file; its key id is the name of the file without
    /// its ending, as in the folder of public keys.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Self::from_pem(&stem(path), &read(path)?)
    }

    /// An issuer from a private key in PEM form.
    pub fn from_pem(kid: &str, pem: &str) -> Result<Self, KeyError> {
        let unusable = || KeyError::Unusable(format!("private key {kid}"));
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| unusable())?;
        let issuer = Self { kid: kid.to_owned(), key };
        // The library reads the key itself only when it signs; a bad one shall be found at start.
        jsonwebtoken::crypto::sign(b"", &issuer.key, Algorithm::EdDSA).map_err(|_| unusable())?;
        Ok(issuer)
    }

    /// The key id that goes into the header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a JWK set, for publication. Only keys of version 1 of PKCS #8 know theirs.
    pub fn jwks(&self) -> Result<JwkSet, KeyError> {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::EdDSA)
            .map_err(|_| KeyError::Unusable(format!("private key {}", self.kid)))?;
        jwk.common.key_id = Some(self.kid.clone());
        Ok(JwkSet { keys: vec![jwk] })
    }

    /// A token for the caller from `now` on, with a unique id.
    pub fn issue(&self, caller: &Caller, token_id: Uuid, now: Timestamp) -> Result<IssuedToken, KeyError> {
        self.issue_for(caller, token_id, now, TOKEN_LIFE)
    }

    /// The same for a shorter time, in whole seconds: because the caller's rights are known to end.
    pub fn issue_for(
        &self,
        caller: &Caller,
        token_id: Uuid,
        now: Timestamp,
        life: SignedDuration,
    ) -> Result<IssuedToken, KeyError> {
        let iat = now.as_second();
        let exp = iat.saturating_add(life.as_secs());
        let claims = Claims {
            iss: DUDAO.to_owned(),
            aud: DUDAO.to_owned(),
            sub: caller.account_id,
            iat,
            exp,
            jti: token_id,
            name: caller.display_name.clone(),
            person_id: caller.person_id,
            unit_id: caller.unit_id,
            grants: caller.grants.clone(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &self.key).map_err(KeyError::Sign)?;
        let expires_at = Timestamp::from_second(exp).unwrap_or(Timestamp::MAX);
        Ok(IssuedToken { token, expires_at })
    }
}

impl std::fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenIssuer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

type Keys = HashMap<String, DecodingKey>;

/// Checks tokens against the public keys; several at once, so that keys can rotate.
pub struct TokenVerifier {
    source: Option<PathBuf>,
    keys: RwLock<Arc<Keys>>,
}

impl TokenVerifier {
    /// Reads public keys from a folder or a file: `<kid>.pem` (one key, the name is the key id) or
    /// `*.json` (a JWK set).
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        Ok(Self { keys: RwLock::new(Arc::new(read_keys(path)?)), source: Some(path.to_owned()) })
    }

    /// A verifier for one public key in PEM form.
    pub fn from_pem(kid: &str, pem: &str) -> Result<Self, KeyError> {
        let keys = HashMap::from([(kid.to_owned(), public_key(kid, pem)?)]);
        Ok(Self { keys: RwLock::new(Arc::new(keys)), source: None })
    }

    /// Reads the keys again; on an error the known ones stay in force.
    pub fn reload(&self) -> Result<(), KeyError> {
        if let Some(path) = &self.source {
            let keys = Arc::new(read_keys(path)?);
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        }
        Ok(())
    }

    /// The key ids in force, in order.
    pub fn kids(&self) -> Vec<String> {
        let mut kids: Vec<String> = self.current().keys().cloned().collect();
        kids.sort();
        kids
    }

    fn current(&self) -> Arc<Keys> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys)
    }

    /// The caller that a token speaks for at machine time `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        // An algorithm the library does not know (such as `none`) fails here already.
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        if header.alg != Algorithm::EdDSA {
            return Err(TokenError::WrongAlgorithm);
        }
        let keys = self.current();
        let key = header.kid.and_then(|kid| keys.get(&kid).cloned()).ok_or(TokenError::UnknownKey)?;
        let claims =
            jsonwebtoken::decode::<Claims>(token, &key, &validation()).map_err(|error| refused(&error))?.claims;
        check_times(&claims, now)?;
        Ok(Caller {
            account_id: claims.sub,
            display_name: claims.name,
            person_id: claims.person_id,
            unit_id: claims.unit_id,
            grants: claims.grants,
        })
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier").field("kids", &self.kids()).finish_non_exhaustive()
    }
}

/// Times are checked by [`check_times`] against the given moment, not by the library's own clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_issuer(&[DUDAO]);
    validation.set_audience(&[DUDAO]);
    validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
    validation
}

fn refused(error: &jsonwebtoken::errors::Error) -> TokenError {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => TokenError::WrongSignature,
        ErrorKind::InvalidAlgorithm => TokenError::WrongAlgorithm,
        ErrorKind::InvalidToken | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => TokenError::Malformed,
        _ => TokenError::WrongClaims,
    }
}

/// Not over, not from the future, and not longer than we ever issue.
fn check_times(claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
    let now = now.as_second();
    if now >= claims.exp {
        return Err(TokenError::Expired);
    }
    let from_the_future = claims.iat > now.saturating_add(CLOCK_SKEW.as_secs());
    let too_long = claims.exp.saturating_sub(claims.iat) > TOKEN_LIFE.as_secs();
    if from_the_future || too_long {
        return Err(TokenError::WrongClaims);
    }
    Ok(())
}

fn read_keys(path: &Path) -> Result<Keys, KeyError> {
    let failed = |source| KeyError::Read { path: path.to_owned(), source };
    let mut files = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(failed)? {
            files.push(entry.map_err(failed)?.path());
        }
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    let mut keys = Keys::new();
    for file in files {
        let found = match file.extension().and_then(|ending| ending.to_str()) {
            Some("pem") => vec![(stem(&file), public_key(&stem(&file), &read(&file)?)?)],
            Some("json") => jwk_keys(&file, &read(&file)?)?,
            // A folder of mounted secrets holds other entries too.
            Some(_) | None => Vec::new(),
        };
        for (kid, key) in found {
            if keys.insert(kid.clone(), key).is_some() {
                return Err(KeyError::Twice(kid));
            }
        }
    }
    if keys.is_empty() {
        return Err(KeyError::Empty(path.to_owned()));
    }
    Ok(keys)
}

fn public_key(kid: &str, pem: &str) -> Result<DecodingKey, KeyError> {
    DecodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| KeyError::Unusable(format!("public key {kid}")))
}

fn jwk_keys(file: &Path, text: &str) -> Result<Vec<(String, DecodingKey)>, KeyError> {
    let unusable = || KeyError::Unusable(file.display().to_string());
    let set: JwkSet = serde_json::from_str(text).map_err(|_| unusable())?;
    set.keys
        .iter()
        .map(|jwk| {
            let is_ed25519 = matches!(&jwk.algorithm,
                AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519);
            let kid = jwk.common.key_id.clone().filter(|_| is_ed25519);
            let key = DecodingKey::from_jwk(jwk).map_err(|_| unusable())?;
            Ok((kid.ok_or_else(unusable)?, key))
        })
        .collect()
}

fn read(path: &Path) -> Result<String, KeyError> {
    std::fs::read_to_string(path).map_err(|source| KeyError::Read { path: path.to_owned(), source })
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

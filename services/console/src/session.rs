//! Who is signed in: the token in an encrypted cookie.
//!
//! The cookie is the only place where the token is kept. It is sealed with AES-256-GCM under a key made from the secret
//! of the configuration, so the browser can neither read nor change it; it is HttpOnly and SameSite=Lax.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use access::{Caller, Grant};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use axum::extract::FromRequestParts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{AccountId, PersonId, UnitId};
use http::request::Parts;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use service_kit::client::client_address;
use sha2::{Digest as _, Sha256};

use crate::api::{Failure, Line};
use crate::app::AppState;
use crate::texts::{Lang, Texts};

/// Shortest secret for the cookie's key, in characters.
pub const SECRET_MINIMUM: usize = 32;
/// Browsers keep at most 4,096 bytes of a cookie.
const COOKIE_MAXIMUM: usize = 3800;
/// Name of the cookie with the language.
pub const LANGUAGE_COOKIE: &str = "dudao_lang";

/// What the cookie keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sealed {
    token: String,
    expires_at: Timestamp,
    /// Missing in cookies of the version before.
    #[serde(default)]
    signed_on: bool,
}

/// A sign-in that holds.
#[derive(Clone)]
pub struct Session {
    /// The token for the services.
    token: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Who it is.
    pub caller: Caller,
    /// Whether it came by the government's sign-on, where there is then a session to end as well.
    pub signed_on: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("account_id", &self.caller.account_id).finish_non_exhaustive()
    }
}

impl Session {
    /// A session from the registry's answer; `None` when the token is not one of ours.
    pub fn of(token: String, expires_at: Timestamp) -> Option<Self> {
        let caller = caller_of(&token)?;
        Some(Self { token, expires_at, caller, signed_on: false })
    }

    /// A session from the registry's answer to whoever signs in; `None` when nobody understands it.
    pub fn of_answer(answer: &serde_json::Value, signed_on: bool) -> Option<Self> {
        let text = |name: &str| answer.get(name).and_then(serde_json::Value::as_str);
        let session = Self::of(text("token")?.to_owned(), text("expires_at")?.parse().ok()?)?;
        Some(Self { signed_on, ..session })
    }

    /// Its token, for the way to the services.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

/// The claims that pages use. The services check the signature; here the cookie's seal vouches for the token.
#[derive(Deserialize)]
struct Claims {
    sub: AccountId,
    name: String,
    person_id: Option<PersonId>,
    unit_id: Option<UnitId>,
    #[serde(default)]
    grants: Vec<Grant>,
}

fn caller_of(token: &str) -> Option<Caller> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    Some(Caller {
        account_id: claims.sub,
        display_name: claims.name,
        person_id: claims.person_id,
        unit_id: claims.unit_id,
        grants: claims.grants,
    })
}

/// Why there is no sealer or no cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key or the cipher failed.
    #[error("the cookie's cipher failed")]
    Cipher,
    /// The account has so many grants that no browser keeps the cookie.
    #[error("the session does not fit into a cookie")]
    TooLong,
}

/// Seals and opens the cookie.
pub struct Sealer {
    /// The first seals, each opens.
    keys: Vec<RandomizedNonceKey>,
    secure: bool,
}

/// The secrets of a key file, one a line: the first seals cookies, each of them opens. While the secret is being changed both
/// stand there, so that nobody has to sign in again.
pub fn secrets(file: &str) -> impl Iterator<Item = &str> {
    file.lines().map(str::trim).filter(|line| !line.is_empty())
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("secure", &self.secure).finish_non_exhaustive()
    }
}

impl Sealer {
    /// A sealer with the keys of a file's [`secrets`]. `secure` for consoles that are reached by HTTPS.
    pub fn new(file: &str, secure: bool) -> Result<Self, SealError> {
        let key = |secret: &str| {
            let key =
                Sha256::new().chain_update(b"dudao console session 1\0").chain_update(secret.as_bytes()).finalize();
            RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| SealError::Cipher)
        };
        let keys = secrets(file).map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(SealError::Cipher) } else { Ok(Self { keys, secure }) }
    }

    /// Name of the cookie. The prefix makes browsers insist on HTTPS and on this very host.
    pub fn name(&self) -> &'static str {
        if self.secure { "__Host-dudao_session" } else { "dudao_session" }
    }

    /// Name of the cookie with an attempt to sign on.
    pub fn attempt_name(&self) -> &'static str {
        if self.secure { "__Host-dudao_sign_on" } else { "dudao_sign_on" }
    }

    /// The cookie of a session; it ends with the browser, and with the token in any case.
    pub fn cookie(&self, session: &Session) -> Result<Cookie<'static>, SealError> {
        let sealed =
            Sealed { token: session.token.clone(), expires_at: session.expires_at, signed_on: session.signed_on };
        self.sealed(self.name(), &sealed)
    }

    /// A sealed cookie of a name; it opens under that name alone.
    pub(crate) fn sealed<T: Serialize>(&self, name: &'static str, value: &T) -> Result<Cookie<'static>, SealError> {
        let mut bytes = serde_json::to_vec(value).map_err(|_| SealError::Cipher)?;
        let key = self.keys.first().ok_or(SealError::Cipher)?;
        let nonce = key.seal_in_place_append_tag(Aad::from(name), &mut bytes).map_err(|_| SealError::Cipher)?;
        let mut whole = nonce.as_ref().to_vec();
        whole.extend_from_slice(&bytes);
        let value = URL_SAFE_NO_PAD.encode(whole);
        if value.len() > COOKIE_MAXIMUM {
            return Err(SealError::TooLong);
        }
        Ok(self.shape(name, value))
    }

    /// What a sealed cookie keeps; `None` when it is missing, changed or of another key.
    pub(crate) fn unsealed<T: DeserializeOwned>(&self, name: &'static str, jar: &CookieJar) -> Option<T> {
        let whole = URL_SAFE_NO_PAD.decode(jar.get(name)?.value()).ok()?;
        let (nonce, rest) = whole.split_at_checked(NONCE_LEN)?;
        self.keys.iter().find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut rest = rest.to_vec();
            serde_json::from_slice(key.open_in_place(nonce, Aad::from(name), &mut rest).ok()?).ok()
        })
    }

    /// The cookie that ends a session.
    pub fn removal(&self) -> Cookie<'static> {
        self.removal_of(self.name())
    }

    /// The cookie that removes another one.
    pub(crate) fn removal_of(&self, name: &'static str) -> Cookie<'static> {
        let mut cookie = self.shape(name, String::new());
        cookie.make_removal();
        cookie
    }

    fn shape(&self, name: &'static str, value: String) -> Cookie<'static> {
        Cookie::build((name, value)).path("/").http_only(true).secure(self.secure).same_site(SameSite::Lax).build()
    }

    /// The session of a cookie; `None` when it is missing, changed, of another key or over.
    pub fn open(&self, jar: &CookieJar, now: Timestamp) -> Option<Session> {
        let sealed: Sealed = self.unsealed(self.name(), jar)?;
        let session = Session::of(sealed.token, sealed.expires_at).filter(|session| session.expires_at > now)?;
        Some(Session { signed_on: sealed.signed_on, ..session })
    }
}

/// A page's surroundings: who asks, in which language, and the way to the services.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The parts of the console.
    pub app: AppState,
    /// Who is signed in.
    pub session: Arc<Session>,
    /// The language of the page.
    pub lang: Lang,
    /// Where the person sits, where that is known.
    pub client: Option<IpAddr>,
    /// The path and query asked for.
    pub path: Arc<str>,
    /// What to say first on the page: the key after a form was accepted.
    pub done: Option<Arc<str>>,
}

impl Ctx {
    /// The way to the services.
    pub fn line(&self) -> Line<'_> {
        self.app.api.line(Some(&self.session.token), self.lang).for_client(self.client)
    }

    /// The words of the page.
    pub fn texts(&self) -> &'static Texts {
        self.app.catalogue.texts(self.lang)
    }

    /// Whether the caller could do the action at all.
    pub fn may(&self, action: access::Action) -> bool {
        self.app.permissions.of(&self.session.caller).contains(&action)
    }
}

/// The language of a request.
pub fn lang_of(jar: &CookieJar) -> Lang {
    jar.get(LANGUAGE_COOKIE).and_then(|cookie| Lang::of_tag(cookie.value())).unwrap_or_default()
}

impl FromRequestParts<AppState> for Ctx {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Failure> {
        let jar = CookieJar::from_headers(&parts.headers);
        let session = app.sealer.open(&jar, app.clock.now()).ok_or(Failure::SignedOut)?;
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let done = parts.uri.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("done=")));
        let plain = |key: &&str| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        Ok(Self {
            app: app.clone(),
            session: Arc::new(session),
            lang: lang_of(&jar),
            client: client_address(&parts.extensions, &parts.headers, &app.trusted_proxies),
            path: path.into(),
            done: done.filter(plain).map(|key| format!("done.{key}").into()),
        })
    }
}

/// Where a person sits who is not signed in.
#[derive(Debug, Clone, Copy)]
pub struct Client(pub Option<IpAddr>);

impl FromRequestParts<AppState> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Infallible> {
        Ok(Self(client_address(&parts.extensions, &parts.headers, &app.trusted_proxies)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-02T01:00:00Z";

    fn session() -> Session {
        let caller = testkit::caller(access::Role::Inspector, None, None);
        Session::of(testkit::token(&caller), "2026-03-02T09:00:00Z".parse().unwrap()).unwrap()
    }

    fn opened(sealer: &Sealer, name: &'static str, value: String, now: &str) -> Option<Session> {
        sealer.open(&CookieJar::new().add(Cookie::new(name, value)), now.parse().unwrap())
    }

    #[test]
    fn a_cookie_opens_only_whole_in_time_and_with_its_key() {
        let sealer = Sealer::new("0123456789abcdef0123456789abcdef", true).unwrap();
        let session = session();
        let cookie = sealer.cookie(&session).unwrap();
        let value = cookie.value().to_owned();
        let same = opened(&sealer, sealer.name(), value.clone(), NOW).unwrap();
        assert_eq!(same.caller, session.caller);
        assert!(opened(&sealer, sealer.name(), value.clone(), "2026-03-02T09:00:00Z").is_none(), "over");
        let mut changed = URL_SAFE_NO_PAD.decode(&value).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        assert!(opened(&sealer, sealer.name(), URL_SAFE_NO_PAD.encode(changed), NOW).is_none(), "changed");
        let other = Sealer::new("another secret, another secret, 1", true).unwrap();
        assert!(opened(&other, other.name(), value.clone(), NOW).is_none(), "other key");
        let both = Sealer::new("another secret, another secret, 1\n0123456789abcdef0123456789abcdef\n", true).unwrap();
        assert!(opened(&both, both.name(), value.clone(), NOW).is_some(), "the former key opens");
        let newer = both.cookie(&session).unwrap().value().to_owned();
        assert!(opened(&other, other.name(), newer.clone(), NOW).is_some(), "the first key seals");
        assert!(opened(&sealer, sealer.name(), newer, NOW).is_none(), "and no other");
        let plain = Sealer::new("0123456789abcdef0123456789abcdef", false).unwrap();
        assert!(opened(&plain, plain.name(), value.clone(), NOW).is_none(), "the cookie of another mode");
        assert!(opened(&sealer, sealer.name(), "x".to_owned(), NOW).is_none(), "too short");
        assert!(!value.contains(&session.token), "nobody reads the token in it");
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_other_sites() {
        let secure = Sealer::new("0123456789abcdef0123456789abcdef", true).unwrap();
        let cookie = secure.cookie(&session()).unwrap();
        assert_eq!(cookie.http_only(), Some(true));
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        assert_eq!(cookie.secure(), Some(true));
        assert_eq!(cookie.path(), Some("/"));
        assert!(cookie.name().starts_with("__Host-"));
        let plain = Sealer::new("0123456789abcdef0123456789abcdef", false).unwrap();
        assert_ne!(plain.cookie(&session()).unwrap().secure(), Some(true));
    }

    #[test]
    fn a_session_shows_no_token() {
        let session = session();
        assert!(!format!("{session:?}").contains(&session.token));
    }

    #[test]
    fn an_account_with_too_many_grants_is_told_so() {
        let mut caller = testkit::caller(access::Role::Inspector, None, None);
        let grant = caller.grants[0].clone();
        caller.grants = vec![grant; 200];
        let session = Session::of(testkit::token(&caller), NOW.parse().unwrap()).unwrap();
        let sealer = Sealer::new("0123456789abcdef0123456789abcdef", true).unwrap();
        assert_eq!(sealer.cookie(&session).unwrap_err(), SealError::TooLong);
    }
}

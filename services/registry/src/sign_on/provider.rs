//! The identity provider: what it says about itself, its keys, the exchange of a code.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use problem::Problem;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service_kit::http_client::{HttpClient, HttpClientOptions, OutboundError, client};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::SignOnError;
use super::claims::{ALGORITHMS, Expected, subject_of};
use crate::config::OidcSection;

/// After this time document and keys are read again, so that a key that the provider took back is not believed for ever.
const READ_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// A key that nobody knows makes us look for new ones, but no more often than this: tokens are made by anyone.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// How long a failure is remembered, so that nobody waits behind somebody else's attempt.
const AWAY: SignedDuration = SignedDuration::from_secs(super::AWAY_SECONDS.cast_signed());
/// Largest answer that is read, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// One attempt to sign on. The console keeps it in the browser's sealed cookie.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Where the browser goes.
    pub address: String,
    /// Comes back beside the code.
    pub state: String,
    /// Comes back inside the ID token.
    pub nonce: String,
    /// Proves at the exchange that the code was asked for by us (PKCE).
    pub verifier: String,
}

/// What the provider says about itself (OpenID Connect Discovery).
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Debug)]
struct Known {
    metadata: Metadata,
    keys: Vec<Jwk>,
    read_at: Timestamp,
}

#[derive(Debug, Default)]
struct Memory {
    known: Option<Arc<Known>>,
    failed_at: Option<Timestamp>,
}

/// The provider of the configuration.
#[derive(Debug)]
pub struct Provider {
    settings: OidcSection,
    http: HttpClient,
    memory: Mutex<Memory>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

impl Provider {
    /// A provider that is asked when somebody signs on, not before: it may be away when the service starts. The issuer's host is
    /// the only one that the service may ask.
    pub fn try_new(settings: &OidcSection) -> Result<Self, OutboundError> {
        let issuer = Url::parse(&settings.issuer).map_err(|error| OutboundError::Address(error.to_string()))?;
        let host = issuer.host_str().unwrap_or_default();
        let port = issuer.port_or_known_default().unwrap_or_default();
        let http = client(&HttpClientOptions {
            allowed_hosts: vec![format!("{host}:{port}")],
            // It usually stands in the same network.
            allow_private_addresses: true,
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            authority_file: settings.authority_file.clone(),
        })?;
        Ok(Self { settings: settings.clone(), http, memory: Mutex::default() })
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &OidcSection {
        &self.settings
    }

    /// Begins an attempt.
    pub(crate) async fn begin(&self, now: Timestamp) -> Result<Attempt, Problem> {
        let known = self.known(now, READ_AGAIN).await?;
        let (state, nonce, verifier) = (random_text()?, random_text()?, random_text()?);
        let mut address = self.own(&known.metadata.authorization_endpoint)?;
        let scope = std::iter::once("openid").chain(self.settings.scopes.iter().map(String::as_str));
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", &scope.collect::<Vec<_>>().join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)))
            .append_pair("code_challenge_method", "S256");
        Ok(Attempt { address: address.into(), state, nonce, verifier })
    }

    /// Where a browser ends its session at the provider, when that is known already: nobody waits for it.
    pub(crate) fn end_session(&self) -> Option<String> {
        let memory = self.memory.try_lock().ok()?;
        let mut address = self.own(memory.known.as_ref()?.metadata.end_session_endpoint.as_deref()?).ok()?;
        let mut back = Url::parse(&self.settings.redirect_uri).ok()?;
        back.set_path("/sign-in");
        address
            .query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", back.as_str());
        Some(address.into())
    }

    /// The subject that a code stands for.
    pub(crate) async fn subject(
        &self,
        code: &str,
        nonce: &str,
        verifier: &str,
        now: Timestamp,
    ) -> Result<String, SignOnError> {
        let token = self.exchange(code, verifier, now).await?;
        let header =
            jsonwebtoken::decode_header(&token).map_err(|_| SignOnError::Refused("the token cannot be read"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(SignOnError::Refused("the token's algorithm is not believed"));
        }
        let key = self.key(header.kid.as_deref(), header.alg, now).await?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce,
            subject_claim: &self.settings.subject_claim,
        };
        subject_of(&token, header.alg, &key, &expected, now)
    }

    async fn exchange(&self, code: &str, verifier: &str, now: Timestamp) -> Result<String, SignOnError> {
        let known = self.known(now, READ_AGAIN).await?;
        let (id, secret) = (&self.settings.client_id, self.settings.client_secret_file.expose());
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.settings.redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = self.http.post(&known.metadata.token_endpoint).map_err(away)?;
        let methods = &known.metadata.token_endpoint_auth_methods_supported;
        let in_form = !methods.is_empty() && !methods.iter().any(|method| method == "client_secret_basic");
        if in_form {
            form.extend([("client_id", id.as_str()), ("client_secret", secret)]);
        } else {
            // The two are form-encoded inside (RFC 6749, 2.3.1).
            request = request.basic_auth(encoded(id), Some(encoded(secret)));
        }
        let answer = request.form(&form).send().await.map_err(away)?;
        let status = answer.status();
        let body = read(answer).await?;
        if status.is_success() {
            let answer: TokenAnswer = serde_json::from_slice(&body).map_err(away)?;
            return answer.id_token.ok_or(SignOnError::Refused("no ID token came for the code"));
        }
        let refusal = serde_json::from_slice::<TokenRefusal>(&body).ok();
        if matches!(status, StatusCode::BAD_REQUEST) && refusal.as_ref().is_some_and(|r| r.error == "invalid_grant") {
            return Err(SignOnError::Refused("the provider refused the code"));
        }
        // Client, secret or redirect address are wrong: a matter of the two configurations, not of the person.
        let reason = refusal.map_or_else(String::new, |refusal| refusal.error);
        let reason: String = reason.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
        Err(SignOnError::Away(format!("the exchange of the code was answered {status} {reason}")))
    }

    /// The key of a token; looks for new ones when it is unknown.
    async fn key(&self, kid: Option<&str>, algorithm: Algorithm, now: Timestamp) -> Result<DecodingKey, SignOnError> {
        let mut known = self.known(now, READ_AGAIN).await?;
        if chosen(&known.keys, kid, algorithm).is_none() {
            known = self.known(now, LOOK_AGAIN).await?;
        }
        let jwk =
            chosen(&known.keys, kid, algorithm).ok_or(SignOnError::Refused("the token's key is not the provider's"))?;
        DecodingKey::from_jwk(jwk).map_err(|_| SignOnError::Refused("the token's key cannot be used"))
    }

    /// Document and keys, no older than `age`.
    async fn known(&self, now: Timestamp, age: SignedDuration) -> Result<Arc<Known>, SignOnError> {
        let mut memory = self.memory.lock().await;
        if let Some(known) = memory.known.as_ref().filter(|known| now.duration_since(known.read_at) < age) {
            return Ok(Arc::clone(known));
        }
        if memory.failed_at.is_some_and(|failed| now.duration_since(failed) < AWAY) {
            return Err(SignOnError::Away("it did not answer a moment ago".to_owned()));
        }
        match self.read_all(now).await {
            Ok(known) => {
                let known = Arc::new(known);
                *memory = Memory { known: Some(Arc::clone(&known)), failed_at: None };
                Ok(known)
            }
            Err(error) => {
                memory.failed_at = Some(now);
                Err(error)
            }
        }
    }

    async fn read_all(&self, now: Timestamp) -> Result<Known, SignOnError> {
        let issuer = &self.settings.issuer;
        let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = self.fetch(&document).await?;
        if metadata.issuer != *issuer {
            return Err(SignOnError::Away(format!(
                "it calls itself {}, and oidc.issuer says {issuer}",
                metadata.issuer
            )));
        }
        let set: KeySet = self.fetch(&metadata.jwks_uri).await?;
        // Keys of kinds that are not known here are no reason to refuse the others.
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Known { metadata, keys, read_at: now })
    }

    async fn fetch<T: DeserializeOwned>(&self, address: &str) -> Result<T, SignOnError> {
        let answer = self.http.get(address).map_err(away)?.send().await.map_err(away)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(SignOnError::Away(format!("{address} was answered {status}")));
        }
        serde_json::from_slice(&read(answer).await?).map_err(away)
    }

    /// An address of the document, which must lie at the issuer's own host: browsers are sent there.
    fn own(&self, address: &str) -> Result<Url, SignOnError> {
        let (issuer, url) = (Url::parse(&self.settings.issuer).map_err(away)?, Url::parse(address).map_err(away)?);
        let same = url.origin() == issuer.origin();
        if same { Ok(url) } else { Err(SignOnError::Away(format!("{address} is not at the issuer's host"))) }
    }
}

/// The key for signatures that a token names, or the only one when it names none.
fn chosen<'a>(keys: &'a [Jwk], kid: Option<&str>, algorithm: Algorithm) -> Option<&'a Jwk> {
    let mut fitting = keys.iter().filter(|key| {
        let fits = match key.algorithm {
            AlgorithmParameters::RSA(_) => matches!(
                algorithm,
                Algorithm::RS256
                    | Algorithm::RS384
                    | Algorithm::RS512
                    | Algorithm::PS256
                    | Algorithm::PS384
                    | Algorithm::PS512
            ),
            AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, Algorithm::ES256 | Algorithm::ES384),
            AlgorithmParameters::OctetKeyPair(_) => matches!(algorithm, Algorithm::EdDSA),
            _ => false,
        };
        let signs = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
        let meant = key.common.key_algorithm.is_none_or(|meant| meant == KeyAlgorithm::from(algorithm));
        fits && signs && meant
    });
    match kid {
        Some(kid) => fitting.find(|key| key.common.key_id.as_deref() == Some(kid)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, SignOnError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(away)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_MAX {
            return Err(SignOnError::Away("its answer is too long".to_owned()));
        }
    }
    Ok(body)
}

/// An error with its causes, for the log.
fn away(error: impl std::error::Error) -> SignOnError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    SignOnError::Away(text)
}

/// 256 random bits.
fn random_text() -> Result<String, Problem> {
    let mut bytes = [0_u8; 32];
    crate::sign_in::random(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Percent-encodes whatever is not plain.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

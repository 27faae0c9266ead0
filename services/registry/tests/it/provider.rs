//! A small OpenID Connect provider on loopback: discovery, keys, authorization code with PKCE. It checks what a real one checks,
//! and can be made to lie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use registry::OidcSection;
use serde_json::{Map, Value, json};
use service_kit::clock::{Clock as _, SystemClock};
use service_kit::config::SecretFile;
use service_kit::http_client::{HttpClient, HttpClientOptions, client};
use sha2::{Digest as _, Sha256};

const SECRET: &str = "a secret: with signs & blanks";
const BACK: &str = "https://console.example/sign-on/callback";

/// A key of the provider, or of somebody who would like to be it.
#[derive(Clone)]
pub(crate) struct Key {
    kid: String,
    algorithm: Algorithm,
    signer: EncodingKey,
}

impl Key {
    pub(crate) fn new(kid: &str, algorithm: Algorithm) -> Self {
        let signer = match algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
                EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
            }
            Algorithm::RS256 => {
                let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
                let der: Pkcs8V1Der<'static> = pair.as_der().unwrap();
                let body = STANDARD.encode(der.as_ref());
                let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
                EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
            }
            other => panic!("{other:?} is of no use here"),
        };
        Self { kid: kid.to_owned(), algorithm, signer }
    }

    fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.signer, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.clone());
        serde_json::to_value(jwk).unwrap()
    }
}

struct Asked {
    challenge: String,
    nonce: String,
    subject: String,
}

struct Inner {
    published: Key,
    signing: Key,
    /// Header of a token that is signed with no key.
    bare: Option<Value>,
    spoilt: Map<String, Value>,
    elsewhere: Option<String>,
    away: bool,
    codes: HashMap<String, Asked>,
}

/// The provider.
pub(crate) struct Provider {
    address: String,
    inner: Arc<Mutex<Inner>>,
    browser: HttpClient,
}

/// What a browser is sent back with.
pub(crate) struct Back {
    pub code: String,
    pub state: String,
}

#[derive(Clone)]
struct Shared {
    address: String,
    inner: Arc<Mutex<Inner>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Provider {
    pub(crate) async fn start() -> Self {
        service_kit::install_crypto();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let address = format!("http://{host}/realms/province");
        let key = Key::new("one", Algorithm::RS256);
        let inner = Arc::new(Mutex::new(Inner {
            published: key.clone(),
            signing: key,
            bare: None,
            spoilt: Map::new(),
            elsewhere: None,
            away: false,
            codes: HashMap::new(),
        }));
        let shared = Shared { address: address.clone(), inner: Arc::clone(&inner) };
        let realm = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(shared);
        let app = Router::new().nest("/realms/province", realm);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let browser = client(&HttpClientOptions {
            allowed_hosts: vec![host],
            allow_private_addresses: true,
            connect_timeout: std::time::Duration::from_secs(5),
            timeout: std::time::Duration::from_secs(10),
            authority_file: None,
        })
        .unwrap();
        Self { address, inner, browser }
    }

    /// The configuration of a registry that signs people on here.
    pub(crate) fn section(&self) -> OidcSection {
        let file = std::env::temp_dir().join(format!("dudao-oidc-{}", uuid::Uuid::new_v4()));
        std::fs::write(&file, SECRET).unwrap();
        let client_secret_file = SecretFile::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        OidcSection {
            issuer: self.address.clone(),
            client_id: "dudao".to_owned(),
            client_secret_file,
            redirect_uri: BACK.to_owned(),
            subject_claim: "sub".to_owned(),
            scopes: vec!["profile".to_owned()],
            authority_file: None,
            name_zh_hans: "统一身份认证".to_owned(),
            name_zh_hant: "統一身份認證".to_owned(),
            name_en: "single sign-on".to_owned(),
        }
    }

    /// A person proves to be `subject` and is sent back.
    pub(crate) async fn visit(&self, address: &str, subject: &str) -> Back {
        let address = format!("{address}&who={subject}");
        let answer = self.browser.get(&address).unwrap().send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
        let location = reqwest::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        assert!(location.as_str().starts_with(BACK));
        let value = |name: &str| location.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        Back { code: value("code"), state: value("state") }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Tokens say this, and nothing else that is wrong.
    pub(crate) fn spoil(&self, claim: &str, value: Value) {
        self.lock().spoilt = Map::from_iter([(claim.to_owned(), value)]);
    }

    pub(crate) fn unspoil(&self) {
        self.lock().spoilt.clear();
    }

    /// Signs with a key that is not published.
    pub(crate) fn sign_with(&self, key: Key) {
        let mut inner = self.lock();
        (inner.signing, inner.bare) = (key, None);
    }

    pub(crate) fn sign_without_key(&self, header: Value) {
        self.lock().bare = Some(header);
    }

    /// Publishes and signs with another key; the one before.
    pub(crate) fn rotate(&self, key: Key) -> Key {
        let mut inner = self.lock();
        inner.signing = key.clone();
        std::mem::replace(&mut inner.published, key)
    }

    pub(crate) fn away(&self, away: bool) {
        self.lock().away = away;
    }

    /// The document names an address of another host.
    pub(crate) fn claims_elsewhere(&self, endpoint: &str) {
        self.lock().elsewhere = Some(endpoint.to_owned());
    }
}

fn away() -> Response {
    StatusCode::BAD_GATEWAY.into_response()
}

async fn document(State(shared): State<Shared>) -> Response {
    let address = &shared.address;
    let mut document = json!({
        "issuer": address,
        "authorization_endpoint": format!("{address}/authorize"),
        "token_endpoint": format!("{address}/token"),
        "jwks_uri": format!("{address}/keys"),
        "end_session_endpoint": format!("{address}/logout"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    let inner = shared.lock();
    if inner.away {
        return away();
    }
    if let Some(endpoint) = &inner.elsewhere {
        document[endpoint] = json!("https://elsewhere.example/x");
    }
    Json(document).into_response()
}

async fn keys(State(shared): State<Shared>) -> Response {
    let inner = shared.lock();
    if inner.away {
        return away();
    }
    // Beside the key for signatures stand others, as with real providers.
    let other = json!({"kid": "enc", "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "n": "AQAB", "e": "AQAB"});
    let strange = json!({"kid": "pq", "kty": "AKP", "alg": "ML-DSA-65", "pub": "AQAB"});
    Json(json!({"keys": [other, strange, inner.published.public()]})).into_response()
}

type Fields = HashMap<String, String>;

async fn authorize(State(shared): State<Shared>, Query(asked): Query<Fields>) -> Response {
    let fits = asked["response_type"] == "code"
        && asked["client_id"] == "dudao"
        && asked["redirect_uri"] == BACK
        && asked["scope"] == "openid profile"
        && asked["code_challenge_method"] == "S256";
    if !fits {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let code = uuid::Uuid::new_v4().simple().to_string();
    let kept = Asked {
        challenge: asked["code_challenge"].clone(),
        nonce: asked["nonce"].clone(),
        subject: asked["who"].clone(),
    };
    shared.lock().codes.insert(code.clone(), kept);
    Redirect::to(&format!("{BACK}?state={}&code={code}", asked["state"])).into_response()
}

async fn token(State(shared): State<Shared>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    let mut inner = shared.lock();
    if inner.away {
        return away();
    }
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response();
    let given = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = STANDARD.decode(given.trim_start_matches("Basic ")).unwrap();
    if given != b"dudao:a%20secret%3A%20with%20signs%20%26%20blanks" {
        return refuse("invalid_client");
    }
    let Some(kept) = inner.codes.remove(&form["code"]) else { return refuse("invalid_grant") };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    if challenge != kept.challenge || form["redirect_uri"] != BACK || form["grant_type"] != "authorization_code" {
        return refuse("invalid_grant");
    }
    let now = SystemClock.now().as_second();
    let mut claims = json!({
        "iss": shared.address, "sub": kept.subject, "aud": "dudao", "azp": "dudao", "nonce": kept.nonce,
        "iat": now, "exp": now + 7200, "name": "督学0001",
    });
    for (claim, value) in &inner.spoilt {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        } else {
            claims[claim] = value.clone();
        }
        if claim == "aud" {
            claims.as_object_mut().unwrap().remove("azp");
        }
    }
    let token = if let Some(header) = &inner.bare {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", part(header), part(&claims), URL_SAFE_NO_PAD.encode("no signature"))
    } else {
        let mut header = Header::new(inner.signing.algorithm);
        header.kid = Some(inner.signing.kid.clone());
        jsonwebtoken::encode(&header, &claims, &inner.signing.signer).unwrap()
    };
    Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": token})).into_response()
}

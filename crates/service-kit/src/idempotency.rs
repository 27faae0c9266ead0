//! `Idempotency-Key`: a POST that is sent again gets the answer of the first time and has no second effect.
//!
//! The answer is stored in the transaction of the effect, so that there is either both or none. A
//! second request with the same key waits for the first (on its row), then gets its answer. Only
//! answers of success are kept: a refusal changed nothing and is decided anew.
//!
//! ```text
//! async fn issue(idempotent: Idempotent, …) -> problem::Result<Response> {
//!     let mut work = match idempotent.begin(&database).await? {
//!         Begun::Fresh(work) => work,
//!         Begun::Replay(answer) => return Ok(answer),
//!     };
//!     let letter = letter::issue(&mut work, command).await?;   // derefs to postgres::Tx
//!     work.commit((StatusCode::CREATED, etag_header(1), Json(letter))).await
//! }
//! ```

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{Extensions, HeaderName, HeaderValue, Method, StatusCode};
use postgres::{Database, Tx};
use problem::{Problem, ProblemKind, Text};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use uuid::Uuid;

/// The header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Set on an answer that was given before.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Largest answer that is kept, in bytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A checked key with what the request was (extractor).
#[derive(Debug, Clone)]
pub struct Idempotent {
    key: String,
    account: Uuid,
    route: String,
    /// Grows while the handler's last extractor reads the body; whole when [`Idempotent::begin`] asks.
    body: RunningDigest,
    content: Option<[u8; 32]>,
}

/// The SHA-256 of a request body while it is being read, put into the extensions by [`fingerprint`].
#[derive(Debug, Clone, Default)]
struct RunningDigest(Arc<Mutex<Sha256>>);

impl RunningDigest {
    fn update(&self, chunk: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).update(chunk);
    }

    fn value(&self) -> [u8; 32] {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize().into()
    }
}

/// What begins: new work, or the answer of the first time.
#[derive(Debug)]
pub enum Begun {
    /// The key is new: do the work in this transaction.
    Fresh(Box<IdempotentTx>),
    /// The work was done before: give this answer.
    Replay(Response),
}

/// A transaction whose commit stores the answer with the effect. Dropped, it rolls back and frees the key.
#[derive(Debug)]
pub struct IdempotentTx {
    tx: Tx,
    key: String,
    account: Uuid,
}

impl Idempotent {
    /// Makes another fingerprint part of the request, for uploads whose raw body differs each time
    /// (multipart boundaries): the SHA-256 of the file, say.
    #[must_use]
    pub fn with_content(mut self, content: &[u8]) -> Self {
        self.content = Some(Sha256::digest(content).into());
        self
    }

    fn fingerprint(&self) -> [u8; 32] {
        match self.content {
            None => self.body.value(),
            Some(content) => Sha256::new().chain_update(self.body.value()).chain_update(content).finalize().into(),
        }
    }

    /// An identifier that follows from account and key, for work that is idempotent by its identifier.
    pub fn derived_id(&self) -> Uuid {
        Uuid::new_v5(&self.account, self.key.as_bytes())
    }

    /// Begins a transaction and takes the key in it; waits for a request with the same key that is still running.
    pub async fn begin(&self, database: &Database) -> Result<Begun, Problem> {
        let fingerprint = self.fingerprint();
        let mut tx = database.begin().await?;
        // A conflicting row of a running transaction makes this wait until that one commits or rolls back.
        let taken = sqlx::query(
            "INSERT INTO messaging.idempotency_keys (account_id, key, route, body_sha256) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, key) DO NOTHING",
        )
        .bind(self.account)
        .bind(&self.key)
        .bind(&self.route)
        .bind(fingerprint.as_slice())
        .execute(&mut *tx)
        .await?;
        if taken.rows_affected() == 1 {
            let work = IdempotentTx { tx, key: self.key.clone(), account: self.account };
            return Ok(Begun::Fresh(Box::new(work)));
        }
        let row = sqlx::query(
            "SELECT route, body_sha256, status, response_headers, response_body \
             FROM messaging.idempotency_keys WHERE account_id = $1 AND key = $2",
        )
        .bind(self.account)
        .bind(&self.key)
        .fetch_optional(&mut *tx)
        .await?;
        tx.rollback().await?;
        // Gone between the two statements: the cleaning of old keys. The caller tries again.
        let Some(row) = row else { return Err(Problem::of(ProblemKind::IdempotencyKeyInUse)) };
        let route: String = row.try_get("route")?;
        let body: Vec<u8> = row.try_get("body_sha256")?;
        if route != self.route || body != fingerprint {
            return Err(Problem::new(
                ProblemKind::IdempotencyKeyReused,
                Text::new(
                    "该 Idempotency-Key 已用于另一个请求，新的请求请使用新的键。",
                    "This Idempotency-Key was used for another request; use a new key for a new request.",
                ),
            ));
        }
        let status: Option<i16> = row.try_get("status")?;
        let headers: Option<serde_json::Value> = row.try_get("response_headers")?;
        let answer: Option<Vec<u8>> = row.try_get("response_body")?;
        let Some(status) = status.and_then(|status| StatusCode::from_u16(status.unsigned_abs()).ok()) else {
            return Err(Problem::of(ProblemKind::IdempotencyKeyInUse));
        };
        Ok(Begun::Replay(restore(status, headers.as_ref(), answer.unwrap_or_default())))
    }

    /// Does the work once: `work` gets the transaction and returns the answer to store and give.
    ///
    /// ```text
    /// idempotent.run(&database, |tx| Box::pin(async move { … Ok(Json(body).into_response()) })).await
    /// ```
    pub async fn run<F>(&self, database: &Database, work: F) -> Result<Response, Problem>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Response, Problem>> + Send,
    {
        match self.begin(database).await? {
            Begun::Replay(answer) => Ok(answer),
            Begun::Fresh(mut begun) => {
                let answer = work(&mut begun.tx).await?;
                begun.commit(answer).await
            }
        }
    }
}

impl IdempotentTx {
    /// Stores the answer, commits, and gives the answer back for the caller.
    ///
    /// An answer of refusal (4xx, 5xx) is given without commit: the work is rolled back.
    pub async fn commit(self: Box<Self>, answer: impl IntoResponse) -> Result<Response, Problem> {
        let Self { mut tx, key, account } = *self;
        let answer = answer.into_response();
        if answer.status().is_client_error() || answer.status().is_server_error() {
            tx.rollback().await?;
            return Ok(answer);
        }
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, MAX_ANSWER).await.map_err(|error| Problem::internal(&error))?;
        let headers: Vec<(&str, &str)> =
            parts.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let headers = serde_json::to_value(headers).map_err(|error| Problem::internal(&error))?;
        sqlx::query(
            "UPDATE messaging.idempotency_keys SET status = $3, response_headers = $4, response_body = $5 \
             WHERE account_id = $1 AND key = $2",
        )
        .bind(account)
        .bind(&key)
        .bind(i16::try_from(parts.status.as_u16()).unwrap_or(200))
        .bind(headers)
        .bind(body.as_ref())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

impl Deref for IdempotentTx {
    type Target = Tx;
    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for IdempotentTx {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

fn restore(status: StatusCode, headers: Option<&serde_json::Value>, body: Vec<u8>) -> Response {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    for pair in headers.and_then(serde_json::Value::as_array).into_iter().flatten() {
        let (Some(name), Some(value)) = (pair.get(0).and_then(|v| v.as_str()), pair.get(1).and_then(|v| v.as_str()))
        else {
            continue;
        };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && name != CONTENT_LENGTH
        {
            answer.headers_mut().append(name, value);
        }
    }
    answer.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    answer
}

impl<S: Send + Sync> FromRequestParts<S> for Idempotent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let key = key_of(parts.headers.get(IDEMPOTENCY_KEY))?;
        let body = parts.extensions.get::<RunningDigest>().cloned().unwrap_or_default();
        Ok(Self {
            key,
            account: account_of(&parts.extensions),
            route: format!("{} {}", parts.method, parts.uri.path()),
            body,
            content: None,
        })
    }
}

/// The account that asks; requests without one (public routes) share the nil account.
fn account_of(extensions: &Extensions) -> Uuid {
    extensions.get::<access::Permit>().map_or(Uuid::nil(), |permit| permit.caller().account_id.into())
}

fn key_of(header: Option<&HeaderValue>) -> Result<String, Problem> {
    let Some(header) = header else { return Err(Problem::of(ProblemKind::IdempotencyKeyMissing)) };
    header
        .to_str()
        .ok()
        .filter(|key| (8..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(str::to_owned)
        .ok_or_else(|| {
            Problem::new(
                ProblemKind::InvalidParameters,
                Text::new(
                    "Idempotency-Key 必须是 8 到 128 个可见的 ASCII 字符，例如一个 UUID。",
                    "The Idempotency-Key must be 8 to 128 visible ASCII characters, such as a UUID.",
                ),
            )
        })
}

/// What [`fingerprint`] needs to know.
#[derive(Debug, Clone)]
pub struct FingerprintRules {
    /// Routes (as declared) whose POST needs no key, such as signing in.
    pub exempt: Arc<[&'static str]>,
}

/// The layer around all routes of a service: refuses a POST without a key (400) and takes the SHA-256
/// of its body as it is read. The body of an upload is not taken: see [`Idempotent::with_content`].
pub async fn fingerprint(
    State(rules): State<FingerprintRules>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let exempt = request
        .extensions()
        .get::<MatchedPath>()
        .is_none_or(|path| rules.exempt.iter().any(|exempt| *exempt == path.as_str()));
    if request.method() != Method::POST || exempt {
        return Ok(next.run(request).await);
    }
    key_of(request.headers().get(IDEMPOTENCY_KEY))?;
    let upload = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().to_ascii_lowercase().starts_with(b"multipart/"));
    if upload {
        return Ok(next.run(request).await);
    }
    // Taken while the handler reads: nothing is held in memory for a caller who is not admitted.
    let digest = RunningDigest::default();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(digest.clone());
    let body = body.into_data_stream().inspect_ok(move |chunk| digest.update(chunk));
    Ok(next.run(Request::from_parts(parts, Body::from_stream(body))).await)
}

/// Forgets keys older than `days`; for a daily worker.
pub async fn forget_older_than(database: &Database, days: i32) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "DELETE FROM messaging.idempotency_keys WHERE created_at < clock_timestamp() - make_interval(days => $1)",
    )
    .bind(days)
    .execute(database.pool())
    .await
    .map(|done| done.rows_affected())
}

//! The national platform (国家教育督导信息化管理平台) played by a real HTTP server, for tests, the story and the demo.
//!
//! It is strict: it believes nothing that is not signed, refuses what does not have the form `national/v1`, takes the
//! messages of a case in order without a gap, and gives the same receipt to the same message. What it accepted is on
//! the disk before it answers, so that it may be killed at any moment. It can be told to misbehave.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use exchange::national::{Fault, Message};
use exchange::signature::{self, SignatureError};
use messaging::JournalPublicKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service_kit::clock::{Clock, SystemClock};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Longest distance between the moment of signing and ours, in seconds.
const TOLERANCE: i64 = 300;
/// How long the mode `slow` thinks.
const SLOW: Duration = Duration::from_millis(1_500);
/// Name of the file in the data folder.
const FILE: &str = "received.jsonl";

/// How the platform behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// As it should.
    Ok,
    /// Correctly, but late.
    Slow,
    /// Answers 500 and takes nothing.
    #[serde(rename = "error_500")]
    Error500,
    /// Answers 429 with `Retry-After: 1` and takes nothing.
    RateLimited,
    /// Never answers and takes nothing.
    Hang,
    /// Takes the message and breaks the connection before it answers: the worst of all.
    Reset,
}

/// A message that was accepted: one line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Received {
    /// Order of arrival over all cases, from 1.
    pub position: usize,
    /// The message.
    pub message_id: Uuid,
    /// The case.
    pub case_id: Uuid,
    /// Place within the case.
    pub sequence: i32,
    /// What it tells.
    pub kind: String,
    /// The receipt that was given.
    pub receipt_no: String,
    /// When.
    pub accepted_at: jiff::Timestamp,
    /// W3C trace context that it came with.
    pub traceparent: Option<String>,
    /// The key that signed it.
    pub keyid: String,
    /// SHA-256 of the body.
    pub sha256: String,
    /// The body.
    pub payload: Value,
}

/// Counts of requests since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// All requests.
    pub requests: u64,
    /// New messages taken.
    pub accepted: u64,
    /// Messages that were there already.
    pub repeated: u64,
    /// Refused for what they were.
    pub refused: u64,
    /// Not served because of the mode.
    pub failed: u64,
    /// Answers by status; a broken connection counts as `0`.
    pub by_status: BTreeMap<u16, u64>,
}

#[derive(Debug)]
struct Store {
    file: File,
    messages: Vec<Received>,
    by_id: HashMap<Uuid, usize>,
    last_sequence: HashMap<Uuid, i32>,
}

/// The platform; cheap to clone.
#[derive(Debug, Clone)]
pub struct Platform(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keys: HashMap<String, JournalPublicKey>,
    store: Mutex<Store>,
    mode: Mutex<(Mode, Option<u32>)>,
    statistics: Mutex<Statistics>,
}

/// Reads a file of public keys: 64 hexadecimal digits a line, `#` begins a comment.
pub fn read_keys(file: &Path) -> io::Result<Vec<JournalPublicKey>> {
    let invalid = |error: messaging::KeyError| io::Error::new(io::ErrorKind::InvalidData, error);
    fs::read_to_string(file)?
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|line| JournalPublicKey::from_hex(line).map_err(invalid))
        .collect()
}

impl Platform {
    /// Opens the folder with what was accepted before. A last line that was being written when the process died
    /// was never answered, so it is cut off.
    pub fn open(folder: &Path, keys: Vec<JournalPublicKey>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.set_len(u64::try_from(whole).unwrap_or_default())?;
        let mut store = Store { file, messages: Vec::new(), by_id: HashMap::new(), last_sequence: HashMap::new() };
        for line in text.get(..whole).unwrap_or_default().lines() {
            store.remember(serde_json::from_str(line)?);
        }
        Ok(Self(Arc::new(Inner {
            keys: keys.into_iter().map(|key| (key.id().to_owned(), key)).collect(),
            store: Mutex::new(store),
            mode: Mutex::new((Mode::Ok, None)),
            statistics: Mutex::default(),
        })))
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/v1/messages", post(receive))
            .route("/v1/received", get(received))
            .route("/v1/statistics", get(statistics))
            .route("/admin/mode", post(set_mode))
            .route("/readyz", get(|| async { Json(json!({"ready": true, "service": "national-platform"})) }))
            .with_state(self.clone())
    }

    /// Everything accepted, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.0.store).messages.clone()
    }

    /// Behaves like this from now on, or for so many requests.
    pub fn set_mode(&self, mode: Mode, count: Option<u32>) {
        *lock(&self.0.mode) = (mode, count);
    }

    /// Counts since the start.
    pub fn statistics(&self) -> Statistics {
        lock(&self.0.statistics).clone()
    }

    /// The mode of the next request.
    fn next_mode(&self) -> Mode {
        let mut mode = lock(&self.0.mode);
        match &mut mode.1 {
            None => mode.0,
            Some(0) => {
                *mode = (Mode::Ok, None);
                Mode::Ok
            }
            Some(left) => {
                *left -= 1;
                mode.0
            }
        }
    }

    fn count(&self, change: impl FnOnce(&mut Statistics)) {
        change(&mut lock(&self.0.statistics));
    }

    fn accept(&self, headers: &HeaderMap, body: &[u8]) -> Result<Taken, Refusal> {
        let keyid = self.check_signature(headers)?;
        signature::check_digest(headers, body)
            .map_err(|error| Refusal::plain(400, "wrong_digest", error.to_string()))?;
        let message = Message::read(body).map_err(Refusal::of_faults)?;
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let agrees = said("idempotency-key") == message.message_id.to_string()
            && said("dudao-case") == message.case.case_id.to_string()
            && said("dudao-sequence") == message.case.sequence.to_string();
        if !agrees {
            return Err(Refusal::plain(400, "headers_disagree", "请求头与报文内容不一致".to_owned()));
        }
        let sha256 = hex::encode(Sha256::digest(body));
        let mut store = lock(&self.0.store);
        if let Some(known) = store.by_id.get(&message.message_id).and_then(|place| store.messages.get(*place)) {
            if known.sha256 == sha256 {
                return Ok(Taken { receipt: known.receipt(), new: false });
            }
            return Err(Refusal::plain(409, "conflict", "相同编号的报文已接收，但内容不同".to_owned()));
        }
        let last = store.last_sequence.get(&message.case.case_id).copied().unwrap_or_default();
        if message.case.sequence != last + 1 {
            let detail = format!("该督导的报文应从第 {} 号继续，收到第 {} 号", last + 1, message.case.sequence);
            return Err(Refusal::plain(422, "out_of_order", detail));
        }
        let position = store.messages.len() + 1;
        let received = Received {
            position,
            message_id: message.message_id,
            case_id: message.case.case_id,
            sequence: message.case.sequence,
            kind: message.content.kind().as_str().to_owned(),
            receipt_no: format!("GJDD{position:010}"),
            accepted_at: SystemClock.now(),
            traceparent: headers.get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned),
            keyid,
            sha256,
            payload: serde_json::from_slice(body).unwrap_or_default(),
        };
        let receipt = received.receipt();
        store.write(received).map_err(|error| Refusal::plain(503, "storage", error.to_string()))?;
        Ok(Taken { receipt, new: true })
    }

    fn check_signature(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let address = format!("http://{host}/v1/messages");
        let request = signature::Request { method: "POST", target_uri: &address, headers };
        signature::verify(|id| self.0.keys.get(id), request, SystemClock.now().as_second(), TOLERANCE).map_err(
            |error| {
                let status = match error {
                    SignatureError::UnknownKey(_) | SignatureError::Wrong | SignatureError::Stale => 401,
                    SignatureError::Header(_)
                    | SignatureError::NotCovered(_)
                    | SignatureError::NoValue(_)
                    | SignatureError::Digest => 400,
                };
                Refusal::plain(status, "signature", error.to_string())
            },
        )
    }
}

impl Store {
    fn remember(&mut self, received: Received) {
        self.by_id.insert(received.message_id, self.messages.len());
        self.last_sequence.insert(received.case_id, received.sequence);
        self.messages.push(received);
    }

    /// Blocks until the line is on the disk: a simulator for one province can afford that.
    fn write(&mut self, received: Received) -> io::Result<()> {
        let mut line = serde_json::to_vec(&received)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.remember(received);
        Ok(())
    }
}

impl Received {
    fn receipt(&self) -> Value {
        json!({ "receipt_no": self.receipt_no, "accepted_at": self.accepted_at })
    }
}

struct Taken {
    receipt: Value,
    new: bool,
}

/// A refusal as the platform words it.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: String,
    fields: Vec<Fault>,
}

impl Refusal {
    fn plain(status: u16, code: &'static str, detail: String) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code, detail, fields: Vec::new() }
    }

    fn of_faults(fields: Vec<Fault>) -> Self {
        Self { fields, ..Self::plain(422, "invalid", "报文不符合格式".to_owned()) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:national-platform:{}", self.code),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "fields": self.fields,
        });
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

async fn receive(State(platform): State<Platform>, headers: HeaderMap, body: Bytes) -> Response {
    platform.count(|count| count.requests += 1);
    let mode = platform.next_mode();
    let answer = match mode {
        Mode::Ok | Mode::Reset => take(&platform, &headers, &body),
        Mode::Slow => {
            tokio::time::sleep(SLOW).await;
            take(&platform, &headers, &body)
        }
        Mode::Error500 | Mode::RateLimited => {
            platform.count(|count| count.failed += 1);
            if mode == Mode::RateLimited {
                let refusal = Refusal::plain(429, "rate_limited", "请求过于频繁".to_owned());
                ([(header::RETRY_AFTER, "1")], refusal).into_response()
            } else {
                Refusal::plain(500, "internal", "平台内部错误".to_owned()).into_response()
            }
        }
        Mode::Hang => {
            platform.count(|count| count.failed += 1);
            std::future::pending().await
        }
    };
    if mode == Mode::Reset {
        platform.count(|count| {
            count.failed += 1;
            *count.by_status.entry(0).or_default() += 1;
        });
        // Ends the task of this connection, and with it the connection, without a word to the other side.
        std::panic::resume_unwind(Box::new("mode reset"));
    }
    platform.count(|count| *count.by_status.entry(answer.status().as_u16()).or_default() += 1);
    answer
}

fn take(platform: &Platform, headers: &HeaderMap, body: &[u8]) -> Response {
    match platform.accept(headers, body) {
        Ok(Taken { receipt, new: true }) => {
            platform.count(|count| count.accepted += 1);
            (StatusCode::CREATED, Json(receipt)).into_response()
        }
        Ok(Taken { receipt, new: false }) => {
            platform.count(|count| count.repeated += 1);
            (StatusCode::OK, Json(receipt)).into_response()
        }
        Err(refusal) => {
            platform.count(|count| count.refused += 1);
            refusal.into_response()
        }
    }
}

async fn received(State(platform): State<Platform>) -> Json<Value> {
    Json(json!({ "messages": platform.received() }))
}

async fn statistics(State(platform): State<Platform>) -> Json<Statistics> {
    Json(platform.statistics())
}

/// A new behaviour.
#[derive(Debug, Deserialize)]
struct ModeCommand {
    mode: Mode,
    count: Option<u32>,
}

async fn set_mode(State(platform): State<Platform>, Json(command): Json<ModeCommand>) -> StatusCode {
    platform.set_mode(command.mode, command.count);
    StatusCode::NO_CONTENT
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

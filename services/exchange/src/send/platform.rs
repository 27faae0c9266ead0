//! One request to the national platform and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use messaging::{JournalKey, trace};
use reqwest::{Response, Url};
use serde::Deserialize;
use service_kit::Kit;
use service_kit::clock::Clock;
use service_kit::http_client::HttpClient;

use crate::config::PlatformSection;
use crate::message::Message;
use crate::signature::{self, content_digest};

/// Most of an answer that is read, in bytes; a receipt is far shorter.
const MAX_ANSWER: usize = 64 * 1024;
/// Characters of an answer that are kept for people.
const KEPT: usize = 2_000;

/// The platform's receipt (回执).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Receipt {
    pub receipt_no: String,
    pub accepted_at: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Taken.
    Accepted(Receipt),
    /// Taken before.
    Duplicate(Receipt),
    /// The message is refused: a person has to look.
    Rejected { reason: String },
    /// Our key, address or certificate is refused, not this message: nothing is wrong with the message.
    RefusedAtDoor,
    /// 5xx.
    ServerError,
    /// 408, 425, 429, with the pause that it asks for.
    Throttled { pause: Option<Duration> },
    /// No answer in time.
    TimedOut,
    /// No connection.
    Unreachable,
    /// It says that it has taken the message, but gives no receipt that can be read.
    UnreadableReceipt,
}

impl Outcome {
    /// Word in columns and metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::Duplicate(_) => "duplicate",
            Self::Rejected { .. } => "rejected",
            Self::RefusedAtDoor => "refused_at_door",
            Self::ServerError => "server_error",
            Self::Throttled { .. } => "throttled",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::UnreadableReceipt => "unreadable_receipt",
        }
    }

    /// The pause that the platform asks for.
    pub(super) fn asked_pause(&self) -> Option<Duration> {
        match self {
            Self::Throttled { pause } => *pause,
            Self::Accepted(_)
            | Self::Duplicate(_)
            | Self::Rejected { .. }
            | Self::RefusedAtDoor
            | Self::ServerError
            | Self::TimedOut
            | Self::Unreachable
            | Self::UnreadableReceipt => None,
        }
    }
}

/// The outcome with what is kept for people.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub outcome: Outcome,
    pub status: Option<i16>,
    /// The beginning of the answer, or the failure.
    pub text: Option<String>,
}

/// The other side.
#[derive(Debug)]
pub(super) struct Platform {
    http: HttpClient,
    clock: Arc<dyn Clock>,
    key: JournalKey,
    /// As it is signed: normalised, so that both sides spell it alike.
    address: String,
}

impl Platform {
    pub(super) fn try_new(kit: &Kit, section: &PlatformSection) -> anyhow::Result<Self> {
        let key = JournalKey::from_bytes(section.signing_key_file.expose().as_bytes())
            .context("platform.signing_key_file")?;
        let base = format!("{}/", section.base_url.trim_end_matches('/'));
        let address = Url::parse(&base).and_then(|base| base.join("v1/messages")).context("platform.base_url")?;
        Ok(Self { http: kit.http.clone(), clock: Arc::clone(&kit.clock), key, address: address.into() })
    }

    /// Makes one attempt.
    pub(super) async fn send(&self, message: &Message) -> Answer {
        let headers = match self.headers(message) {
            Ok(headers) => headers,
            Err(error) => return failed(Outcome::RefusedAtDoor, &error),
        };
        let request = match self.http.post(&self.address) {
            Ok(request) => request.headers(headers).body(message.payload.clone()),
            Err(error) => return failed(Outcome::RefusedAtDoor, &error),
        };
        match request.send().await {
            Ok(response) => self.read(response).await,
            Err(error) => transport(&error),
        }
    }

    fn headers(&self, message: &Message) -> Result<HeaderMap, anyhow::Error> {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| -> Result<(), anyhow::Error> {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
            Ok(())
        };
        set(CONTENT_TYPE.as_str(), "application/json")?;
        set("content-digest", &content_digest(message.payload.as_bytes()))?;
        set("idempotency-key", &message.message_id.to_string())?;
        set("dudao-case", &message.case_id.to_string())?;
        set("dudao-sequence", &message.sequence.to_string())?;
        if let Some(traceparent) = trace::current_traceparent().as_ref().or(message.traceparent.as_ref()) {
            set("traceparent", traceparent)?;
        }
        let request = signature::Request { method: "POST", target_uri: &self.address, headers: &headers };
        let signed = signature::sign(&self.key, request, self.clock.now().as_second())?;
        headers.insert("signature-input", HeaderValue::from_str(&signed.input)?);
        headers.insert("signature", HeaderValue::from_str(&signed.signature)?);
        Ok(headers)
    }

    async fn read(&self, mut response: Response) -> Answer {
        let status = response.status();
        let pause = pause_asked_for(response.headers(), self.clock.now());
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER => body.extend_from_slice(&chunk),
                Ok(Some(_) | None) => break,
                Err(error) => {
                    let mut answer = transport(&error);
                    answer.status = i16::try_from(status.as_u16()).ok();
                    return answer;
                }
            }
        }
        judge(status, pause, &body)
    }
}

/// What status and body mean.
fn judge(status: StatusCode, pause: Option<Duration>, body: &[u8]) -> Answer {
    let receipt = || serde_json::from_slice::<Receipt>(body).ok().filter(|receipt| !receipt.receipt_no.is_empty());
    let outcome = match status.as_u16() {
        200 | 201 => receipt().map_or(Outcome::UnreadableReceipt, Outcome::Accepted),
        202..=299 => Outcome::UnreadableReceipt,
        409 => receipt().map_or_else(|| Outcome::Rejected { reason: reason(status, body) }, Outcome::Duplicate),
        408 | 425 | 429 => Outcome::Throttled { pause },
        // Whoever sends is refused, not what is sent: every message would fare alike, and none is at fault.
        401 | 403 | 404 | 405 | 421 => Outcome::RefusedAtDoor,
        400..=499 => Outcome::Rejected { reason: reason(status, body) },
        500..=599 => Outcome::ServerError,
        // Redirects are not followed: the address is a matter of configuration.
        _ => Outcome::RefusedAtDoor,
    };
    Answer { outcome, status: i16::try_from(status.as_u16()).ok(), text: Some(kept(&String::from_utf8_lossy(body))) }
}

/// The platform's words: the detail of a problem document, with code and fields where it gives them; else the text.
fn reason(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        detail: String,
        code: Option<String>,
        #[serde(default)]
        fields: Vec<Field>,
    }
    #[derive(Deserialize)]
    struct Field {
        field: String,
        reason_zh: String,
    }
    let text = match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => {
            let mut text = refusal.code.map_or_else(String::new, |code| format!("[{code}] ")) + &refusal.detail;
            for field in refusal.fields {
                text = format!("{text}；{}：{}", field.field, field.reason_zh);
            }
            text
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    kept(&format!("{} {text}", status.as_u16()))
}

/// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3).
fn pause_asked_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(at.duration_since(now)).ok()
}

fn transport(error: &reqwest::Error) -> Answer {
    let outcome = if error.is_timeout() { Outcome::TimedOut } else { Outcome::Unreachable };
    failed(outcome, error)
}

fn failed(outcome: Outcome, error: &(impl std::fmt::Display + ?Sized)) -> Answer {
    Answer { outcome, status: None, text: Some(kept(&error.to_string())) }
}

fn kept(text: &str) -> String {
    // PostgreSQL keeps no NUL in a text.
    text.chars().filter(|c| *c != '\0').take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> Outcome {
        judge(StatusCode::from_u16(status).unwrap(), Some(Duration::from_secs(3)), body.as_bytes()).outcome
    }

    #[test]
    fn every_status_has_its_meaning() {
        let body = r#"{"receipt_no":"GJ-1","accepted_at":"2026-11-23T00:00:00Z","more":1}"#;
        let receipt = Receipt { receipt_no: "GJ-1".to_owned(), accepted_at: "2026-11-23T00:00:00Z".to_owned() };
        assert_eq!(outcome(201, body), Outcome::Accepted(receipt.clone()));
        assert_eq!(outcome(200, body), Outcome::Accepted(receipt.clone()));
        assert_eq!(outcome(409, body), Outcome::Duplicate(receipt));
        assert_eq!(outcome(200, "<html>"), Outcome::UnreadableReceipt);
        assert_eq!(outcome(204, ""), Outcome::UnreadableReceipt);
        for status in [408, 425, 429] {
            assert_eq!(outcome(status, ""), Outcome::Throttled { pause: Some(Duration::from_secs(3)) });
        }
        for status in [301, 401, 403, 404] {
            assert_eq!(outcome(status, ""), Outcome::RefusedAtDoor, "{status}");
        }
        for status in [500, 502, 503, 504] {
            assert_eq!(outcome(status, body), Outcome::ServerError, "{status}");
        }
        assert!(matches!(outcome(409, "{}"), Outcome::Rejected { .. }));
        assert_eq!(
            outcome(
                422,
                r#"{"detail":"报文不连续","code":"out_of_order","fields":[{"field":"/case","reason_zh":"缺 1"}]}"#
            ),
            Outcome::Rejected { reason: "422 [out_of_order] 报文不连续；/case：缺 1".to_owned() }
        );
        assert_eq!(outcome(400, "no"), Outcome::Rejected { reason: "400 no".to_owned() });
    }

    #[test]
    fn the_pause_is_read_in_both_forms() {
        let now: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let asked = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            pause_asked_for(&headers, now)
        };
        assert_eq!(asked("120"), Some(Duration::from_mins(2)));
        assert_eq!(asked("Mon, 23 Nov 2026 08:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(asked("Mon, 23 Nov 2026 07:00:00 GMT"), None);
        assert_eq!(asked("soon"), None);
    }
}

//! Calls to the other services, with the user's token.

use std::net::IpAddr;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use service_kit::config::OutboundSection;
use service_kit::http_client::{self, HttpClient, HttpClientOptions, OutboundError};

use crate::config::ServicesSection;
use crate::form::Upload;
use crate::texts::Lang;

/// What the room that makes documents says of a file, signed.
const RENDITION: HeaderName = HeaderName::from_static("dudao-rendition");

/// A service that pages ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Who (登记).
    Registry,
    /// Do (督导).
    Tasks,
    /// When (整改期限).
    Deadlines,
    /// Tell (通知).
    Notifications,
    /// Account (台账).
    Reporting,
    /// Show (公开).
    Publication,
    /// Connect (上报).
    Exchange,
    /// Make into paper (文书).
    Documents,
}

impl Room {
    /// The key of its name in the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Registry => "room.registry",
            Self::Tasks => "room.tasks",
            Self::Deadlines => "room.deadlines",
            Self::Notifications => "room.notifications",
            Self::Reporting => "room.reporting",
            Self::Publication => "room.publication",
            Self::Exchange => "room.exchange",
            Self::Documents => "room.documents",
        }
    }
}

/// A refusal by a service: its problem document, as far as pages show it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// The URI of the type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Summary.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// Refused fields.
    pub errors: Vec<FieldRefusal>,
    /// Seconds after which trying again makes sense.
    #[serde(skip)]
    pub retry_after: Option<String>,
    /// Members of the type.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

/// One refused field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FieldRefusal {
    /// JSON pointer.
    pub pointer: String,
    /// Why.
    pub detail: String,
}

impl Refusal {
    /// A refusal of the console itself, in the words given.
    pub fn own(title: &str, detail: &str) -> Self {
        Self { status: 422, title: title.to_owned(), detail: detail.to_owned(), ..Self::default() }
    }

    /// Adds a refused field.
    #[must_use]
    pub fn field(mut self, pointer: &str, detail: String) -> Self {
        self.errors.push(FieldRefusal { pointer: pointer.to_owned(), detail });
        self
    }

    /// The last part of the type's URI.
    pub fn slug(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }

    /// The status for the page.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// Why a page cannot be shown, or a form was not accepted.
#[derive(Debug, Clone)]
pub enum Failure {
    /// Nobody is signed in, or the sign-in has ended.
    SignedOut,
    /// A service refused, with its reasons.
    Refused(Box<Refusal>),
    /// A service does not answer; whether it did anything is not known.
    Away(Room),
    /// A service answered what nobody understands.
    Broken(Room),
    /// There is nothing at this address.
    NotFound,
    /// The page that says it all is made already.
    Shown(StatusCode, String),
}

impl Failure {
    /// A refusal.
    pub fn refused(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// The addresses of the services and the way to them.
#[derive(Debug, Clone)]
pub struct Api {
    http: HttpClient,
    services: ServicesSection,
}

/// Fields and files of a multipart body.
pub type Parts<'a> = (Vec<(String, String)>, &'a [Upload]);

/// What goes out with a request besides its address.
#[derive(Debug, Default)]
pub struct Sending<'a> {
    /// JSON body.
    pub body: Option<Value>,
    /// JSON body that goes out byte for byte.
    pub frozen: Option<Box<RawValue>>,
    /// Parts of a multipart body.
    pub parts: Option<Parts<'a>>,
    /// Value of `Idempotency-Key`.
    pub key: Option<String>,
    /// Version for `If-Match`.
    pub version: Option<String>,
    /// Query parameters.
    pub query: Vec<(&'a str, String)>,
}

/// One signed-in person's way to the services.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    api: &'a Api,
    token: Option<&'a str>,
    lang: Lang,
    client: Option<IpAddr>,
}

impl Api {
    /// A way to the services that goes nowhere else.
    pub fn new(services: &ServicesSection, outbound: &OutboundSection) -> Result<Self, OutboundError> {
        let mut options = HttpClientOptions::from(outbound);
        options.allowed_hosts = services
            .all()
            .iter()
            .filter_map(|(_, address)| reqwest::Url::parse(address).ok())
            .filter_map(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)))
            .collect();
        options.allow_private_addresses = true;
        let mut services = services.clone();
        for address in [
            &mut services.registry,
            &mut services.tasks,
            &mut services.deadlines,
            &mut services.notifications,
            &mut services.reporting,
            &mut services.publication,
            &mut services.exchange,
            &mut services.documents,
        ] {
            address.truncate(address.trim_end_matches('/').len());
        }
        Ok(Self { http: http_client::client(&options)?, services })
    }

    /// A line for whoever has the token.
    pub fn line<'a>(&'a self, token: Option<&'a str>, lang: Lang) -> Line<'a> {
        Line { api: self, token, lang, client: None }
    }

    fn address(&self, room: Room) -> &str {
        match room {
            Room::Registry => &self.services.registry,
            Room::Tasks => &self.services.tasks,
            Room::Deadlines => &self.services.deadlines,
            Room::Notifications => &self.services.notifications,
            Room::Reporting => &self.services.reporting,
            Room::Publication => &self.services.publication,
            Room::Exchange => &self.services.exchange,
            Room::Documents => &self.services.documents,
        }
    }
}

impl<'a> Line<'a> {
    /// The same line for whoever sits at that address: the registry counts attempts to sign in by it.
    #[must_use]
    pub fn for_client(self, client: Option<IpAddr>) -> Line<'a> {
        Line { client, ..self }
    }
}

impl Line<'_> {
    /// Reads something.
    pub async fn get<T: DeserializeOwned>(&self, room: Room, path: &str) -> Result<T, Failure> {
        self.find(room, path, Vec::new()).await
    }

    /// Reads something by query parameters; empty ones are left out.
    pub async fn find<T: DeserializeOwned>(
        &self,
        room: Room,
        path: &str,
        query: Vec<(&str, String)>,
    ) -> Result<T, Failure> {
        let response = self.call(Method::GET, room, path, Sending { query, ..Sending::default() }).await?;
        let bytes = response.bytes().await.map_err(|error| away(room, path, &error))?;
        read(&bytes).map_err(|error| broken(room, path, &error))
    }

    /// Sends something; the answer as JSON, `Null` when it has no body.
    pub async fn send(&self, method: Method, room: Room, path: &str, sending: Sending<'_>) -> Result<Value, Failure> {
        let response = self.call(method, room, path, sending).await?;
        let bytes = response.bytes().await.map_err(|error| away(room, path, &error))?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| broken(room, path, &error))
    }

    /// Hands a file through to the browser. `name` makes it a download.
    pub async fn file(
        &self,
        room: Room,
        path: &str,
        query: Vec<(&str, String)>,
        name: Option<&str>,
    ) -> Result<Response, Failure> {
        let response = self.call(Method::GET, room, path, Sending { query, ..Sending::default() }).await?;
        let kind = response.headers().get(CONTENT_TYPE).cloned();
        let kind = kind.unwrap_or_else(|| HeaderValue::from_static("application/octet-stream"));
        // Pictures may be looked at; whatever else was uploaded is only ever saved (a sandboxed page shows no PDF).
        let shown =
            name.is_none() && kind.to_str().is_ok_and(|kind| matches!(kind, "image/jpeg" | "image/png" | "image/webp"));
        let disposition = match name {
            Some(name) => format!("attachment; filename*=UTF-8''{}", percent(name)),
            None if shown => "inline".to_owned(),
            None => "attachment".to_owned(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind);
        if let Ok(value) = HeaderValue::from_str(&disposition) {
            headers.insert(CONTENT_DISPOSITION, value);
        }
        headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        Ok((headers, Body::from_stream(response.bytes_stream())).into_response())
    }

    /// Has `documents` make a file of what is sent, and hands that through to the browser with the name that it has there. The
    /// portal gets to know the file by what the room that made it has signed; a draft it does not sign.
    pub async fn rendered(
        &self,
        path: &str,
        content: Box<RawValue>,
        format: &str,
        state: Option<&str>,
    ) -> Result<Response, Failure> {
        let mut query = vec![("format", format.to_owned())];
        query.extend(state.map(|state| ("state", state.to_owned())));
        let sending = Sending { frozen: Some(content), query, ..Sending::default() };
        let response = self.call(Method::POST, Room::Documents, path, sending).await?;
        if let Some(statement) = response.headers().get(RENDITION).and_then(|value| value.to_str().ok()) {
            let body = Some(serde_json::json!({ "rendition": statement }));
            let known =
                self.send(Method::POST, Room::Publication, "/v1/renditions", Sending { body, ..Sending::default() });
            // The file is the reader's, whether or not the portal can be told just now; making it again tells it again.
            if let Err(failure) = known.await {
                tracing::warn!(?failure, "the portal does not know a file that was made");
            }
        }
        let mut headers = HeaderMap::new();
        for name in [CONTENT_TYPE, CONTENT_DISPOSITION, ETAG] {
            if let Some(value) = response.headers().get(&name) {
                headers.insert(name, value.clone());
            }
        }
        Ok((headers, Body::from_stream(response.bytes_stream())).into_response())
    }

    async fn call(
        &self,
        method: Method,
        room: Room,
        path: &str,
        sending: Sending<'_>,
    ) -> Result<reqwest::Response, Failure> {
        let address = format!("{}{path}", self.api.address(room));
        // Reading twice does no harm, nor does what carries a key.
        let repeatable = method == Method::GET || sending.key.is_some();
        let mut request = self.api.http.request(method, &address).map_err(|error| broken(room, path, &error))?;
        request = request.header(ACCEPT_LANGUAGE, self.lang.accept_language());
        if let Some(token) = self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        // Nobody else needs to know where people sit.
        if let Some(client) = self.client.filter(|_| room == Room::Registry) {
            request = request.header(HeaderName::from_static("x-forwarded-for"), client.to_string());
        }
        if let Some(key) = &sending.key {
            request = request.header(HeaderName::from_static("idempotency-key"), key);
        }
        if let Some(version) = &sending.version {
            request = request.header(IF_MATCH, format!("\"{version}\""));
        }
        let query: Vec<_> = sending.query.iter().filter(|(_, value)| !value.is_empty()).collect();
        if !query.is_empty() {
            request = request.query(&query);
        }
        if let Some((fields, files)) = sending.parts {
            request = request.multipart(multipart(fields, files).map_err(|error| broken(room, path, &error))?);
        } else if let Some(body) = &sending.body {
            request = request.json(body);
        } else if let Some(frozen) = sending.frozen {
            request = request.header(CONTENT_TYPE, "application/json").body(frozen.get().to_owned());
        }
        let again = repeatable.then(|| request.try_clone()).flatten();
        let response = match (request.send().await, again) {
            // A process that ends closes the connections that were kept: another one answers.
            (Err(error), Some(again)) if !error.is_timeout() => {
                tracing::debug!(?room, path, error = %chain(&error), "a connection broke; asked again");
                again.send().await
            }
            (sent, _) => sent,
        };
        self.judge(room, path, response.map_err(|error| away(room, path, &error))?).await
    }

    async fn judge(&self, room: Room, path: &str, response: reqwest::Response) -> Result<reqwest::Response, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = response.bytes().await.map_err(|error| away(room, path, &error))?;
        let mut refusal: Refusal = serde_json::from_slice(&bytes).unwrap_or_default();
        refusal.status = status.as_u16();
        refusal.retry_after = retry_after;
        match status {
            // Signing in answers 401 as well, and has no token yet.
            StatusCode::UNAUTHORIZED if self.token.is_some() => Err(Failure::SignedOut),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                tracing::warn!(?room, path, %status, "a service is not ready");
                Err(Failure::Away(room))
            }
            status if status.is_client_error() && !refusal.title.is_empty() => Err(Failure::refused(refusal)),
            _ => {
                tracing::error!(?room, path, %status, "a service answered wrongly");
                Err(Failure::Broken(room))
            }
        }
    }
}

/// Reads an answer. A member that is null says the same as one that is missing; pages have words for neither.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(bytes).or_else(|_| {
        let mut value: Value = serde_json::from_slice(bytes)?;
        drop_nulls(&mut value);
        serde_json::from_value(value)
    })
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn multipart(fields: Vec<(String, String)>, files: &[Upload]) -> reqwest::Result<reqwest::multipart::Form> {
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in fields {
        form = form.text(name, value);
    }
    for file in files {
        let part = reqwest::multipart::Part::stream(file.bytes.clone())
            .file_name(file.file_name.clone())
            .mime_str(if file.media_type.is_empty() { "application/octet-stream" } else { &file.media_type })?;
        form = form.part("file", part);
    }
    Ok(form)
}

fn away(room: Room, path: &str, error: &dyn std::error::Error) -> Failure {
    tracing::warn!(?room, path, error = %chain(error), "a service does not answer");
    Failure::Away(room)
}

fn broken(room: Room, path: &str, error: &dyn std::error::Error) -> Failure {
    tracing::error!(?room, path, error = %chain(error), "a service's answer is not understood");
    Failure::Broken(room)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Percent-encodes whatever is not plain (RFC 8187).
pub fn percent(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Sample {
        name: String,
        list: Vec<u32>,
    }

    #[test]
    fn null_is_read_as_missing() {
        let sample: Sample = read(br#"{"name": null, "list": [1], "more": {"x": null}}"#).unwrap();
        assert_eq!(sample, Sample { name: String::new(), list: vec![1] });
        assert!(read::<Sample>(br#"{"list": "x"}"#).is_err());
    }

    #[test]
    fn names_of_downloads_are_encoded() {
        assert_eq!(percent("整 a-1.xlsx"), "%E6%95%B4%20a-1.xlsx");
    }
}

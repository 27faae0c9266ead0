//! Calling the services' HTTP APIs as somebody.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use service_kit::ids::{Ids as _, SystemIds};

use super::http;
use super::json::Read as _;

/// A service that was shot is back by then.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(250);

/// What goes with a request.
#[derive(Debug, Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Value),
    /// A form with files: fields, then (field, file name, content).
    Form(Vec<(&'static str, String)>, Vec<(&'static str, String, Vec<u8>)>),
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// The body as JSON, `null` when it is none.
    pub json: Value,
    /// The body.
    pub bytes: Vec<u8>,
}

/// The services' APIs.
#[derive(Debug)]
pub struct Api {
    http: Client,
    bases: BTreeMap<String, String>,
    tokens: Mutex<BTreeMap<String, String>>,
}

impl Api {
    /// APIs at these base addresses.
    pub fn new(bases: BTreeMap<String, String>) -> anyhow::Result<Self> {
        Ok(Self { http: http::client(false)?, bases, tokens: Mutex::default() })
    }

    /// The base address of a service.
    pub fn base(&self, service: &str) -> anyhow::Result<&str> {
        self.bases.get(service).map(String::as_str).with_context(|| format!("no address of {service}"))
    }

    /// Signs in and keeps the token.
    pub async fn sign_in(&self, login: &str, password: &str) -> anyhow::Result<Value> {
        let body = serde_json::json!({ "login": login, "password": password });
        let answer = self.send(None, Method::POST, "registry", "/v1/sessions", None, Body::Json(body)).await?;
        if answer.status != 201 {
            bail!("{login} cannot sign in: {} {}", answer.status, answer.json);
        }
        let token = answer.json.text("/token")?.to_owned();
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(login.to_owned(), token);
        Ok(answer.json)
    }

    /// GET of something that must be there.
    pub async fn get(&self, who: &str, service: &str, path: &str) -> anyhow::Result<Value> {
        Ok(good(self.send(Some(who), Method::GET, service, path, None, Body::None).await?, path)?.json)
    }

    /// GET of bytes.
    pub async fn bytes(&self, who: &str, service: &str, path: &str) -> anyhow::Result<Vec<u8>> {
        Ok(good(self.send(Some(who), Method::GET, service, path, None, Body::None).await?, path)?.bytes)
    }

    /// POST that must succeed.
    pub async fn post(&self, who: &str, service: &str, path: &str, body: Body) -> anyhow::Result<Value> {
        Ok(good(self.send(Some(who), Method::POST, service, path, None, body).await?, path)?.json)
    }

    /// POST to a version of something, which must succeed.
    pub async fn act(&self, who: &str, service: &str, path: &str, version: i64, body: Value) -> anyhow::Result<Value> {
        let answer = self.send(Some(who), Method::POST, service, path, Some(version), Body::Json(body)).await?;
        Ok(good(answer, path)?.json)
    }

    /// A request and whatever comes back. Repeated with the same `Idempotency-Key` while nobody answers.
    pub async fn send(
        &self,
        who: Option<&str>,
        method: Method,
        service: &str,
        path: &str,
        version: Option<i64>,
        body: Body,
    ) -> anyhow::Result<Answer> {
        let address = format!("{}{path}", self.base(service)?);
        let key = SystemIds.new_id().to_string();
        let token = match who {
            Some(login) => Some(self.token(login)?),
            None => None,
        };
        let began = Instant::now();
        loop {
            let mut request = self.http.request(method.clone(), &address);
            if let Some(token) = &token {
                request = request.bearer_auth(token);
            }
            if method == Method::POST {
                request = request.header("Idempotency-Key", &key);
            }
            if let Some(version) = version {
                request = request.header("If-Match", format!("\"{version}\""));
            }
            match once(with_body(request, &body)?).await {
                // 502 to 504: the service, its database or the broker is just coming back.
                Ok(answer) if !(502..=504).contains(&answer.status) || began.elapsed() > PATIENCE => return Ok(answer),
                Err(error) if began.elapsed() > PATIENCE => return Err(error.context(format!("{method} {address}"))),
                Ok(_) | Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn token(&self, login: &str) -> anyhow::Result<String> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(login).cloned().with_context(|| format!("{login} has not signed in"))
    }

    /// GET of a page or file without signing in, once.
    pub async fn public(&self, service: &str, path: &str) -> anyhow::Result<Answer> {
        once(self.http.get(format!("{}{path}", self.base(service)?))).await
    }

    /// A request to something that is no service of ours, once: the simulators.
    pub async fn outside(&self, method: Method, service: &str, path: &str, body: Body) -> anyhow::Result<Value> {
        let request = self.http.request(method, format!("{}{path}", self.base(service)?));
        Ok(good(once(with_body(request, &body)?).await?, path)?.json)
    }
}

fn with_body(request: RequestBuilder, body: &Body) -> anyhow::Result<RequestBuilder> {
    Ok(match body {
        Body::None => request,
        Body::Json(value) => request.json(value),
        Body::Form(fields, files) => {
            let mut form = reqwest::multipart::Form::new();
            for (name, value) in fields {
                form = form.text(*name, value.clone());
            }
            for (field, name, content) in files {
                let part = reqwest::multipart::Part::bytes(content.clone()).file_name(name.clone());
                form = form.part(*field, part.mime_str("application/octet-stream")?);
            }
            request.multipart(form)
        }
    })
}

async fn once(request: RequestBuilder) -> anyhow::Result<Answer> {
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await?.to_vec();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status, json, bytes })
}

fn good(answer: Answer, path: &str) -> anyhow::Result<Answer> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    bail!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.bytes))
}

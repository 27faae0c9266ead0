//! HTTP servers that play gateways: they keep what came and answer what they are told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

#[derive(Debug, Clone)]
struct Answering {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// A gateway.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Arc<Mutex<Answering>>,
}

impl Gateway {
    /// One that answers 200 with an empty object.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answer = Answering { status: 200, headers: Vec::new(), body: "{}".to_owned() };
        let gateway = Self {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            answer: Arc::new(Mutex::new(answer)),
        };
        let router = Router::new().fallback(take).with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        gateway
    }

    pub(crate) fn answers(&self, status: u16, body: &str) {
        self.answers_with(status, Vec::new(), body);
    }

    pub(crate) fn answers_with(&self, status: u16, headers: Vec<(&'static str, String)>, body: &str) {
        *self.answer.lock().unwrap() = Answering { status, headers, body: body.to_owned() };
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn take(State(gateway): State<Gateway>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).unwrap();
    gateway.seen.lock().unwrap().push(Seen { uri: uri.to_string(), headers, body });
    let answer = gateway.answer.lock().unwrap().clone();
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

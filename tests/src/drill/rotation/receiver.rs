//! Another system of an office, which is told by webhook.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use aws_lc_rs::{hmac, rand};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A secret that both sides know.
pub struct Secret([u8; 32]);

impl Secret {
    /// A new one.
    pub fn new() -> anyhow::Result<Self> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).context("random bytes")?;
        Ok(Self(bytes))
    }

    /// As it stands in a file.
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }
}

/// A call that came in.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is signed: id, time and body.
    signed: Vec<u8>,
    signatures: String,
}

impl Call {
    /// Whether one of its signatures is made with the secret (Standard Webhooks, `v1`).
    pub fn is_signed_with(&self, secret: &Secret) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
        self.signatures
            .split(' ')
            .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
            .any(|signature| hmac::verify(&key, &self.signed, &signature).is_ok())
    }
}

type Calls = Arc<Mutex<Vec<Call>>>;

/// The system. It takes every call; dropping it ends it.
pub struct Receiver {
    address: SocketAddr,
    calls: Calls,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port of this machine.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listening")?;
        let address = listener.local_addr()?;
        let calls = Calls::default();
        let app = Router::new().route("/", post(take)).with_state(Arc::clone(&calls));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, calls, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has come in.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets it.
    pub fn forget(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(calls): State<Calls>, headers: HeaderMap, body: Bytes) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let mut signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).into_bytes();
    signed.extend_from_slice(&body);
    let call = Call { signed, signatures: header("webhook-signature") };
    calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
}

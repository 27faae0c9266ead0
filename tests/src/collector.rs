//! A collector of traces (OTLP over HTTP), as a bureau would run one: it keeps what it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A span that some process has told of.
#[derive(Debug, Clone)]
pub struct Span {
    /// `service.name`, without the product's own part.
    pub service: String,
    /// Its name, for instance `consume tasks.letter.issued.v1`.
    pub name: String,
    /// Trace, hexadecimal.
    pub trace: String,
    /// The span, hexadecimal.
    pub id: String,
    /// The span that it continues; empty for the first of a trace.
    pub parent: String,
    /// Traces of other spans that it is linked to.
    pub links: BTreeSet<String>,
    /// The attributes that are texts.
    pub attributes: BTreeMap<String, String>,
}

type Told = Arc<Mutex<Vec<Span>>>;

/// A running collector; it ends when it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    told: Told,
    serving: JoinHandle<()>,
}

impl Collector {
    /// Listens on a free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let told = Told::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .layer(axum::extract::DefaultBodyLimit::max(64 * 1024 * 1024))
            .with_state(Arc::clone(&told));
        let serving = tokio::spawn(async move {
            // Ends with the listener.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, told, serving })
    }

    /// The base address for `telemetry.otlp_endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was told so far.
    pub fn spans(&self) -> Vec<Span> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(told): State<Told>, body: Bytes) -> Response {
    let request = match ExportTraceServiceRequest::decode(body) {
        Ok(request) => request,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let name = texts(attributes).remove("service.name").unwrap_or_default();
        let service = name.trim_start_matches("dudao-").to_owned();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span {
                service: service.clone(),
                name: span.name,
                trace: hex::encode(span.trace_id),
                id: hex::encode(span.span_id),
                parent: hex::encode(span.parent_span_id),
                links: span.links.into_iter().map(|link| hex::encode(link.trace_id)).collect(),
                attributes: texts(span.attributes),
            });
        }
    }
    told.lock().unwrap_or_else(PoisonError::into_inner).append(&mut spans);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-protobuf"));
    // An empty message: everything was taken.
    (headers, Bytes::new()).into_response()
}

fn texts(attributes: Vec<opentelemetry_proto::tonic::common::v1::KeyValue>) -> BTreeMap<String, String> {
    attributes
        .into_iter()
        .filter_map(|attribute| match attribute.value?.value? {
            Value::StringValue(text) => Some((attribute.key, text)),
            _ => None,
        })
        .collect()
}

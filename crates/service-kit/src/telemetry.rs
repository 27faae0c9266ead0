//! Logs on standard output, traces over OTLP when configured, metrics for Prometheus.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use prometheus::{Encoder as _, Registry, TextEncoder};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{LogFormat, TelemetrySection};

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The OTLP exporter could not be built.
    #[error("building the trace exporter")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The Prometheus exporter could not be built.
    #[error("building the metrics exporter")]
    Metrics(#[from] opentelemetry_sdk::error::OTelSdkError),
    /// The log filter is wrong.
    #[error("reading the log filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Another subscriber is installed already.
    #[error("installing the log subscriber")]
    Subscriber(#[from] tracing_subscriber::util::TryInitError),
}

/// The running providers.
#[derive(Debug, Clone)]
pub struct Telemetry {
    tracer: SdkTracerProvider,
    metrics: Metrics,
}

/// The metrics of the process.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    provider: Arc<SdkMeterProvider>,
}

impl Metrics {
    /// Metrics of a service, collected by the OpenTelemetry API and shown in the form of Prometheus.
    pub fn new(service: &str) -> Result<Self, TelemetryError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).with_resource(resource(service)).build();
        Ok(Self { registry, provider: Arc::new(provider) })
    }

    /// The registry, for metrics made with the `prometheus` crate itself.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// A meter of the process.
    pub fn meter(&self) -> opentelemetry::metrics::Meter {
        use opentelemetry::metrics::MeterProvider as _;
        self.provider.meter("dudao")
    }

    /// The text that Prometheus reads, with its media type.
    pub fn render(&self) -> (String, String) {
        let encoder = TextEncoder::new();
        let mut text = Vec::new();
        if let Err(error) = encoder.encode(&self.registry.gather(), &mut text) {
            tracing::error!(error = %error, "the metrics could not be written");
        }
        (encoder.format_type().to_owned(), String::from_utf8_lossy(&text).into_owned())
    }
}

/// Installs the subscriber and the providers of the process. To be called once.
pub fn start(service: &str, section: &TelemetrySection) -> Result<Telemetry, TelemetryError> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    // A batch of events is linked to the traces of all its events.
    let builder = SdkTracerProvider::builder().with_resource(resource(service)).with_max_links_per_span(512);
    let tracer = match &section.otlp_endpoint {
        Some(endpoint) => {
            let base = endpoint.trim_end_matches('/');
            let exporter = opentelemetry_otlp::SpanExporter::builder()
                .with_http()
                .with_endpoint(format!("{base}/v1/traces"))
                .with_timeout(Duration::from_secs(10))
                .build()?;
            let sampler = Sampler::TraceIdRatioBased(section.trace_ratio);
            builder.with_sampler(Sampler::ParentBased(Box::new(sampler))).with_batch_exporter(exporter).build()
        }
        // Without a collector nothing is recorded, but the trace ids still run through logs and journals.
        None => builder.with_sampler(Sampler::AlwaysOff).build(),
    };
    let metrics = Metrics::new(service)?;
    opentelemetry::global::set_tracer_provider(tracer.clone());
    opentelemetry::global::set_meter_provider((*metrics.provider).clone());

    let filter = EnvFilter::try_new(&section.log_level)?;
    let lines = match section.log_format {
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer().compact().with_target(false).boxed(),
    };
    let spans = tracing_opentelemetry::layer().with_tracer(tracer.tracer("dudao"));
    tracing_subscriber::registry().with(filter).with(lines).with(spans).try_init()?;
    Ok(Telemetry { tracer, metrics })
}

impl Telemetry {
    /// The metrics of the process.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Sends what is still held back and stops. The providers block, hence the other thread.
    pub async fn shutdown(self) {
        let stopped = tokio::task::spawn_blocking(move || {
            // An error here is a collector that does not answer; there is nobody left to tell.
            let _ = self.tracer.shutdown_with_timeout(Duration::from_secs(5));
            let _ = self.metrics.provider.shutdown();
        });
        let _ = stopped.await;
    }
}

fn resource(service: &str) -> Resource {
    Resource::builder()
        .with_service_name(format!("dudao-{service}"))
        .with_attribute(KeyValue::new("service.namespace", "dudao"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

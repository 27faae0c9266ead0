//! W3C trace context: from the request, into the journal, over the broker, to the partner.

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

pub use messaging::trace::current_traceparent;

/// Makes a span the child of a stored `traceparent`. What cannot be read is ignored: a broken
/// header must not stop the work that it came with.
pub fn set_parent(span: &Span, traceparent: &str) {
    messaging::trace::continue_from(span, Some(traceparent));
}

/// Makes a span the child of the trace that an HTTP request came with.
pub fn set_parent_from_headers(span: &Span, headers: &http::HeaderMap) {
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if context.span().span_context().is_valid() {
        // Fails only when no trace layer is installed or the span has begun: nothing to do then.
        let _ = span.set_parent(context);
    }
}

/// Writes the current trace into the headers of an outgoing HTTP request.
pub fn inject(headers: &mut http::HeaderMap) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut HeaderInjector(headers));
}

/// The trace id of a span, for the log line; `None` outside of a trace.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let span_context = context.span().span_context().clone();
    span_context.is_valid().then(|| span_context.trace_id().to_string())
}

//! W3C trace context as text, so that one trace runs through journal, broker and jobs.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The current span's `traceparent`; `None` when nothing is being traced.
pub fn current_traceparent() -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove("traceparent")
}

/// Links a span to the trace of `traceparent`; text that is none is ignored.
pub fn link(span: &Span, traceparent: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&carrier).span().span_context().clone();
    if context.is_valid() {
        span.add_link(context);
    }
}

/// Makes a span continue the trace of `traceparent`; text that is none is ignored.
pub fn continue_from(span: &Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
        // Fails only where no tracer is installed, and then there is nothing to continue.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
    }
}

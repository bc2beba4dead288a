"""W3C trace context across the bus: saved with the event, carried in a header, current again around the handler."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()


def current_traceparent() -> str:
    """The `traceparent` of the current span, or an empty string outside of a trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(HEADER, "")


@contextmanager
def attached(traceparent: str) -> Iterator[None]:
    """Work inside the trace that `traceparent` names, as a span of its own; log lines carry its id."""
    parent = trace.get_current_span(_PROPAGATOR.extract({HEADER: traceparent}, context=Context())).get_span_context()
    if not parent.is_valid:
        yield
        return
    span = trace.SpanContext(parent.trace_id, secrets.randbits(64) or 1, False, parent.trace_flags, parent.trace_state)
    token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(span)))
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace.format_trace_id(parent.trace_id)):
            yield
    finally:
        context.detach(token)

"""W3C trace context: every request belongs to a trace, so that its events and their effects can be followed."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from django.http import HttpRequest, HttpResponseBase
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

GetResponse = Callable[[HttpRequest], HttpResponseBase]
_PROPAGATOR = TraceContextTextMapPropagator()


def current_trace_id() -> str:
    """The 32 hex digits of the current trace, or an empty string outside of one."""
    span = trace.get_current_span().get_span_context()
    return trace.format_trace_id(span.trace_id) if span.is_valid else ""


def step(name: str) -> AbstractContextManager[object]:
    """A part of the work that is a span of its own, where an operator has turned tracing on."""
    return trace.get_tracer("chassis").start_as_current_span(name, record_exception=False)


def trace_context(headers: Mapping[str, str]) -> Context:
    """A span of its own inside the trace that `traceparent` names; a new trace where there is none."""
    parent = trace.get_current_span(_PROPAGATOR.extract(headers, context=Context())).get_span_context()
    span = trace.SpanContext(
        trace_id=parent.trace_id if parent.is_valid else secrets.randbits(128) or 1,
        span_id=secrets.randbits(64) or 1,
        is_remote=False,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
        trace_state=parent.trace_state,
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(span))


class TraceMiddleware:
    """Opens a trace context per request, unless an OpenTelemetry instrumentation has done it already."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if current_trace_id():
            return self.get_response(request)
        headers = {name: request.headers[name] for name in ("traceparent", "tracestate") if name in request.headers}
        token = context.attach(trace_context(headers))
        try:
            return self.get_response(request)
        finally:
            context.detach(token)

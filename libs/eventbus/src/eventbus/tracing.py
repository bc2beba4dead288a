"""W3C trace context across the bus: saved with the event, carried in a header, current again around the handler.

With OpenTelemetry's SDK each call of a handler is a span; without it log lines carry the trace all the same.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("eventbus")
_MOST_LINKS = 128  # as many as the SDK keeps


def current_traceparent() -> str:
    """The `traceparent` of the current span, or an empty string outside of a trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(HEADER, "")


@contextmanager
def following(name: str, traceparents: Iterable[str]) -> Iterator[None]:
    """Work as a span of its own, inside the trace that these name; log lines carry its id.

    Where they name several, nothing tells which one the work is for: then it is a trace of its own, linked to them.
    """
    distinct = [text for text in dict.fromkeys(traceparents) if text]
    causes = [cause for cause in map(_parsed, islice(distinct, _MOST_LINKS)) if cause.is_valid]
    if not causes:
        yield
        return
    parent = causes[0] if len({_trace_id(text) for text in distinct}) == 1 else None
    span = _started(name, parent, causes)
    with trace.use_span(span, end_on_exit=True), _named(span.get_span_context()):
        yield


@contextmanager
def within(traceparent: str) -> Iterator[None]:
    """Log inside the trace that this names, without a span of its own."""
    cause = _parsed(traceparent)
    if not cause.is_valid:
        yield
        return
    with trace.use_span(NonRecordingSpan(cause)), _named(cause):
        yield


def _named(span: SpanContext) -> AbstractContextManager[object]:
    return structlog.contextvars.bound_contextvars(trace_id=trace.format_trace_id(span.trace_id))


def _started(name: str, parent: SpanContext | None, causes: Iterable[SpanContext]) -> Span:
    context = trace.set_span_in_context(NonRecordingSpan(parent), Context()) if parent else Context()
    links = [trace.Link(cause) for cause in causes]
    span = _TRACER.start_span(name, context, kind=SpanKind.CONSUMER, links=links)
    if span.get_span_context().span_id not in {trace.INVALID_SPAN_ID, parent and parent.span_id}:
        return span
    # Without the SDK a span is its parent.
    trace_id = parent.trace_id if parent else secrets.randbits(128) or 1
    flags = parent.trace_flags if parent else trace.TraceFlags(trace.TraceFlags.SAMPLED)
    return NonRecordingSpan(SpanContext(trace_id, secrets.randbits(64) or 1, False, flags))


def _parsed(traceparent: str) -> SpanContext:
    return trace.get_current_span(_PROPAGATOR.extract({HEADER: traceparent}, context=Context())).get_span_context()


def _trace_id(traceparent: str) -> str:
    return traceparent[3:35]

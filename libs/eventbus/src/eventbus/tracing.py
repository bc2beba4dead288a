"""W3C trace context across the bus: saved with the event, carried in a header, current again around the handler.

With OpenTelemetry's SDK publishing, sending and each call of a handler are spans (decision 14); without it log lines
carry the trace all the same.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import islice

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"
_PROPAGATOR = TraceContextTextMapPropagator()
_MOST_LINKS = 128  # as many as the SDK keeps


def is_on() -> bool:
    """Whether this process has the SDK: without it, work that only makes spans is left out."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def current_traceparent() -> str:
    """The `traceparent` of the current span, or an empty string outside of a trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(HEADER, "")


def nearest(own: str, current: str) -> str:
    """The `traceparent` to publish with: an event's own, unless the current span is of the same trace, or it has none.

    The current span is nearer: what was done between the cause and now is above it.
    """
    return own if own and _trace_id(own) != _trace_id(current) else current


@contextmanager
def publishing(event_names: Iterable[str]) -> Iterator[None]:
    """Events go into the outbox: a span inside of the current trace, if there is one; they carry its context."""
    if not is_on() or not trace.get_current_span().get_span_context().is_valid:
        yield
        return
    name = "publish " + ", ".join(sorted(set(event_names)))
    with _tracer().start_as_current_span(name, kind=SpanKind.PRODUCER, record_exception=False):
        yield


@contextmanager
def sending(records: Iterable[tuple[str, Mapping[str, bytes | None]]]) -> Iterator[None]:
    """A batch of records goes to the broker: given topic and headers of each, a span per topic in each of their traces.

    A batch holds events of many requests; a span of its own with links would be in none of their traces.
    """
    if not is_on():
        yield
        return
    counts = Counter((topic, (headers.get(HEADER) or b"").decode("ascii", "replace")) for topic, headers in records)
    spans = [
        _tracer().start_span(f"send {topic}", _under(cause), kind=SpanKind.PRODUCER, attributes=_sizes(topic, count))
        for (topic, traceparent), count in counts.items()
        if (cause := _parsed(traceparent)).is_valid
    ]
    with _ending(spans):
        yield


@contextmanager
def following(name: str, traceparents: Iterable[str]) -> Iterator[None]:
    """Work as a span of its own, inside the trace that these name; log lines carry its id.

    Where they name several, nothing tells which one the work is for: then it is a trace of its own, linked to them,
    and each of them has a span that is linked to it.
    """
    distinct = [text for text in dict.fromkeys(traceparents) if text]
    causes = [cause for cause in map(_parsed, islice(distinct, _MOST_LINKS)) if cause.is_valid]
    if not causes:
        yield
        return
    parent = causes[0] if len({_trace_id(text) for text in distinct}) == 1 else None
    span = _started(name, parent, causes)
    own = span.get_span_context()
    shares = [] if parent else _shares(name, causes, own)
    with _ending(shares), trace.use_span(span, end_on_exit=True, record_exception=False), _named(own):
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
    context = _under(parent) if parent else Context()
    span = _tracer().start_span(name, context, kind=SpanKind.CONSUMER, links=[Link(cause) for cause in causes])
    if span.get_span_context().span_id not in {trace.INVALID_SPAN_ID, parent and parent.span_id}:
        return span
    # Without the SDK a span is its parent.
    trace_id = parent.trace_id if parent else secrets.randbits(128) or 1
    flags = parent.trace_flags if parent else trace.TraceFlags(trace.TraceFlags.SAMPLED)
    return NonRecordingSpan(SpanContext(trace_id, secrets.randbits(64) or 1, False, flags))


def _shares(name: str, causes: Iterable[SpanContext], shared: SpanContext) -> list[Span]:
    """A span in each trace for work that is done for all of them at once."""
    if not is_on():
        return []
    first: dict[int, SpanContext] = {}
    for cause in causes:
        first.setdefault(cause.trace_id, cause)
    links = [Link(shared)]
    return [_tracer().start_span(name, _under(cause), kind=SpanKind.CONSUMER, links=links) for cause in first.values()]


@contextmanager
def _ending(spans: Iterable[Span]) -> Iterator[None]:
    """Spans that last as long as the work inside, and fail with it."""
    try:
        yield
    except BaseException:
        for span in spans:
            span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        for span in spans:
            span.end()


def _tracer() -> trace.Tracer:
    return trace.get_tracer_provider().get_tracer("eventbus")


def _under(cause: SpanContext) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(cause), Context())


def _sizes(topic: str, count: int) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.batch.message_count": count,
    }


def _parsed(traceparent: str) -> SpanContext:
    return trace.get_current_span(_PROPAGATOR.extract({HEADER: traceparent}, context=Context())).get_span_context()


def _trace_id(traceparent: str) -> str:
    return traceparent[3:35]

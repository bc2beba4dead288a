"""From the request to the consumer's log lines: each event keeps the trace it belongs to, also among others."""

import logging
from contextlib import contextmanager

import pytest
import structlog
from django.db import transaction
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sample import consumed
from sample.models import Effect
from sample.published import bank, order
from structlog.testing import capture_logs

from eventbus import Event, dead_letters, event_id, publish, publish_many, tracing
from eventbus.memory import MemoryBus
from eventbus.models import DeadLetter, OutboxRow

pytestmark = pytest.mark.django_db
FIRST, SECOND = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"


@pytest.fixture
def spans(monkeypatch) -> InMemorySpanExporter:
    """The SDK, as an operator sets it up; the global provider can be set only once in a process."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("eventbus"))
    return exporter


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


def traceparent(trace_id: str) -> str:
    return f"00-{trace_id}-b7ad6b7169203331-01"


@contextmanager
def request(trace_id: str):
    """As the middleware of a service opens a trace."""
    token = context.attach(TraceContextTextMapPropagator().extract({"traceparent": traceparent(trace_id)}))
    try:
        yield
    finally:
        context.detach(token)


def consume(bus: MemoryBus, *orders: tuple[str, Event]) -> list[dict]:
    """Publish each in the trace of a request of its own, let the shop consume all; returns its log lines."""
    for trace_id, event in orders:
        with request(trace_id), transaction.atomic():
            publish(event)
    bus.relay()
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        bus.consume("orders")
    return lines


def applied(lines: list[dict]) -> dict[str, str]:
    return {line["key"]: line["trace_id"] for line in lines if line["event"] == "event_applied"}


def traces() -> set[str]:
    return {trace_of(text) for text in Effect.objects.values_list("trace", flat=True)}


def trace_of(traceparent: str) -> str:
    return traceparent.split("-")[1]


def test_the_line_of_each_event_of_a_batch_carries_its_own_trace(bus):
    lines = consume(bus, (FIRST, order("OrderPlaced", "o1")), (SECOND, order("OrderPlaced", "o2")))
    assert Effect.objects.first().size == 2
    assert applied(lines) == {"o1": FIRST, "o2": SECOND}


def test_a_handler_works_inside_the_trace_that_all_its_events_share(bus, spans):
    consume(bus, (FIRST, order("OrderPlaced", "o1")), (FIRST, order("OrderPlaced", "o2")))
    assert traces() == {FIRST}
    (span,) = spans.get_finished_spans()
    assert (span.name, trace.format_trace_id(span.context.trace_id)) == ("process shop.orders", FIRST)
    assert span.kind is trace.SpanKind.CONSUMER


def test_a_handler_of_several_traces_works_in_one_of_its_own_that_links_to_them(bus, spans):
    consume(bus, (FIRST, order("OrderPlaced", "o1")), (SECOND, order("OrderPlaced", "o2")))
    (span,) = spans.get_finished_spans()
    assert [trace.format_trace_id(link.context.trace_id) for link in span.links] == [FIRST, SECOND]
    assert traces() == {trace.format_trace_id(span.context.trace_id)}
    assert not traces() & {FIRST, SECOND}


def test_log_lines_know_their_traces_without_the_sdk_too(bus):
    consume(bus, (FIRST, order("OrderPlaced", "o1")))
    consume(bus, (FIRST, order("OrderPlaced", "o2")), (SECOND, order("OrderPlaced", "o3")))
    assert FIRST in traces()
    assert len(traces()) == 2
    assert SECOND not in traces()


def test_the_failure_and_the_retry_of_an_event_carry_its_trace(bus, spans):
    lines = consume(bus, (FIRST, order("OrderPlaced", "o1")), (SECOND, order("OrderPlaced", "o2", text="poison")))
    assert [line["trace_id"] for line in lines if line["event"] == "handler_failed"] == [SECOND]
    consumed.healed.set()
    spans.clear()
    dead_letters.retry(DeadLetter.objects.get().pk, by="me")
    (span,) = spans.get_finished_spans()
    assert (span.name, trace.format_trace_id(span.context.trace_id)) == ("retry shop.orders", SECOND)


def test_an_event_that_names_its_causes_trace_keeps_it_whatever_the_batch_is_in():
    cause = bank("PaymentMade", traceparent=traceparent(FIRST))
    data = {"order_id": "o1", "number": 1}
    effect = Event(name="OrderPlaced", version=1, key="o1", time=cause.time, data=data, id=event_id("o1"))
    with request(SECOND), transaction.atomic():
        publish_many([order("OrderPlaced", traceparent=cause.traceparent), effect])
    rows = OutboxRow.objects.order_by("id").values_list("traceparent", flat=True)
    assert [trace_of(text) for text in rows] == [FIRST, SECOND]


def test_events_without_a_trace_are_handled_outside_of_one(bus, spans):
    with transaction.atomic():
        publish(order("OrderPlaced"))
    bus.relay()
    bus.consume("orders")
    assert Effect.objects.get().trace == ""
    assert not spans.get_finished_spans()


def test_a_large_batch_has_a_line_for_each_event_only_where_somebody_debugs(bus, caplog):
    many = [(FIRST, order("OrderPlaced", f"o{number}")) for number in range(6)]
    assert applied(consume(bus, *many)) == {}
    caplog.set_level(logging.DEBUG, "eventbus.consumer")
    again = [(FIRST, order("OrderShipped", f"o{number}")) for number in range(6)]
    assert len(applied(consume(bus, *again))) == 6

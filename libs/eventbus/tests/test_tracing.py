"""From the request to the consumer's log lines: each event keeps the trace it belongs to, also among others."""

import logging
from contextlib import contextmanager

import psycopg
import pytest
import structlog
from django.db import transaction
from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sample import consumed
from sample.models import Effect
from sample.published import bank, order
from structlog.testing import capture_logs

from eventbus import Event, dead_letters, event_id, publish, publish_many
from eventbus.memory import MemoryBus
from eventbus.models import DeadLetter, OutboxRow
from eventbus.relay import Relay

pytestmark = pytest.mark.django_db
FIRST, SECOND = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"


@pytest.fixture
def spans(monkeypatch) -> InMemorySpanExporter:
    """The SDK, as an operator sets it up; the global provider can be set only once in a process."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
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


def finished(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def trace_id(span: ReadableSpan) -> str:
    return trace.format_trace_id(span.context.trace_id)


def test_publishing_is_a_span_of_the_request_and_the_event_carries_its_context(spans):
    with request(FIRST), transaction.atomic():
        publish_many([order("OrderPlaced"), order("OrderShipped")])
    (span,) = spans.get_finished_spans()
    assert (span.name, trace_id(span)) == ("publish OrderPlaced, OrderShipped", FIRST)
    carried = {text.split("-")[2] for text in OutboxRow.objects.values_list("traceparent", flat=True)}
    assert carried == {trace.format_span_id(span.context.span_id)}


def test_publishing_outside_of_a_trace_begins_none(spans):
    with transaction.atomic():
        publish(order("OrderPlaced"))
    assert OutboxRow.objects.get().traceparent == ""
    assert spans.get_finished_spans() == ()


def test_sending_a_batch_is_a_span_in_the_trace_of_each_of_its_events(kafka, spans):
    for name, key in ((FIRST, "o1"), (SECOND, "o2")):
        with request(name), transaction.atomic():
            publish_many([order("OrderPlaced", key), order("OrderShipped", key)])
    assert kafka.relay() == 4
    sent = finished(spans, "send orders")
    assert [trace_id(span) for span in sent] == [FIRST, SECOND]
    assert {span.attributes["messaging.batch.message_count"] for span in sent} == {2}
    published = {span.context.span_id for span in spans.get_finished_spans() if span.name.startswith("publish")}
    assert {span.parent.span_id for span in sent} == published


def test_a_batch_that_could_not_be_sent_says_so(kafka, spans):
    with request(FIRST), transaction.atomic():
        publish(order("OrderPlaced"))
    relay = Relay()
    assert relay.claim()
    relay._producer = None  # the shard is lost
    with pytest.raises(psycopg.OperationalError):
        relay.step()
    relay.close()
    (span,) = finished(spans, "send orders")
    assert not span.status.is_ok


def test_a_handler_works_inside_the_trace_that_all_its_events_share(bus, spans):
    consume(bus, (FIRST, order("OrderPlaced", "o1")), (FIRST, order("OrderPlaced", "o2")))
    assert traces() == {FIRST}
    (span,) = finished(spans, "process shop.orders")
    assert (trace_id(span), span.kind) == (FIRST, trace.SpanKind.CONSUMER)
    assert span.parent.span_id == finished(spans, "publish OrderPlaced")[0].context.span_id


def test_a_handler_of_several_traces_works_in_one_of_its_own_and_each_of_them_has_a_span_of_it(bus, spans):
    consume(bus, (FIRST, order("OrderPlaced", "o1")), (SECOND, order("OrderPlaced", "o2")))
    found = {trace_id(span): span for span in finished(spans, "process shop.orders")}
    (own,) = traces()
    assert set(found) == {own, FIRST, SECOND}
    assert [trace.format_trace_id(link.context.trace_id) for link in found[own].links] == [FIRST, SECOND]
    for one in (FIRST, SECOND):
        assert found[one].links[0].context.span_id == found[own].context.span_id


def test_the_spans_of_a_handler_that_fails_are_errors(bus, spans):
    consume(bus, (FIRST, order("OrderPlaced", "o1", text="poison")), (SECOND, order("OrderPlaced", "o2")))
    failed = [span for span in finished(spans, "process shop.orders") if not span.status.is_ok]
    assert {FIRST, SECOND} < {trace_id(span) for span in failed}
    assert not any(span.events for span in failed)


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
    (span,) = finished(spans, "retry shop.orders")
    assert trace_id(span) == SECOND


def test_an_event_that_names_its_causes_trace_keeps_it_whatever_the_batch_is_in():
    cause = bank("PaymentMade", traceparent=traceparent(FIRST))
    data = {"order_id": "o1", "number": 1}
    effect = Event(name="OrderPlaced", version=1, key="o1", time=cause.time, data=data, id=event_id("o1"))
    with request(SECOND), transaction.atomic():
        publish_many([order("OrderPlaced", traceparent=cause.traceparent), effect])
    rows = OutboxRow.objects.order_by("id").values_list("traceparent", flat=True)
    assert [trace_of(text) for text in rows] == [FIRST, SECOND]


def test_an_event_goes_on_from_the_current_span_where_that_belongs_to_its_causes_trace():
    with request(FIRST), transaction.atomic():
        publish(order("OrderPlaced", traceparent=f"00-{FIRST}-00000000000000aa-01"))
    assert OutboxRow.objects.get().traceparent == traceparent(FIRST)


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

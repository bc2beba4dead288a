"""OpenTelemetry's SDK, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector; elsewhere nobody imports this module.

Requests, calls and jobs are spans by the libraries' instrumentations, events and postings by `eventbus.tracing` and
`chassis.tracing`. What a span says leaves the process without anything personal or secret.
"""

import atexit
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status

_SECONDS = 3  # for an attempt to export, and for all of them together once the process ends
# Who asked, from where and for what; names of the old and of the new convention.
_PERSONAL = frozenset(
    {
        "client.address",
        "client.port",
        "http.user_agent",
        "net.peer.ip",
        "net.peer.port",
        "network.peer.address",
        "network.peer.port",
        "url.query",
        "user_agent.original",
    }
)
_ADDRESSES = frozenset({"http.target", "http.url", "url.full"})


def start(exporter: SpanExporter | None = None) -> None:
    """Trace this process from now on; what belongs to one request, event or job has one trace id everywhere."""
    resource = Resource.create({"service.name": settings.SERVICE_NAME, "service.namespace": "task-tracker"})
    discreet = Discreet(exporter or OTLPSpanExporter(timeout=_SECONDS))
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(discreet))
    atexit.register(discreet.hurry)  # runs before the provider's own, which exports what is left
    trace.set_tracer_provider(provider)
    # Behind the probes, which ask by addresses that are no host of ours.
    position = settings.MIDDLEWARE.index("chassis.tracing.TraceMiddleware")
    DjangoInstrumentor().instrument(middleware_position=position, excluded_urls="/static/")
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]
    RequestsInstrumentor().instrument()


class Discreet(SpanExporter):
    """Exports spans without queries, addresses of people, browsers and the words of exceptions; those are in the log.

    Of a call to somebody else only the host is told: the path of a webhook is a secret.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._until: float | None = None

    def hurry(self) -> None:
        """From now on give up soon: the process ends, and a collector that is away must not hold it."""
        self._until = monotonic() + _SECONDS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As the exporter inside does."""
        if self._until is not None and monotonic() > self._until:
            return SpanExportResult.FAILURE
        return self._exporter.export([_discreet(span) for span in spans])

    def shutdown(self) -> None:
        """As the exporter inside does."""
        self._exporter.shutdown()


def _discreet(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes or {}, span.kind),
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _attributes(found: Mapping[str, Any], kind: SpanKind) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name not in _PERSONAL}
    return kept | {name: _address(str(kept[name]), kind) for name in _ADDRESSES & kept.keys()}


def _address(address: str, kind: SpanKind) -> str:
    if kind is SpanKind.CLIENT:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname}"
    return address.partition("?")[0]

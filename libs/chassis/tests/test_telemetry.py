"""Traces are exported where a collector is named, discreetly, and cost nothing elsewhere."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.collector import Collector, Span, collecting
from dev.ports import free

TESTS = Path(__file__).parent
START = "import django, os, sys; django.setup()\n"
SDK = "print(sorted({name.split('.')[1] for name in sys.modules if name.startswith('opentelemetry.')}))"
WORK = """
import requests
from django.test import Client
from chassis.tracing import step
from opentelemetry import trace
client = Client(raise_request_exception=False)
headers = {"traceparent": os.environ["PARENT"], "User-Agent": "Confidential Browser"}
client.get("/open?q=confidential", headers=headers)
client.get("/broken?confidential=1", headers=headers)
client.get("/livez", headers={"Host": "10.1.2.3"})
requests.post(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/confidential-hook?token=confidential")
try:
    with step("count the cages"):
        raise ValueError("confidential words")
except ValueError:
    pass
"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def run(script: str, endpoint: str = "") -> str:
    """A process of a service, with the addresses that it is given."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "sample.settings",
        "PYTHONPATH": str(TESTS),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "PARENT": PARENT,
        "DEMO": "true",
    }
    command = [sys.executable, "-c", START + script]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def collected() -> Collector:
    with collecting() as collector:
        run(WORK, collector.url)
        return collector


def named(collector: Collector, name: str) -> Span:
    (found,) = [span for span in collector.spans if span.name == name]
    return found


def test_without_a_collector_nothing_of_the_sdk_is_imported():
    loaded = run(SDK)
    assert "trace" in loaded
    assert not any(part in loaded for part in ("sdk", "exporter", "instrumentation", "proto"))


def test_a_request_is_a_span_of_the_trace_that_called_it(collected):
    span = named(collected, "GET open")
    assert (span.service, span.trace, span.parent) == ("tasks", PARENT.split("-")[1], PARENT.split("-")[2])


def test_a_call_to_somebody_and_a_step_are_spans(collected):
    assert named(collected, "POST").parent == ""
    assert named(collected, "count the cages").parent == ""


def test_probes_are_answered_by_any_host_and_leave_no_trace(collected):
    assert not [span.name for span in collected.spans if "livez" in span.name]


def test_a_span_tells_no_query_no_browser_no_webhook_and_no_words_of_an_exception(collected):
    assert len(collected.spans) == 4
    assert not [body for body in collected.bodies if b"onfidential" in body]


def test_a_collector_that_is_away_holds_nobody_for_long():
    (port,) = free(["collector"]).values()
    many = "from chassis.tracing import step\nfor _ in range(1500):\n    with step('x'): pass\n"
    started = time.monotonic()
    run(many, f"http://127.0.0.1:{port}")
    assert time.monotonic() - started < 20  # the grace period is 30 s

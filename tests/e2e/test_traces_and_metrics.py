"""A click is one trace through all processes, and Prometheus finds what the dashboards ask for.

On the local stack alone: a container does not reach the collector of this process.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from driver import LocalDriver, eventually
from people import Person

from dev import ports
from dev.collector import Span
from dev.paths import ROOT, SERVICES
from dev.process import Process

PersonMaker = Callable[..., Person]
ARRIVED = {"send tasks", "process billing.tasks", "send transactions", "process analytics.facts"}
ROLES = {"GET": "web", "send": "relay", "process": "consumer", "run": "worker"}  # by the first word of a span
# Auth consumes nothing, and publishes when an account changes; analytics publishes nothing, and works at night.
EVERY_ROLE = {
    *((service, "web") for service in SERVICES),
    *((service, "relay") for service in ("tasks", "billing")),
    *((service, "consumer") for service in ("tasks", "billing", "analytics")),
    *((service, "worker") for service in ("auth", "tasks", "billing")),
}
MONITORING = ROOT / "deploy" / "monitoring"


def spans_of_a_click(driver: LocalDriver, manager: Person, wilma: Person) -> list[Span]:
    """The trace of the request in which a worker pressed Done, once the reward is posted and told to analytics."""
    before = len(driver.collector.spans)
    title = f"Oil the hinges after {before} spans"
    manager.create_task(title, assignee="Wilma Weber")
    wilma.complete(title)

    def followed() -> list[Span]:
        spans = driver.collector.spans
        clicks = [span.trace for span in spans[before:] if re.match(r"POST tasks/.*done", span.name)]
        found = [span for span in spans if span.trace in clicks[-1:]]
        return found if {span.name for span in found} >= ARRIVED else []

    return eventually(followed, within=60)


def is_line(spans: list[Span], *steps: tuple[str, str], above: Span | None = None) -> bool:
    """Whether there is a span for each service and name, each right below the one before it."""
    if not steps:
        return True
    here = [span for span in spans if (span.service, span.name) == steps[0]]
    here = [span for span in here if above is None or span.parent == above.id]
    return any(is_line(spans, *steps[1:], above=span) for span in here)


def test_a_click_is_followed_through_outbox_kafka_and_consumer_to_the_posting(
    driver: LocalDriver, person: PersonMaker
) -> None:
    trace = spans_of_a_click(driver, person("manager"), person("worker"))
    (click,) = [span for span in trace if span.name.startswith("POST tasks/")]
    assert click.parent == ""
    published = ("tasks", click.name), ("tasks", "publish TaskCompleted, TaskUpdated")
    assert is_line(trace, *published, ("tasks", "send tasks"))
    assert is_line(trace, *published, ("billing", "process billing.tasks"))
    assert not is_line(trace, ("billing", "process billing.tasks"), ("tasks", "send tasks"))

    # Alone in its batch the posting is in this trace; else in the call's, which is linked to it.
    processed = [span for span in trace if span.name == "process billing.tasks"]
    traces = {click.trace, *(linked for span in processed for linked in span.links)}
    spans = [span for span in driver.collector.spans if span.trace in traces]
    steps = ("billing", "process billing.tasks"), ("billing", "post to the ledger")
    assert is_line(spans, *steps, ("billing", "publish TransactionPosted"))
    assert {(span.service, span.name) for span in trace} >= {
        ("billing", "send transactions"),
        ("analytics", "process analytics.facts"),
    }


def test_every_role_is_traced(driver: LocalDriver, person: PersonMaker) -> None:
    spans_of_a_click(driver, person("manager"), person("worker"))
    admin = person("admin")
    for service in SERVICES:
        admin.open(service)

    def untraced() -> set[tuple[str, str]]:
        words = {(span.service, re.split("[ /]", span.name)[0]) for span in driver.collector.spans}
        return EVERY_ROLE - {(service, ROLES[word]) for service, word in words if word in ROLES}

    try:
        eventually(lambda: not untraced(), within=60)
    finally:
        assert untraced() == set()


def test_no_span_says_who_it_was_or_what_was_asked(driver: LocalDriver) -> None:
    assert driver.collector.bodies
    for body in driver.collector.bodies:
        assert not re.search(rb"Mozilla|[?&](code|token|state|q)=|[\w.]+@popug\.example", body)


class Prometheus:
    """The server itself, on the configuration of the repository with the addresses of this run."""

    def __init__(self, driver: LocalDriver, folder: Path) -> None:
        configuration = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        configuration["rule_files"] = [str(MONITORING / "rules.yml")]
        del configuration["alerting"]
        for target in (target for job in configuration["scrape_configs"] for target in job["static_configs"]):
            labels = target["labels"]
            target["targets"] = [driver.metrics_address(labels["service"], labels["role"])]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        (port,) = ports.free(["prometheus"]).values()
        self.url = f"http://127.0.0.1:{port}"
        program = shutil.which("prometheus")
        assert program, "prometheus is missing. Debian: apt-get install prometheus; macOS: brew install prometheus"
        self.process = Process("prometheus", folder)
        arguments = (f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data")
        self.process.start([program, *arguments, f"--web.listen-address=127.0.0.1:{port}"])

    def ask(self, query: str) -> list[dict[str, Any]]:
        """What the query returns now; nothing while the server is not up yet."""
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return found
        except OSError:
            return []


@pytest.fixture
def prometheus(driver: LocalDriver, tmp_path: Path) -> Iterator[Prometheus]:
    server = Prometheus(driver, tmp_path)
    try:
        yield server
    finally:
        server.process.stop()


def panels() -> list[tuple[str, str]]:
    boards = (json.loads(path.read_text()) for path in sorted((MONITORING / "grafana" / "dashboards").glob("*.json")))
    return [
        (panel["title"], target["expr"]) for board in boards for panel in board["panels"] for target in panel["targets"]
    ]


def test_every_process_is_measured_and_every_panel_of_the_dashboards_has_data(
    driver: LocalDriver, person: PersonMaker, prometheus: Prometheus
) -> None:
    everybody = f"count(up == 1) == {len(driver.system.entries)}"
    eventually(lambda: prometheus.ask(everybody), within=60)
    # A rate wants something to happen after the first look.
    manager, wilma, admin = person("manager"), person("worker"), person("admin")
    manager.create_task("Weigh the seed", assignee="Wilma Weber")
    wilma.complete("Weigh the seed")
    wilma.sees("billing", "/statement", "Weigh the seed")
    for service in SERVICES:
        admin.open(service)

    def silent() -> list[str]:
        return [
            f"{title}: {query}"
            for title, query in panels()
            if not any(math.isfinite(float(series["value"][1])) for series in prometheus.ask(query))
        ]

    try:
        eventually(lambda: not silent(), within=60, every=1)
    finally:
        assert silent() == []

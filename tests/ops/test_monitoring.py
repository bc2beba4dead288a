"""What Prometheus asks, when it alarms, and what the dashboards show."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.paths import ROOT, SERVICES, service_dir
from dev.procfile import entries

FOLDER = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((FOLDER / "rules.yml").read_text())
CASES = yaml.safe_load((FOLDER / "rules_test.yml").read_text())["tests"]
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARDS = sorted((FOLDER / "grafana" / "dashboards").glob("*.json"))
# Of Prometheus, its client library and django-prometheus; in Kubernetes of kube-state-metrics and cert-manager.
FOREIGN = re.compile(
    r"^(up|process_[a-z_]+|django_http_[a-z_]+|kube_pod_container_status_restarts_total"
    r"|certmanager_certificate_expiration_timestamp_seconds)$"
)
SUFFIXES = re.compile(r"_(total|bucket|sum|count)$")


def target(process: str) -> str:
    service, role = process.split("-", 1)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return f"{service}:{compose[service]['environment']['PORT']}" if role == "web" else f"{process}:9100"


def test_every_process_is_asked_for_its_metrics() -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    asked = {
        found["targets"][0]: (found["labels"]["service"], found["labels"]["role"])
        for job in jobs
        for found in job["static_configs"]
    }
    assert asked == {target(entry.name): tuple(entry.name.split("-", 1)) for entry in entries()}


def test_every_process_is_missed_when_it_is_not_there() -> None:
    (missing,) = [alert["expr"] for alert in ALERTS if alert["alert"] == "ProcessMissing"]
    missed = re.findall(r'absent\(up\{service="(\w+)",role="([\w-]+)"\}\)', missing)
    assert sorted(missed) == sorted(tuple(entry.name.split("-", 1)) for entry in entries())


@pytest.mark.parametrize("alert", [pytest.param(alert, id=alert["alert"]) for alert in ALERTS])
def test_an_alert_says_how_urgent_it_is_and_what_to_do(alert: dict[str, Any]) -> None:
    name = alert["alert"]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
    assert f"\n### {name}\n" in (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("name", [alert["alert"] for alert in ALERTS])
def test_an_alert_is_shown_firing_and_quiet(name: str) -> None:
    expected = [
        bool(check.get("exp_alerts"))
        for case in CASES
        for check in case["alert_rule_test"]
        if check["alertname"] == name
    ]
    assert sorted(expected) == [False, True]


def exported() -> set[str]:
    """Names of the metrics in the code: of counters, gauges, histograms and figures."""
    folders = [ROOT / "libs" / "eventbus" / "src", ROOT / "libs" / "chassis" / "src", *map(service_dir, SERVICES)]
    text = "\n".join(path.read_text() for folder in folders for path in sources(folder))
    names = re.findall(r'(?:Counter|Gauge|Histogram|GaugeMetricFamily)\(\s*"([a-z_]+)"|"([a-z_]+)": Figure\(', text)
    return {SUFFIXES.sub("", name) for pair in names for name in pair if name}


def sources(folder: Path) -> list[Path]:
    return [path for name in ("metrics.py", "figures.py", "certificates.py") for path in folder.rglob(name)]


def named(query: str) -> set[str]:
    """Names of metrics in a query: words that no bracket, brace or quote belongs to."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on)\s*\([^)]*\)", "", query)
    return {word for word in re.findall(r"[a-z_]+(?![a-z_(]|\s*\()", bare) if "_" in word or word == "up"}


def queries() -> list[str]:
    panels = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
    return [alert["expr"] for alert in ALERTS] + [found["expr"] for panel in panels for found in panel["targets"]]


@pytest.mark.parametrize("query", queries())
def test_a_query_asks_for_metrics_that_are_exported(query: str) -> None:
    found = named(query)
    assert found
    assert {name for name in found if not FOREIGN.match(name) and SUFFIXES.sub("", name) not in exported()} == set()


def test_a_metric_that_nobody_exports_is_noticed() -> None:
    assert named('sum by (service) (rate(no_such_total{a="b"}[5m])) > 0') == {"no_such_total"}
    assert "no_such" not in exported()


def test_panels_do_not_overlap_and_ask_the_provisioned_source() -> None:
    source = yaml.safe_load((FOLDER / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    for path in DASHBOARDS:
        panels = json.loads(path.read_text())["panels"]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
        assert len(set(places)) == len(places)
        assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}


# Which receiver is told of which severity, in the laptop's file and in production's.
TOLD = {
    FOLDER / "alertmanager.yml": {"page": "operators", "ticket": "operators"},
    ROOT / "k8s/overlays/production/monitoring/alertmanager.yml": {"page": "on-call", "ticket": "mail"},
}


def fits(matcher: str, labels: dict[str, str]) -> bool:
    name, sign, value = re.fullmatch(r"(\w+) *(=~|=) *(.+)", matcher).groups()  # type: ignore[union-attr]
    found = labels.get(name, "")
    return bool(re.fullmatch(value, found)) if sign == "=~" else found == value


def receiver(route: dict[str, Any], labels: dict[str, str]) -> str:
    """Where an alert goes: to the first route below that fits it, else to this one's."""
    below = (found for found in route.get("routes", []) if all(fits(text, labels) for text in found["matchers"]))
    return next(
        (receiver(route | found | {"routes": found.get("routes", [])}, labels) for found in below), route["receiver"]
    )


def unanswered(manager: dict[str, Any], told: dict[str, str]) -> list[str]:
    """Alerts that nobody is told of, or somebody else than should be."""
    known = {found["name"] for found in manager["receivers"] if any(key.endswith("_configs") for key in found)}
    goes = {
        alert["alert"]: receiver(manager["route"], alert["labels"] | {"alertname": alert["alert"]}) for alert in ALERTS
    }
    severities = {alert["alert"]: alert["labels"]["severity"] for alert in ALERTS}
    return [name for name, place in goes.items() if place not in known or place != told[severities[name]]]


@pytest.mark.parametrize("path", TOLD)
def test_somebody_is_told_of_every_alert(path: Path) -> None:
    manager = yaml.safe_load(path.read_text())
    assert unanswered(manager, TOLD[path]) == []
    names = {alert["alert"] for alert in ALERTS}
    for rule in manager["inhibit_rules"]:
        (source,) = rule["source_matchers"]
        assert {name for name in names if fits(source, {"alertname": name})} == {"ProcessDown", "ProcessMissing"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("receiver: on-call", "receiver: on-cal"),
        ("- name: on-call", "- name: somebody"),
        ("severity = page", "severity = pages"),
        ("webhook_configs", "webhooks"),
    ],
)
def test_an_alert_that_reaches_nobody_is_found(old: str, new: str) -> None:
    path = list(TOLD)[1]
    text = path.read_text()
    assert old in text
    pages = [alert["alert"] for alert in ALERTS if alert["labels"]["severity"] == "page"]
    assert unanswered(yaml.safe_load(text.replace(old, new)), TOLD[path]) == pages

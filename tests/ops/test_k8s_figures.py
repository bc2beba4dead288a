"""Prometheus in Kubernetes asks every process of ours, under the names that the rules go by."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from k8s_figures import CONFIGURATION, files, jobs, relabelled, targets, write_checkable
from k8s_flows import OTHERS, needed
from k8s_objects import COMPONENT, Object, found_in
from tools import complaint

from dev.paths import ROOT
from dev.procfile import entries

WATCHED = ("minikube-demo", "production")
PROCESSES = {tuple(entry.name.split("-", 1)) for entry in entries()}


def objections(found: dict[str, str], folder: Path) -> str:
    """What is wrong with the files of Prometheus' pod, by promtool, and with what it discovers."""
    wrong = write_checkable(found, folder)
    return "\n".join([*wrong, complaint("promtool", "check", "config", folder / CONFIGURATION)]).strip()


@pytest.mark.parametrize("overlay", WATCHED)
def test_prometheus_takes_the_files_of_its_pod(overlays: dict[str, list[Object]], overlay: str, tmp_path: Path) -> None:
    assert objections(files(overlays[overlay]), tmp_path) == ""


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (CONFIGURATION, "rules/rules.yml", "rules.yml", "does not point to an existing file"),
        (CONFIGURATION, "role: pod", "role: pot", "discovers {'role': 'pot'"),
        (CONFIGURATION, "own_namespace", "own_name", "looks into {'own_name'"),
        (CONFIGURATION, "kubernetes_sd_configs", "kubernetes_configs", "kubernetes_configs"),
        (CONFIGURATION, "scrape_config_files", "scrape_files", "scrape_files"),
        (CONFIGURATION, "action: keep", "action: kept", "kept"),
        (CONFIGURATION, "source_labels", "source_label", "source_label"),
        (CONFIGURATION, "regex: http|metrics", "regex: (http", "(http"),
        ("cluster.yml", "job_name: cert-manager", "job_name: pods", "pods"),
        ("cluster.yml", "metric_relabel_configs", "metrics_relabel_configs", "metrics_relabel_configs"),
    ],
)
def test_what_prometheus_does_not_take_is_found(
    overlays: dict[str, list[Object]], tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    found = files(overlays["production"])
    assert old in found[name]
    assert said in objections(found | {name: found[name].replace(old, new)}, tmp_path)


def asked(objects: list[Object], job: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    found = targets(objects, job or jobs(objects)["pods"])
    return sorted((labels["service"], labels["role"]) for labels in found)


@pytest.mark.parametrize("overlay", WATCHED)
def test_every_process_is_asked_under_the_names_of_the_procfile(
    overlays: dict[str, list[Object]], overlay: str
) -> None:
    assert asked(overlays[overlay]) == sorted(PROCESSES)


def test_a_process_under_another_name_is_noticed(overlays: dict[str, list[Object]]) -> None:
    broken = copy.deepcopy(overlays["minikube-demo"])
    found_in(broken, "billing-worker").template["metadata"]["labels"][COMPONENT] = "workers"
    found_in(broken, "tasks-relay").template["spec"]["containers"][0]["ports"][0]["name"] = "figures"
    assert set(asked(broken)) ^ PROCESSES == {("billing", "workers"), ("billing", "worker"), ("tasks", "relay")}


def test_a_service_that_the_job_leaves_out_is_noticed(overlays: dict[str, list[Object]]) -> None:
    job = copy.deepcopy(jobs(overlays["minikube-demo"])["pods"])
    job["relabel_configs"][0]["regex"] = "auth|tasks|billing|analytic"
    assert {service for service, _ in asked(overlays["minikube-demo"], job)} == {"auth", "tasks", "billing"}


# What the rules want of programs that are the cluster's; on a laptop there are none.
OF_THE_CLUSTER = {
    "kube-state-metrics": "kube_pod_container_status_restarts_total",
    "cert-manager": "certmanager_certificate_expiration_timestamp_seconds",
}


def test_on_a_laptop_nobody_is_asked_but_our_own_processes(overlays: dict[str, list[Object]]) -> None:
    assert set(jobs(overlays["minikube-demo"])) == {"pods"}


def test_production_asks_the_cluster_for_what_the_rules_want_of_it(overlays: dict[str, list[Object]]) -> None:
    found = jobs(overlays["production"])
    assert set(found) == {"pods", *OF_THE_CLUSTER}
    for name, metric in OF_THE_CLUSTER.items():
        (address,) = found[name]["static_configs"][0]["targets"]
        service, namespace, port = re.fullmatch(r"([\w-]+)\.([\w-]+)\.svc:(\d+)", address).groups()  # type: ignore[union-attr]
        assert OTHERS[service].namespace == namespace
        assert ("prometheus", service, int(port)) in needed(overlays["production"], "production")
        kept = [
            (series, of)
            for series in (*OF_THE_CLUSTER.values(), "another")
            for of in ("task-tracker", "another")
            if relabelled(found[name]["metric_relabel_configs"], {"__name__": series, "namespace": of}) is not None
        ]
        assert kept == [(metric, "task-tracker")]


def test_the_rules_want_nothing_else_of_the_cluster() -> None:
    wanted = re.findall(r"\b(?:kube|certmanager)_\w+", (ROOT / "deploy/monitoring/rules.yml").read_text())
    assert set(wanted) == set(OF_THE_CLUSTER.values())

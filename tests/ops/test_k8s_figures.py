"""Prometheus in Kubernetes asks every process of ours, under the names that the rules go by."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from k8s_figures import discoveries, jobs, targets, write_files
from k8s_objects import COMPONENT, Object, found_in
from tools import complaint

from dev.procfile import entries

WATCHED = ("minikube-demo", "production")
PROCESSES = {tuple(entry.name.split("-", 1)) for entry in entries()}


def objections(configuration: Path) -> str:
    """What is wrong with a file, by promtool, and with what it discovers."""
    found = discoveries(configuration)
    return "\n".join([*found, complaint("promtool", "check", "config", configuration)]).strip()


@pytest.mark.parametrize("overlay", WATCHED)
def test_prometheus_takes_the_files_of_its_pod(overlays: dict[str, list[Object]], overlay: str, tmp_path: Path) -> None:
    assert objections(write_files(overlays[overlay], tmp_path)) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rules/rules.yml", "rules.yml", "does not point to an existing file"),
        ("role: pod", "role: pot", "discovers {'role': 'pot'"),
        ("own_namespace", "own_name", "looks into {'own_name'"),
        ("kubernetes_sd_configs", "kubernetes_configs", "kubernetes_configs"),
        ("action: keep", "action: kept", "kept"),
        ("source_labels", "source_label", "source_label"),
        ("regex: http|metrics", "regex: (http", "(http"),
    ],
)
def test_what_prometheus_does_not_take_is_found(
    overlays: dict[str, list[Object]], tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = write_files(overlays["minikube-demo"], tmp_path)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    assert said in objections(file)


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

"""Whom Prometheus asks in Kubernetes: its files as its pod sees them, and its targets as relabelling makes them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from k8s_objects import Object, Workload, found_in, of_kind, workloads

CONFIGURATION = "prometheus.yml"


def files(objects: list[Object]) -> dict[str, str]:
    """What is mounted at /etc/prometheus."""
    maps = {found["metadata"]["name"]: found["data"] for found in of_kind(objects, "ConfigMap")}
    (volume,) = [found for found in found_in(objects, "prometheus").pod["volumes"] if found["name"] == "settings"]
    found = {}
    for source in (each["configMap"] for each in volume["projected"]["sources"]):
        texts = maps[source["name"]]
        items = source.get("items") or [{"key": name, "path": name} for name in texts]
        found |= {item["path"]: texts[item["key"]] for item in items}
    return found


def configuration(found: dict[str, str]) -> dict[str, Any]:
    """What Prometheus makes of the files: those that it takes in are part of it."""
    content: dict[str, Any] = yaml.safe_load(found[CONFIGURATION])
    patterns = content.pop("scrape_config_files", [])
    for name in (name for pattern in patterns for name in fnmatch.filter(found, pattern)):
        content["scrape_configs"] += yaml.safe_load(found[name])["scrape_configs"]
    return content


def jobs(objects: list[Object]) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in configuration(files(objects))["scrape_configs"]}


def write_checkable(found: dict[str, str], folder: Path) -> list[str]:
    """Writes the files as Debian's promtool understands them: all jobs in one, a fixed target for each discovery of
    pods. Returns what Prometheus would not understand of those.
    """
    for name, text in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    content, wrong = configuration(found), []
    for job in content["scrape_configs"]:
        for discovery in job.pop("kubernetes_sd_configs", []):
            if discovery.get("role") != "pod" or discovery.keys() - {"role", "namespaces"}:
                wrong.append(f"{job['job_name']} discovers {discovery}")
            if discovery.get("namespaces", {}).keys() - {"own_namespace", "names"}:
                wrong.append(f"{job['job_name']} looks into {discovery['namespaces']}")
            job["static_configs"] = [{"targets": ["pod:80"]}]
    (folder / CONFIGURATION).write_text(yaml.safe_dump(content, sort_keys=False))
    return wrong


def targets(objects: list[Object], job: dict[str, Any]) -> list[dict[str, str]]:
    """The labels of everything that a job asks among the pods of an overlay."""
    found = [
        relabelled(job["relabel_configs"], about) for workload in workloads(objects) for about in discovered(workload)
    ]
    return [labels for labels in found if labels is not None]


def discovered(workload: Workload) -> Iterator[dict[str, str]]:
    """What service discovery says of a running pod: one target for each port, or one for a container without any."""
    pod = {f"__meta_kubernetes_pod_label_{_name(key)}": value for key, value in workload.labels.items()}
    pod |= {"__meta_kubernetes_pod_name": f"{workload.name}-0", "__meta_kubernetes_pod_phase": "Running"}
    for container in workload.containers:
        for port in container.get("ports") or [{}]:
            yield pod | {"__meta_kubernetes_pod_container_port_name": port.get("name", "")}


def relabelled(rules: list[dict[str, Any]], about: Mapping[str, str]) -> dict[str, str] | None:
    """The labels that are left of a target or a series, or nothing where it is dropped; knows what is used here."""
    labels = dict(about)
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule["source_labels"])
        fits = re.fullmatch(rule.get("regex", "(.*)"), value)
        match rule.get("action", "replace"):
            case "keep":
                if not fits:
                    return None
            case "replace":
                labels |= {rule["target_label"]: value} if fits else {}
            case other:
                raise NotImplementedError(other)
    return {name: value for name, value in labels.items() if not name.startswith("__")}


def _name(label: str) -> str:
    return re.sub(r"\W", "_", label)

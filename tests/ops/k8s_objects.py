"""The overlays of k8s/ as `kubectl apply -k` would send them, and ways to look at them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dev.paths import ROOT, SERVICES

Object = dict[str, Any]

OVERLAYS = ("minikube", "minikube-demo", "tilt", "production")
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
_UNITS = {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024}


def copy_of_manifests(folder: Path) -> Path:
    """The manifests and what they take from deploy/ in a folder of their own, with secrets made there."""
    for name in ("k8s", "deploy"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("secrets"))
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    script = folder / "k8s" / "overlays" / "minikube" / "make-secrets"
    subprocess.run([script], env=environment, check=True, capture_output=True)
    return folder / "k8s"


def text_of(folder: Path) -> str:
    """What kustomize makes of a folder; CalledProcessError where it makes nothing."""
    kubectl = Path(sys.executable).with_name("kubectl")
    return subprocess.run([kubectl, "kustomize", folder], check=True, capture_output=True, text=True).stdout


def parsed(text: str) -> list[Object]:
    return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


@dataclass(frozen=True)
class Workload:
    """An object that makes pods."""

    kind: str
    name: str
    object: Object
    template: Object

    @property
    def pod(self) -> Object:
        return dict(self.template["spec"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.template["metadata"]["labels"])

    @property
    def containers(self) -> list[Object]:
        """Those that start first too."""
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def stays(self) -> bool:
        return self.kind in {"Deployment", "StatefulSet"}

    @property
    def service(self) -> str:
        """Which of our services it is a process of; nothing for a server."""
        ours = self.pod["containers"][0]["image"].split(":")[0].rsplit("/", 1)[-1]
        return ours if ours in SERVICES else ""

    @property
    def component(self) -> str:
        return self.labels.get(COMPONENT, "")


def workloads(objects: list[Object]) -> Iterator[Workload]:
    for found in objects:
        kind, spec = found["kind"], found.get("spec", {})
        if kind in {"Deployment", "StatefulSet", "Job"}:
            yield Workload(kind, found["metadata"]["name"], found, spec["template"])
        elif kind == "CronJob":
            yield Workload(kind, found["metadata"]["name"], found, spec["jobTemplate"]["spec"]["template"])


def found_in(objects: list[Object], name: str) -> Workload:
    return next(workload for workload in workloads(objects) if workload.name == name)


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [found for found in objects if found["kind"] in kinds]


def mebibytes(quantity: str) -> float:
    found = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", str(quantity))
    return int(found[1]) * _UNITS[found[2]] if found else 0


def cores(quantity: str) -> float:
    text = str(quantity)
    return int(text[:-1]) / 1000 if text.endswith("m") else float(text)


def selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector is for these labels; none of its own words is for everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for rule in selector.get("matchExpressions") or []:
        value = labels.get(rule["key"])
        fits = {
            "In": value in rule.get("values", []),
            "NotIn": value not in rule.get("values", []),
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not fits[rule["operator"]]:
            return False
    return True

"""checkov looks at the images, the workflows and both clusters; what it may find, and why, stands here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from dev import checkov
from dev.paths import ROOT, SERVICES, service_dir


class Finding(NamedTuple):
    check: str
    file: str
    resource: str


class Accepted(NamedTuple):
    check: str
    resource: str  # a pattern of all of it
    why: str


ANY = r".*"
ACCEPTED = (
    Accepted("CKV_DOCKER_2", ANY, "Health depends on the role; Compose and Kubernetes say it for each container."),
    Accepted("CKV_K8S_11", ANY, "A limit of CPU slows a pod down beside idle cores; requests share what is scarce."),
    Accepted("CKV_K8S_15", ANY, "Tags are never moved, so an image that is there is the one; Always needs a registry."),
    Accepted("CKV_K8S_43", ANY, "Digests are put in by the release (kustomize edit set image), not kept in the files."),
    Accepted(
        "CKV_K8S_40",
        r"(StatefulSet|Job)\.task-tracker\.(\w+-db|\w+-db-roles|kafka|valkey)|Deployment\.task-tracker\.grafana",
        "The users of these images, whose files belong to them: postgres and valkey 999, kafka 1000, grafana 472.",
    ),
    Accepted(
        "CKV_K8S_35",
        r"Deployment\.task-tracker\.registry",
        "Apicurio reads the passwords of its Kafka client from the environment alone.",
    ),
    Accepted(
        "CKV_K8S_38",
        r"StatefulSet\.task-tracker\.prometheus",
        "It finds the pods that it asks by the API of the cluster, with a role that can do nothing else.",
    ),
)
BROKEN = {
    "broken/Dockerfile": "FROM python:latest\nUSER root\n",
    ".github/workflows/broken.yml": """
on: push
permissions: write-all
jobs: { all: { runs-on: ubuntu-latest, steps: [{ run: make }] } }
""",
    "broken/pod.yaml": """
apiVersion: v1
kind: Pod
metadata: { name: careless, namespace: default }
spec:
  hostNetwork: true
  containers: [{ name: careless, image: "nginx:latest", securityContext: { privileged: true } }]
""",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[str], str]) -> set[Finding]:
    """All of one run, in a folder that holds ours and, beside them, careless files."""
    folder = tmp_path_factory.mktemp("checked")
    for name in SERVICES:
        (folder / name).mkdir()
        shutil.copy(service_dir(name) / "Dockerfile", folder / name)
    shutil.copytree(ROOT / ".github", folder / ".github")
    for overlay in ("minikube-demo", "production"):
        (folder / f"{overlay}.yaml").write_text(rendered(overlay))
    for name, text in BROKEN.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return found_in(folder)


def found_in(folder: Path) -> set[Finding]:
    kinds = ["dockerfile", "github_actions", "kubernetes"]
    command = [checkov.python(), "-m", "checkov.main", "--directory", folder, "--framework", *kinds]
    options = ["--skip-download", "--compact", "--quiet", "--soft-fail", "--output", "json"]
    result = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    reports = json.loads(result.stdout)
    assert {report["check_type"] for report in reports} == set(kinds)
    assert [report["summary"]["parsing_errors"] for report in reports] == [0] * len(kinds)
    return {
        Finding(found["check_id"], found["file_path"], found["resource"])
        for report in reports
        for found in report["results"]["failed_checks"]
    }


def ours(findings: Iterable[Finding]) -> set[Finding]:
    return {found for found in findings if "broken" not in found.file}


def covers(accepted: Accepted, found: Finding) -> bool:
    return found.check == accepted.check and bool(re.fullmatch(accepted.resource, found.resource))


def test_checkov_finds_nothing_but_what_is_explained(findings: set[Finding]) -> None:
    assert {found for found in ours(findings) if not any(covers(each, found) for each in ACCEPTED)} == set()


@pytest.mark.parametrize("accepted", [pytest.param(each, id=each.check) for each in ACCEPTED])
def test_an_exception_is_still_needed(findings: set[Finding], accepted: Accepted) -> None:
    assert any(covers(accepted, found) for found in ours(findings))
    assert len(accepted.why.split()) > 5


@pytest.mark.parametrize(
    ("file", "check"),
    [
        ("/broken/Dockerfile", "CKV_DOCKER_8"),  # the last user is root
        ("/.github/workflows/broken.yml", "CKV2_GHA_1"),  # every right for every step
        ("/broken/pod.yaml", "CKV_K8S_16"),  # privileged
        ("/broken/pod.yaml", "CKV_K8S_19"),  # the network of the node
        ("/broken/pod.yaml", "CKV_K8S_13"),  # no limit of memory
    ],
)
def test_checkov_finds_a_careless_file(findings: set[Finding], file: str, check: str) -> None:
    assert check in {found.check for found in findings if found.file == file}

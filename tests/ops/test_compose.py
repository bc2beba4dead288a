"""docker-compose.yml: every container keeps to the rules, and it runs what the local stack runs."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_rules import is_job, problems

from dev import ports
from dev.paths import ROOT, SERVICES
from dev.procfile import entries
from dev.servers.kafka import SETTINGS as KAFKA_SETTINGS

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, Any] = COMPOSE["services"]


def test_every_container_keeps_to_the_rules() -> None:
    assert problems(COMPOSE) == []


def is_valid(path: Path) -> bool:
    """By the schema of the Compose specification."""
    command = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", path]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_it_is_what_the_compose_specification_allows(tmp_path: Path) -> None:
    assert is_valid(ROOT / "docker-compose.yml")
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text((ROOT / "docker-compose.yml").read_text().replace("mem_limit", "memory_limit"))
    assert not is_valid(misspelt)


def billing(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda services: services["billing"].update(changes)


def secrets_of(folder: str, **changes: Any) -> list[dict[str, Any]]:
    mount = {"type": "volume", "source": "secrets", "target": "/run/secrets", "read_only": True}
    return [mount | {"volume": {"subpath": folder}} | changes]


BROKEN = {
    "can write to its root": billing(read_only=False),
    "has capabilities": billing(cap_add=["NET_ADMIN"]),
    "can gain privileges": billing(security_opt=[]),
    "no limit of memory": billing(mem_limit=None),
    "fill the disk": billing(logging={}),
    "is not started again": billing(restart="always"),
    "has no health check": lambda services: services["billing"].pop("healthcheck"),
    "publishes 4000:4000": billing(ports=["4000:4000"]),
    "publishes 0.0.0.0": billing(ports=["0.0.0.0:${BILLING_PORT:-4000}:4000"]),
    "network of something else": billing(network_mode="host"),
    "does not wait": billing(depends_on=["kafka"]),
    "sleeps": billing(command=["sh", "-c", "sleep 30; role web"]),
    "is given SECRET_KEY itself": billing(environment={"SECRET_KEY": "abc"}),
    "secrets of all": billing(volumes=["secrets:/run/secrets"]),
    "can write secrets": billing(volumes=secrets_of("billing", read_only=False)),
    "sees the secrets of tasks": billing(volumes=secrets_of("tasks")),
    "as the owner of the tables": billing(volumes=secrets_of("billing-owner")),
    "database of another": billing(networks=["shared", "tasks"]),
    "reached by others": lambda services: services["billing-db"].update(networks=["shared"]),
    "all together may take": billing(mem_limit="4000m"),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_a_container_that_breaks_a_rule_is_found(problem: str) -> None:
    broken = copy.deepcopy(COMPOSE)
    BROKEN[problem](broken["services"])
    assert any(problem in found for found in problems(broken))


def role_of(process: str) -> tuple[str, list[str] | None]:
    """Container and command of a process: the pages are what an image runs by itself."""
    service, what = process.split("-", 1)
    if what == "web":
        return service, None
    return process, ["scheduling-worker"] if what == "worker" else what.split("-", 1)


def test_every_process_of_the_procfile_is_a_container() -> None:
    wanted = dict(role_of(entry.name) for entry in entries())
    programs = {
        name: container.get("command")
        for name, container in CONTAINERS.items()
        if str(container.get("image", "")).startswith("task-tracker/") and not is_job(container)
    }
    assert programs == wanted


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_starts_after_the_jobs_of_its_service(service: str) -> None:
    waits_for = set(CONTAINERS[service]["depends_on"])
    assert f"{service}-register-schemas" in waits_for
    assert f"{service}-migrate" in waits_for | set(CONTAINERS["provision-clients"]["depends_on"])


@pytest.mark.parametrize("service", SERVICES)
def test_ports_have_the_names_and_defaults_of_make(service: str) -> None:
    default = ports.DEFAULTS[service]
    assert CONTAINERS[service]["ports"] == [f"127.0.0.1:${{{ports.setting(service)}:-{default}}}:{default}"]
    assert CONTAINERS[service]["environment"]["PORT"] == str(default)


TRACING = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "OTEL_TRACES_SAMPLER": "parentbased_always_on",
    "OTEL_TRACES_SAMPLER_ARG": "1.0",
}


@pytest.mark.parametrize("name", TRACING)
def test_every_program_is_given_what_is_said_about_traces(name: str) -> None:
    ours = [c["environment"] for c in CONTAINERS.values() if str(c.get("image", "")).startswith("task-tracker/")]
    assert {environment.get(name) for environment in ours} == {f"${{{name}:-{TRACING[name]}}}"}
    assert name in (ROOT / "docs" / "operations.md").read_text()


def test_kafka_has_the_settings_of_the_local_stack() -> None:
    environment = CONTAINERS["kafka"]["environment"]
    differing = {"listener.security.protocol.map"}  # one listener more, for the host
    for name, value in KAFKA_SETTINGS.items():
        if name not in differing:
            assert environment["KAFKA_" + name.replace(".", "_").upper()] == value


def test_infra_starts_every_server_and_no_service() -> None:
    def needed(name: str) -> set[str]:
        direct = set(CONTAINERS[name].get("depends_on", {}))
        return direct.union(*map(needed, direct)) if direct else direct

    servers = {name for name, container in CONTAINERS.items() if "build" not in container and "x-" not in name}
    servers -= {name for name in servers if str(CONTAINERS[name]["image"]).startswith("task-tracker/")}
    servers -= {name for name in servers if CONTAINERS[name].get("profiles")}
    assert needed("infra") == servers

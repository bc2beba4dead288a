"""What every container of docker-compose.yml has to keep to: each rule returns what breaks it, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from dev.paths import SERVICES

Service = dict[str, Any]
Compose = dict[str, Any]
Findings = Iterator[str]

MOST_MEMORY = 6 * 1024  # MiB, of everything that stays
NEEDED = {"service_healthy", "service_completed_successfully"}


def owner_of(name: str) -> str:
    """The service that a container belongs to."""
    first, *_ = name.removeprefix("demo-").split("-")
    return {"provision": "auth", "accounts": "auth"}.get(first, first)


def own_folders(name: str, owner: str) -> set[str]:
    """The folders of secrets that a container of a service may mount."""
    return {owner, f"{owner}-owner", f"{owner}-db", *(["demo"] if name == "demo-accounts" else [])}


def is_job(service: Service) -> bool:
    return str(service.get("restart")).startswith(("no", "on-failure"))


def mebibytes(service: Service) -> int:
    return int(str(service.get("mem_limit") or "0m").removesuffix("m"))


def hardened(name: str, service: Service) -> Findings:
    if service.get("read_only") is not True:
        yield f"{name} can write to its root file system"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
        yield f"{name} has capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"]:
        yield f"{name} can gain privileges"
    if not mebibytes(service) or not service.get("pids_limit"):
        yield f"{name} has no limit of memory or processes"
    if "max-size" not in service.get("logging", {}).get("options", {}):
        yield f"{name} can fill the disk with logs"


def heals(name: str, service: Service) -> Findings:
    if not is_job(service) and service.get("restart") != "unless-stopped":
        yield f"{name} is not started again"
    if not is_job(service) and "healthcheck" not in service:
        yield f"{name} has no health check"


def loopback_only(name: str, service: Service) -> Findings:
    for port in service.get("ports", []):
        if not re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+_PORT:-\d+\}:(\d+|\$\{[A-Z_]+_PORT:-\d+\})", port):
            yield f"{name} publishes {port}: not a setting, or not the loopback interface alone"
    if service.get("network_mode", "none") != "none":
        yield f"{name} has the network of something else"


def gated(name: str, service: Service) -> Findings:
    needs = service.get("depends_on", {})
    if not isinstance(needs, dict) or not {need["condition"] for need in needs.values()} <= NEEDED:
        yield f"{name} does not wait for what it needs to be healthy or done"
    if "sleep" in str([service.get("command"), service.get("entrypoint"), service.get("healthcheck")]):
        yield f"{name} sleeps"


def no_secret(name: str, service: Service) -> Findings:
    for setting in service.get("environment", {}):
        if re.search(r"(^|_)(SECRET|PASSWORD|TOKEN|KEYS?|CLIENTS)(_|$)", setting):
            value = str(service["environment"][setting])
            if not setting.endswith("_FILE") or not value.startswith("/run/secrets/"):
                yield f"{name} is given {setting} itself and not in a file"


def own_secrets_only(name: str, service: Service) -> Findings:
    owner = owner_of(name)
    for volume in service.get("volumes", []):
        if isinstance(volume, str) and volume.startswith("secrets:") and name != "secrets":
            yield f"{name} sees the secrets of all"
        if isinstance(volume, dict) and volume["source"] == "secrets":
            folder = volume["volume"]["subpath"]
            if volume.get("read_only") is not True:
                yield f"{name} can write secrets"
            if owner in SERVICES and folder not in own_folders(name, owner):
                yield f"{name} sees the secrets of {folder}"
            if folder.endswith("-owner") and not name.endswith("-migrate"):
                yield f"{name} can connect as the owner of the tables"


def own_network_only(name: str, service: Service) -> Findings:
    networks, owner = set(service.get("networks", [])), owner_of(name)
    if name in {f"{service}-db" for service in SERVICES} and networks != {owner}:
        yield f"{name} can be reached by others than {owner}"
    if name != "databases" and networks & set(SERVICES) - {owner}:
        yield f"{name} can reach the database of another service"


OF_ONE: tuple[Callable[[str, Service], Findings], ...] = (
    hardened, heals, loopback_only, gated, no_secret, own_secrets_only, own_network_only
)  # fmt: skip


def problems(compose: Compose) -> list[str]:
    """Everything that breaks a rule."""
    services: dict[str, Service] = compose["services"]
    found = [text for name, service in services.items() for rule in OF_ONE for text in rule(name, service)]
    staying = [service for service in services.values() if not is_job(service) and not service.get("profiles")]
    if (memory := sum(map(mebibytes, staying))) > MOST_MEMORY:
        found.append(f"all together may take {memory} MiB")
    return found

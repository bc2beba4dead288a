"""Documents are held against the code: links, commands, events, settings and processes."""

from __future__ import annotations

import ast
import json
import re
import subprocess

import pytest
import yaml
from django.core.management import get_commands

from dev.documents import lines, tracked
from dev.paths import ROOT, SERVICES

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def documents() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in tracked(".md")]


def canvas(service: str) -> str:
    return (ROOT / f"{service}_service" / "README.md").read_text()


def section(text: str, heading: str) -> str:
    """The lines under a `## heading`, up to the next one."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    assert found, f"no section {heading!r}"
    return found.group(1)


def subscribed(service: str) -> set[str]:
    """Event names in the service's CONSUMERS table, read without importing it."""
    package = {"auth": "accounts"}.get(service, service)
    path = ROOT / f"{service}_service" / package / "events" / "consumed.py"
    if not path.exists():
        return set()
    for node in ast.parse(path.read_text()).body:
        target = (
            node.targets[0]
            if isinstance(node, ast.Assign)
            else node.target
            if isinstance(node, ast.AnnAssign)
            else None
        )
        if isinstance(target, ast.Name) and target.id == "CONSUMERS":
            return {
                leaf.value
                for leaf in ast.walk(node)
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str) and leaf.value[:1].isupper()
            }
    raise AssertionError(f"{path} has no CONSUMERS table")


def produced(service: str) -> set[str]:
    schemas = [json.loads(path.read_text()) for path in tracked(".avsc")]
    return {schema["name"] for schema in schemas if schema["producer"] == service}


@pytest.mark.parametrize("document", documents())
def test_every_relative_link_leads_to_a_file(document: str) -> None:
    path = ROOT / document
    missing = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("document", documents())
def test_every_make_command_in_a_document_is_a_target(document: str) -> None:
    named = re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", (ROOT / document).read_text(), re.MULTILINE)
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(named) <= targets


MANAGE = re.compile(r"(?:\bk8s/manage [a-z]+|\brole manage|\bcompose run [^\n`]*?\bmanage|\bmanage\.py) ([a-z]\w*)")
COMPOSE = re.compile(r"\bdocker compose(?: --\S+ \S+)* (run|exec|stop|restart|up)\b([^`|&>#\n]*)")
OPTION_WITH_VALUE = {"--entrypoint", "--user", "-e", "--env", "--timeout", "-t"}


def unknown_commands(text: str) -> set[str]:
    """Management commands that a text names, and no service has."""
    known = {path.stem for path in tracked(".py") if path.parent.name == "commands" and "tests" not in path.parts}
    return set(MANAGE.findall(text)) - known - set(get_commands())


def unknown_services(text: str) -> set[str]:
    """Services that a Compose command of a text names, and docker-compose.yml has not; `NAME` and `$name` are any."""
    known = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
    named: set[str] = set()
    for verb, rest in COMPOSE.findall(text.replace("\\\n", " ")):
        words = rest.split()
        places = [
            word
            for before, word in zip(["", *words], words, strict=False)
            if not word.startswith("-") and before not in OPTION_WITH_VALUE
        ]
        named |= set(places[:1] if verb in {"run", "exec"} else places)
    return {name for name in named - known if not name.isupper() and "$" not in name}


@pytest.mark.parametrize("document", documents())
def test_every_management_command_in_a_document_exists(document: str) -> None:
    assert unknown_commands((ROOT / document).read_text()) == set()


@pytest.mark.parametrize("document", documents())
def test_every_service_that_compose_is_told_in_a_document_exists(document: str) -> None:
    assert unknown_services((ROOT / document).read_text()) == set()


def test_a_wrong_management_command_is_found() -> None:
    text = """`role manage bus offsets list`, `k8s/manage billing ledger_chek --complete`
docker compose run --rm auth manage tidy"""
    assert unknown_commands(text) == {"ledger_chek", "tidy"}


def test_a_wrong_service_of_compose_is_found() -> None:
    text = """`docker compose restart NAME`, `docker compose restart relay`
docker compose --profile demo up -d
docker compose exec -T $name-db pg_dump
docker compose stop billing billing-relais  # and so on
docker compose run --rm --no-deps -T --entrypoint sh secret -c \\
  'mkdir -p /secrets/kept'
"""
    assert unknown_services(text) == {"relay", "billing-relais", "secret"}


def test_the_two_commands_stand_on_the_first_screen_of_the_readme() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:20])
    assert [line.split()[:2] for line in lines(first_screen)] == [["make", "demo"], ["make", "test"]]


def test_make_help_names_every_target_of_the_documents() -> None:
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    targets = re.findall(r"^([a-z][a-z0-9-]*):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets
    assert [target for target in targets if target not in shown] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_canvas_names_exactly_the_events_that_the_service_takes(service: str) -> None:
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", section(canvas(service), "Events in")))
    assert named == subscribed(service)


@pytest.mark.parametrize("service", SERVICES)
def test_a_canvas_names_exactly_the_events_that_the_service_writes(service: str) -> None:
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", section(canvas(service), "Events out")))
    assert named == produced(service)


@pytest.mark.parametrize("service", SERVICES)
def test_the_settings_in_env_example_are_the_ones_that_are_read(service: str) -> None:
    chassis = ROOT / "libs/chassis/src/chassis"
    folders = [chassis / "settings", chassis / "identity", ROOT / f"{service}_service" / "config"]
    text = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    read = set(re.findall(r"\"([A-Z][A-Z0-9_]+)\"", text)) | {f"{name.upper()}_PUBLIC_URL" for name in SERVICES}
    example = (ROOT / f"{service}_service" / ".env.example").read_text()
    documented = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert documented <= read, f"documented, but never read: {documented - read}"


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_a_pod_carries_is_what_was_benchmarked_last() -> None:
    results = json.loads((ROOT / "bench/results.json").read_text())
    found = {figure["name"]: figure["median"] for name in ("relay", "consumer") for figure in results[name]["figures"]}
    consumer = sorted(value for name, value in found.items() if name.startswith("billing consumer"))
    sizes = (ROOT / "k8s/README.md").read_text()
    assert f"| relay | {round(found['relay'], -3):,.0f} events a second |" in sizes
    assert f"| consumer | {round(consumer[0], -2):,.0f} to {round(consumer[-1], -2):,.0f} events a second |" in sizes

"""The table of processes matches the services."""

import ast
from pathlib import Path

import pytest

from dev.paths import SERVICES, service_dir
from dev.procfile import Entry, entries

# Read by billing's `run_consumer tasks` before its first task.
WITHOUT_PROCESS = {("billing", "prices")}


def consumers(service: str) -> set[str]:
    """The keys of the service's CONSUMERS table, read without importing it."""
    [path] = service_dir(service).glob("*/events/consumed.py")
    for node in ast.walk(ast.parse(Path(path).read_text())):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "CONSUMERS":
            assert isinstance(node.value, ast.Dict)
            return {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
    raise AssertionError(f"{path} has no CONSUMERS table")


@pytest.mark.parametrize("service", SERVICES)
def test_each_consumer_of_a_service_has_a_process(service: str) -> None:
    prefix = f"{service}-consumer-"
    running = {entry.name.removeprefix(prefix) for entry in entries() if entry.name.startswith(prefix)}
    assert running == {name for name in consumers(service) if (service, name) not in WITHOUT_PROCESS}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_pages_a_relay_and_a_worker(service: str) -> None:
    names = {entry.name for entry in entries()}
    assert {f"{service}-web", f"{service}-relay", f"{service}-worker"} <= names


def test_a_command_takes_its_values_from_the_environment() -> None:
    [entry] = entries("# a comment\n\nauth-web: gunicorn --bind 127.0.0.1:$PORT 'a b'")
    assert entry == Entry("auth-web", "gunicorn --bind 127.0.0.1:$PORT 'a b'")
    assert entry.service == "auth"
    assert entry.words({"PORT": "3000"}) == ["gunicorn", "--bind", "127.0.0.1:3000", "a b"]

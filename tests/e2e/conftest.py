"""One running system for all browser tests, and a browser window for each person."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver import Driver, make_driver
from people import Person
from playwright.sync_api import Browser

from dev.pytest_browser import headless_browser

pytest_plugins = ["dev.pytest_logs"]

# Containers do not reach the collector of this process; the chapters of operations.md are about Compose.
ONLY_ON = {"test_traces_and_metrics.py": "local", "test_with_docker_alone.py": "compose"}
collect_ignore = [name for name, driver in ONLY_ON.items() if driver != os.environ.get("TRACKER_DRIVER", "local")]


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory, tell_logs_of: Callable[[Path], None]) -> Iterator[Driver]:
    directory = Path(os.environ.get("TRACKER_E2E_DIRECTORY") or tmp_path_factory.mktemp("system"))
    tell_logs_of(directory)
    running = make_driver(directory)
    try:
        yield running
        running.manage("billing", "ledger_check")  # whatever was done to it, the ledger adds up
    finally:
        running.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with headless_browser() as window:
        yield window


@pytest.fixture
def person(driver: Driver, browser: Browser) -> Iterator[Callable[[str], Person]]:
    """`person("manager")` opens a window of its own for that demo account and signs in through auth's page.

    A fault that a browser reports, and a request to another machine, fails the test.
    """
    opened: list[Person] = []

    def make(name: str, *, sign_in: bool = True) -> Person:
        someone = Person(name, driver, browser)
        opened.append(someone)
        if sign_in:
            someone.sign_in()
        return someone

    yield make
    for someone in opened:
        someone.close()
    assert [fault for someone in opened for fault in someone.reported] == []

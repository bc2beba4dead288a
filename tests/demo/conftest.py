"""A browser for what a newcomer does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from dev.pytest_browser import headless_browser

pytest_plugins = ["dev.pytest_logs"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with headless_browser() as window:
        yield window

"""A browser for what a newcomer does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from people import headless_browser
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with headless_browser() as window:
        yield window

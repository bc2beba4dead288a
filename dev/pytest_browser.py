"""Pytest plugin: headless Chromium, one for the tests of a file, and pages of the live server in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, sync_playwright

if TYPE_CHECKING:
    from django.test import Client

OpenPage = Callable[..., Page]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def headless_browser() -> Iterator[Browser]:
    """The Chromium or Chrome of this machine, or Playwright's own where there is none."""
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def static_files_found_when_asked_for(django_test_environment: None) -> None:
    """A client of a test looks for a static file when it wants one, not for all of them before its first page."""
    from django.conf import settings  # noqa: PLC0415 - the settings are not read yet when this file is

    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser beside Django's live server."""
    from django.db import connections  # noqa: PLC0415 - the settings are not read yet when this file is

    with pytest.MonkeyPatch.context() as patch, headless_browser() as browser:
        # Playwright runs a loop of its own in this thread; nothing of Django's is asynchronous here.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser
        # Inside Playwright's loop Django has a connection of its own.
        connections.close_all()


@pytest.fixture
def new_page(chromium: Browser, live_server: Any) -> Iterator[OpenPage]:
    """Opens an empty page in a window of its own; every fault that the browser reports, and every request to
    elsewhere, fails the test.

    Whoever is signed in to the given client is signed in. `allow` is the beginning of another place that may be asked;
    other options are Playwright's for a window.
    """
    from django.conf import settings  # noqa: PLC0415 - as above

    reported: list[str] = []
    windows = []

    def start(client: Client | None = None, *, allow: str = "", **options: Any) -> Page:
        window = chromium.new_context(base_url=live_server.url, **options)
        windows.append(window)
        if client is not None:
            name = settings.SESSION_COOKIE_NAME
            window.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = window.new_page()
        watch(page, reported, tuple(filter(None, (live_server.url, allow))))
        return page

    yield start
    for window in windows:
        window.close()
    assert reported == []


def watch(page: Page, reported: list[str], places: tuple[str, ...]) -> None:
    """Adds to `reported` what goes wrong on a page, and each request that does not begin as one of the places."""

    def note_error(error: Error) -> None:
        reported.append(str(error))

    def note_policy(line: ConsoleMessage) -> None:
        if "Content Security" in line.text:
            reported.append(line.text)

    def note_foreign(request: Request) -> None:
        if not request.url.startswith(places):
            reported.append(request.url)

    page.on("pageerror", note_error)
    page.on("console", note_policy)
    page.on("request", note_foreign)

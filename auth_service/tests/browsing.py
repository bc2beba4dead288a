"""A real browser on the live server, and who is signed in to it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from accounts.models import Account

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
Open = Callable[..., Page]


@contextmanager
def chromium(base_url: str, sign_in: Callable[[Account], Client]) -> Iterator[Open]:
    """Opens pages; every fault that the browser reports, and every request to elsewhere, fails the test."""
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )

        def start(path: str, account: Account | None = None, allow: str = "", **options: Any) -> Page:
            context = browser.new_context(base_url=base_url, **options)
            if account is not None:
                name = settings.SESSION_COOKIE_NAME
                context.add_cookies([{"name": name, "value": sign_in(account).cookies[name].value, "url": base_url}])
            page = context.new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda line: "Content Security" in line.text and faults.append(line.text))
            places = tuple(filter(None, (base_url, allow)))
            page.on("request", lambda request: request.url.startswith(places) or faults.append(request.url))
            page.goto(path)
            return page

        yield start
        browser.close()
        # Inside Playwright's loop Django has a connection of its own.
        connections.close_all()
    assert faults == []

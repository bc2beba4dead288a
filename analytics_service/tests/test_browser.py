"""The page in a real browser: no fault in any theme and size, and a chart that draws what its table says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Page, expect, sync_playwright

from dev.faults import faults
from eventbus.testing import set_aside
from tests.making import earned
from tests.test_pages import TODAY, consume, signed_in, titled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # traced, it takes twice as long
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DRAWN = """() => [...document.querySelectorAll("canvas[data-chart]")]
  .map(canvas => Chart.getChart(canvas).data.datasets.map(one => one.data.filter(Boolean).length))"""


@pytest.fixture
def open_page(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Page]]:
    """Opens pages, signed in; every fault that the browser reports fails the test."""
    # Playwright runs a loop of its own in this thread; nothing of Django's is asynchronous here.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    reported: list[str] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )

        def start(role: str) -> Page:
            context = chromium.new_context(base_url=live_server.url)
            name = settings.SESSION_COOKIE_NAME
            cookie = {"name": name, "value": signed_in(role).cookies[name].value, "url": live_server.url}
            context.add_cookies([cookie])  # type: ignore[list-item]
            page = context.new_page()
            page.on("pageerror", lambda error: reported.append(str(error)))
            page.on("console", lambda line: "Content Security" in line.text and reported.append(line.text))
            page.on("request", lambda one: one.url.startswith(live_server.url) or reported.append(one.url))
            return page

        yield start
        chromium.close()
        # Inside Playwright's loop Django has a connection of its own.
        connections.close_all()
    assert reported == []


def test_no_page_has_a_fault_in_any_theme_and_size(open_page: Callable[..., Page]) -> None:
    admin, worker = open_page("admin"), open_page("worker")
    for address in ("/", "/ties/2026-03-01/2026-03-31", "/dead-letters/"):
        admin.goto(address)
        assert faults(admin, f"analytics empty {address}") == []
    consume(
        titled("cage", "Wash the big cage <script>alert(1)</script>"),
        *(earned(2500, TODAY, task=number, account=f"w{number}") for number in range(7)),
        earned(2000, TODAY, task="cage"),
    )
    letter = set_aside("facts", earned(3500, TODAY, task="perch"))
    for address in ("/?from=2026-03-01&to=2026-03-04", "/?from=2026-03-05&to=2026-03-04", "/?worker=7", "/nowhere",
                    "/ties/2026-03-01/2026-03-31", "/dead-letters/", f"/dead-letters/{letter.pk}/"):  # fmt: skip
        admin.goto(address)
        assert faults(admin, f"analytics {address}") == []
    worker.goto("/")
    assert faults(worker, "analytics not for workers") == []


def test_the_chart_is_drawn_from_its_table(open_page: Callable[..., Page]) -> None:
    consume(earned(2500, TODAY))
    page = open_page("admin")
    page.goto("/?from=2026-03-03&to=2026-03-04")
    expect(page.locator("canvas").first).to_be_visible()
    assert any(count for chart in page.evaluate(DRAWN) for count in chart)

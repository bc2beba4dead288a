"""The pages of signing in that a person sees only when something is wrong, in a real browser."""

import shutil
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from identity.fake_auth import FakeAuth
from identity.steps import FLAGS
from playwright.sync_api import Page, sync_playwright

SIGN_OUT = """() => {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  document.body.insertAdjacentHTML("beforeend",
    `<form method=post action=/logout><input name=csrfmiddlewaretoken value=${token}></form>`);
  document.body.lastElementChild.submit();
}"""


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", {"width": 1280, "height": 800}), ("dark", {"width": 390, "height": 844})], ids=str
)
def test_axe_finds_nothing_where_signing_in_or_out_fails(
    live_server: Any, auth: FakeAuth, monkeypatch: pytest.MonkeyPatch, scheme: str, size: Any
) -> None:
    # Playwright runs a loop of its own in this thread; nothing of Django's is asynchronous here.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )
        page = chromium.new_page(base_url=live_server.url, color_scheme=scheme, viewport=size)
        page.goto("/complete/auth?state=unknown&code=x")
        check(page, "Signing in did not work")
        auth.stop()
        page.goto("/login?next=/mine")
        check(page, "Signing in is unavailable")
        page.evaluate(SIGN_OUT)
        page.wait_for_url("**/logout")
        check(page, "Signed out here only")
        chromium.close()
        # Inside Playwright's loop Django has a connection of its own.
        connections.close_all()


def check(page: Page, heading: str) -> None:
    assert page.get_by_role("heading", level=1).inner_text() == heading
    found = Axe().run(page)
    assert found.violations_count == 0, f"{heading}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{heading} is wider than the screen"

"""The pages of signing in that a person sees only when something is wrong, in a real browser."""

import shutil
from typing import Any

import pytest
from django.db import connections
from identity.fake_auth import FakeAuth
from identity.steps import FLAGS
from playwright.sync_api import Page, sync_playwright

from dev.faults import faults

SIGN_OUT = """() => {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  document.body.insertAdjacentHTML("beforeend",
    `<form method=post action=/logout><input name=csrfmiddlewaretoken value=${token}></form>`);
  document.body.lastElementChild.submit();
}"""


def test_pages_where_signing_in_or_out_fails_have_no_fault(
    live_server: Any, auth: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Playwright runs a loop of its own in this thread; nothing of Django's is asynchronous here.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )
        page = chromium.new_page(base_url=live_server.url)
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
    assert faults(page, f"identity {heading}") == []

"""The pages of signing in that a person sees only when something is wrong, in a real browser."""

from identity.fake_auth import FakeAuth
from playwright.sync_api import Page

from dev.faults import faults
from dev.pytest_browser import OpenPage

SIGN_OUT = """() => {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  document.body.insertAdjacentHTML("beforeend",
    `<form method=post action=/logout><input name=csrfmiddlewaretoken value=${token}></form>`);
  document.body.lastElementChild.submit();
}"""


def test_pages_where_signing_in_or_out_fails_have_no_fault(new_page: OpenPage, auth: FakeAuth) -> None:
    page = new_page()
    page.goto("/complete/auth?state=unknown&code=x")
    check(page, "Signing in did not work")
    auth.stop()
    page.goto("/login?next=/mine")
    check(page, "Signing in is unavailable")
    page.evaluate(SIGN_OUT)
    page.wait_for_url("**/logout")
    check(page, "Signed out here only")


def check(page: Page, heading: str) -> None:
    assert page.get_by_role("heading", level=1).inner_text() == heading
    assert faults(page, f"identity {heading}") == []

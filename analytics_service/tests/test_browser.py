"""The page in a real browser: no fault in any theme and size, and a chart that draws what its table says."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from dev.faults import faults
from dev.pytest_browser import OpenPage
from eventbus.testing import set_aside
from tests.making import earned
from tests.test_pages import TODAY, consume, signed_in, titled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # traced, it takes twice as long
DRAWN = """() => [...document.querySelectorAll("canvas[data-chart]")]
  .map(canvas => Chart.getChart(canvas).data.datasets.map(one => one.data.filter(Boolean).length))"""


@pytest.fixture
def open_page(new_page: OpenPage) -> OpenPage:
    """Opens empty pages in which somebody of the role is signed in."""
    return lambda role: new_page(signed_in(role))


def test_no_page_has_a_fault_in_any_theme_and_size(open_page: OpenPage) -> None:
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


def test_the_chart_is_drawn_from_its_table(open_page: OpenPage) -> None:
    consume(earned(2500, TODAY))
    page = open_page("admin")
    page.goto("/?from=2026-03-03&to=2026-03-04")
    expect(page.locator("canvas").first).to_be_visible()
    assert any(count for chart in page.evaluate(DRAWN) for count in chart)

"""A worker complains, finance finds out and corrects; every number can be taken along and compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from urllib.parse import urlsplit

from driver import Driver, eventually
from exports import exports_on, in_csv, in_xlsx, income_by_day, taken_along
from people import SLOW, Person
from playwright.sync_api import Page, expect

PersonMaker = Callable[..., Person]
# A service, an address in it, and which table of the page has the amounts of its export, if any has.
Place = tuple[str, str, str]
LIST = "main table.list"


def has_the_same_amounts(someone: Person, path: str, table: str, link: str) -> bool:
    """Line by line: each amount that the page shows is in the export's row, to the cent."""
    lines = someone.open("billing", path).locator(table).locator("tbody tr").all_inner_texts()
    assert lines, path
    rows = in_csv(taken_along(someone, link))
    assert len(lines) == min(len(rows), 50)
    for line, row in zip(lines, rows, strict=False):
        shown = {Decimal(amount.replace(",", "")) for amount in re.findall(r"\$([0-9,]+\.[0-9]{2})", line)}
        has = {abs(Decimal(value)) for value in row.values() if re.fullmatch(r"-?[0-9]+\.[0-9]{2}", value)}
        assert shown <= has, (line, row)
    return True


def preview_correction(finance: Person, worker: str, amount: str, reason: str, *, about: str) -> Page:
    """Fill in the form of a correction that pays somebody, up to its preview."""
    page = finance.open("billing", "/corrections/new")
    page.get_by_role("combobox", name="Worker").fill(f"{worker}@popug.example")
    page.get_by_label("pay to the worker").check()
    page.get_by_label("Amount").fill(amount)
    page.get_by_label("Reason").fill(reason)
    page.get_by_label("Entry or task").fill(about)
    page.get_by_role("button", name="Preview").click()
    return page


def test_finance_finds_why_a_reward_is_missing_and_corrects_it(person: PersonMaker) -> None:
    manager, finance, ines = person("manager"), person("finance"), person("ines")
    task = manager.create_task("[POPUG-77] Fix the night lamp", assignee="Inês Duarte")
    manager.price(task)

    page = finance.open("billing")
    page.get_by_role("searchbox").fill("popug-77")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("Fix the night lamp")).click()
    expect(page.locator("[data-case]")).to_have_attribute("data-case", "not completed")

    ines.complete("Fix the night lamp")
    finance.sees("billing", f"/tasks/{task}", "Reward")
    page.reload()
    expect(page.locator("[data-case]")).to_have_attribute("data-case", "rewarded", timeout=SLOW)

    preview_correction(finance, "ines", "12.5", "You bought the lamp <b>on your own</b> money.", about=task)
    expect(page.get_by_text("+$12.50")).to_be_visible()
    before, after = (
        Decimal(page.locator(".fact", has_text=label).locator(".fact-value").inner_text().replace("$", ""))
        for label in ("Balance before", "Balance after")
    )
    assert after - before == Decimal("12.50")
    page.get_by_role("button", name="Post the correction").click()
    expect(page.get_by_text("on your own").first).to_be_visible()

    ines.sees("billing", "/statement", "You bought the lamp <b>on your own</b> money.", "+$12.50")
    assert ines.status("billing", "/corrections/new") == 403


def places(driver: Driver, person: PersonMaker) -> Iterator[tuple[Person, Place]]:
    """Every page with an export, after something was done that stands on each of them."""
    manager, wilma = person("manager"), person("worker")
    manager.create_task("Hang the mirrors", assignee="Wilma Weber")
    task = manager.create_task("Count the perches", assignee="Wilma Weber")
    manager.price(task)
    wilma.complete("Count the perches")
    wilma.sees("billing", "/statement", "Count the perches", "completed by")
    finance, admin = person("finance"), person("admin")
    # More than fees can have charged, so that closing pays it.
    page = preview_correction(finance, "worker", "200", "You bought the perches.", about=task)
    page.get_by_role("button", name="Post the correction").click()
    expect(page.get_by_text("The correction is posted")).to_be_visible()
    driver.close_cycle()
    run = urlsplit(admin.reassign()).path
    yield from ((admin, (*at, "")) for at in (("auth", "/"), ("tasks", "/?show=open"), ("tasks", "/?show=done")))
    yield from ((admin, (*at, "")) for at in (("tasks", "/reassignments"), ("tasks", run), ("analytics", "/")))
    for path in ("/", "/workers", "/cycles", "/corrections"):
        yield finance, ("billing", path, LIST)
    yield finance, ("billing", f"/tasks/{task}", "#entries")
    yield finance, ("billing", leads_to(finance, "/", "main tbody a[href^='/days/']"), "#workers")
    closed = "main tr:has(.status:text-is('closed')) a[href^='/cycles/']"
    yield finance, ("billing", leads_to(finance, "/cycles", closed), "#payouts")
    yield wilma, ("billing", "/statement", LIST)


def leads_to(someone: Person, path: str, link: str) -> str:
    """Where the first such link of a page of billing leads."""
    return str(someone.open("billing", path).locator(link).first.get_attribute("href"))


def test_every_export_opens_again_with_the_rows_of_its_page(driver: Driver, person: PersonMaker) -> None:
    for someone, (service, path, table) in places(driver, person):
        links = exports_on(someone, service, path)
        assert links, f"{service}{path} has no export"
        for link in links:
            rows = in_csv(taken_along(someone, link))
            assert rows, link
            if table:
                eventually(partial(has_the_same_amounts, someone, path, table, link))
            assert len(in_xlsx(taken_along(someone, link.replace("format=csv", "format=xlsx")))) == len(rows)
            # Names as they read, days and times as the page's attributes have them.
            shown = someone.page.locator("main").inner_text() + someone.page.content()
            first = next(value for value in rows[0].values() if value)
            assert first in shown, f"{service}{path} does not show {first!r}"


def test_billing_and_analytics_show_the_same_income_for_each_day(person: PersonMaker) -> None:
    finance, admin = person("finance"), person("admin")

    def the_same() -> bool:
        return income_by_day(finance, "billing") == income_by_day(admin, "analytics")

    eventually(the_same)
    billing = income_by_day(finance, "billing")
    assert len(billing) == 30
    assert set(billing.values()) - {"0.00"}

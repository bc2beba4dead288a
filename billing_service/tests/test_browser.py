"""Billing's pages in a real browser: no fault of accessibility in any state, and what moves by itself."""

import os
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import expect, sync_playwright

from billing.models import Cycle, Payout, Transfer
from billing.selectors.clock import database_now
from billing.services.adjustments import adjustment_post, adjustment_reverse, payout_return
from billing.services.cycles import cycle_flip
from chassis.business_time import business_date
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import (
    BORIS,
    BOSS,
    WILMA,
    account,
    assigned,
    completed,
    open_cycle,
    reopened,
    task_id,
    task_state,
)

pytestmark = pytest.mark.django_db(transaction=True)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
SIZES = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture
def open_page(live_server, browser, monkeypatch):
    """Opens pages, signed in; every fault that the browser reports fails the test."""
    # Playwright runs a loop of its own in this thread; nothing of Django's is asynchronous here.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    faults = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=FLAGS
        )

        def start(role, **options):
            context = chromium.new_context(base_url=live_server.url, **options)
            session = browser(role).cookies["billing_session"].value
            context.add_cookies([{"name": "billing_session", "value": session, "url": live_server.url}])
            page = context.new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda line: "Content Security" in line.text and faults.append(line.text))
            page.on("request", lambda request: request.url.startswith(live_server.url) or faults.append(request.url))
            return page

        yield start
        chromium.close()
        # Inside Playwright's loop Django has a connection of its own.
        connections.close_all()
    assert faults == []


@pytest.fixture
def story(db):
    """A closed day with a late event, one that goes on, a debt, corrections, a payout that came back, a dead letter."""
    now = database_now()
    yesterday = now - timedelta(days=1)
    cycle = open_cycle(now - timedelta(hours=6))
    account(WILMA)
    account(BORIS, name="Boris Bauer", is_active=False)
    account(BOSS, name="Max Braun", role="manager")
    third = task_id(3)
    deliver("tasks", [
        task_state(name="TaskCreated"), task_state(task_id(2), title="Feed the rare hyacinth macaw", jira_id=None),
        task_state(third, title="اغسل القفص =cmd() <script>alert(1)</script>", jira_id="POPUG-7"),
        assigned(time=yesterday), completed(time=yesterday + timedelta(minutes=5)),
        assigned(task_id(2), account=BORIS, cause="reassigned", time=yesterday),
        assigned(third, time=yesterday), completed(third, time=yesterday), reopened(third, time=yesterday),
        completed(task_id(6), time=yesterday), completed(task_id(7), time=yesterday),
    ])  # fmt: skip
    close(now)
    given = {"account_id": WILMA, "actor_id": BOSS, "now": now}
    wrong = adjustment_post(form_key=uuid4(), amount=1250, credit=True, reason="The reward was lost.", **given)
    right = adjustment_post(
        form_key=uuid4(), amount=300, credit=False, reason="Broke the feeder.", task_id=task_id(), **given
    )
    again = {"reason": "It was the wrong worker.", "actor_id": BOSS, "now": now}
    adjustment_reverse(form_key=uuid4(), transfer_id=wrong, **again)
    payout = Transfer.objects.get(kind="payout")
    payout_return(transfer_id=payout.id, **again)
    deliver("tasks", [
        completed(no=2, time=yesterday), assigned(task_id(4), time=now), completed(task_id(5), account="nobody"),
    ])  # fmt: skip
    Payout.objects.update(last_error="ConnectionRefusedError: nobody answers", attempts=2)
    return {"cycle": cycle.id, "payout": payout.id, "wrong": wrong, "right": right, "day": business_date(yesterday)}


def pages_of(story):
    """Every page in its states: who looks, and the address."""
    fee = Transfer.objects.filter(kind="fee").first()
    finance = [
        "/", "/totals", f"/days/{story['day']}", "/days/2020-01-01", "/workers", "/workers/totals",
        f"/workers/{WILMA}", f"/workers/{WILMA}?day=2020-01-01", "/cycles", f"/cycles/{story['cycle']}",
        f"/cycles/{Cycle.objects.get(state='open').id}", "/corrections", f"/corrections?worker={BORIS}",
        f"/corrections/new?worker={WILMA}&about=POPUG-42", f"/entries/{fee.id}", f"/entries/{story['payout']}",
        f"/entries/{story['wrong']}", f"/entries/{story['right']}/take-back", f"/tasks/{task_id()}",
        f"/tasks/{task_id()}?worker={BORIS}", f"/tasks/{task_id(3)}", f"/tasks/{task_id(5)}", f"/tasks/{uuid4()}",
        "/workers?show=left", "/search", "/search?q=w", "/search?q=nothing", "/dead-letters/",
    ]  # fmt: skip
    return [*(("finance", address) for address in finance), ("worker", "/statement"), ("worker", "/workers")]


@pytest.mark.parametrize(("theme", "size"), [("light", "wide"), ("dark", "phone")])
def test_no_page_has_a_fault_of_accessibility_or_is_wider_than_the_screen(open_page, story, theme, size):
    tabs = {role: open_page(role, viewport=SIZES[size], color_scheme=theme) for role in ("finance", "worker")}
    for number, (role, address) in enumerate(pages_of(story)):
        check(tabs[role], address, f"{number:02}-{size}-{theme}")


@pytest.mark.parametrize("address", ["/", "/workers", "/cycles", "/corrections", "/statement"])
def test_an_empty_page_has_no_fault_either(open_page, address):
    check(open_page("finance", viewport=SIZES["phone"]), address, f"empty-{address.strip('/')}")


def check(page, address, name):
    page.goto(address)
    page.wait_for_load_state("networkidle")
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    found = Axe().run(page)
    assert found.violations_count == 0, f"{address}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} is wider than the screen"


def test_totals_appear_by_themselves(open_page, story):
    page = open_page("finance")
    page.goto("/workers")
    expect(page.locator("tfoot")).to_contain_text("owed to workers")
    page.goto("/")
    expect(page.get_by_text("Owed to workers")).to_be_visible()


def test_without_javascript_totals_are_one_click_away(open_page, story):
    page = open_page("finance", java_script_enabled=False)
    page.goto("/workers")
    page.get_by_role("link", name="Totals").click()
    expect(page.get_by_text("Owed to workers")).to_be_visible()


def test_a_complaint_is_found_corrected_with_a_preview_and_read_by_the_worker(open_page, story):
    page = open_page("finance")
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("popug-42")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="POPUG-42 · Wash the cage").click()
    page.get_by_label("Whose complaint").select_option(label="Wilma Weber")
    expect(page.locator("[data-case]")).to_contain_text("For Wilma Weber: Rewarded")
    page.get_by_role("link", name="Correct", exact=True).click()
    expect(page.get_by_label("Worker", exact=True)).to_have_value("wilma@popug.example")
    page.get_by_label("pay to the worker").check()
    page.get_by_label("Amount").fill("-3")
    page.get_by_label("Reason").fill("Paid for the broken feeder.")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Ensure this value is greater than or equal to 0.01.")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("Paid for the broken feeder.")
    page.get_by_label("Amount").fill("3")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Balance after")).to_be_visible()
    page.get_by_role("button", name="Post the correction").click()
    expect(page.get_by_role("status").filter(has_text="The correction is posted")).to_be_visible()
    page.get_by_role("link", name="Wilma Weber").click()
    expect(page.locator("tbody tr").first).to_contain_text("Paid for the broken feeder.")
    assert Transfer.objects.filter(reason="Paid for the broken feeder.", change=300, task_id=task_id()).count() == 1


def test_names_are_offered_while_one_types(open_page, story):
    page = open_page("finance")
    page.goto("/corrections/new")
    page.get_by_label("Worker", exact=True).press_sequentially("wil")
    expect(page.locator("datalist option")).to_have_text("Wilma Weber")


def test_from_a_total_one_walks_down_to_the_day_the_worker_the_entry_and_the_task(open_page, story):
    page = open_page("finance")
    page.goto(f"/cycles/{story['cycle']}")
    page.locator("#days a").first.click()
    page.locator("#workers a", has_text="Wilma Weber").click()
    page.locator("td a", has_text="Reward").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Reward")
    page.locator("dd a", has_text="POPUG").click()
    expect(page.get_by_role("heading", name="Events received")).to_be_visible()


def test_a_closing_cycle_says_how_far_it_is_until_it_is_closed(open_page, story):
    cycle = Cycle.objects.get(state="open")
    cycle_flip(cycle_id=cycle.id, now=database_now())
    page = open_page("finance")
    page.goto("/cycles")
    expect(page.get_by_text("closing, 0 of")).to_be_visible()
    page.goto(f"/cycles/{cycle.id}")
    expect(page.get_by_text("It is being closed: 0 of")).to_be_visible()
    close(database_now())
    page.get_by_text("It is closed").get_by_role("link", name="Show").click()
    expect(page.get_by_text("For the auditor")).to_be_visible()
    expect(page.get_by_text("It is closed")).to_have_count(0)

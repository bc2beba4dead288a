"""Billing's pages in a real browser: no fault of accessibility in any state, and what moves by itself."""

import pytest
from playwright.sync_api import expect

from billing.models import Cycle, Transfer
from billing.selectors.clock import database_now
from billing.services.cycles import cycle_flip
from dev.faults import faults
from eventbus.models import DeadLetter
from tests.ledger import close
from tests.make import WILMA, account, task_id
from tests.story import pages_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # traced, it takes twice as long


@pytest.fixture
def open_page(new_page, browser):
    """Opens empty pages in which somebody of the role is signed in."""
    return lambda role, **options: new_page(browser(role), **options)


def test_no_page_has_a_fault_in_any_theme_and_size(open_page, story):
    tabs = {role: open_page(role) for role in ("finance", "worker")}
    for role, address in pages_of(story):
        check(tabs[role], address, f"billing {role} {address}")


def test_no_state_of_a_cycle_has_a_fault(open_page, story):
    page = open_page("finance")
    [cycle] = Cycle.objects.filter(state="open")
    someone = account(role="finance", name="Fatima Finke").id
    for said, state in {
        "It is due and waits": {"due_at": database_now().replace(microsecond=0)},
        "Fatima Finke asked to close it now": {"requested_at": database_now(), "requested_by": someone},
        "It is being closed": {"state": "closing", "closing_at": database_now()},
        "Closing failed": {"failure": "OperationalError: " + "x" * 200, "failed_at": database_now()},
    }.items():
        Cycle.objects.filter(id=cycle.id).update(**state)
        page.goto(f"/cycles/{cycle.id}")
        expect(page.get_by_text(said)).to_be_visible()
        assert faults(page, f"billing cycle: {said}") == []


def test_an_empty_page_has_no_fault_either(open_page):
    page = open_page("finance")
    for address in ("/", "/workers", "/cycles", "/corrections", "/statement", "/nowhere"):
        check(page, address, f"billing empty {address}")


def test_refused_forms_and_a_preview_have_no_fault_either(open_page, story):
    page = open_page("finance")
    page.goto(f"/entries/{story['right']}/take-back")
    page.get_by_role("button", name="Post the opposite").click()
    expect(page.locator(".field-error").first).to_be_visible()
    assert faults(page, "billing refused taking back") == []
    page.goto("/corrections/new")
    account(name="Wanda Wolf")
    page.get_by_label("Worker", exact=True).fill("w")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("button", name="Wanda Wolf")).to_be_visible()
    expect(page.locator(".field-error")).to_have_count(4)
    assert faults(page, "billing refused correction with several people to choose") == []
    page.goto(f"/corrections/new?worker={WILMA}")
    page.get_by_label("pay to the worker").check()
    page.get_by_label("Amount").fill("3")
    page.get_by_label("Reason").fill("Paid for the broken feeder.")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Balance after")).to_be_visible()
    assert faults(page, "billing preview") == []
    payout = Transfer.objects.filter(kind="payout").exclude(id=story["payout"]).get()
    page.goto(f"/entries/{payout.id}/return")
    page.locator("main form").evaluate("form => { form.noValidate = true }")
    page.locator("main form button").click()
    expect(page.locator(".field-error").first).to_be_visible()
    assert faults(page, "billing refused return of a payout") == []


def test_a_decided_dead_letter_and_a_refused_decision_have_no_fault_either(open_page, story):
    page = open_page("admin")
    check(page, f"/dead-letters/{DeadLetter.objects.get(state='discarded').pk}/", "billing a discarded dead letter")
    page.goto(f"/dead-letters/{DeadLetter.objects.get(state='dead').pk}/")
    page.locator("main form").evaluate_all("forms => forms.forEach((form) => { form.noValidate = true })")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator(".field-error")).to_be_visible()
    assert faults(page, "billing refused discarding") == []


def check(page, address, name):
    page.goto(address)
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert faults(page, name) == []


def test_on_a_phone_the_page_that_is_open_is_in_sight_among_all_pages(open_page, story):
    page = open_page("finance", viewport={"width": 390, "height": 844})
    page.goto("/dead-letters/")
    expect(page.locator("header .tabs [aria-current]")).to_be_in_viewport(ratio=0.99)


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
    expect(page.get_by_text("An amount is digits, with a point for cents: 12.50.")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("Paid for the broken feeder.")
    page.get_by_label("Amount").fill("3")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Balance after")).to_be_visible()
    page.get_by_role("button", name="Post the correction").click()
    expect(page.get_by_role("status").filter(has_text="The correction is posted")).to_be_visible()
    page.get_by_role("link", name="Wilma Weber").click()
    expect(page.locator("tbody tr").first).to_contain_text("Paid for the broken feeder.")
    assert Transfer.objects.filter(reason="Paid for the broken feeder.", change=300, task_id=task_id()).count() == 1


def test_a_correction_whose_session_ends_on_its_preview_is_there_again_after_signing_in(open_page, story, settings):
    settings.IDENTITY = settings.IDENTITY | {"AUTH_INTERNAL_URL": "http://127.0.0.1:9"}  # where nobody listens
    typed = {"Amount": "3.50", "Reason": "Paid for the broken feeder.\nAnd for the seeds.", "Entry or task": "POPUG-42"}
    page = open_page("finance")
    page.goto(f"/corrections/new?worker={WILMA}")
    page.get_by_label("take from the worker").check()
    for label, text in typed.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Preview").click()
    session = page.context.cookies()
    page.context.clear_cookies(name="billing_session")
    page.get_by_role("button", name="Post the correction").click()
    page.wait_for_url("**/login?next=%2Fcorrections%2Fnew")
    expect(page.get_by_role("heading", name="Signing in is unavailable")).to_be_visible()
    page.context.add_cookies(session)
    # As after the sign-in service: the browser says no page of ours as the one it came from.
    page.goto("/corrections/new")
    expect(page.get_by_role("alert")).to_contain_text("what you had typed is still here")
    expect(page.get_by_label("Worker", exact=True)).to_have_value("wilma@popug.example")
    expect(page.get_by_label("take from the worker")).to_be_checked()
    for label, text in typed.items():
        expect(page.get_by_label(label)).to_have_value(text)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Post the correction").click()
    expect(page.get_by_role("status").filter(has_text="The correction is posted")).to_be_visible()
    assert Transfer.objects.filter(kind="adjustment", change=-350, account_id=WILMA).count() == 1


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

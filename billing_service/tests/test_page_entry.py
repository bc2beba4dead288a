"""An entry: both sides, why, where it belongs, what it is linked with."""

from uuid import uuid4

import pytest

from billing.models import Transfer
from billing.services.adjustments import adjustment_post
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import BOSS, MONDAY, WILMA, fee, reopened, reward, task_id
from tests.pages import dollars, page, text

pytestmark = pytest.mark.django_db
TASK = task_id()


def details(soup):
    found = {}
    for term in soup.select("dl.details dt"):
        found.setdefault(text(term), text(term.find_next_sibling("dd")))
    return found


def entry(kind, task=TASK):
    return Transfer.objects.filter(kind=kind).order_by("-entry_no").first()


def test_an_entry_shows_both_sides_cause_task_cycle_and_times(browser, worked):
    fee_entry = Transfer.objects.get(kind="fee", task_id=TASK)
    soup = page(browser("finance"), f"/entries/{fee_entry.id}")
    found = details(soup)
    assert text(soup.h1) == f"Fee {dollars(-fee(TASK))}"
    assert found["Debit"] == f"Wilma Weber, {dollars(fee(TASK))}"
    assert found["Credit"] == f"the company: management's income, {dollars(fee(TASK))}"
    assert found["Cause"] == "assigned at creation by M. Braun, 10:00"
    assert found["Task"] == "POPUG-42 · Wash the cage"
    assert found["Balance after"].startswith(dollars(-fee(TASK)))
    assert found["Cycle"] == "due 2 Mar 2026, 18:00 CET"
    assert found["Happened"] == "2 Mar 2026, 10:00 CET"
    assert found["Business date"] == "Mon 2 Mar 2026"
    assert found["Idempotency key"] == f"fee:{TASK}:1"
    assert str(fee_entry.event_id) in found["Event id"]
    assert found["Entry id"] == str(fee_entry.id)


def test_a_reversal_and_its_original_lead_to_each_other(browser, worked):
    deliver("tasks", [reopened(actor=BOSS)])
    client, original, reversal = browser("admin"), entry("earning"), entry("reversal")
    assert page(client, f"/entries/{reversal.id}").select_one(f"dd a[href='/entries/{original.id}']")
    soup = page(client, f"/entries/{original.id}")
    assert "This entry was taken back." in text(soup)
    assert soup.select_one(f".message a[href='/entries/{reversal.id}']")


def test_a_reversal_that_came_before_its_earning_says_what_it_waits_for(browser, worked):
    deliver("tasks", [reopened(task_id(5))])
    found = details(page(browser("admin"), f"/entries/{entry('reversal').id}"))
    assert found["Takes back"] == "an entry that has not arrived yet"


def test_an_entry_leads_to_the_corrections_about_it(browser, worked):
    about = entry("fee")
    given = {"account_id": WILMA, "actor_id": BOSS, "now": MONDAY, "reason": "Charged by mistake."}
    correction = adjustment_post(form_key=uuid4(), amount=100, credit=True, about=about.id, **given)
    client = browser("admin")
    assert "Charged by mistake." in details(page(client, f"/entries/{about.id}"))["Correction"]
    assert details(page(client, f"/entries/{correction}"))["About"].startswith("Fee ")
    assert details(page(client, f"/entries/{correction}"))["Event id"] == "none: not caused by an event"


def test_an_entry_says_in_which_payout_it_was_paid(browser, worked):
    close()
    client, payout = browser("finance"), entry("payout")
    soup = page(client, f"/entries/{entry('earning').id}")
    assert details(soup)["Paid out"] == f"in {dollars(reward(TASK) - fee(TASK))}"
    assert soup.select_one(f"a[href='/entries/{payout.id}']")


def test_only_finance_can_start_a_correction_from_an_entry(browser, worked):
    address = f"/entries/{entry('earning').id}"
    links = page(browser("finance"), address).select(".page-actions a")
    assert [link["href"] for link in links] == [f"/corrections/new?worker={WILMA}&about={entry('earning').id}"]
    assert not page(browser("admin"), address).select(".page-actions a")


def test_an_unknown_entry_is_not_found(browser):
    assert browser("admin").get(f"/entries/{uuid4()}").status_code == 404

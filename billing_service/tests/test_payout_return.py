"""A payout that the bank sent back is credited again, once, and paid at the next closing."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from billing.domain import Company, LedgerError
from billing.models import Transfer
from billing.selectors.days import days
from billing.selectors.ledger_check import ledger_findings
from billing.services.adjustments import payout_return
from eventbus.testing import deliver, published
from tests.ledger import balances, close
from tests.make import BOSS, DUE, WILMA, account, completed, open_cycle, reward, task_id
from tests.pages import dollars, page, rows, text

pytestmark = pytest.mark.django_db
REASON = "The account number was wrong."
TUESDAY = datetime(2026, 3, 3, 17, tzinfo=UTC)


@pytest.fixture
def payout(db):
    open_cycle()
    deliver("tasks", [completed()])
    close()
    return Transfer.objects.get(kind="payout")


def come_back(payout, **given):
    return payout_return(**{"transfer_id": payout.id, "reason": REASON, "actor_id": BOSS, "now": DUE, **given})


def test_the_amount_is_owed_again_and_paid_at_the_next_closing(payout):
    entry = Transfer.objects.get(id=come_back(payout))
    assert (entry.kind, entry.change, entry.reverses) == ("payout_return", payout.amount, payout.id)
    assert (entry.debit_id, entry.credit_id) == (Company.PAYOUTS, WILMA)
    assert entry.idempotency_key == f"payout_return:{payout.id}"
    assert (entry.reason, entry.actor_id) == (REASON, str(BOSS))
    assert [event.data["kind"] for event in published("TransactionPosted")][-1] == "payout_return"
    close(TUESDAY)
    assert balances() == {WILMA: 0}
    assert Transfer.objects.filter(kind="payout").count() == 2
    assert ledger_findings() == []


def test_it_is_returned_once(payout):
    come_back(payout)
    with pytest.raises(LedgerError, match="returned before"):
        come_back(payout, reason="Sent back another time.")
    assert balances() == {WILMA: reward(task_id())}


def test_only_a_payout_is_returned(payout):
    with pytest.raises(LedgerError, match="only a payout"):
        come_back(Transfer.objects.get(kind="earning"))
    with pytest.raises(LedgerError, match="10 to 500"):
        come_back(payout, reason="short")


def test_nobody_enters_the_own_payout_as_returned(browser, payout):
    with pytest.raises(LedgerError, match="own account"):
        come_back(payout, actor_id=WILMA)
    client, address = browser(who=account(WILMA, role="finance")), f"/entries/{payout.id}"
    assert not page(client, address).select(f".page-actions a[href='{address}/return']")
    soup = page(client, f"{address}/return")
    assert "a colleague of finance has to do this" in text(soup)
    assert not soup.select("main form")
    response = client.post(f"{address}/return", {"form_key": str(uuid4()), "reason": REASON})
    assert response.status_code == 422
    assert not Transfer.objects.filter(kind="payout_return").exists()


def test_neither_payouts_nor_their_returns_are_income(payout):
    before = days(DUE.date(), DUE.date())[0].sums.income
    come_back(payout)
    assert days(DUE.date(), DUE.date())[0].sums.income == before


def test_finance_enters_it_on_the_payouts_page_and_the_worker_reads_the_reason(browser, payout):
    client, address = browser("finance"), f"/entries/{payout.id}"
    assert page(client, address).select_one(f".page-actions a[href='{address}/return']")
    soup = page(client, f"{address}/return")
    key = soup.select_one("[name=form_key]")["value"]
    assert f"Balance after {dollars(payout.amount)}" in text(soup)
    for _ in range(2):
        response = client.post(f"{address}/return", {"form_key": key, "reason": REASON}, follow=True)
        assert response.redirect_chain == [(f"/entries/{Transfer.objects.get(kind='payout_return').id}", 302)]
    assert "This payout came back." in text(page(client, address))
    assert not page(client, address).select(f".page-actions a[href='{address}/return']")
    words = rows(page(client, f"/workers/{WILMA}"))[0]
    assert words[1] == "Payout returned"
    assert words[2].startswith(f"{REASON} the payout came back, entered by S. finance")


def test_a_page_that_is_too_old_says_that_it_was_done_before(browser, payout):
    client, address = browser("finance"), f"/entries/{payout.id}/return"
    come_back(payout)
    soup = page(client, address)
    assert "this payout was entered as returned before" in text(soup)
    assert not soup.select("main form")
    response = client.post(address, {"form_key": str(uuid4()), "reason": REASON}, follow=True)
    assert "somebody did this before" in response.content.decode()


@pytest.mark.parametrize("role", ["admin", "manager", "worker"])
def test_nobody_else_enters_it(browser, payout, role):
    assert browser(role).get(f"/entries/{payout.id}/return").status_code == 403
    assert browser(role).post(f"/entries/{payout.id}/return").status_code == 403

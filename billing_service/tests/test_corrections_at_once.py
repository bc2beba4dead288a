"""Two people of finance, or two tabs of one, answer the same entry at the same moment: one of them does it."""

from uuid import UUID, uuid4

import pytest
from django.db import transaction

from billing.domain import LedgerError
from billing.models import LedgerAccount, Transfer
from billing.selectors.ledger_check import ledger_findings
from billing.services.adjustments import adjustment_post, adjustment_reverse, payout_return
from billing.services.task_events import task_events_post
from chassis.form_keys import once
from tests.ledger import balances, close
from tests.make import BOSS, MONDAY, WILMA, completed, open_cycle, reward, task_id
from tests.threads import in_thread, until, waiting_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)
BY = {"reason": "It was the wrong worker.", "actor_id": BOSS, "now": MONDAY}


def correct(key: UUID) -> UUID:
    return adjustment_post(form_key=key, account_id=WILMA, amount=1250, credit=True, **BY)


def both_at_once(action):
    """Two that wait for the worker's row together; their outcomes, and that nothing is left wrong."""
    with transaction.atomic():
        LedgerAccount.objects.select_for_update().get(id=WILMA)
        two = [in_thread(action) for _ in range(2)]
        until(lambda: waiting_for_a_lock("transactionid") + waiting_for_a_lock("tuple") == 2)
    for one in two:
        one.join(10)
    assert ledger_findings() == []
    return sorted((one.outcome for one in two), key=lambda outcome: isinstance(outcome, Exception))


@pytest.fixture(autouse=True)
def earned():
    open_cycle()
    task_events_post([completed()])


def test_a_correction_that_two_take_back_is_taken_back_once():
    wrong = correct(uuid4())
    first, second = both_at_once(lambda: adjustment_reverse(form_key=uuid4(), transfer_id=wrong, **BY))
    assert isinstance(first, UUID)
    assert isinstance(second, LedgerError)
    assert balances() == {WILMA: reward(task_id())}


def test_a_payout_that_two_enter_as_returned_is_credited_once():
    close()
    payout = Transfer.objects.get(kind="payout")
    first, second = both_at_once(lambda: payout_return(transfer_id=payout.id, **BY))
    assert isinstance(first, UUID)
    assert isinstance(second, LedgerError)
    assert balances() == {WILMA: payout.amount}


def test_a_form_of_two_tabs_sent_at_once_books_once_and_answers_both_alike():
    key = uuid4()

    def send():
        return once(key=key, kind="correction", actor_id=BOSS, effect=lambda: str(correct(key)))

    with transaction.atomic():
        LedgerAccount.objects.select_for_update().get(id=WILMA)
        two = [in_thread(send) for _ in range(2)]  # one waits for the worker's row, the other for the form's key
        until(lambda: waiting_for_a_lock("transactionid") == 2)
    for one in two:
        one.join(10)
    assert two[0].outcome == two[1].outcome
    assert balances() == {WILMA: reward(task_id()) + 1250}

"""The number of queries of each list is fixed: it grows neither with the rows nor by accident."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Cycle
from billing.services.adjustments import adjustment_post
from chassis.replica.models import Account
from eventbus.testing import deliver, set_aside
from tests.ledger import close
from tests.make import BORIS, BOSS, DUE, MONDAY, WILMA, account, assigned, completed, open_cycle, task_id, task_state
from tests.pages import page

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
TASK = task_id()
LISTS = {
    "/": 13,
    "/workers": 13,
    "/workers?show=left": 13,
    "/days/2026-03-02": 12,
    f"/workers/{WILMA}": 20,
    f"/tasks/{TASK}": 26,
    "/cycles": 9,
    "/corrections": 13,
    "/search?q=cage": 16,
    "/search?q=cage&group=tasks": 12,
    "/dead-letters/": 5,
}


def grow():
    """More of everything that a list shows."""
    for number in range(10, 30):
        left = account(name=f"Cage Keeper {number}", is_active=False)
        deliver("tasks", [
            task_state(task_id(number), version=5, title=f"Clean cage {number}"),
            assigned(task_id(number), account=left.id, actor=account(name=f"Boss {number}").id),
            completed(task_id(number), account=left.id),
            assigned(TASK, no=number, account=left.id),
            assigned(task_id(number), no=2, account=WILMA),
        ])  # fmt: skip
        given = {"account_id": left.id, "actor_id": BOSS, "now": MONDAY, "reason": f"Correction no. {number}"}
        adjustment_post(form_key=uuid4(), amount=100, credit=True, task_id=task_id(number), **given)
        open_cycle(DUE - timedelta(days=number), state="closed")
        set_aside("tasks", assigned(task_id(100 + number)))


@pytest.mark.parametrize(("address", "queries"), LISTS.items())
def test_a_list_asks_as_many_queries_for_many_rows_as_for_few(browser, worked, address, queries):
    client = browser("finance")
    given = {"account_id": BORIS, "actor_id": BOSS, "now": MONDAY, "reason": "A first correction."}
    adjustment_post(form_key=uuid4(), amount=100, credit=True, task_id=TASK, **given)
    account(name="Cage Master", is_active=False)
    set_aside("tasks", assigned(task_id(100)))
    Account.objects.filter(id=BORIS).update(is_active=False)
    close()
    assert count(client, address) == queries
    grow()
    assert count(client, address) == queries


def test_a_cycle_asks_as_many_queries_for_many_payouts_as_for_few(browser, worked):
    client, counts = browser("finance"), []
    for due in (DUE, DUE + timedelta(days=1)):
        close(due)
        cycle = Cycle.objects.filter(state="closed").latest("due_at")
        counts.append((cycle.payout_count > 1, count(client, f"/cycles/{cycle.id}")))
        if len(counts) == 1:
            grow()
    assert counts == [(False, 14), (True, 14)]


def count(client, address):
    page(client, address)
    with CaptureQueriesContext(connection) as found:
        page(client, address)
    return len(found)

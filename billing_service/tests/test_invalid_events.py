"""Well-formed events that cannot be right: dead letters, no money, and a ledger that still adds up (B7)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.models import LedgerAccount, TaskPrice
from billing.selectors.ledger_check import ledger_findings
from eventbus.models import DeadLetter
from eventbus.testing import deliver, published
from tests.make import WILMA, assigned, completed, fee, open_cycle, reopened, task_id, task_state

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def cycle():
    return open_cycle()


def dead():
    return [(row.key_text, "LedgerError" in row.error) for row in DeadLetter.objects.filter(state="dead")]


@pytest.mark.parametrize("make", [assigned, completed, reopened])
@pytest.mark.parametrize("wrong", [{"no": 0}, {"no": -5}, {"time": LONG_AGO}], ids=["zero", "below zero", "long ago"])
def test_a_number_or_a_time_that_cannot_be_right_moves_no_money_and_holds_up_nobody_else(make, wrong):
    deliver("tasks", [assigned(task_id(1)), make(task_id(2), **wrong), assigned(task_id(3))])
    assert LedgerAccount.objects.get(id=WILMA).balance == -fee(task_id(1)) - fee(task_id(3))
    assert dead() == [(str(task_id(2)), True)]
    assert not TaskPrice.objects.filter(task_id=task_id(2)).exists()
    assert ledger_findings() == []


def test_the_first_moment_of_the_year_2000_is_taken():
    deliver("tasks", [assigned(time=datetime(2000, 1, 1, tzinfo=UTC))])
    assert LedgerAccount.objects.get(id=WILMA).balance == -fee(task_id())
    assert ledger_findings() == []


def test_a_state_told_at_a_time_that_cannot_be_right_prices_nothing():
    deliver("tasks", [replace(task_state(), time=LONG_AGO)])
    assert dead() == [(str(task_id()), True)]
    assert published("TaskPriced") == []

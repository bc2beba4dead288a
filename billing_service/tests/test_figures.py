"""What operators watch of billing."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from billing.figures import FIGURES
from billing.models import Cycle, LedgerAccount
from tests.make import open_cycle

pytestmark = pytest.mark.django_db


def read():
    return {name: figure.read() for name, figure in FIGURES.items()}


def test_an_empty_ledger_has_nothing_to_watch():
    assert set(read().values()) == {0}


def test_debts_and_what_is_owed_are_apart():
    for balance in (1500, 300, -200):
        LedgerAccount.objects.create(id=uuid4(), balance=balance)
    found = read()
    assert (found["billing_owed_cents"], found["billing_debt_cents"]) == (1800, -200)
    assert found["billing_accounts_below_zero"] == 1


def test_a_cycle_is_overdue_from_the_moment_it_is_due():
    cycle = open_cycle(timezone.now() + timedelta(hours=1))
    assert read()["billing_cycle_overdue_seconds"] == 0
    Cycle.objects.filter(pk=cycle.pk).update(due_at=timezone.now() - timedelta(minutes=10))
    assert 600 <= read()["billing_cycle_overdue_seconds"] < 660

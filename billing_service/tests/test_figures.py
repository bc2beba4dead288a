"""What operators watch of billing."""

from datetime import timedelta
from time import time
from uuid import uuid4

import pytest
from django.utils import timezone

from billing.figures import FIGURES
from billing.models import Cycle, LedgerAccount, LedgerCheck
from billing.services.checks import ledger_check
from tests.make import open_cycle

pytestmark = pytest.mark.django_db


def read():
    return {name: figure.read() for name, figure in FIGURES.items()}


def test_an_empty_ledger_has_nothing_to_watch():
    found = read()
    assert found.pop("billing_price_key_since_timestamp_seconds") > 0
    assert set(found.values()) == {0}


def test_the_price_key_is_as_old_as_its_first_use(settings):
    first = read()["billing_price_key_since_timestamp_seconds"]
    assert time() - 60 < first <= time()
    assert read()["billing_price_key_since_timestamp_seconds"] == first
    settings.PRICE_KEYS = {"k2": b"1" * 32} | settings.PRICE_KEYS
    assert read()["billing_price_key_since_timestamp_seconds"] > first


def test_the_last_check_of_the_ledger_is_told_with_what_it_found():
    LedgerCheck.objects.create(finished_at=timezone.now() - timedelta(hours=1), findings=3)
    assert read()["billing_ledger_check_findings"] == 3
    ledger_check()
    found = read()
    assert found["billing_ledger_check_findings"] == 0
    assert time() - 60 < found["billing_ledger_check_timestamp_seconds"] <= time()


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

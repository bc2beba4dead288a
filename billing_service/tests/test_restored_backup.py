"""A ledger from a backup does again what it did before, under the same ids: nobody downstream counts twice."""

from datetime import timedelta

import pytest
from django.db import connection

from billing.models import Cycle, Payout, Transfer
from billing.services.cycles import cycle_open_first
from billing.services.task_events import task_events_post
from eventbus.testing import clear_outbox, published
from tests.ledger import close
from tests.make import BORIS, DUE, WILMA, completed, task_id

DAY = timedelta(days=1)
NAMES = ("TransactionPosted", "PayoutMade", "CycleClosed")


def begin():
    cycle_open_first(due_at=DUE)
    task_events_post([completed(account=WILMA)])


def go_on():
    """Monday's closing, a reward on Tuesday, Tuesday's closing."""
    close()
    task_events_post([completed(task_id(2), account=BORIS, time=DUE + DAY / 2)])
    close(DUE + DAY)


def told():
    return {
        "transfers": set(Transfer.objects.values_list("id", "idempotency_key", "amount")),
        "cycles": set(Cycle.objects.values_list("id", "due_at")),
        "mails": set(Payout.objects.values_list("id", "message_id")),
        "events": {(event.name, event.key, event.id) for name in NAMES for event in published(name)},
    }


@pytest.mark.django_db(transaction=True)
def test_what_comes_after_the_backup_comes_again_under_the_same_ids():
    begin()
    clear_outbox()
    go_on()
    before = told()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE billing_transfer, billing_cycle, billing_ledgeraccount, billing_payout CASCADE")
    begin()
    clear_outbox()
    go_on()
    assert told() == before
    assert len(before["mails"]) == 2
    assert len(before["cycles"]) == 3


@pytest.mark.django_db
class TestWaiting:
    @pytest.fixture(autouse=True)
    def cycle(self):
        begin()

    def looks(self, start, minutes):
        """What closing does when it looks each minute and consumption is behind."""
        return [close(start + timedelta(minutes=minute), consumed=False) for minute in range(minutes)]

    def test_a_cycle_that_is_overdue_at_the_start_waits_for_the_replay_all_the_same(self):
        later = DUE + timedelta(days=3)
        assert self.looks(later, 15) == [[]] * 15
        assert Cycle.objects.get().state == "open"
        assert len(close(later + timedelta(minutes=15), consumed=False)) == 1

    def test_each_overdue_cycle_has_its_own_wait(self):
        self.looks(DUE + timedelta(days=3), 16)
        assert list(Cycle.objects.order_by("due_at").values_list("state", flat=True)) == ["closed", "open"]

    def test_a_wait_that_billing_slept_through_begins_again(self):
        self.looks(DUE, 10)
        later = DUE + timedelta(hours=2)
        assert self.looks(later, 15) == [[]] * 15
        assert len(close(later + timedelta(minutes=15), consumed=False)) == 1

    def test_a_wait_ends_when_consumption_has_passed_the_due_time(self):
        self.looks(DUE, 3)
        assert len(close(DUE + timedelta(minutes=3))) == 1

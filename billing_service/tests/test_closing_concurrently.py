"""Closing under crashes and on several connections at once."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from billing.models import Cycle, LedgerAccount, Payout, TaskPrice, Transfer
from billing.selectors.ledger_check import ledger_findings
from billing.services.cycles import LEDGER_LOCK, cycle_flip
from billing.services.task_events import task_events_post
from eventbus import TransientError, event_id
from eventbus.testing import published
from tests.ledger import balances, close, payouts
from tests.make import BORIS, DUE, WILMA, assigned, completed, fee, open_cycle, reward, task_id
from tests.threads import in_thread, until, waiting_for_a_lock

TASK = task_id()


class Crash(Exception):
    pass


@pytest.mark.django_db(transaction=True)
class TestCrashes:
    def test_a_closing_that_crashes_after_any_step_is_finished_by_the_next_one(self):
        steps = 0
        while True:
            Payout.objects.all().delete()
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE billing_transfer, billing_cycle, billing_ledgeraccount CASCADE")
            cycle = open_cycle()
            task_events_post([completed(task_id(n), account=worker) for n, worker in enumerate((WILMA, BORIS))])
            crashed = self.close_with_crashes(after=steps)
            cycle.refresh_from_db()
            assert cycle.state == "closed"
            assert cycle.payout_count == 2
            assert sorted(account for account, _ in payouts()) == [WILMA, BORIS]
            assert set(balances().values()) == {0}
            assert ledger_findings() == []
            if not crashed:
                break
            steps += 1
        assert steps >= 5  # flipped, paid, paid to the end, once more, closed

    def close_with_crashes(self, after):
        passed = 0

        def crash(step):
            nonlocal passed
            passed += 1
            if passed == after + 1:
                raise Crash(step)

        try:
            close(checkpoint=crash)
        except Crash:
            close()
            return True
        return False


@pytest.mark.django_db(transaction=True)
class TestTwoConnections:
    def test_a_fee_that_waited_for_the_closing_lock_goes_into_the_next_cycle(self):
        cycle = open_cycle()
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEDGER_LOCK])
            poster = in_thread(lambda: task_events_post([assigned()]))
            until(lambda: waiting_for_a_lock("advisory"))
            cycle_flip(cycle_id=cycle.id, now=DUE)
        poster.join(10)
        assert poster.outcome is None
        assert Transfer.objects.get().cycle == Cycle.objects.get(state="open")
        assert Transfer.objects.get().cycle_id != cycle.id

    def test_a_flip_waits_for_postings_under_way_with_a_short_timeout_and_tries_again(self):
        cycle = open_cycle()
        with transaction.atomic():
            task_events_post([completed()])
            closer = in_thread(close)
            until(lambda: waiting_for_a_lock("advisory"))
            threading.Event().wait(1.3)  # the first attempt has given up meanwhile
            assert closer.is_alive()
        closer.join(15)
        assert closer.outcome == [cycle.id]
        assert Transfer.objects.get(kind="earning").cycle_id == cycle.id
        assert payouts() == [(WILMA, reward(TASK))]

    def test_two_replicas_close_at_once_and_pay_each_worker_once(self):
        open_cycle()
        workers = [event_id(f"worker {number}") for number in range(1200)]
        task_events_post([completed(task_id(n), account=worker) for n, worker in enumerate(workers)])
        replicas = [in_thread(close) for _ in range(3)]
        for replica in replicas:
            replica.join(30)
        assert sum(len(replica.outcome) for replica in replicas) == 1
        assert Transfer.objects.filter(kind="payout").count() == Payout.objects.count() == 1200
        assert set(balances().values()) == {0}
        assert Cycle.objects.get(state="closed").payout_count == 1200
        assert ledger_findings() == []

    def test_a_worker_whose_row_is_held_is_paid_at_the_end_not_forgotten(self):
        open_cycle()
        task_events_post([completed(task_id(n), account=worker) for n, worker in enumerate((WILMA, BORIS))])
        with transaction.atomic():
            LedgerAccount.objects.select_for_update().get(id=WILMA)
            closer = in_thread(close)
            until(lambda: waiting_for_a_lock("transactionid"))
            assert [account for account, _ in payouts()] == [BORIS]
        closer.join(15)
        assert [account for account, _ in payouts()] == [WILMA, BORIS]
        assert Cycle.objects.get(state="closed").payout_count == 2

    def test_two_first_events_open_one_cycle(self):
        posters = [in_thread(lambda n=n: task_events_post([assigned(task_id(n))])) for n in range(4)]
        for poster in posters:
            poster.join(15)
        assert [poster.outcome for poster in posters] == [None] * 4
        assert Cycle.objects.count() == 1
        assert balances() == {WILMA: -sum(fee(task_id(n)) for n in range(4))}

    def test_a_replica_that_meets_a_long_closing_leaves_it_to_the_other(self, monkeypatch):
        """The hash over millions of entries is made under the lock of the cycle's row."""
        monkeypatch.setattr("billing.services.cycles.LOCK_ATTEMPTS", 3)
        cycle = open_cycle()
        task_events_post([completed()])
        cycle_flip(cycle_id=cycle.id, now=DUE)
        with transaction.atomic():
            Cycle.objects.select_for_update().get(id=cycle.id)
            other = in_thread(close)
            other.join(5)
            assert not other.is_alive()
        assert other.outcome == []
        cycle.refresh_from_db()
        assert (cycle.state, cycle.failure) == ("closing", "")
        assert close() == [cycle.id]

    def test_a_payout_waits_for_a_workers_row_with_a_short_timeout_and_tries_again(self):
        cycle = open_cycle()
        task_events_post([completed()])
        with transaction.atomic():
            LedgerAccount.objects.select_for_update().get(id=WILMA)
            closer = in_thread(close)
            until(lambda: waiting_for_a_lock("transactionid"))
            until(lambda: not waiting_for_a_lock("transactionid"))  # the first attempt has given up
            assert closer.is_alive()
        closer.join(15)
        assert closer.outcome == [cycle.id]

    def test_a_flip_that_never_gets_the_lock_fails_and_says_so(self, monkeypatch):
        monkeypatch.setattr("billing.services.cycles.LOCK_ATTEMPTS", 1)
        cycle = open_cycle()
        with transaction.atomic():
            task_events_post([completed()])
            closer = in_thread(close)
            closer.join(10)
        assert isinstance(closer.outcome, OperationalError)
        cycle.refresh_from_db()
        assert cycle.state == "open"
        assert cycle.failure.startswith("OperationalError")

    def test_a_price_that_another_consumer_draws_at_the_same_moment_holds(self):
        open_cycle()
        with transaction.atomic():
            TaskPrice.objects.create(task_id=TASK, fee=1100, reward=2200, key_id="theirs")
            poster = in_thread(lambda: task_events_post([assigned()]))
            until(lambda: waiting_for_a_lock("transactionid"))
        poster.join(10)
        assert poster.outcome is None
        assert balances() == {WILMA: -1100}
        assert published("TaskPriced") == []


@pytest.mark.django_db
def test_without_an_open_cycle_events_wait():
    cycle = open_cycle()
    Cycle.objects.filter(id=cycle.id).update(state="closed")
    with pytest.raises(TransientError):
        task_events_post([assigned()])

"""The commands of billing, as an operator sees them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.jobs import close_due_cycles
from billing.models import Cycle, LedgerAccount, Transfer
from billing.selectors.clock import database_now
from chassis.business_time import business_date
from chassis.demo import Turns, business_days
from eventbus.testing import deliver
from tests.make import DUE, account, completed, open_cycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys):
    def run(*arguments):
        call_command(*arguments)
        return capsys.readouterr().out

    return run


class TestCloseDueCycles:
    def test_a_due_cycle_is_closed(self, run):
        open_cycle(database_now() - timedelta(minutes=20))
        deliver("tasks", [completed()])
        assert "payouts: 1" in run("close_due_cycles")
        assert "No cycle is due" in run("close_due_cycles")

    def test_one_that_waits_for_events_says_so(self, run):
        open_cycle(database_now() - timedelta(minutes=1))
        assert "waits for events" in run("close_due_cycles")

    def test_as_if_due_is_refused_outside_the_demo(self, settings):
        settings.DEMO = False
        open_cycle()
        with pytest.raises(CommandError, match="demo only"):
            call_command("close_due_cycles", "--as-if-due")
        assert Cycle.objects.get().state == "open"

    def test_as_if_due_closes_the_open_cycle_in_the_demo(self, run, settings):
        settings.DEMO = True
        open_cycle(datetime(2100, 1, 1, tzinfo=UTC))
        deliver("tasks", [completed()])
        assert "payouts: 1" in run("close_due_cycles", "--as-if-due")

    def test_the_job_closes_what_is_due_once_consumption_passed_it(self, settings):
        settings.CELERY_TASK_ALWAYS_EAGER = True
        cycle = open_cycle(database_now() - timedelta(seconds=1))
        close_due_cycles()
        cycle.refresh_from_db()
        assert cycle.state == "open"  # the consumer never ran
        deliver("tasks", [completed()])  # and now it read its topics to the end
        close_due_cycles()
        cycle.refresh_from_db()
        assert cycle.state == "closed"


class TestSeedDemo:
    @pytest.fixture(autouse=True)
    def demo(self, settings):
        settings.DEMO = True

    def test_it_is_refused_outside_the_demo(self, settings):
        settings.DEMO = False
        with pytest.raises(CommandError, match="demo only"):
            call_command("seed_demo", "--first-due", "2026-03-02")

    def test_the_first_cycle_is_due_on_the_day_asked_for(self, run):
        assert "first cycle is due" in run("seed_demo", "--first-due", "2026-03-02")
        assert "already" in run("seed_demo", "--first-due", "2026-03-02")
        assert Cycle.objects.get().due_at == DUE

    def test_a_past_day_is_closed_at_its_own_time(self, run):
        run("seed_demo", "--first-due", "2026-03-02")
        deliver("tasks", [completed()])
        assert "Closed" in run("seed_demo", "--close", "2026-03-02")
        assert "already" in run("seed_demo", "--close", "2026-03-02")
        assert Transfer.objects.get(kind="payout").occurred_at == DUE + timedelta(seconds=1)
        assert Cycle.objects.get(state="open").due_at == DUE + timedelta(days=1)

    def test_finance_corrects_something_once_a_day(self, run):
        run("seed_demo", "--first-due", "2026-03-02")
        finance = account(uuid4(), role="finance", email="finance@popug.example")
        worker = account(uuid4(), email="worker@popug.example")
        for _ in range(2):
            assert "correction" in run("seed_demo", "--correct", "2026-03-02")
        transfer = Transfer.objects.get()
        assert (transfer.kind, transfer.account_id, transfer.amount) == ("adjustment", worker.pk, 1_250)
        assert transfer.actor_id == str(finance.pk)

    def test_somebody_owes_whatever_was_earned(self, run):
        run("seed_demo", "--first-due", "2026-03-02")
        account(uuid4(), role="finance", email="finance@popug.example")
        debtor = account(uuid4(), email="pavel@popug.example")
        deliver("tasks", [completed(account=debtor.pk)])
        for _ in range(2):
            assert "owed something" in run("seed_demo", "--debt", "2026-03-02")
        assert LedgerAccount.objects.get(id=debtor.pk).balance == -4_500

    @pytest.mark.parametrize("what", ["--correct", "--debt"])
    def test_a_correction_needs_the_accounts(self, what):
        with pytest.raises(CommandError, match="no accounts yet"):
            call_command("seed_demo", what, "2026-03-02")

    def test_a_day_on_which_no_cycle_is_due_is_refused(self):
        call_command("seed_demo", "--first-due", "2026-03-02")
        with pytest.raises(CommandError, match="no cycle is due"):
            call_command("seed_demo", "--close", "2026-03-08")

    @pytest.fixture
    def turns(self, settings):
        """With notes of this test's own."""
        settings.EVENTBUS = settings.EVENTBUS | {"TOPIC_PREFIX": f"{uuid4()}-"}
        return Turns()

    @pytest.mark.django_db(transaction=True)
    def test_history_is_settled_day_by_day_once_it_is_consumed(self, turns):
        account(uuid4(), role="finance", email="finance@popug.example")
        worker = account(uuid4(), email="worker@popug.example")
        account(uuid4(), email="pavel@popug.example")
        days, seen = business_days(business_date(database_now())), []

        def tasks():
            turns.wait("opened", days[0])
            for day in days:
                turns.note("told", day)
                seen.append((turns.noted("settled", day), Cycle.objects.get(state="open").due_at.date()))
                while not turns.noted("settled", day):
                    deliver("tasks", [])
            connection.close()

        with ThreadPoolExecutor() as pool:
            others = pool.submit(tasks)
            call_command("seed_demo", "--history", verbosity=0)
            others.result()
        assert seen == [(False, day) for day in days]
        assert Cycle.objects.filter(state="closed").count() == len(days)
        payout = Transfer.objects.get(kind="payout")
        assert (payout.account_id, payout.cycle.due_at.date()) == (worker.pk, days[-1])
        call_command("seed_demo", "--history", verbosity=0)  # nobody tells it anything any more
        assert Cycle.objects.filter(state="closed").count() == len(days)

    @pytest.mark.django_db(transaction=True)
    def test_history_in_a_ledger_that_was_in_use_belongs_to_its_open_cycle(self, turns):
        account(uuid4(), role="finance", email="finance@popug.example")
        people = [account(uuid4(), email=f"{name}@popug.example").pk for name in ("worker", "pavel")]
        open_cycle(database_now() + timedelta(hours=1))
        *earlier, yesterday = business_days(business_date(database_now()))
        for day in earlier:
            turns.note("settled", day)

        def tasks():
            turns.note("told", yesterday)
            while not turns.noted("settled", yesterday):
                deliver("tasks", [])
            connection.close()

        with ThreadPoolExecutor() as pool:
            others = pool.submit(tasks)
            call_command("seed_demo", "--history", verbosity=0)
            others.result()
        assert Cycle.objects.get().state == "open"
        posted = Transfer.objects.order_by("amount").values_list("kind", "account_id", "amount")
        assert list(posted) == [("adjustment", people[0], 1_250), ("adjustment", people[1], 4_500)]

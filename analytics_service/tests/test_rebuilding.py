"""All numbers again from the kept events, while pages and consumers stay up (A3)."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from analytics import selectors, services
from analytics.domain import ForeignCurrency, Income, Period
from analytics.models import Generation, KeptEvent, Transaction
from analytics.services.generations import PROJECTIONS
from tests.making import at, earned, make, posted, reversed_, uid
from tests.threads import running

DAY = date(2026, 3, 4)
PERIOD = Period(DAY - timedelta(days=5), DAY + timedelta(days=5))


def numbers() -> Any:
    """Everything that the page shows."""
    report = selectors.report_show(period=PERIOD)
    tops = [task for day in report.days if day.top for task in day.top.tasks]
    return report, selectors.today_show(today=DAY), selectors.labels(tops)


def history() -> list[Any]:
    events: list[Any] = []
    for number in range(12):
        day = DAY + timedelta(days=number % 4)
        events.append(make("TaskCreated", task_id=uid(number), title=f"Task {number}", jira_id=f"POPUG-{number}"))
        events.append(posted("fee", -1500, day, task=number, account=f"worker {number % 3}"))
        events.append(earned(2000 + 100 * number, day, task=number, account=f"worker {number % 3}"))
    events.append(reversed_(3100, DAY, task=11, account="worker 2"))
    events.append(posted("payout", -900, DAY, task=None, account="worker 1"))
    return events


def accounts() -> list[Any]:
    return [
        make("AccountCreated", account_id=uid("worker 0"), version=1),
        make("AccountDeactivated", account_id=uid("worker 2"), version=2, active=False),
    ]


def owing(name: str) -> Any:
    return posted("fee", -90_000, DAY, account=name, task=None)


@pytest.mark.django_db
def test_rebuilt_numbers_equal_those_before():
    services.facts_consume(events=[*history(), owing("worker 2"), owing("worker 0")])
    services.accounts_consume(events=accounts())
    before = numbers()
    assert before[1].below_zero == selectors.BelowZero(workers=1, leavers=1)

    done = services.rebuild(chunk=7, tail=3)

    assert numbers() == before
    assert done.generation == Generation.objects.get().number == 2
    assert done.events == KeptEvent.objects.count()


@pytest.mark.django_db
def test_the_kept_events_alone_are_enough():
    services.facts_consume(events=[*history(), owing("worker 2")])
    services.accounts_consume(events=accounts())
    before = numbers()
    for model in PROJECTIONS:
        model.objects.all().delete()
    assert numbers() != before

    services.rebuild()

    assert numbers() == before


@pytest.mark.django_db
def test_wrong_numbers_are_put_right_and_old_generations_deleted():
    services.facts_consume(events=history())
    before = numbers()
    Transaction.objects.filter(kind="fee").delete()
    connection.cursor().execute("UPDATE analytics_day_income SET fees = fees + 1")

    services.rebuild()

    assert numbers() == before
    for model in PROJECTIONS:
        assert set(model.objects.values_list("generation", flat=True)) <= {2}


@pytest.mark.django_db
def test_nothing_kept_is_rebuilt_to_nothing():
    assert services.rebuild().events == 0
    assert selectors.report_show(period=PERIOD).income == Income()


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_that_dies_leaves_the_old_numbers_in_force_and_the_next_one_works(settings: Any):
    services.facts_consume(events=history())
    settings.CURRENCY = "EUR"
    poison = posted("fee", -100, PERIOD.start, currency="EUR")
    services.facts_consume(events=[poison])
    before = numbers()
    settings.CURRENCY = "USD"

    with pytest.raises(ForeignCurrency):
        services.rebuild(chunk=5, tail=0)

    assert numbers() == before
    assert Transaction.objects.filter(generation=2).exists()  # what it had written so far

    settings.CURRENCY = "EUR"
    KeptEvent.objects.exclude(event_id=poison.id).filter(name="TransactionPosted").delete()
    services.rebuild(chunk=5, tail=0)

    assert selectors.report_show(period=PERIOD).income == Income(fees=100)


@pytest.mark.django_db
def test_the_command_says_what_it_did():
    services.facts_consume(events=history())
    out = StringIO()

    call_command("rebuild", stdout=out)

    assert out.getvalue().startswith(f"Rebuilt from {len(history())} events in ")
    assert "Pages read generation 2." in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_two_rebuilds_at_once_are_refused(app_dsn: str):
    with psycopg.connect(app_dsn, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('analytics.rebuild', 0))")

        with pytest.raises(CommandError, match="running already"):
            call_command("rebuild")

        other.execute("SELECT pg_advisory_unlock(hashtextextended('analytics.rebuild', 0))")
        call_command("rebuild", stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_events_that_keep_coming_during_a_rebuild_are_all_counted():
    """Their offsets fall, as those of retried dead letters do: no position in a partition may hide them."""
    services.facts_consume(events=history())
    stop = threading.Event()
    consumed = []

    def consume() -> None:
        while not stop.is_set():
            number = len(consumed)
            event = earned(2000, DAY, task=f"new {number}", account=f"worker {number % 3}")
            services.facts_consume(events=[replace(event, offset=1_000_000 - number)])
            consumed.append(event)

    with running(consume):
        try:
            disturbed, deadline = 0, time.monotonic() + 60
            while disturbed < 5:  # on a busy machine a whole rebuild may find the consumer waiting for a core
                assert time.monotonic() < deadline
                begun = len(consumed)
                services.rebuild(chunk=3, tail=2)
                disturbed += len(consumed) > begun
        finally:
            stop.set()

    day = selectors.income_by_day(PERIOD)[DAY]
    earnings = [
        e.data["amount"] for e in history() if e.data.get("kind") == "earning" and e.data["business_date"] == DAY
    ]
    assert day.earnings == sum(earnings) + 2000 * len(consumed)
    generation = Generation.objects.get().number
    assert (
        Transaction.objects.filter(generation=generation).count()
        == KeptEvent.objects.filter(name="TransactionPosted").count()
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tail", [0, 1_000])
def test_a_batch_in_flight_when_the_rebuild_begins_is_counted(tail: int):
    """Its events have lower ids than those of a batch that began later and is committed already."""
    services.facts_consume(events=history())
    written, go_on = threading.Event(), threading.Event()

    def slow_batch() -> None:
        with transaction.atomic():
            services.facts_consume(events=[earned(4000, DAY, task="slow")])
            written.set()
            go_on.wait(20)

    with running(slow_batch):
        written.wait(20)
        services.facts_consume(events=[posted("fee", -1000, DAY, task="fast", account="another")])
        with running(lambda: services.rebuild(tail=tail)) as rebuilding:
            rebuilding.join(0.5)
            assert rebuilding.is_alive()  # it waits for the batch
            assert selectors.top_of_period(PERIOD).reward == 3000  # and pages do not wait for it
            go_on.set()

    top = selectors.top_of_period(PERIOD)
    assert top is not None
    assert [str(task.task_id) for task in top.tasks] == [uid("slow")]
    assert Generation.objects.get().number == 2


@pytest.mark.django_db(transaction=True)
def test_pages_show_the_same_numbers_all_the_time_while_it_is_rebuilt():
    services.facts_consume(events=[*history(), *(earned(2000, DAY, task=f"t{n}", moment=at(DAY)) for n in range(50))])
    expected = selectors.income_by_day(PERIOD), selectors.tops_by_day(PERIOD), selectors.below_zero()
    stop = threading.Event()
    seen = []

    def read() -> None:
        while not stop.is_set():
            seen.append((selectors.income_by_day(PERIOD), selectors.tops_by_day(PERIOD), selectors.below_zero()))

    with running(read):
        try:
            for _ in range(5):
                services.rebuild(chunk=4, tail=2)
        finally:
            stop.set()

    assert len(seen) > 5
    assert all(found == expected for found in seen)

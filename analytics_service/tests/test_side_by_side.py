"""Two consumers at once, on partitions of their own."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction

from analytics import jobs, selectors, services
from analytics.domain import Income, Period
from analytics.models import DayIncome
from tests.making import earned, posted, reversed_
from tests.threads import running

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 3, 4)
PERIOD = Period(DAY, DAY)


def at_the_same_time(first: Any, second: Any) -> None:
    """The second batch begins while the first one is written but not committed."""
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            services.facts_consume(events=[first])
            written.set()
            go_on.wait(20)

    with running(slow):
        written.wait(20)
        with running(lambda: services.facts_consume(events=[second])) as other:
            other.join(0.5)
            go_on.set()


@pytest.mark.parametrize("seen_before", [True, False])
def test_a_reward_and_its_reversal_on_two_partitions_leave_the_task_undone(seen_before: bool):
    if seen_before:
        services.facts_consume(events=[earned(4000, DAY), reversed_(4000, DAY)])
    reward = earned(4000, DAY, completion=2, account="ada")
    reversal = reversed_(4000, DAY, completion=2, account="ada")

    at_the_same_time(reward, reversal)

    assert selectors.tops_by_day(PERIOD) == {}


def test_batches_of_two_partitions_do_not_wait_for_each_other_s_income():
    first = replace(posted("fee", -1500, DAY, account="a"), partition=1)
    second = replace(posted("fee", -1200, DAY, account="b"), partition=2)
    with transaction.atomic():
        services.facts_consume(events=[first])
        with running(lambda: services.facts_consume(events=[second])) as other:
            other.join(10)
            assert not other.is_alive()

    assert selectors.income_by_day(PERIOD) == {DAY: Income(fees=2700)}
    assert DayIncome.objects.count() == 2


def test_the_job_makes_the_months_to_come_beside_batches_that_run():
    with transaction.atomic():
        services.facts_consume(events=[posted("fee", -1500, DAY)])
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'analytics_kept_event'::regclass")
            before = cursor.fetchone()[0]
    jobs.make_partitions()  # the migration has made them

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'analytics_kept_event'::regclass")
        assert cursor.fetchone()[0] == before == 4

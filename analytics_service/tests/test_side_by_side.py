"""Two consumers at once, on partitions of their own."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from analytics import jobs, selectors, services
from analytics.domain import Income, Period
from analytics.models import DayIncome
from tests.making import at, earned, posted, reversed_, uid
from tests.threads import running

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 3, 4)
PERIOD = Period(DAY, DAY)


def at_the_same_time(first: Any, second: Any) -> None:
    """The second batch begins while the first one has locked the task's row and not yet written it."""
    locked, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM analytics_completed_task FOR NO KEY UPDATE")
            locked.set()
            go_on.wait(20)
            services.facts_consume(events=[first])

    with running(slow):
        locked.wait(20)
        with running(lambda: services.facts_consume(events=[second])) as other:
            other.join(0.5)
            assert other.is_alive()
            go_on.set()


@pytest.mark.parametrize("reversal_first", [True, False])
def test_a_task_reopened_and_done_by_another_worker_stands_at_the_new_completion(reversal_first: bool):
    """Reversal and new reward lie on the partitions of two workers; each batch finds the standing completion anew."""
    services.facts_consume(events=[earned(4000, DAY, account="ada")])
    reversal = replace(reversed_(4000, DAY, account="ada"), partition=1)
    reward = replace(earned(4000, DAY, completion=2, account="ben", moment=at(DAY, 15)), partition=2)

    at_the_same_time(*((reversal, reward) if reversal_first else (reward, reversal)))

    assert [task.account_id for task in selectors.tops_by_day(PERIOD)[DAY].tasks] == [UUID(uid("ben"))]


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


def partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'analytics_kept_event'::regclass"
        )
        return {row[0] for row in cursor.fetchall()}


def test_the_job_makes_a_missing_month_and_keeps_what_has_arrived_for_it():
    now = datetime.now(UTC)
    month, before = f"analytics_kept_event_{now:%Y_%m}", partitions()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {month}")
    services.facts_consume(events=[posted("fee", -1500, DAY, moment=now)])

    jobs.make_partitions()

    assert month in before
    assert partitions() == before
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {month}")
        assert cursor.fetchone()[0] == 1

"""The most expensive task and its ties."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from analytics.domain import Completed, Top, best, top_of

DAY = date(2026, 3, 4)


def done(number: int, reward: int, *, hour: int = 12, day: date = DAY) -> Completed:
    return Completed(
        UUID(int=number), UUID(int=99), reward, day, datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    )


def test_nothing_completed_has_no_top():
    assert top_of([]) is None
    assert best([None, None]) is None


def test_all_tasks_of_a_tie_are_shown_the_earliest_first_then_by_id():
    late, early, early_higher_id = done(1, 4000, hour=15), done(2, 4000, hour=9), done(3, 4000, hour=9)

    assert top_of([late, early_higher_id, done(4, 3900, hour=1), early]) == Top(
        4000, (early, early_higher_id, late), more=False
    )


def test_a_long_tie_says_that_there_are_more():
    top = top_of([done(number, 4000) for number in range(7)])

    assert top is not None
    assert [task.task_id.int for task in top.tasks] == [0, 1, 2, 3, 4]
    assert top.more


def test_the_top_of_a_week_is_that_of_its_best_days():
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    first, second = done(1, 4000, day=monday), done(2, 4000, day=tuesday)

    assert best([top_of([second]), None, top_of([first]), top_of([done(3, 2000)])]) == Top(
        4000, (first, second), more=False
    )


def test_more_of_a_lower_reward_is_not_more_of_the_tie():
    crowd = top_of([done(number, 3000) for number in range(9)])

    assert best([crowd, top_of([done(20, 4000)])]) == Top(4000, (done(20, 4000),), more=False)


@st.composite
def tasks(draw: Any) -> list[Completed]:
    count = draw(st.integers(0, 30))
    day = st.integers(1, 9)
    return [
        done(number, draw(st.integers(20, 22)), hour=draw(st.integers(0, 23)), day=date(2026, 3, draw(day)))
        for number in range(count)
    ]


@given(tasks())
def test_the_top_of_the_tops_of_the_days_is_the_top_of_all(tasks: list[Completed]):
    days = {task.business_date for task in tasks}

    assert best(top_of(t for t in tasks if t.business_date == day) for day in days) == top_of(tasks)

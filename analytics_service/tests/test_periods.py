"""Days, weeks from Monday, months, and what is not a period."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.domain import (
    DAYS_MAX,
    Period,
    PeriodError,
    days_of,
    month_of,
    months_of,
    period_read,
    presets,
    week_of,
    weeks_of,
)
from analytics.web.forms import PRESETS, in_words
from dev.language import speaking

DAYS = st.dates(date(2000, 1, 1), date(2199, 12, 31))


def why_not(first: str, last: str) -> str:
    """What the page says of a period that is none."""
    with pytest.raises(PeriodError) as refused:
        period_read(first, last)
    return in_words(refused.value)


def test_both_days_are_included():
    assert days_of(period_read("2026-03-01", "2026-03-03")) == [date(2026, 3, day) for day in (1, 2, 3)]


def test_one_day_is_a_period():
    assert period_read("2026-03-01", "2026-03-01").days == 1


def test_a_leap_year_fits_and_one_day_more_does_not():
    assert period_read("2028-01-01", "2028-12-31").days == DAYS_MAX
    assert why_not("2028-01-01", "2029-01-01") == "A period has at most 366 days; this one has 367."


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        ("2026-03-02", "2026-03-01", "The first day comes after the last one."),
        ("", "2026-03-01", "Choose the first day of the period."),
        ("2026-03-01", "", "Choose the last day of the period."),
        ("yesterday", "2026-03-01", "“yesterday” is not a date: write it as 2026-03-31."),
        ("2026-02-29", "2026-03-01", "“2026-02-29” is not a date: write it as 2026-03-31."),
        ("0001-01-01", "2026-03-01", "Choose days between 2000 and 2199."),
        ("2026-03-01", "9999-12-31", "Choose days between 2000 and 2199."),
    ],
)
def test_what_is_no_period_is_said_in_words(first: str, last: str, reason: str):
    assert why_not(first, last) == reason


def test_every_period_that_people_choose_by_name_has_a_name_that_is_translated():
    assert list(PRESETS) == list(presets(date(2026, 3, 4)))
    assert all(str(label) == name for name, label in PRESETS.items())


def test_what_is_no_period_is_said_in_the_language_of_the_page(tmp_path: Path, settings: Any):
    with speaking({"Choose the first day of the period.": "Von wann?"}, folder=tmp_path, settings=settings):
        assert why_not("", "2026-03-01") == "Von wann?"


def test_a_week_begins_on_monday():
    for day in (2, 4, 8):
        assert week_of(date(2026, 3, day)) == Period(date(2026, 3, 2), date(2026, 3, 8))
    assert week_of(date(2026, 3, 9)).start == date(2026, 3, 9)


def test_a_month_ends_on_its_last_day():
    assert month_of(date(2028, 2, 11)) == Period(date(2028, 2, 1), date(2028, 2, 29))
    assert month_of(date(2026, 12, 31)) == Period(date(2026, 12, 1), date(2026, 12, 31))


def test_weeks_and_months_are_cut_off_at_the_ends_of_the_period():
    period = Period(date(2026, 2, 25), date(2026, 3, 10))

    assert weeks_of(period) == [
        Period(date(2026, 2, 25), date(2026, 3, 1)),
        Period(date(2026, 3, 2), date(2026, 3, 8)),
        Period(date(2026, 3, 9), date(2026, 3, 10)),
    ]
    assert months_of(period) == [
        Period(date(2026, 2, 25), date(2026, 2, 28)),
        Period(date(2026, 3, 1), date(2026, 3, 10)),
    ]


@given(first=DAYS, length=st.integers(0, DAYS_MAX - 1))
def test_weeks_and_months_cover_each_day_once(first: date, length: int):
    period = Period(first, first + timedelta(days=length))

    for parts in (weeks_of(period), months_of(period)):
        assert [day for part in parts for day in days_of(part)] == days_of(period)


@given(today=DAYS)
def test_every_preset_is_a_period_that_may_be_asked_for(today: date):
    for period in presets(today).values():
        assert period.start <= period.end <= today
        assert period.days <= DAYS_MAX

"""Days, weeks and months of a chosen period (A2). A day is a date in the business time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

DAYS_MAX = 366
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


class PeriodError(ValueError):
    """A period that is not understood. `code` is no_first, no_last, date, year, reversed or long; `values` are what its
    words name."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Period:
    """Two days, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def within(self, other: Period) -> Period:
        """The part of it that lies in the other one; they must overlap."""
        return Period(max(self.start, other.start), min(self.end, other.end))


def period_read(first: str, last: str) -> Period:
    """The period between two ISO dates, both included.

    Raises PeriodError when a date is unknown, they are reversed, or more than 366 days are asked for.
    """
    period = Period(_date(first, "first"), _date(last, "last"))
    if period.end < period.start:
        raise PeriodError("reversed")
    if period.days > DAYS_MAX:
        raise PeriodError("long", most=DAYS_MAX, days=f"{period.days:,}")
    return period


def _date(text: str, which: str) -> date:
    if not text:
        raise PeriodError(f"no_{which}")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise PeriodError("date", text=text[:40]) from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise PeriodError("year", first=_FIRST_YEAR, last=_LAST_YEAR)
    return found


def week_of(day: date) -> Period:
    """The week of the day, from Monday."""
    monday = day - timedelta(days=day.weekday())
    return Period(monday, monday + timedelta(days=6))


def month_of(day: date) -> Period:
    """The calendar month of the day."""
    first = day.replace(day=1)
    next_first = (first + timedelta(days=31)).replace(day=1)
    return Period(first, next_first - timedelta(days=1))


def days_of(period: Period) -> list[date]:
    """All days of the period, oldest first."""
    return [period.start + timedelta(days=number) for number in range(period.days)]


def weeks_of(period: Period) -> list[Period]:
    """The weeks of the period, cut off at its two ends, oldest first."""
    return list(_parts(period, week_of))


def months_of(period: Period) -> list[Period]:
    """The months of the period, cut off at its two ends, oldest first."""
    return list(_parts(period, month_of))


def _parts(period: Period, part_of: Callable[[date], Period]) -> Iterator[Period]:
    day = period.start
    while day <= period.end:
        part = part_of(day)
        yield part.within(period)
        day = part.end + timedelta(days=1)


def presets(today: date) -> dict[str, Period]:
    """Periods that people ask for, by name; the first one is shown when none was chosen."""
    last_month = month_of(month_of(today).start - timedelta(days=1))
    return {
        "Last 30 days": Period(today - timedelta(days=29), today),
        "This week": Period(week_of(today).start, today),
        "This month": Period(month_of(today).start, today),
        "Last month": last_month,
        "Last 365 days": Period(today - timedelta(days=364), today),
    }

"""A month of history, made through the services' own use cases and real events, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dev import people
from dev.environment import BUSINESS_TIME_ZONE
from dev.progress import Progress

if TYPE_CHECKING:
    from dev.system import System

HISTORY_DAYS = 30
SATURDAY = 5


def today() -> date:
    """The business day of now."""
    return datetime.now(ZoneInfo(BUSINESS_TIME_ZONE)).date()


def business_days(last: date, calendar_days: int = HISTORY_DAYS) -> list[date]:
    """Monday to Friday of the days before `last`, oldest first; `last` itself is not among them."""
    days = (last - timedelta(days=back) for back in range(calendar_days, 0, -1))
    return [day for day in days if day.weekday() < SATURDAY]


def next_business_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return next(found for found in _from(day) if found.weekday() < SATURDAY)


def _from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += timedelta(days=1)


def seed_people(system: System, since: date) -> None:
    """The accounts of the demo, known to every service."""
    passwords = people.write_password_file(system.secrets, system.state_dir / "passwords.json")
    system.manage("auth", "seed_demo", "--password-file", str(passwords), "--since", since.isoformat())


def seed_minimum(system: System) -> None:
    """Accounts and an open cycle that is not due today, without history: where tests begin."""
    day = today() + timedelta(days=1)
    if "auth" in system.services:
        seed_people(system, day - timedelta(days=1))
    if "billing" in system.services:
        system.manage("billing", "seed_demo", "--first-due", next_business_day(day).isoformat())
    Progress(system).wait()


def seed_history(system: System) -> None:
    """Accounts and a month of work, with each day's cycle closed; today comes last and stays open."""
    last = today()
    days = business_days(last)
    progress = Progress(system)
    seed_people(system, days[0])
    system.manage("billing", "seed_demo", "--first-due", days[0].isoformat())
    progress.wait()
    for number, day in enumerate(days, start=1):
        system.say(f"Working through {day:%A, %d %B} (day {number} of {len(days)})")
        system.manage("tasks", "seed_demo", "--day", day.isoformat())
        if number == len(days) * 2 // 3:
            system.manage("auth", "seed_demo", "--leave", day.isoformat())
        progress.wait()
        system.manage("billing", "seed_demo", "--close", day.isoformat())
        progress.wait()
    system.manage("tasks", "seed_demo", "--day", last.isoformat())
    progress.wait()

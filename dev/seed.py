"""Weeks of history, made through the services' own use cases and real events, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import psycopg

from chassis import demo
from dev import people
from dev.environment import BUSINESS_TIME_ZONE
from dev.progress import Progress

if TYPE_CHECKING:
    from dev.system import System

HISTORY_DAYS = 30
# What an earlier release of billing could not take: its completion is a dead letter, and can be retried.
FAULT = "an_earlier_release_had_a_fault"


def today() -> date:
    """The business day of now."""
    return datetime.now(ZoneInfo(BUSINESS_TIME_ZONE)).date()


def business_days(last: date, count: int = HISTORY_DAYS) -> list[date]:
    """The `count` last days from Monday to Friday before `last`, oldest first."""
    return demo.business_days(last, count)


def next_business_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    while day.weekday() >= demo.SATURDAY:
        day += timedelta(days=1)
    return day


def seed_people(system: System, since: date) -> None:
    """The accounts of the demo, known to every service."""
    passwords = people.write_password_file(system.secrets, system.state_dir / "passwords.json")
    system.manage("auth", "seed_demo", "--password-file", str(passwords), "--since", since.isoformat())


def seed_minimum(system: System) -> None:
    """Accounts and an open cycle that is not due today, without history: where tests begin."""
    last = today()
    if "auth" in system.services:
        # Not this morning: before it, that would be an event from the future.
        seed_people(system, last - timedelta(days=1))
    if "billing" in system.services:
        tomorrow = next_business_day(last + timedelta(days=1))
        system.manage("billing", "seed_demo", "--first-due", tomorrow.isoformat())
    Progress(system).wait()


def seed_history(system: System, days_before: int = HISTORY_DAYS) -> None:
    """Accounts and a month and a half of work, with each day's cycle closed; today comes last and stays open."""
    last = today()
    days = business_days(last, days_before)
    progress = Progress(system)
    seed_people(system, days[0])
    with system.converse("tasks") as tasks, system.converse("billing") as billing:
        billing.run("seed_demo", "--first-due", days[0].isoformat())
        progress.wait()
        for number, day in enumerate(days, start=1):
            system.say(f"Working through {day:%A, %d %B} (day {number} of {len(days)})")
            tasks.run("seed_demo", "--day", day.isoformat())
            if number == len(days) * 2 // 3:
                system.manage("auth", "seed_demo", "--leave", day.isoformat())
            if number == len(days) - 1:
                billing.run("seed_demo", "--correct", day.isoformat())
            progress.wait()
            billing.run("seed_demo", "--close", day.isoformat())
            if number == len(days) - 1:
                # Done before the closing, heard of after it.
                tasks.run("seed_demo", "--late", day.isoformat())
            progress.wait()
        with billing_fault(system):
            tasks.run("seed_demo", "--late", days[-1].isoformat())
            progress.wait()
        tasks.run("seed_demo", "--day", last.isoformat())
        progress.wait()
        billing.run("seed_demo", "--debt", last.isoformat())
        progress.wait()


@contextmanager
def billing_fault(system: System) -> Iterator[None]:
    """Meanwhile billing posts no earning, as if a release of it had a fault: events become dead letters."""
    with psycopg.connect(system.servers.postgres.url("billing", "owner"), autocommit=True) as connection:
        connection.execute(f"ALTER TABLE billing_transfer ADD CONSTRAINT {FAULT} CHECK (kind <> 'earning') NOT VALID")
        try:
            yield
        finally:
            connection.execute(f"ALTER TABLE billing_transfer DROP CONSTRAINT {FAULT}")

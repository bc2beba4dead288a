"""Days and due times in the business zone (B4, design "Time")."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def business_date(moment: datetime, zone: ZoneInfo) -> date:
    """Day of a moment in the business zone (design "Time")."""
    return moment.astimezone(zone).date()


def due_on(day: date, *, zone: ZoneInfo, at: time) -> datetime:
    """When a cycle due on that day closes, in UTC. A time that the clock skips counts as after the jump (B4)."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def next_due(after: datetime, *, zone: ZoneInfo, at: time) -> datetime:
    """The first closing time on a weekday of the business zone strictly after a moment, in UTC (B4)."""
    day = business_date(after, zone)
    while True:
        if day.weekday() < 5:
            due = due_on(day, zone=zone, at=at)
            if due > after:
                return due
        day += timedelta(days=1)


def next_weekday(day: date) -> date:
    """The first day after a day that is no weekend: the latest on which the cycle after that day's can be due."""
    return day + timedelta(days=7 - day.weekday() if day.weekday() >= 4 else 1)


def last_time_of_day(now: datetime, *, zone: ZoneInfo, at: time) -> datetime:
    """The last moment, not after `now`, at which the business zone's clock showed that time, in UTC."""
    today = due_on(business_date(now, zone), zone=zone, at=at)
    return today if today <= now else due_on(business_date(now, zone) - timedelta(days=1), zone=zone, at=at)


CONSUMPTION_WAIT = timedelta(minutes=15)
_LOOKS_APART = timedelta(minutes=5)  # beat looks every minute: a longer pause was a standstill


def wait_begins(*, since: datetime | None, looked_at: datetime | None, now: datetime) -> datetime:
    """Since when a due cycle waits for consumption without a pause: it cannot go on while billing is down.

    `since` and `looked_at` are what the last look found and when it was. A wait interrupted by a standstill, or taken
    over from a backup, begins anew.
    """
    if since is None or looked_at is None or now - looked_at > _LOOKS_APART:
        return now
    return since


def waits_for_consumption(*, since: datetime, now: datetime) -> bool:
    """Whether closing still holds on for events from before the due time, for 15 minutes at most."""
    return now < since + CONSUMPTION_WAIT

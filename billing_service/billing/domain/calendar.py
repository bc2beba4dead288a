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


CONSUMPTION_WAIT = timedelta(minutes=15)


def waits_for_consumption(*, due_at: datetime, now: datetime, consumed: bool) -> bool:
    """Whether closing holds on for events from before the due time, for 15 minutes at most."""
    return not consumed and now < due_at + CONSUMPTION_WAIT

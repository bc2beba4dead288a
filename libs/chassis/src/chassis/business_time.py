"""What a day is: the business zone. Times are stored in UTC and shown here."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.conf import settings

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def zone() -> ZoneInfo:
    """The zone of BUSINESS_TIME_ZONE."""
    return _zone(settings.BUSINESS_TIME_ZONE)


def in_zone(moment: datetime) -> datetime:
    """The same moment in the business zone. Refuses a naive one: nobody knows when that is."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(zone())


def business_date(moment: datetime) -> date:
    """The day on which the moment falls in the business zone."""
    return in_zone(moment).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """First moment of the day and of the next one, in UTC; 23 to 25 hours apart."""
    first = datetime.combine(day, time.min, tzinfo=zone())
    following = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone())
    return first.astimezone(UTC), following.astimezone(UTC)


def format_when(moment: datetime) -> str:
    """`2 Mar 2026, 14:02 CET`."""
    local = in_zone(moment)
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


def format_iso(moment: datetime) -> str:
    """`2026-03-02T14:02:00+01:00`, in the business zone."""
    return in_zone(moment).isoformat(timespec="seconds")


def format_ago(moment: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`; the date after a week, and for a time to come."""
    seconds = (now - moment).total_seconds()
    if seconds < -_MINUTE or seconds >= 7 * _DAY:
        return format_when(moment)
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    days = int(seconds // _DAY)
    return "1 day ago" if days == 1 else f"{days} days ago"

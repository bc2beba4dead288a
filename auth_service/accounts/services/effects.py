"""Effects outside the database: claim some rows for a while, do them with no transaction open, note the outcome."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction

from accounts.domain import retry_delay
from accounts.models import Effect

EffectT = TypeVar("EffectT", bound=Effect)


@transaction.atomic
def claim(model: type[EffectT], *, limit: int, lease: timedelta, now: datetime) -> list[EffectT]:
    """The rows that are due, new ones before those that failed, out of everybody else's reach for a while.

    `lease` is longer than it takes to attempt `limit` rows; after a crash somebody else tries when it is over.
    """
    manager = model._default_manager
    due = manager.select_for_update(skip_locked=True).filter(done_at__isnull=True, next_attempt_at__lte=now)
    rows = list(due.order_by("attempts", "id")[:limit])
    manager.filter(pk__in=[row.pk for row in rows]).update(next_attempt_at=now + lease)
    return rows


def settle(rows: Iterable[EffectT], *, attempt: Callable[[EffectT], str], now: datetime) -> int:
    """Attempts each row (`attempt` returns an error, or nothing) and notes the outcome; returns how many worked."""
    done = 0
    for row in rows:
        error = attempt(row)
        row.attempts += 1
        row.last_error = error[:200]
        if error:
            row.next_attempt_at = now + retry_delay(row.attempts)
        else:
            row.done_at = now
            done += 1
        row.save()
    return done

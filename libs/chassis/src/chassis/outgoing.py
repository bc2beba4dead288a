"""Effects outside the database: rows that a job claims for a while, does with no transaction open, and settles."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import models, transaction

ERROR_LENGTH = 200
NOT_YET = timedelta(minutes=10)


class Outgoing(models.Model):
    """Base of a row that is one effect: tried again until it worked (`done_at`).

    A subclass that gives up makes `next_attempt_at` nullable: null and not done is given up.
    """

    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=ERROR_LENGTH, blank=True)

    class Meta:
        abstract = True


OutgoingT = TypeVar("OutgoingT", bound=Outgoing)


class NotYet(Exception):
    """What the effect needs is not there yet, an address for instance: the row waits, and this was no attempt."""


class GiveUp(Exception):
    """The effect has become pointless: the row is not tried again."""


@transaction.atomic
def claim(model: type[OutgoingT], *, limit: int, lease: timedelta, now: datetime) -> list[OutgoingT]:
    """The rows that are due, new ones before those that failed, out of everybody else's reach for a while.

    `lease` is longer than it takes to attempt `limit` rows; after a crash somebody else tries when it is over.
    """
    manager = model._default_manager
    due = manager.select_for_update(skip_locked=True).filter(done_at__isnull=True, next_attempt_at__lte=now)
    rows = list(due.order_by("attempts", "id")[:limit])
    manager.filter(pk__in=[row.pk for row in rows]).update(next_attempt_at=now + lease)
    return rows


def settle(
    rows: Iterable[OutgoingT],
    *,
    attempt: Callable[[OutgoingT], str],
    retry_after: Callable[[int], timedelta | None],
    now: datetime,
) -> int:
    """Attempts each row (`attempt` returns an error, or nothing) and notes the outcome; returns how many worked.

    `retry_after` says how long to wait after that many failed attempts, None to give up.
    """
    done = 0
    for row in rows:
        wait: timedelta | None
        try:
            error = attempt(row)
            row.attempts += 1
            wait = retry_after(row.attempts) if error else None
        except NotYet as reason:
            error, wait = str(reason), NOT_YET
        except GiveUp as reason:
            error, wait = str(reason), None
        row.last_error = error[:ERROR_LENGTH]
        if error:
            row.next_attempt_at = None if wait is None else now + wait  # type: ignore[assignment]
        else:
            row.done_at = now
            done += 1
        row.save()
    return done

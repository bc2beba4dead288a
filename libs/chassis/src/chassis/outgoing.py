"""Effects outside the database: rows that a job claims for a while, does with no transaction open, and settles.

A claim is known by the moment until which it lasts: whoever claims the row after that writes another one, and what
somebody without a claim has to say is not written any more.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import structlog
from django.conf import settings
from django.db import models, transaction

ERROR_LENGTH = 200
NOT_YET = timedelta(minutes=10)
LEASE = timedelta(minutes=5)  # far longer than one attempt takes
BATCH = 10

Clock = Callable[[], datetime]
logger = structlog.get_logger("chassis.outgoing")


class Outgoing(models.Model):
    """Base of a row that is one effect: tried again until it worked (`done_at`).

    A subclass that gives up makes `next_attempt_at` nullable: null and not done is given up.
    """

    # The columns that an attempt changes, besides those below.
    written_by_attempt: ClassVar[tuple[str, ...]] = ()

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


@dataclass(frozen=True, slots=True)
class Retry:
    """How long a row waits after so many failed attempts: `first`, doubled each time, `longest` at most.

    None, to give up, after `attempts` of them.
    """

    first: timedelta
    longest: timedelta
    attempts: int | None = None

    def __call__(self, failed: int) -> timedelta | None:
        if self.attempts is not None and failed >= self.attempts:
            return None
        return min(self.longest, self.first * (1 << min(30, max(0, failed - 1))))


def message_id(*parts: object) -> str:
    """The Message-ID of a message, made of what it is about: the same at each attempt."""
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(">")
    return f"<{'.'.join(str(part) for part in parts)}@{host}>"


def attempt_due(
    model: type[OutgoingT],
    *,
    attempt: Callable[[OutgoingT], str],
    retry_after: Callable[[int], timedelta | None],
    clock: Clock,
    lease: timedelta = LEASE,
) -> int:
    """Attempts each row that is due now, once; returns how many worked.

    `clock` is read for each claim, and a row's claim begins anew when its turn comes: sending may take hours, and
    other workers keep their hands off a row for as long as it is in ours.
    """
    now, done = clock(), 0
    while rows := claim(model, limit=BATCH, due=now, until=clock() + lease):
        held = (row for row in rows if _hold(row, until=clock() + lease))
        done += settle(held, attempt=attempt, retry_after=retry_after, clock=clock)
    return done


@transaction.atomic
def claim(model: type[OutgoingT], *, limit: int, due: datetime, until: datetime) -> list[OutgoingT]:
    """Rows that are due, new ones before those that failed, out of everybody else's reach `until` then.

    `until` is later than it takes to attempt them; after a crash somebody else tries from then on.
    """
    manager = model._default_manager
    found = manager.select_for_update(skip_locked=True).filter(done_at__isnull=True, next_attempt_at__lte=due)
    rows = list(found.order_by("attempts", "pk")[:limit])
    manager.filter(pk__in=[row.pk for row in rows]).update(next_attempt_at=until)
    for row in rows:
        row.next_attempt_at = until
    return rows


def _hold(row: Outgoing, *, until: datetime) -> bool:
    """Begin the claim on a row anew; False if it is no longer ours, because it ended or the row was withdrawn."""
    held = bool(_claimed(row).update(next_attempt_at=until))
    row.next_attempt_at = until
    return held


def _claimed(row: Outgoing) -> "models.QuerySet[Any]":
    return type(row)._default_manager.filter(pk=row.pk, done_at=None, next_attempt_at=row.next_attempt_at)


def settle(
    rows: Iterable[OutgoingT],
    *,
    attempt: Callable[[OutgoingT], str],
    retry_after: Callable[[int], timedelta | None],
    clock: Clock,
) -> int:
    """Attempts each claimed row (`attempt` returns an error, or nothing), notes the outcome, and counts what worked.

    `retry_after` says how long to wait after that many failed attempts, None to give up. An exception is a failure
    too: it must not keep the rows behind it from their turn.
    """
    return sum(_settle(row, attempt, retry_after, clock) for row in rows)


def _settle(
    row: OutgoingT, attempt: Callable[[OutgoingT], str], retry_after: Callable[[int], timedelta | None], clock: Clock
) -> bool:
    wait: timedelta | None = NOT_YET
    try:
        error = attempt(row)
    except NotYet as reason:
        error = str(reason)
    except GiveUp as reason:
        error, wait = str(reason), None
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"
        row.attempts += 1
        wait = retry_after(row.attempts)
        logger.warning("outgoing.failed", row=f"{row._meta.label} {row.pk}", attempts=row.attempts, exc_info=True)
    else:
        row.attempts += 1
        if error:
            wait = retry_after(row.attempts)
            logger.warning("outgoing.failed", row=f"{row._meta.label} {row.pk}", attempts=row.attempts, error=error)
    _note(row, _storable(error), wait, now=clock())
    return not error


def _note(row: Outgoing, error: str, wait: timedelta | None, *, now: datetime) -> None:
    """Write the outcome into its own columns of a row that is still ours; that it worked is true in any case."""
    outcome = {"last_error": error, "attempts": row.attempts}
    outcome |= {"next_attempt_at": None if wait is None else now + wait} if error else {"done_at": now}
    own = {name: getattr(row, name) for name in row.written_by_attempt}
    if not _claimed(row).update(**outcome, **own) and not error:
        type(row)._default_manager.filter(pk=row.pk, done_at=None).update(**outcome)


def _storable(text: str) -> str:
    """What a server said may hold anything; Postgres takes neither NUL nor half a character."""
    return text.encode(errors="replace").decode().replace("\x00", "")[:ERROR_LENGTH]

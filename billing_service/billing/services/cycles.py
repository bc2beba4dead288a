"""The billing cycle: opening, and closing in steps of which each can be done again (B4, B5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Sum
from psycopg.errors import DeadlockDetected, LockNotAvailable

from billing.domain import (
    Kind,
    business_date,
    cycle_key,
    next_due,
    reopened_cycle_key,
    wait_begins,
    waits_for_consumption,
)
from billing.events import published
from billing.models import Cycle, Transfer
from billing.selectors.journal import anybody_owed, cycle_hash
from billing.services.limits import lock_briefly, take_time
from billing.services.payouts import ClosingElsewhere, payouts_post_batch
from billing.services.postings import Batch
from chassis.business_time import zone
from eventbus import TransientError, event_id, publish

LEDGER_LOCK = 5_200_417  # advisory: posters share it, flipping the cycle takes it alone
LOCK_ATTEMPTS = 30  # of a second each, at most
CLOSE_JOB = "billing.jobs.close_due_cycles"

Checkpoint = Callable[[str], None]
T = TypeVar("T")
log = structlog.get_logger(__name__)


def posting_batch() -> Batch:
    """The open cycle, held open until the transaction ends, and the database's time.

    Opens the first cycle of a new ledger.
    """
    cycle_id, now = _hold_open_cycle()
    if cycle_id is None:
        cycle_open_first(due_at=next_due(now, zone=zone(), at=settings.BILLING_CYCLE_TIME))
        cycle_id, now = _hold_open_cycle()
    if cycle_id is None:
        raise TransientError("no cycle is open")  # the events wait: none of them is at fault
    return Batch(cycle_id=cycle_id, recorded_at=now)


def _hold_open_cycle() -> tuple[UUID | None, datetime]:
    """One message, but two statements: one that waited for the lock would still see the cycle from before the wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(%s);"
            " SELECT (SELECT id FROM billing_cycle WHERE state = 'open'), clock_timestamp()",
            [LEDGER_LOCK],
        )
        cursor.nextset()
        row = cursor.fetchone()
    return row[0], row[1]


@transaction.atomic
def cycle_open_first(*, due_at: datetime) -> bool:
    """Open the first cycle of an empty ledger; False if there is another already, also one opened meanwhile."""
    if Cycle.objects.exists():
        return False
    cycle = cycle_new(event_id(cycle_key(due_at)), due_at=due_at)
    return (
        bool(Cycle.objects.bulk_create([cycle], ignore_conflicts=True)) and Cycle.objects.filter(id=cycle.id).exists()
    )


def cycle_new(id_: UUID, *, due_at: datetime, starts_at: datetime | None = None) -> Cycle:
    """An open cycle with its labels, which follow no later change of the settings; not saved."""
    return Cycle(
        id=id_,
        starts_at=starts_at,
        due_at=due_at,
        due_on=business_date(due_at, zone()),
        currency=settings.CURRENCY,
    )


def cycles_close_due(
    *,
    now: datetime,
    consumed: Callable[[datetime], bool],
    as_if_due: bool = False,
    checkpoint: Checkpoint = lambda step: None,
) -> list[UUID]:
    """Close, in order, each cycle that is due, going on where a crashed or concurrent closing stands.

    `consumed` tells whether all events received before a moment are posted; a cycle waits for that up to 15 minutes
    from when it is first found due, unless finance asked to close it now. `as_if_due` makes the open cycle due now.
    Returns the cycles that this call closed. A failure is noted on the cycle and raised; a cycle that another process
    is closing just now is left to it.
    """
    closed = []
    while cycle := _next_to_close(now=now, consumed=consumed, as_if_due=as_if_due):
        try:
            if _close(cycle, now=now, checkpoint=checkpoint):
                closed.append(cycle.id)
        except ClosingElsewhere:
            log.info("cycle.closing_elsewhere", due_at=cycle.due_at.isoformat())
            break
        except Exception as error:
            unfinished = Cycle.objects.filter(id=cycle.id).exclude(state=Cycle.State.CLOSED)
            unfinished.update(failure=f"{type(error).__name__}: {error}"[:2000], failed_at=now)
            raise
        as_if_due = as_if_due and cycle.state != Cycle.State.OPEN
    return closed


def _next_to_close(*, now: datetime, consumed: Callable[[datetime], bool], as_if_due: bool) -> Cycle | None:
    cycle = Cycle.objects.exclude(state=Cycle.State.CLOSED).order_by("due_at").first()
    if cycle is None:
        return None
    if cycle.state == Cycle.State.CLOSING or as_if_due:
        return cycle
    if cycle.due_at > now:
        return None
    if cycle.requested_at is None and not consumed(cycle.due_at) and _waits(cycle, now=now):
        log.info("cycle.waits", due_at=cycle.due_at.isoformat())
        return None
    return cycle


def _waits(cycle: Cycle, *, now: datetime) -> bool:
    """Whether a due cycle waits on, for events that are not posted yet; notes that it was looked at."""
    since = wait_begins(since=cycle.awaited_since, looked_at=cycle.awaited_at, now=now)
    Cycle.objects.filter(id=cycle.id, state=Cycle.State.OPEN).update(awaited_since=since, awaited_at=now)
    return waits_for_consumption(since=since, now=now)


def _close(cycle: Cycle, *, now: datetime, checkpoint: Checkpoint) -> bool:
    """Flip, pay, close: each step looks at what is there and does the rest of it."""
    if cycle.state == Cycle.State.OPEN:
        _trying(partial(cycle_flip, cycle_id=cycle.id, now=now))
        checkpoint("flipped")
    following = Cycle.objects.get(state=Cycle.State.OPEN)
    while True:
        for skip_locked in (True, False):  # the rows that others hold come last, then waiting for them
            after: UUID | None = UUID(int=0)
            while after is not None:
                pay = partial(payouts_post_batch, cycle_id=cycle.id, next_cycle_id=following.id, now=now)
                after = _trying(partial(pay, after=after, skip_locked=skip_locked))
                checkpoint("paid")
        outcome = _trying(partial(cycle_finish, cycle_id=cycle.id, next_cycle_id=following.id, now=now))
        checkpoint("finished")
        if outcome is not None:
            return outcome


def _trying(step: Callable[[], T]) -> T:
    """A step whose locks have a short timeout, again until it has them: nobody waits long behind one that waits."""
    for _ in range(1, LOCK_ATTEMPTS):
        try:
            return step()
        except ClosingElsewhere:
            pass
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise
        time.sleep(0.2)
    return step()


@transaction.atomic
def cycle_flip(*, cycle_id: UUID, now: datetime) -> None:
    """Under the exclusive lock the open cycle becomes closing and the next one opens; does nothing if that is done.

    One that is closed before its time (`as_if_due`) is due now: what happens from now on is in time for the next one.
    """
    lock_briefly()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LEDGER_LOCK])
    cycle = Cycle.objects.get(id=cycle_id)
    if cycle.state != Cycle.State.OPEN:
        return
    cycle.state, cycle.closing_at = Cycle.State.CLOSING, now
    early = now < cycle.due_at and (cycle.starts_at is None or cycle.starts_at < now)
    if early:
        cycle.due_at, cycle.due_on = now, business_date(now, zone())
    cycle.save(update_fields=["state", "closing_at", "due_at", "due_on"])
    due_at = next_due(cycle.due_at, zone=zone(), at=settings.BILLING_CYCLE_TIME)
    # The cycle closed early has the id of the due time that it had, which is the next one's now.
    key = reopened_cycle_key(due_at, after=cycle.due_at) if early else cycle_key(due_at)
    cycle_new(event_id(key), due_at=due_at, starts_at=cycle.due_at).save(force_insert=True)
    log.info("cycle.closing", due_at=cycle.due_at.isoformat(), next_due_at=due_at.isoformat())


@transaction.atomic
def cycle_finish(*, cycle_id: UUID, next_cycle_id: UUID, now: datetime) -> bool | None:
    """Close a cycle that owes nobody: sums, hash chain and CycleClosed under the cycle's row lock.

    True if this call closed it, False if it was closed already, None if somebody is still to be paid. Raises
    ClosingElsewhere if the row is taken: one who hashes a long cycle holds it for minutes.
    """
    take_time()
    cycle = Cycle.objects.select_for_update(skip_locked=True).filter(id=cycle_id).first()
    if cycle is None:
        raise ClosingElsewhere
    if cycle.state == Cycle.State.CLOSED:
        return False
    if anybody_owed(cycle_id=cycle_id, next_cycle_id=next_cycle_id):
        return None
    cycle_settle(cycle, closed_at=now)
    publish(published.cycle_closed(cycle=cycle, closed_at=now))
    log.info("cycle.closed", due_at=cycle.due_at.isoformat(), payouts=cycle.payout_count, cents=cycle.payout_sum)
    return True


def cycle_settle(cycle: Cycle, *, closed_at: datetime) -> None:
    """Write that a cycle which owes nobody is closed, with the sums of its payouts and the hash over its entries."""
    payouts = Transfer.objects.filter(cycle=cycle, kind=Kind.PAYOUT).aggregate(count=Count("id"), sum=Sum("amount"))
    cycle.payout_count, cycle.payout_sum = payouts["count"], payouts["sum"] or 0
    cycle.hash = cycle_hash(cycle_id=cycle.id)
    cycle.state, cycle.closed_at = Cycle.State.CLOSED, closed_at
    cycle.failure, cycle.failed_at = "", None
    cycle.save()


@transaction.atomic
def cycle_request_close(*, cycle_id: UUID, actor_id: UUID, now: datetime) -> bool:
    """Finance wants a due cycle closed now, without waiting for late events (B4); False if it is not due or not open.

    The closing itself runs in the worker: now if it can be told, within a minute otherwise.
    """
    cycle = Cycle.objects.select_for_update().get(id=cycle_id)
    if cycle.state != Cycle.State.OPEN or cycle.due_at > now:
        return False
    cycle.requested_at, cycle.requested_by = now, actor_id
    cycle.save(update_fields=["requested_at", "requested_by"])
    transaction.on_commit(_tell_worker, robust=True)
    return True


def _tell_worker() -> None:
    from config.celery import app  # noqa: PLC0415 - only here: most processes do without celery

    app.send_task(CLOSE_JOB, retry=False)

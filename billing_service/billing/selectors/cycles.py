"""Cycles as people look at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, Sum

from billing.models import Cycle, Payout
from billing.selectors.journal import still_owed_count


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a closing is: `paid` of `workers`, and how many cents so far."""

    paid: int
    workers: int
    cents: int


@dataclass(frozen=True, slots=True)
class Mails:
    """How many of a cycle's payout mails are sent, and how many are still tried."""

    sent: int
    waiting: int


def open_cycle() -> Cycle | None:
    """The cycle that takes postings now; None before the first one."""
    return Cycle.objects.filter(state=Cycle.State.OPEN).first()


def unfinished_cycle(now: datetime) -> Cycle | None:
    """The cycle that is being closed, or is due and waits for it."""
    due = Cycle.objects.exclude(state=Cycle.State.CLOSED).filter(Q(due_at__lte=now) | Q(state=Cycle.State.CLOSING))
    return due.order_by("due_at").first()


def progress(cycle: Cycle) -> Progress:
    """Workers paid and to be paid; of an open cycle nobody is paid yet."""
    if cycle.state == Cycle.State.CLOSED:
        return Progress(cycle.payout_count, cycle.payout_count, cycle.payout_sum)
    paid = Payout.objects.filter(cycle=cycle).aggregate(count=Count("id"), cents=Sum("amount", default=0))
    following = open_cycle()
    left = 0
    if cycle.state == Cycle.State.CLOSING and following is not None:
        left = still_owed_count(cycle_id=cycle.id, next_cycle_id=following.id)
    return Progress(paid["count"], paid["count"] + left, paid["cents"])


def progress_of_closing() -> Progress | None:
    """Progress of the one cycle that is being closed; None while there is none."""
    closing = Cycle.objects.filter(state=Cycle.State.CLOSING).first()
    return progress(closing) if closing else None


def settled() -> Progress:
    """What all closed cycles paid out together."""
    closed = Cycle.objects.filter(state=Cycle.State.CLOSED)
    found = closed.aggregate(count=Sum("payout_count", default=0), cents=Sum("payout_sum", default=0))
    return Progress(found["count"], found["count"], found["cents"])


def mails(cycle: Cycle) -> Mails:
    """State of the mails about a cycle's payouts; those that wait are few, and have an index."""
    payouts = Payout.objects.filter(cycle=cycle)
    waiting = payouts.filter(done_at=None).count()
    all_of_it = cycle.payout_count if cycle.state == Cycle.State.CLOSED else payouts.count()
    return Mails(all_of_it - waiting, waiting)

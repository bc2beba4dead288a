"""Paying out a cycle: each positive balance, exactly once (B4, B5)."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import transaction

from billing.domain import Kind, Posting, payout_key
from billing.events import published
from billing.models import Cycle, Payout
from billing.selectors.clock import database_now
from billing.selectors.journal import OWED, query
from billing.services.limits import lock_briefly
from billing.services.postings import Batch, accounts_lock, post
from chassis.outgoing import message_id
from eventbus import event_id, publish_many

PAY_BATCH = 500  # workers a transaction pays


class ClosingElsewhere(Exception):
    """Another process holds the cycle's row: it is closing it, or about to."""


@transaction.atomic
def payouts_post_batch(
    *, cycle_id: UUID, next_cycle_id: UUID, now: datetime, after: UUID, skip_locked: bool
) -> UUID | None:
    """Pay the next workers, in key order `after` an account; returns the last one looked at, None at the end.

    The locks are taken in a statement of their own, and what is owed is read in the one after it. Raises
    ClosingElsewhere if the cycle's row is taken, OperationalError for a worker's row that is held for a second.
    """
    lock_briefly()
    state = query("SELECT state FROM billing_cycle WHERE id = %s FOR SHARE SKIP LOCKED", [cycle_id])
    if not state:
        raise ClosingElsewhere
    if state != [(Cycle.State.CLOSING,)]:
        return None
    parameters = {"cycle": cycle_id, "next": next_cycle_id, "after": after, "limit": PAY_BATCH}
    lock = "AND a.id > %(after)s ORDER BY a.id LIMIT %(limit)s FOR UPDATE OF a" + " SKIP LOCKED" * skip_locked
    ids = [row[0] for row in query(f"SELECT a.id {OWED} {lock}", parameters)]
    if not ids:
        return None
    owed = query(f"SELECT a.id, owed.balance_after {OWED} AND a.id = ANY(%(ids)s)", parameters | {"ids": ids})
    if owed:
        _pay(dict(owed), cycle_id=cycle_id, now=now)
    return cast("UUID", ids[-1])


def _pay(owed: dict[UUID, int], *, cycle_id: UUID, now: datetime) -> None:
    postings = [
        Posting(
            id=event_id(key := payout_key(cycle_id, account_id)),
            key=key,
            kind=Kind.PAYOUT,
            account_id=account_id,
            amount=amount,
            credit=False,
            occurred_at=now,
        )
        for account_id, amount in sorted(owed.items())
    ]
    batch = Batch(cycle_id=cycle_id, recorded_at=database_now())
    entries = post(postings, batch=batch, balances=accounts_lock(owed), stored={})
    payouts = [payout_mail(entry.posting, cycle_id=cycle_id, now=batch.recorded_at) for entry in entries]
    Payout.objects.bulk_create(payouts)
    publish_many(published.payout_made(payout=payout, time=now) for payout in payouts)


def payout_mail(posting: Posting, *, cycle_id: UUID, now: datetime) -> Payout:
    """The mail about a payout, to be sent from `now` on; not saved."""
    payout_id = event_id(f"payout_mail:{posting.key}")
    return Payout(
        id=payout_id,
        transfer_id=posting.id,
        cycle_id=cycle_id,
        account_id=posting.account_id,
        amount=posting.amount,
        message_id=message_id("payout", payout_id),
        next_attempt_at=now,
    )

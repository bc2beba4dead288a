"""What finance posts by hand: corrections and returned payouts, transfers like all others, never an edit (B6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from billing.domain import (
    Balance,
    Kind,
    LedgerError,
    PayloadConflict,
    Posting,
    adjustment_key,
    correction_amount,
    correction_reason,
    payout_return_key,
)
from billing.metrics import PAYLOAD_CONFLICTS
from billing.models import Transfer
from billing.selectors.people import takes_corrections
from billing.services.cycles import posting_batch
from billing.services.postings import Batch, accounts_lock, post, transfers_find
from eventbus import event_id


@transaction.atomic
def adjustment_post(
    *,
    form_key: UUID,
    account_id: UUID,
    amount: int,
    credit: bool,
    reason: str,
    actor_id: UUID,
    now: datetime,
    task_id: UUID | None = None,
    about: UUID | None = None,
) -> UUID:
    """Pay to (`credit`) or take from a worker an amount in cents above zero; returns the transfer's id.

    `task_id` and `about`, an entry, say what it is about. The same form key books once. Raises LedgerError for the
    actor's own account, for one that is no worker's and has no ledger account, for an amount above CORRECTION_LIMIT,
    or a reason that is not 10 to 500 characters long.
    """
    _refuse_own(account_id, actor_id=actor_id)
    if not takes_corrections(account_id, by=actor_id):
        raise LedgerError("a correction is for a worker, or for somebody with a ledger account")
    posting = Posting(
        id=event_id(adjustment_key(form_key)),
        key=adjustment_key(form_key),
        kind=Kind.ADJUSTMENT,
        account_id=account_id,
        amount=correction_amount(amount, limit=settings.CORRECTION_LIMIT),
        credit=credit,
        occurred_at=now,
        task_id=task_id,
        actor_id=str(actor_id),
        reason=correction_reason(reason),
        about=about,
    )
    batch = posting_batch()
    return _post(posting, batch, accounts_lock([account_id]))


@transaction.atomic
def adjustment_reverse(*, form_key: UUID, transfer_id: UUID, reason: str, actor_id: UUID, now: datetime) -> UUID:
    """Take a wrong correction back, once, by the opposite one linked to it; returns the new transfer's id.

    Raises LedgerError if the transfer is no correction, was taken back before, or is on the actor's own account.
    """
    wrong = Transfer.objects.get(id=transfer_id)
    _refuse_own(wrong.account_id, actor_id=actor_id)
    if wrong.kind != Kind.ADJUSTMENT or wrong.reverses is not None:
        raise LedgerError("only a correction can be taken back by a correction")
    posting = Posting(
        id=event_id(adjustment_key(form_key)),
        key=adjustment_key(form_key),
        kind=Kind.ADJUSTMENT,
        account_id=wrong.account_id,
        amount=wrong.amount,
        credit=wrong.change < 0,
        occurred_at=now,
        task_id=wrong.task_id,
        actor_id=str(actor_id),
        reverses=wrong.id,
        reason=correction_reason(reason),
    )
    batch = posting_batch()
    balances = accounts_lock([wrong.account_id])
    if Transfer.objects.filter(reverses=wrong.id).exclude(idempotency_key=posting.key).exists():
        raise LedgerError("this correction was taken back before")
    return _post(posting, batch, balances)


@transaction.atomic
def payout_return(*, transfer_id: UUID, reason: str, actor_id: UUID, now: datetime) -> UUID:
    """The bank sent a payout back: credit it again, once, to be paid at the next closing; returns the entry's id.

    Raises LedgerError if the transfer is no payout, was returned before, or is on the actor's own account, or for a
    reason out of bounds.
    """
    payout = Transfer.objects.get(id=transfer_id)
    _refuse_own(payout.account_id, actor_id=actor_id)
    if payout.kind != Kind.PAYOUT:
        raise LedgerError("only a payout can be returned")
    key = payout_return_key(payout.id)
    posting = Posting(
        id=event_id(key),
        key=key,
        kind=Kind.PAYOUT_RETURN,
        account_id=payout.account_id,
        amount=payout.amount,
        credit=True,
        occurred_at=now,
        actor_id=str(actor_id),
        reverses=payout.id,
        reason=correction_reason(reason),
    )
    batch = posting_batch()
    balances = accounts_lock([payout.account_id])
    if transfers_find([posting.id]):
        raise LedgerError("this payout was returned before")
    return _post(posting, batch, balances)


def _refuse_own(account_id: UUID, *, actor_id: UUID) -> None:
    """Whoever posts by hand does not post for oneself: a colleague does (B6)."""
    if account_id == actor_id:
        raise LedgerError("nobody posts on the own account")


def _post(posting: Posting, batch: Batch, balances: Mapping[UUID, Balance]) -> UUID:
    """Post it, or find that the same form did before, at another time; the same key for anything else is refused."""
    stored = transfers_find([posting.id])
    if stored:
        posting = replace(posting, occurred_at=Transfer.objects.get(id=posting.id).occurred_at)
    try:
        post([posting], batch=batch, balances=balances, stored=stored)
    except PayloadConflict:
        PAYLOAD_CONFLICTS.inc()
        raise
    return posting.id

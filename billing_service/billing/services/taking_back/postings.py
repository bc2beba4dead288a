"""From what was told to the posting that it was told of, with everything that its cause decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict
from uuid import UUID

from billing.domain import (
    RESTORED,
    SYSTEM,
    Kind,
    LedgerError,
    Posting,
    Price,
    earning_key,
    fee_key,
    payout_key,
    payout_return_key,
    restored_adjustment_key,
    reversal_key,
)
from billing.services.taking_back.told import Contradiction, Entry
from billing.services.task_events import Cause, posting_of
from eventbus import event_id

ACTOR = "restore"  # who entered a correction is told in no topic
REASON = "Who entered it and why was lost with the database."
MOST = 1_000  # assignments or completions of a task that are tried for an entry whose event is gone
WORK_KEYS = {Kind.FEE: fee_key, Kind.EARNING: earning_key, Kind.REVERSAL: reversal_key}


class _Words(TypedDict, total=False):
    cause: str
    actor_id: str
    reason: str


def work_posting(
    entry: Entry, task_id: UUID, causes: Sequence[Cause], price: Price, known: Mapping[UUID, tuple[UUID, int]]
) -> Posting:
    """A fee, an earning or a reversal as the consumer posted it; without its event, as far as it was told.

    Raises Contradiction if none of the events that have its key leads to what was told.
    """
    for cause in causes:
        try:
            posting = posting_of(cause, price, known)
        except LedgerError:
            continue
        if _says(posting, entry):
            return posting
    if causes:
        raise Contradiction(
            f"{causes[0].key}: {entry.change} cents of account {entry.account_id} were told, and the event that tasks"
            " told leads to something else."
        )
    posting = _posting(entry, _key_of_work(entry, task_id), cause=RESTORED)
    if posting.amount != (price.fee if entry.kind is Kind.FEE else price.reward):
        raise Contradiction(f"{posting.key}: {posting.amount} cents were told, which is not the price of the task.")
    return posting


def other_posting(entry: Entry) -> Posting:
    """A payout, a returned one or a correction; of the last two nothing tells who entered them, and why."""
    by_hand: _Words = {"cause": RESTORED, "actor_id": ACTOR, "reason": REASON}
    if entry.kind is Kind.ADJUSTMENT:
        return _posting(entry, restored_adjustment_key(entry.id), **by_hand)
    if entry.kind is Kind.PAYOUT:
        posting = _posting(entry, payout_key(entry.cycle_id, entry.account_id))
    elif entry.reverses is not None:
        posting = _posting(entry, payout_return_key(entry.reverses), **by_hand)
    else:
        raise Contradiction(f"Entry {entry.id} is told as {entry.kind}, and not of which entry.")
    if event_id(posting.key) != entry.id:
        raise Contradiction(f"Entry {entry.id} is told as {posting.key}, which would have another id.")
    return posting


def is_whole(posting: Posting) -> bool:
    """Whether it is all that the lost journal had, so that the hash over it is the same."""
    return posting.cause != RESTORED


def _posting(entry: Entry, key: str, *, cause: str = "", actor_id: str = SYSTEM, reason: str = "") -> Posting:
    return Posting(
        id=entry.id,
        key=key,
        kind=entry.kind,
        account_id=entry.account_id,
        amount=abs(entry.change),
        credit=entry.change > 0,
        occurred_at=entry.occurred_at,
        task_id=entry.task_id,
        cause=cause,
        actor_id=actor_id,
        reverses=entry.reverses,
        reason=reason,
    )


def _says(posting: Posting, entry: Entry) -> bool:
    return (posting.account_id, posting.change, posting.occurred_at, posting.task_id, posting.reverses) == (
        entry.account_id,
        entry.change,
        entry.occurred_at,
        entry.task_id,
        entry.reverses,
    )


def _key_of_work(entry: Entry, task_id: UUID) -> str:
    """The key follows from the id: it is the one of the task's keys that has it."""
    for number in range(1, MOST):
        if event_id(key := WORK_KEYS[entry.kind](task_id, number)) == entry.id:
            return key
    raise Contradiction(f"Entry {entry.id} is told as {entry.kind} of task {task_id}, which has none of that id.")

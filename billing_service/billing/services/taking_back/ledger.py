"""Writing what was told into the restored ledger, cycle by cycle, as it was written the first time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from billing.domain import (
    Kind,
    Posting,
    business_date,
    cycle_key,
    next_due,
    next_weekday,
    reopened_cycle_key,
)
from billing.models import Cycle, Payout
from billing.selectors.journal import anybody_owed, paid_otherwise, query
from billing.services.cycles import LEDGER_LOCK, cycle_new, cycle_settle
from billing.services.limits import take_time
from billing.services.payouts import payout_mail
from billing.services.postings import Batch, accounts_lock, post_again, transfers_find
from billing.services.prices import prices_ensure
from billing.services.taking_back.postings import is_whole, other_posting, work_posting
from billing.services.taking_back.told import WORK, Closing, Contradiction, Entry, Told, chunks
from chassis.business_time import zone
from eventbus import event_id

NOT_MAILED = "Taken back after a restore: its mail went out before, or is not sent."


@dataclass(slots=True)
class TakenBack:
    """What was done: entries by kind, due times of cycles that are closed now, how many entries lack who and why."""

    entries: Counter[str] = field(default_factory=Counter)
    closed: list[datetime] = field(default_factory=list)
    incomplete: int = 0


class _Place(NamedTuple):
    """The cycles that take entries: one that is being closed takes its payouts, the open one all others."""

    closing: Cycle | None
    open: Cycle


@transaction.atomic
def ledger_take_back(told: Told, *, compare_hashes: bool = True) -> TakenBack:
    """Post what was told into the cycles in which it was, and close those whose closing was told; all or nothing.

    Nothing is told again. What the last cycle still owes is left to closing, as what was not told is to the consumers.
    Raises Contradiction where that does not lead to what was told: nobody is paid what was not owed, or twice.
    """
    take_time()
    if query("SELECT pg_try_advisory_xact_lock(%s)", [LEDGER_LOCK]) != [(True,)]:
        raise Contradiction("Somebody is posting or closing just now.")
    return _Restore(told, compare_hashes=compare_hashes).run()


class _Restore:
    """One restore under way: what is left of the told entries, in the order in which they were told."""

    def __init__(self, told: Told, *, compare_hashes: bool) -> None:
        self.causes, self.closings = told.causes, dict(told.closings)
        self.done = TakenBack()
        self.compare_hashes = compare_hashes  # until an entry is not all that it was: hashes are a chain
        self.payouts: dict[UUID, list[tuple[int, Entry]]] = {}
        self.others: dict[UUID, list[tuple[int, Entry]]] = {}
        for number, entry in enumerate(told.entries.values()):
            kind = self.payouts if entry.kind is Kind.PAYOUT else self.others
            kind.setdefault(entry.cycle_id, []).append((number, entry))

    def run(self) -> TakenBack:
        place = self._begin()
        while True:
            self._post(place)
            if place.closing is not None and not self._finish(place.closing, place.open):
                break
            if not self._closes(place.open):
                break
            place = self._flip(place.open)
        left = [*self.payouts, *self.others, *self.closings]
        if left:
            raise Contradiction(
                f"Cycle {left[0]} is told of, and not how the one before it was closed: Kafka does not have all that"
                " happened since the dump, which is too old."
            )
        return self.done

    def _begin(self) -> _Place:
        cycles = Cycle.objects.exclude(state=Cycle.State.CLOSED).order_by("due_at")
        place = {cycle.state: cycle for cycle in cycles}
        if Cycle.State.OPEN not in place:
            raise Contradiction("No cycle is open in this database: it is not a dump of a ledger.")
        first = place.get(Cycle.State.CLOSING, place[Cycle.State.OPEN])
        if self.closings and first.id not in self.closings:
            raise Contradiction(
                f"Cycles were closed since the dump, and how the one due {first.due_at.isoformat()} was closed is not"
                " told any more: the dump is older than what Kafka keeps."
            )
        return _Place(place.get(Cycle.State.CLOSING), place[Cycle.State.OPEN])

    def _post(self, place: _Place) -> None:
        entries = self.others.pop(place.open.id, [])
        if place.closing is not None:
            entries += self.payouts.pop(place.closing.id, [])
        for chunk in chunks(entry for _, entry in sorted(entries, key=lambda numbered: numbered[0])):
            self._post_chunk(chunk)
        if place.closing is not None:
            wrong = paid_otherwise(cycle_id=place.closing.id, next_cycle_id=place.open.id)
            if wrong:
                raise Contradiction(f"{wrong[0]}: what was told as paid is not what was owed by all that was told.")

    def _post_chunk(self, entries: Sequence[Entry]) -> None:
        prices = prices_ensure({e.task_id: e.occurred_at for e in entries if e.task_id and e.kind in WORK})
        balances = accounts_lock(entry.account_id for entry in entries)
        causes = {entry.id: self.causes.get(entry.id, []) for entry in entries}
        others = {cause.counterpart for found in causes.values() for cause in found if cause.counterpart}
        stored = transfers_find({entry.id for entry in entries} | others)
        if again := [str(entry.id) for entry in entries if entry.id in stored]:
            raise Contradiction(f"Entry {again[0]} was posted meanwhile.")
        known = {transfer_id: (found.account_id, found.amount) for transfer_id, found in stored.items()}
        postings = []
        for entry in entries:
            if entry.kind in WORK and entry.task_id:
                posting = work_posting(entry, entry.task_id, causes[entry.id], prices[entry.task_id], known)
                known[posting.id] = (posting.account_id, posting.amount)
            else:
                posting = other_posting(entry)
            postings.append(posting)
        batches = [Batch(entry.cycle_id, entry.recorded_at) for entry in entries]
        post_again(postings, batches=batches, dates=[entry.business_date for entry in entries], balances=balances)
        Payout.objects.bulk_create(
            _mail(posting, entry) for posting, entry in zip(postings, entries, strict=True) if entry.kind is Kind.PAYOUT
        )
        self._count(postings)

    def _count(self, postings: Sequence[Posting]) -> None:
        self.done.entries.update(posting.kind.value for posting in postings)
        incomplete = sum(not is_whole(posting) for posting in postings)
        self.done.incomplete += incomplete
        self.compare_hashes = self.compare_hashes and not incomplete

    def _closes(self, cycle: Cycle) -> bool:
        """Whether it was told that the open cycle is not open any more."""
        return bool(cycle.id in self.closings or self.payouts or self.others)

    def _flip(self, cycle: Cycle) -> _Place:
        closing = self.closings.get(cycle.id)
        paid_at = min((entry.occurred_at for _, entry in self.payouts.get(cycle.id, [])), default=None)
        due_at = closing.due_at if closing else min(cycle.due_at, paid_at or cycle.due_at)
        if due_at != cycle.due_at:  # the demo closed it before its time, which makes it due then
            cycle.due_at, cycle.due_on = due_at, business_date(due_at, zone())
        cycle.state = Cycle.State.CLOSING
        cycle.closing_at = paid_at or (closing.closed_at if closing else cycle.due_at)
        cycle.save()
        following = self._following(cycle)
        following.save(force_insert=True)
        return _Place(cycle, following)

    def _following(self, cycle: Cycle) -> Cycle:
        """The cycle that opened when this one closed: as it was told, or else the next one by the clock."""
        later = [closing for closing in self.closings.values() if closing.due_at > cycle.due_at]
        if later:
            told = min(later, key=lambda closing: closing.due_at)
            if business_date(told.due_at, zone()) > next_weekday(cycle.day):
                raise Contradiction(
                    f"Of the cycles between {cycle.day} and {business_date(told.due_at, zone())} nothing is told any"
                    " more: the dump is older than what Kafka keeps."
                )
            return cycle_new(told.id, due_at=told.due_at, starts_at=cycle.due_at)
        due_at = next_due(cycle.due_at, zone=zone(), at=settings.BILLING_CYCLE_TIME)
        regular, reopened = event_id(cycle_key(due_at)), event_id(reopened_cycle_key(due_at, after=cycle.due_at))
        named = next((id_ for id_ in (regular, reopened) if id_ in self.others), None)
        id_ = named or (reopened if _was_early(cycle) else regular)
        return cycle_new(id_, due_at=due_at, starts_at=cycle.due_at)

    def _finish(self, cycle: Cycle, following: Cycle) -> bool:
        """Close the cycle if that was told; False if it goes on from here."""
        told = self.closings.pop(cycle.id, None)
        if told is None:
            return False
        if anybody_owed(cycle_id=cycle.id, next_cycle_id=following.id):
            raise Contradiction(
                f"The cycle due {cycle.due_at.isoformat()} was closed; not all of its payouts are told."
            )
        cycle_settle(cycle, closed_at=told.closed_at)
        self._compare(cycle, told)
        self.done.closed.append(cycle.due_at)
        return True

    def _compare(self, cycle: Cycle, told: Closing) -> None:
        if (cycle.payout_count, cycle.payout_sum) != (told.payout_count, told.payout_sum):
            raise Contradiction(
                f"The cycle due {cycle.due_at.isoformat()} was closed with {told.payout_count} payouts of"
                f" {told.payout_sum} cents; {cycle.payout_count} of {cycle.payout_sum} cents are told."
            )
        if self.compare_hashes and cycle.hash != told.hash:
            raise Contradiction(
                f"The cycle due {cycle.due_at.isoformat()} was closed with the hash {told.hash}; what is told of it has"
                f" {cycle.hash}."
            )


def _was_early(cycle: Cycle) -> bool:
    """Whether it was closed before its time: an id is made of the due time that a cycle had when it opened."""
    keys = [cycle_key(cycle.due_at)]
    if cycle.starts_at is not None:
        keys.append(reopened_cycle_key(cycle.due_at, after=cycle.starts_at))
    return cycle.id not in map(event_id, keys)


def _mail(posting: Posting, entry: Entry) -> Payout:
    """The mail about a payout that was told: nobody is told twice, although it may have waited when it was lost."""
    mail = payout_mail(posting, cycle_id=entry.cycle_id, now=entry.recorded_at)
    mail.done_at, mail.last_error = entry.recorded_at, NOT_MAILED
    return mail

"""What billing told that its database, restored from a backup, does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from billing.domain import Kind, LedgerError
from billing.models import Cycle, Transfer
from billing.services.task_events import KIND_OF, Cause
from eventbus import Event

AT_ONCE = 2_000
WORK = frozenset(KIND_OF.values())

Read = Callable[[str], Iterable[Event]]  # the events of a topic, those of a key in order
T = TypeVar("T")


class Contradiction(Exception):
    """What was told does not fit the ledger, or itself: nothing is written, people have to look."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the lost journal as TransactionPosted told it; `change` is signed cents."""

    id: UUID
    account_id: UUID
    kind: Kind
    change: int
    cycle_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    business_date: date
    task_id: UUID | None
    reverses: UUID | None

    @classmethod
    def of(cls, event: Event) -> Entry:
        """Raises ValueError for a kind that is not known here."""
        data = event.data
        return cls(
            id=UUID(data["transfer_id"]),
            account_id=UUID(data["account_id"]),
            kind=Kind(data["kind"]),
            change=data["amount"],
            cycle_id=UUID(data["cycle_id"]),
            occurred_at=data["occurred_at"],
            recorded_at=data["recorded_at"],
            business_date=data["business_date"],
            task_id=UUID(data["task_id"]) if data["task_id"] else None,
            reverses=UUID(data["reverses"]) if data["reverses"] else None,
        )

    def is_again(self, other: Entry) -> bool:
        """Whether it is the same posting, though perhaps recorded at another time."""
        return self == replace(other, recorded_at=self.recorded_at, business_date=self.business_date)


@dataclass(frozen=True, slots=True)
class Closing:
    """A cycle as CycleClosed told it; `payout_sum` in cents."""

    id: UUID
    due_at: datetime
    closed_at: datetime
    payout_count: int
    payout_sum: int
    hash: str

    @classmethod
    def of(cls, event: Event) -> Closing:
        data = event.data
        return cls(
            UUID(data["cycle_id"]),
            data["due_at"],
            data["closed_at"],
            data["payout_count"],
            data["payout_sum"],
            data["hash"],
        )


@dataclass(slots=True)
class Told:
    """Entries that the journal has not, those of an account in their order; closings of cycles that are not closed
    here; the events of tasks that may have caused the entries. `read` counts all entries that were told.
    """

    entries: dict[UUID, Entry] = field(default_factory=dict)
    closings: dict[UUID, Closing] = field(default_factory=dict)
    causes: dict[UUID, list[Cause]] = field(default_factory=dict)
    read: int = 0


def told_read(read: Read) -> Told:
    """Compare what the topics tell with the restored ledger; writes nothing.

    Cycles that are closed here are as they are. Of the others, raises Contradiction where something was told in two
    ways, or otherwise than the journal has it: billing went on from a backup before it took back what it had told.
    """
    told, settled = Told(), set(Cycle.objects.filter(state=Cycle.State.CLOSED).values_list("id", flat=True))
    closings = [Closing.of(event) for event in read("cycles") if event.name == "CycleClosed"]
    for closing in closings:
        if closing.id not in settled and told.closings.setdefault(closing.id, closing) != closing:
            raise Contradiction(f"The closing of cycle {closing.id} was told in two ways.")
    for events in chunks(read("transactions")):
        entries = [Entry.of(event) for event in events if event.name == "TransactionPosted"]
        told.read += len(entries)
        for entry in _missing(entries, settled):
            _note(told, entry)
    wanted = {entry.id for entry in told.entries.values() if entry.kind in WORK}
    for event in read("tasks") if wanted else ():
        if (cause := _cause(event)) is not None and cause.id in wanted:
            told.causes.setdefault(cause.id, []).append(cause)
    return told


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Some thousand at a time."""
    waiting = iter(items)
    while chunk := list(islice(waiting, AT_ONCE)):
        yield chunk


def _missing(entries: list[Entry], settled: set[UUID]) -> Iterator[Entry]:
    """Those that the journal has not; one that it has is the same, unless both are in cycles that are closed here."""
    rows = Transfer.objects.filter(id__in={entry.id for entry in entries})
    stored = {row[0]: row[1:] for row in rows.values_list("id", "account_id", "change", "cycle_id")}
    for entry in entries:
        row = stored.get(entry.id)
        if row is None:
            if entry.cycle_id not in settled:
                yield entry
        elif row != (entry.account_id, entry.change, entry.cycle_id) and not {row[2], entry.cycle_id} <= settled:
            raise Contradiction(
                f"Entry {entry.id} is {row[1]} cents in cycle {row[2]} here, and {entry.change} cents in cycle"
                f" {entry.cycle_id} was told: billing has worked since the restore, or after an earlier one."
            )


def _note(told: Told, entry: Entry) -> None:
    """Told again: where it was recorded anew (a restore within a cycle), the last one is what the journal had."""
    before = told.entries.get(entry.id)
    if before is not None and not before.is_again(entry):
        raise Contradiction(
            f"Entry {entry.id} was told in two ways: {before.change} cents in cycle {before.cycle_id}"
            f" and {entry.change} cents in cycle {entry.cycle_id}."
        )
    if before != entry:
        told.entries.pop(entry.id, None)
        told.entries[entry.id] = entry


def _cause(event: Event) -> Cause | None:
    """What an event of tasks causes; None for one that consumers set aside."""
    try:
        return Cause.of(event) if event.name in KIND_OF else None
    except (LedgerError, ValueError):
        return None

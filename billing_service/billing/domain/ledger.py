"""Rules of the ledger: which way money moves, what a balance is, what income is. Amounts are integer cents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from chassis.texts import seen

SYSTEM = "system"


class Kind(StrEnum):
    """Why money moved; design.md "Ledger"."""

    FEE = "fee"
    EARNING = "earning"
    REVERSAL = "reversal"
    PAYOUT = "payout"
    PAYOUT_RETURN = "payout_return"
    ADJUSTMENT = "adjustment"


class Company:
    """The company's side of a transfer. It has no balance row: every posting would wait for its lock."""

    INCOME = UUID("c0000000-0000-4000-8000-000000000001")
    PAYOUTS = UUID("c0000000-0000-4000-8000-000000000002")
    CORRECTIONS = UUID("c0000000-0000-4000-8000-000000000003")


COUNTERPART: Mapping[Kind, UUID] = {
    Kind.FEE: Company.INCOME,
    Kind.EARNING: Company.INCOME,
    Kind.REVERSAL: Company.INCOME,
    Kind.PAYOUT: Company.PAYOUTS,
    Kind.PAYOUT_RETURN: Company.PAYOUTS,
    Kind.ADJUSTMENT: Company.CORRECTIONS,
}
CREDITS_WORKER: Mapping[Kind, bool] = {
    Kind.FEE: False,
    Kind.EARNING: True,
    Kind.REVERSAL: False,
    Kind.PAYOUT: False,
    Kind.PAYOUT_RETURN: True,
}


RESTORED = "taken back after a restore"  # the cause of entries of which no topic tells it


class LedgerError(Exception):
    """A rule of the ledger was broken; whoever sent the cause has to look at it."""


class PayloadConflict(LedgerError):
    """The same idempotency key came with another payload (B7): nothing is posted, the event is a dead letter."""


class PriceConflict(LedgerError):
    """A task that has a price was given another one (B1)."""


@dataclass(slots=True, kw_only=True)
class Posting:
    """One transfer to be written: between a worker's ledger account and the company. `id` follows from the key."""

    id: UUID
    key: str
    kind: Kind
    account_id: UUID
    amount: int
    credit: bool
    occurred_at: datetime
    task_id: UUID | None = None
    cause: str = ""
    actor_id: str = SYSTEM
    reassignment_id: UUID | None = None
    reverses: UUID | None = None
    reason: str = ""
    about: UUID | None = None
    event_id: UUID | None = None
    received_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise LedgerError(f"{self.key}: an amount is above zero, direction says the rest")
        happened_at(self.occurred_at)

    @property
    def change(self) -> int:
        """What the worker's balance changes by, in cents."""
        return self.amount if self.credit else -self.amount

    @property
    def debit_id(self) -> UUID:
        return COUNTERPART[self.kind] if self.credit else self.account_id

    @property
    def credit_id(self) -> UUID:
        return self.account_id if self.credit else COUNTERPART[self.kind]

    def payload_hash(self) -> bytes:
        """Fingerprint of everything that the cause decides; `ledger_check` makes the same one in SQL.

        Not of the event's id and arrival: the same cause told by another event is the same posting.
        """
        parts: tuple[str, ...] = (
            self.kind.value,
            str(self.account_id),
            str(self.change),
            str(self.task_id or ""),
            str(micros(self.occurred_at)),
            self.cause,
            self.actor_id,
            str(self.reassignment_id or ""),
            str(self.reverses or ""),
            self.reason,
        )
        if self.about:
            parts += (str(self.about),)
        return hashlib.sha256("\x1f".join(parts).encode()).digest()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # nothing that costs or earns happened before


def happened_at(moment: datetime) -> datetime:
    """The moment; raises LedgerError for one before the year 2000, which no working clock has told (B7)."""
    if moment < EARLIEST:
        raise LedgerError(f"{moment.isoformat()}: nothing happened before {EARLIEST:%Y}")
    return moment


def counted_from_one(number: int) -> int:
    """The number of an assignment or completion; raises LedgerError below 1, which `ledger_check` refuses (B7)."""
    if number < 1:
        raise LedgerError(f"{number} is no number of an assignment or completion: they count from 1")
    return number


def fee_key(task_id: UUID, assignment_no: int) -> str:
    """Raises LedgerError for a number below 1."""
    return f"fee:{task_id}:{counted_from_one(assignment_no)}"


def earning_key(task_id: UUID, completion_no: int) -> str:
    """Raises LedgerError for a number below 1."""
    return f"earning:{task_id}:{counted_from_one(completion_no)}"


def reversal_key(task_id: UUID, completion_no: int) -> str:
    """Raises LedgerError for a number below 1."""
    return f"reversal:{earning_key(task_id, completion_no)}"


def cycle_key(due_at: datetime) -> str:
    """A cycle is known by when it is due: a restored ledger opens the one that it had, and pays under its keys."""
    return f"cycle:{due_at.astimezone(UTC).isoformat()}"


def reopened_cycle_key(due_at: datetime, *, after: datetime) -> str:
    """One that the demo opens after closing early, at the same due time: it names the moment of that, too."""
    return f"{cycle_key(due_at)}:{after.astimezone(UTC).isoformat()}"


def payout_key(cycle_id: UUID, account_id: UUID) -> str:
    return f"payout:{cycle_id}:{account_id}"


def payout_return_key(transfer_id: UUID) -> str:
    return f"payout_return:{transfer_id}"


def adjustment_key(form_key: UUID) -> str:
    return f"adjustment:{form_key}"


def restored_adjustment_key(transfer_id: UUID) -> str:
    """Of a correction that was taken back after a restore: no topic tells the key of its form."""
    return f"adjustment:restored:{transfer_id}"


@dataclass(slots=True)
class Balance:
    """A worker's ledger account while postings are folded over it: balance in cents and number of the last entry."""

    balance: int = 0
    entry_no: int = 0


class Entry(NamedTuple):
    """A posting as seen on the worker's ledger account: its number there and the balance after it, in cents."""

    posting: Posting
    entry_no: int
    balance_after: int


def fold(balances: Mapping[UUID, Balance], postings: Iterable[Posting]) -> list[Entry]:
    """Give each posting its entry number and balance, in order; `balances` ends as the accounts' new state."""
    entries = []
    for posting in postings:
        account = balances[posting.account_id]
        account.balance += posting.change
        account.entry_no += 1
        entries.append(Entry(posting, account.entry_no, account.balance))
    return entries


@dataclass(slots=True)
class Sums:
    """Sums of changes of workers' balances by kind, in cents, and how many entries they are made of."""

    of: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def add(self, kind: str, change: int, count: int) -> None:
        self.of[kind] = self.of.get(kind, 0) + change
        self.count += count

    def less(self, other: Sums) -> Sums:
        """What is left of these sums without those that are part of them."""
        kinds = {kind: change - other.of.get(kind, 0) for kind, change in self.of.items()}
        return Sums(kinds, self.count - other.count)

    @property
    def fees(self) -> int:
        return -self.of.get(Kind.FEE, 0)

    @property
    def earned(self) -> int:
        return self.of.get(Kind.EARNING, 0)

    @property
    def reversed(self) -> int:
        return -self.of.get(Kind.REVERSAL, 0)

    @property
    def income(self) -> int:
        """Management's income: fees charged - rewards earned + rewards reversed; never corrections or payouts (B3)."""
        return self.fees - self.earned + self.reversed

    @property
    def paid(self) -> int:
        return -self.of.get(Kind.PAYOUT, 0) - self.of.get(Kind.PAYOUT_RETURN, 0)

    @property
    def corrections(self) -> int:
        return self.of.get(Kind.ADJUSTMENT, 0)

    @property
    def work(self) -> int:
        """What work changed on the workers' balances: a worker's earnings, with fees taken off."""
        return -self.income


def together(many: Iterable[Sums]) -> Sums:
    """What several sums are in all."""
    found = Sums()
    for sums in many:
        for kind, change in sums.of.items():
            found.add(kind, change, 0)
        found.count += sums.count
    return found


def correction_amount(cents: int, *, limit: int) -> int:
    """The amount of a correction in cents; raises LedgerError unless it is above zero and at most the limit (B6)."""
    if not 0 < cents <= limit:
        raise LedgerError(f"a correction is above zero and at most {limit} cents")
    return cents


REASON_SEEN, REASON_MOST = 10, 500


def correction_reason(text: str) -> str:
    """The reason of a correction, trimmed; raises LedgerError unless it has 10 to 500 characters (B6).

    The ten are characters that one sees.
    """
    reason = text.strip()
    if len(seen(reason)) < REASON_SEEN or len(reason) > REASON_MOST:
        raise LedgerError(f"a reason has {REASON_SEEN} to {REASON_MOST} characters")
    return reason

"""What events say to analytics, read from the form in which they are kept.

Live events pass through that form as well, so that a rebuild reads exactly what the consumer read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

# Everything of an account event that may be kept for ever; names and addresses are not among it (A3).
ALLOWED_OF_ACCOUNTS = frozenset(
    {"account_id", "version", "role", "previous_role", "active", "session_epoch", "actor_id"}
)
_ACCOUNTS = "auth"

_TITLE_MAX = 200
_JIRA_ID = r"[A-Za-z][A-Za-z0-9_]{0,39}-[0-9]{1,19}"
_TAGGED = re.compile(rf"\[\s*(?P<jira_id>{_JIRA_ID})\s*\]\s*(?:[-\u2013\u2014](?:\s+|$))?(?P<title>.*)", re.DOTALL)
_NOT_IN_TITLES = re.compile(r"[\[\]\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ForeignCurrency(ValueError):
    """A transaction in another currency than this installation's: the two cannot be added up."""


class ContradictoryTransaction(ValueError):
    """A transfer that is known already, with another content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One TransactionPosted. `amount` in cents: what the worker's balance changes by."""

    transfer_id: UUID
    account_id: UUID
    task_id: UUID | None
    kind: str
    amount: int
    currency: str
    occurred_at: datetime
    business_date: date
    reverses: UUID | None


@dataclass(frozen=True, slots=True)
class Income:
    """Parts of management's income in cents, each counted as billing names it (B3)."""

    fees: int = 0
    earnings: int = 0
    reversals: int = 0

    def __add__(self, other: Income) -> Income:
        return Income(self.fees + other.fees, self.earnings + other.earnings, self.reversals + other.reversals)

    @property
    def total(self) -> int:
        """Management's income in cents: fees charged - rewards earned + rewards reversed."""
        return self.fees - self.earnings + self.reversals


@dataclass(frozen=True, slots=True)
class Standing:
    """Role and activity of an account as of its version."""

    account_id: UUID
    version: int
    role: str
    is_active: bool

    @property
    def id(self) -> UUID:
        return self.account_id


@dataclass(frozen=True, slots=True)
class TaskText:
    """Title and Jira id of a task as of its version."""

    task_id: UUID
    version: int
    title: str
    jira_id: str | None

    @property
    def id(self) -> UUID:
        return self.task_id


class Versioned(Protocol):
    """The state of something at a version of it."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


State = TypeVar("State", bound=Versioned)


def json_form(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data as JSON can hold it and as it is kept: times in UTC and days as ISO text, nothing rounded."""
    return {name: _json_value(value) for name, value in data.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def kept_for_ever(*, producer: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What of an event's data is kept: everything, but of accounts no name, position or address (A3)."""
    if producer != _ACCOUNTS:
        return dict(data)
    return {name: value for name, value in data.items() if name in ALLOWED_OF_ACCOUNTS}


def read_entry(data: Mapping[str, Any], *, currency: str) -> Entry:
    """The entry of a kept TransactionPosted.

    Raises ForeignCurrency for another currency than the installation's, ValueError for a malformed id.
    """
    if data["currency"] != currency:
        raise ForeignCurrency(f"A transaction in {data['currency']}, where {currency} is counted.")
    return Entry(
        transfer_id=UUID(data["transfer_id"]),
        account_id=UUID(data["account_id"]),
        task_id=_optional_id(data["task_id"]),
        kind=data["kind"],
        amount=data["amount"],
        currency=data["currency"],
        occurred_at=datetime.fromisoformat(data["occurred_at"]),
        business_date=date.fromisoformat(data["business_date"]),
        reverses=_optional_id(data["reverses"]),
    )


def read_standing(data: Mapping[str, Any]) -> Standing:
    """Role and activity from any kept account event; AccountDeleted says neither and means nobody any more."""
    return Standing(UUID(data["account_id"]), data["version"], data.get("role", ""), data.get("active", False))


def read_task_text(data: Mapping[str, Any]) -> TaskText:
    """The title from a kept TaskCreated or TaskUpdated; version 1 has it inside its description (T1)."""
    if "title" in data:
        title, jira_id = data["title"], data["jira_id"]
    else:
        title, jira_id = _heading(data["description"])
    return TaskText(UUID(data["task_id"]), data["version"], title, jira_id)


def _heading(description: str) -> tuple[str, str | None]:
    """`[popug-42] - Wash the cage` is title `Wash the cage` of POPUG-42; what does not fit is the title as it is."""
    text = description.strip()
    tagged = _TAGGED.fullmatch(text)
    title = tagged["title"].strip() if tagged else text
    if not title or len(title) > _TITLE_MAX or _NOT_IN_TITLES.search(title):
        return description, None
    return title, tagged["jira_id"].upper() if tagged else None


def unique_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Each transfer once, by id. Raises ContradictoryTransaction when one comes with two contents."""
    known: dict[UUID, Entry] = {}
    for entry in entries:
        if known.setdefault(entry.transfer_id, entry) != entry:
            raise ContradictoryTransaction(f"Transfer {entry.transfer_id} came with two contents.")
    return sorted(known.values(), key=lambda entry: entry.transfer_id)


def latest(states: Iterable[State]) -> Sequence[State]:
    """The highest version of each, by id: the fold of a batch."""
    highest: dict[UUID, State] = {}
    for state in states:
        if state.id not in highest or state.version > highest[state.id].version:
            highest[state.id] = state
    return sorted(highest.values(), key=lambda state: state.id)


def income_of(entry: Entry) -> Income:
    """What an entry adds to management's income; payouts, returns and corrections are never income (B3)."""
    match entry.kind:
        case "fee":
            return Income(fees=-entry.amount)
        case "earning":
            return Income(earnings=entry.amount)
        case "reversal":
            return Income(reversals=-entry.amount)
        case _:
            return Income()


def _optional_id(text: str | None) -> UUID | None:
    return UUID(text) if text else None

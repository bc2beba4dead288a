"""Rules of tasks: no Django in here; the clock and the randomness are arguments.

Numbers such as T1 are those of the requirements. Times are aware UTC.
"""

import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

OPEN = "open"
DONE = "done"

# Why a task was assigned: the `cause` of TaskAssigned.
CREATED = "created"
REASSIGNED = "reassigned"
LEFT = "left"
REOPENED = "reopened"
WAITED = "waited"
CROSSED = "crossed"
# Why a completion was taken back: the `cause` of TaskReopened, beside REOPENED.
UNDONE = "undone"

TITLE_MAX = 200
DESCRIPTION_MAX = 10_000
UNDO_WINDOW = timedelta(minutes=10)
SYSTEM = "system"
WORKER = "worker"

_LEADERS = frozenset({"manager", "admin"})
_JIRA_ID = r"[A-Za-z][A-Za-z0-9_]{0,39}-[0-9]{1,19}"
# The dash after the bracket is a separator only with a space behind it: "[A-1] -5 degrees" is about minus five.
_TAGGED = re.compile(rf"\[\s*(?P<jira_id>{_JIRA_ID})\s*\]\s*(?:[-\u2013\u2014](?:\s+|$))?(?P<title>.*)", re.DOTALL)

Item = TypeVar("Item")


class Refused(Exception):
    """A use case that the rules do not allow now. The message is for the person who asked: it says why."""


class TextError(ValueError):
    """A title or description that T1 does not allow. `code` is empty, lines, brackets, long or description."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Heading:
    """What a person typed as a title, read by T1."""

    title: str
    jira_id: str | None = None


def heading_read(text: str) -> Heading:
    """Read `[popug-42] - Wash the cage` as Jira id POPUG-42 and title `Wash the cage` (T1).

    Raises TextError when the title is empty, longer than 200 characters, of several lines, or holds a bracket.
    """
    text = unicodedata.normalize("NFC", text).strip()
    tagged = _TAGGED.fullmatch(text)
    title = tagged["title"].strip() if tagged else text
    title_check(title)
    return Heading(title, tagged["jira_id"].upper() if tagged else None)


def heading_read_v1(description: str) -> Heading:
    """Read the description of a TaskCreated of version 1; what does not fit becomes the title as it is (T1)."""
    try:
        return heading_read(description)
    except TextError:
        return Heading(description)


def title_check(title: str) -> None:
    """Raise TextError unless the title is one line of 1 to 200 characters without brackets (T1)."""
    if not title.strip():
        raise TextError("empty")
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in title):
        raise TextError("lines")
    if "[" in title or "]" in title:
        raise TextError("brackets")
    if len(title) > TITLE_MAX:
        raise TextError("long")


def description_read(text: str) -> str:
    """Plain text with line feeds only: the limit counts what was typed, not the pairs that a browser sends (T1).

    Raises TextError above 10,000 characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > DESCRIPTION_MAX:
        raise TextError("description")
    return text


def task_id_new(*, now: datetime, rng: random.Random) -> UUID:
    """A version 7 UUID: ids made later sort later, so that inserts touch the end of an index."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & (1 << 48) - 1) << 80 | rng.getrandbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return UUID(int=value)


def rng_of(event_id: UUID) -> random.Random:
    """Randomness for what an event causes: the same event, replayed, draws the same."""
    return random.Random(event_id.int)  # noqa: S311 nobody can steer the id of an event


def draw(workers: Sequence[Item], *, rng: random.Random) -> Item:
    """One worker, each equally likely (T2). Raises IndexError without any."""
    return rng.choice(workers)


def draw_each(count: int, workers: Sequence[Item], *, rng: random.Random) -> list[Item]:
    """A worker for each of `count` tasks, drawn independently: somebody may get none, somebody ten (T3)."""
    return [draw(workers, rng=rng) for _ in range(count)]


def leaver_cause(*, assigned_at: datetime, left_at: datetime) -> str:
    """`crossed` when the assignment was made after the worker had left but before anybody here knew (T7)."""
    return CROSSED if assigned_at > left_at else LEFT


def is_leader(role: str) -> bool:
    """Managers and admins pick assignees, complete any task, reopen and reassign (T2, T3, T4)."""
    return role in _LEADERS


def may_complete(*, actor_id: UUID, role: str, assignee_id: UUID | None) -> bool:
    """The assignee, managers and admins; nobody completes a task that waits for a worker (T4)."""
    return assignee_id is not None and (actor_id == assignee_id or is_leader(role))


def may_undo(*, actor_id: UUID, completed_by_id: UUID | None, completed_at: datetime | None, now: datetime) -> bool:
    """Who pressed done, for ten minutes (T4)."""
    return completed_at is not None and actor_id == completed_by_id and now - completed_at <= UNDO_WINDOW

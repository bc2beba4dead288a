"""Rules of tasks: no Django in here; the clock and the randomness are arguments.

Numbers such as T1 are those of the requirements. Times are aware UTC.
"""

import random
import re
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from chassis.texts import is_plain_line, is_visible

OPEN = "open"
DONE = "done"

# Why a task was assigned: the `cause` of TaskAssigned.
CREATED = "created"
# What the history of a task keeps of it instead: whether somebody picked the first assignee.
PICKED = "picked"
DRAWN = "drawn"
REASSIGNED = "reassigned"
LEFT = "left"
REOPENED = "reopened"
WAITED = "waited"
CROSSED = "crossed"
# Why a completion was taken back: the `cause` of TaskReopened, beside REOPENED.
UNDONE = "undone"

# How somebody is told of an assignment (T5).
MAIL = "mail"
SMS = "sms"
SLACK = "slack"
# What stands for the address in the operator's template of a channel.
PLACEHOLDERS = {SMS: "{number}", SLACK: "{member}"}

TITLE_MAX = 200
DESCRIPTION_MAX = 10_000
NOTE_MAX = 500
UNDO_WINDOW = timedelta(minutes=10)
# Assignments to one person within this time go as one message, which names so many of them (T5).
GROUPED_WITHIN = timedelta(seconds=60)
TITLES_TOLD = 20
CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
CODE_PAUSE = timedelta(minutes=1)
CODES_A_DAY = 5
SYSTEM = "system"
WORKER = "worker"

_LEADERS = frozenset({"manager", "admin"})
_JIRA_ID = r"[A-Za-z][A-Za-z0-9_]{0,39}-[0-9]{1,19}"
# The dash after the bracket is a separator only with a space behind it: "[A-1] -5 degrees" is about minus five.
_TAGGED = re.compile(rf"\[\s*(?P<jira_id>{_JIRA_ID})\s*\]\s*(?:[-\u2013\u2014](?:\s+|$))?(?P<title>.*)", re.DOTALL)

# What separates words; the index of words is made with the same characters.
_TO_SPACES = str.maketrans(dict.fromkeys(string.punctuation, " "))
# E.164, and the ids of people in Slack. ASCII only: what passes is put into an address.
_PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SLACK_MEMBER = re.compile(r"[UW][A-Z0-9]{8,14}")

# A second reassignment of the same person within this time may be Back and the same press again: it is asked about.
_SOON = timedelta(minutes=2)

Item = TypeVar("Item")


class Refused(Exception):
    """A use case that the rules do not allow now. The message is for the person who asked: it says why."""


def reassigned_just_now(last: datetime | None, *, now: datetime) -> bool:
    """Whether the last reassignment of a person is so recent that another one has to be meant."""
    return last is not None and last > now - _SOON


class TextError(ValueError):
    """A title or description that T1 does not allow. `code` is empty, lines, invisible, brackets, long or
    description."""

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

    Raises TextError when the title is empty or invisible, longer than 200 characters, of several lines, or holds a
    bracket.
    """
    text = unicodedata.normalize("NFC", text).strip()
    tagged = _TAGGED.fullmatch(text)
    title = tagged["title"].strip() if tagged else text
    title_check(title)
    return Heading(title, tagged["jira_id"].upper() if tagged else None)


def title_check(title: str) -> None:
    """Raise TextError unless the title is one visible line of 1 to 200 characters without brackets (T1)."""
    if not title.strip():
        raise TextError("empty")
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in title):
        raise TextError("lines")
    if not is_visible(title) or not is_plain_line(title):
        raise TextError("invisible")
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


def may_edit(*, actor_id: UUID, role: str, creator_id: UUID) -> bool:
    """The creator, managers and admins edit the texts of an open task (T8)."""
    return actor_id == creator_id or is_leader(role)


def words_of(text: str) -> list[str]:
    """The words of a search as the index has them: lower case, without punctuation (T8)."""
    return text.lower().translate(_TO_SPACES).split()


def address_read(channel: str, text: str) -> str:
    """A phone number or Slack member id in its one spelling (T5). Raises ValueError for anything else."""
    if channel == SMS:
        number = re.sub(r"[ ()./-]", "", text)
        if _PHONE_NUMBER.fullmatch(number):
            return number
    elif channel == SLACK:
        member = text.strip()
        if _SLACK_MEMBER.fullmatch(member.upper()) and member.isascii():
            return member.upper()
    raise ValueError(f"not an address of {channel}")


def template_check(channel: str, template: str) -> str:
    """The operator's address template of a channel; an empty one switches the channel off.

    Raises ValueError when it does not say where the address belongs.
    """
    if template and template.count(PLACEHOLDERS[channel]) != 1:
        raise ValueError(f"the address template of {channel} has {PLACEHOLDERS[channel]} exactly once")
    return template


def code_new(*, rng: random.Random) -> str:
    """Six digits that confirm an address."""
    return f"{rng.randrange(10**6):06}"

"""Finding what a complaint is about: a worker, a task by title or Jira id, an entry by its id (B8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.contrib.postgres.search import SearchVector
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from billing.models import LedgerAccount, Task, TaskPrice, Transfer
from billing.selectors.people import accounts_of
from chassis.queries import beginnings, with_words
from chassis.replica.models import Account

# Words that more than COMMON of the FIRST rows have are common.
FIRST, COMMON = 500, 20
_WORD = re.compile(r"[^\s'\\:&|!()<>*]+")
Row = TypeVar("Row", Account, Task)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def uuid_in(text: str) -> UUID | None:
    """The last id that stands in a text, as in the address of a page."""
    found = _UUID.findall(text)
    return UUID(found[-1]) if found else None


def find_workers(text: str) -> QuerySet[Account]:
    """Accounts whose name or address has all the words, each from its beginning; or the one with this id."""
    if id_ := uuid_in(text):
        return Account.objects.filter(id=id_)
    return _with_words(Account.objects.all(), SearchVector("full_name", "email", config="simple"), text, order="id")


def find_tasks(text: str) -> QuerySet[Task]:
    """Tasks with this Jira id, or whose title has all the words, each from its beginning; or the one with this id.

    Ids rise with time: from the highest on, the newest come first.
    """
    if id_ := uuid_in(text):
        return Task.objects.filter(id=id_)
    named = Task.objects.exclude(jira_id="").filter(jira_id=text.strip().strip("[]").upper())
    if named.exists():
        return named
    return _with_words(Task.objects.exclude(title=""), SearchVector("title", config="simple"), text, order="-id")


def find_entries(text: str) -> QuerySet[Transfer]:
    """The entry with this id or idempotency key, and all of a cause: an entry belongs to one event."""
    id_ = uuid_in(text)
    exact = Q(idempotency_key=text.strip())
    return Transfer.objects.filter(exact | Q(id=id_) if id_ else exact)


@dataclass(frozen=True, slots=True)
class Found:
    """A task with what tells it from others of the same title."""

    task: Task
    assignee: Account | None
    price: TaskPrice | None


def described(tasks: Sequence[Task]) -> list[Found]:
    """The tasks with their assignees and prices."""
    people = accounts_of(task.assignee_id for task in tasks if task.assignee_id)
    prices = TaskPrice.objects.in_bulk([task.id for task in tasks])
    return [Found(task, people[task.assignee_id] if task.assignee_id else None, prices.get(task.id)) for task in tasks]


def balances(accounts: Sequence[Account]) -> dict[UUID, int]:
    """The balances of those who have a ledger account, in cents."""
    rows = LedgerAccount.objects.filter(id__in=[account.id for account in accounts])
    return dict(rows.values_list("id", "balance"))


def _with_words(rows: QuerySet[Row], vector: SearchVector, text: str, *, order: str) -> QuerySet[Row]:
    """The rows in an order by id whose `vector` has each word of the text; none for a text without words."""
    words = _WORD.findall(text)
    if not words:
        return rows.none()
    rows = rows.alias(words=vector)
    query = beginnings(words)
    return with_words(
        rows,
        match=ExpressionWrapper(Q(words=query), output_field=BooleanField()),
        ids=rows.filter(words=query).values("pk"),
        order=(order,),
        first=FIRST,
        common=COMMON,
    ).order_by(order)

"""The answer to a complaint about a task: price, what was received, what was posted, and which case it is (B8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.domain import Case, Evidence, Kind, case_of
from billing.models import Task, TaskPrice, Transfer
from billing.selectors.dead_letters import letters_of
from billing.selectors.people import accounts_of
from billing.selectors.statements import Line, lines
from chassis.replica.models import Account

MOST_WORKERS = 50
EVENT_OF = {Kind.FEE: "TaskAssigned", Kind.EARNING: "TaskCompleted", Kind.REVERSAL: "TaskReopened"}


@dataclass(frozen=True, slots=True)
class Received:
    """An event of the task that was received and applied; `received_at` is the broker's time, `entry` its effect."""

    name: str
    number: int | None
    happened_at: datetime | None
    received_at: datetime | None
    line: Line | None


@dataclass(frozen=True, slots=True)
class Complaint:
    """All that billing knows of a task, apart from its entries, which may be many."""

    task: Task
    price: TaskPrice | None
    assignee: Account | None
    workers: list[Account]
    case: Case
    standing: Line | None
    taken_back: Line | None
    letters: list[Any]


def complaint(task_id: UUID, *, worker_id: UUID | None = None) -> Complaint:
    """What became of a task's reward, for everybody or from the side of one worker."""
    known = Task.objects.filter(id=task_id).first()
    task = known or Task(id=task_id)
    price = TaskPrice.objects.filter(task_id=task_id).first()
    posted = Transfer.objects.filter(task_id=task_id)
    reversals = posted.filter(kind=Kind.REVERSAL)
    earnings = posted.filter(kind=Kind.EARNING)
    standing = earnings.exclude(id__in=reversals.values("reverses")).order_by("-occurred_at", "-id").first()
    taken_back = reversals.order_by("-occurred_at", "-id").first()
    letters = letters_of(task_id)
    evidence = Evidence(
        # Not by its price: billing restores that from what it published itself.
        received=known is not None or posted.filter(kind__in=EVENT_OF).exists(),
        completions=task.completion_no,
        earnings=earnings.count(),
        standing=standing.account_id if standing else None,
        letters=any(letter.is_open for letter in letters),
    )
    ids = list(posted.order_by("account_id").values_list("account_id", flat=True).distinct()[:MOST_WORKERS])
    people = accounts_of([*ids, *filter(None, [task.assignee_id])])
    named = {line.entry.id: line for line in lines([entry for entry in (standing, taken_back) if entry])}
    return Complaint(
        task=task,
        price=price,
        assignee=people[task.assignee_id] if task.assignee_id else None,
        workers=sorted((people[id_] for id_ in ids), key=lambda account: account.name),
        case=case_of(evidence, worker_id=worker_id),
        standing=named[standing.id] if standing else None,
        taken_back=named[taken_back.id] if taken_back else None,
        letters=letters,
    )


def received_events(task: Task, shown: list[Line]) -> list[Received]:
    """The events behind these entries, and those that brought the task's state; the latest received first."""
    found = [
        Received(
            name=EVENT_OF[Kind(line.entry.kind)],
            number=int(line.entry.idempotency_key.rpartition(":")[2]),
            happened_at=line.entry.occurred_at,
            received_at=line.entry.received_at or line.entry.recorded_at,
            line=line,
        )
        for line in shown
        if line.entry.kind in EVENT_OF
    ]
    if task.created_received_at:
        found.append(Received("TaskCreated", None, None, task.created_received_at, None))
    if task.state_received_at and (task.state_received_at != task.created_received_at or task.version > 1):
        found.append(Received("TaskUpdated", task.version, None, task.state_received_at, None))
    return sorted(found, key=lambda event: (event.received_at is not None, event.received_at), reverse=True)

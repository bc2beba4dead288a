"""A task as a row of a list: who has it and what the person who looks at it may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.replica.models import Account
from tasks import domain, selectors
from tasks.models import Task, TaskPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    task: Task
    price: TaskPrice | None
    assignee: Account | None
    mine: bool
    may_complete: bool
    may_undo: bool
    may_reopen: bool
    may_edit: bool
    refusal: str = ""


def rows_of(tasks: Iterable[Task], *, viewer: Account, now: datetime, refusal: str = "") -> list[Row]:
    """Rows for tasks that were read with their price; one more statement for all names."""
    tasks = list(tasks)
    accounts = selectors.accounts_by_id(task.assignee_id for task in tasks)
    return [
        Row(
            task=task,
            price=getattr(task, "price", None),
            assignee=accounts.get(task.assignee_id) if task.assignee_id else None,
            mine=task.assignee_id == viewer.pk,
            may_complete=task.is_open
            and domain.may_complete(actor_id=viewer.pk, role=viewer.role, assignee_id=task.assignee_id),
            may_undo=domain.may_undo(
                actor_id=viewer.pk, completed_by_id=task.completed_by_id, completed_at=task.completed_at, now=now
            ),
            may_edit=task.is_open and domain.may_edit(actor_id=viewer.pk, role=viewer.role, creator_id=task.creator_id),
            may_reopen=not task.is_open and domain.is_leader(viewer.role),
            refusal=refusal,
        )
        for task in tasks
    ]


def row_of(task_id: UUID, *, viewer: Account, now: datetime, refusal: str = "") -> Row:
    """Raises Task.DoesNotExist."""
    return rows_of([selectors.task_get(task_id)], viewer=viewer, now=now, refusal=refusal)[0]

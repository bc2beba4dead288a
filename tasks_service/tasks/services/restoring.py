"""After a restore from a backup: what this service told and does not know any more, taken back from its own topic."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from eventbus import Event, State
from tasks import domain
from tasks.events import published
from tasks.models import Task, TaskHistory

_TAKEN = ("title", "jira_id", "description", "status", "assignee_id", "assignment_no", "completion_no", "version")
_FOLLOWS = ("assigned_at", "completed_at", "completed_by_id")


@transaction.atomic
def tasks_take(events: Sequence[Event]) -> None:
    """Bring tasks to the newer states that these events tell, and make those that the backup did not have.

    Billing has charged and paid by these states. From an older one the next assignment and completion would have
    numbers that were used before, and a task that was done would be paid for twice. Who pressed done is not told.
    """
    known = Task.objects.select_for_update().in_bulk([UUID(event.key) for event in events])
    tasks = [_taken(known.get(UUID(event.key)), event) for event in events]
    made = [task for task in tasks if task.pk not in known]
    Task.objects.bulk_create(made)
    Task.objects.bulk_update([task for task in tasks if task.pk in known], [*_TAKEN, *_FOLLOWS])
    TaskHistory.objects.bulk_create(
        TaskHistory(
            task=task,
            version=task.version,
            kind=TaskHistory.Kind.RESTORED,
            at=event.time,
            account_id=task.assignee_id,
            number=task.assignment_no,
        )
        for task, event in zip(tasks, events, strict=True)
    )


def _taken(task: Task | None, event: Event) -> Task:
    data = event.data
    if task is None:
        task = Task(id=UUID(event.key), creator_id=UUID(data["creator_id"]), created_at=data["created_at"])
        task.assigned_at = event.time
    if task.assignment_no != data["assignment_no"]:
        task.assigned_at = event.time
    if (task.status, task.completion_no) != (data["status"], data["completion_no"]):
        task.completed_at = event.time if data["status"] == domain.DONE else None
        task.completed_by_id = None
    for name, value in _fields(data).items():
        setattr(task, name, value)
    return task


def _fields(data: Mapping[str, Any]) -> dict[str, Any]:
    heading = domain.Heading(data["title"], data["jira_id"]) if "title" in data else _old_heading(data["description"])
    return {
        **{name: data[name] for name in ("description", "status", "assignment_no", "completion_no", "version")},
        "title": heading.title,
        "jira_id": heading.jira_id or "",
        "assignee_id": UUID(data["assignee_id"]) if data["assignee_id"] else None,
    }


def _old_heading(description: str) -> domain.Heading:
    """Of version 1, which has a description alone; what does not fit is the title as it is (T1)."""
    try:
        return domain.heading_read(description)
    except domain.TextError:
        return domain.Heading(description[: domain.TITLE_MAX])


STATE = {"tasks-stream": State(Task.objects.all, published.task_state, take=tasks_take)}

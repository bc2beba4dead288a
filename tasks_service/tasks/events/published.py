"""What this service tells the others: a task, or a change of one, made into an event."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from eventbus import Event, event_id
from tasks import domain
from tasks.models import Task


class TaskState(Protocol):
    """A task as an event needs it: a model, or a row of a set-based statement."""

    @property
    def id(self) -> UUID | str: ...
    @property
    def version(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def jira_id(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def assignee_id(self) -> UUID | str | None: ...
    @property
    def assignment_no(self) -> int: ...
    @property
    def completion_no(self) -> int: ...
    @property
    def creator_id(self) -> UUID | str: ...
    @property
    def created_at(self) -> datetime: ...


def task_created(task: TaskState) -> Event:
    return Event(name="TaskCreated", version=2, key=str(task.id), time=task.created_at, data=_whole(task))


def task_updated(task: TaskState, *, at: datetime, caused: bool = False) -> Event:
    return _event("TaskUpdated", task, at, _whole(task), number=task.version, caused=caused)


def task_assigned(
    task: TaskState,
    *,
    at: datetime,
    cause: str,
    actor_id: UUID | str | None,
    reassignment_id: UUID | str | None = None,
    caused: bool = False,
) -> Event:
    data = {
        "task_id": str(task.id),
        "version": task.version,
        "account_id": str(task.assignee_id),
        "assignment_no": task.assignment_no,
        "cause": cause,
        "actor_id": _actor(actor_id),
        "reassignment_id": str(reassignment_id) if reassignment_id else None,
    }
    return _event("TaskAssigned", task, at, data, number=task.assignment_no, caused=caused)


def task_completed(task: TaskState, *, at: datetime, actor_id: UUID) -> Event:
    data = _completion(task, account_id=task.assignee_id, actor_id=actor_id)
    return _event("TaskCompleted", task, at, data, number=task.completion_no)


def task_reopened(task: TaskState, *, at: datetime, account_id: UUID, cause: str, actor_id: UUID) -> Event:
    """`account_id` had earned the reward that is taken back; the task may have another assignee by now."""
    data = {**_completion(task, account_id=account_id, actor_id=actor_id), "cause": cause}
    return _event("TaskReopened", task, at, data, number=task.completion_no)


def task_state(task: Task) -> Event:
    """The present state of a task, for `republish_state`."""
    return task_updated(task, at=task.completed_at or task.assigned_at)


def _event(
    name: str, task: TaskState, at: datetime, data: dict[str, Any], *, number: int, caused: bool = False
) -> Event:
    """An event caused by an event has an id made of what it does, so that a replay does not make a second one."""
    key = str(task.id)
    if caused:
        return Event(id=event_id(f"{name}:{key}:{number}"), name=name, version=1, key=key, time=at, data=data)
    return Event(name=name, version=1, key=key, time=at, data=data)


def _actor(actor_id: UUID | str | None) -> str:
    return str(actor_id) if actor_id else domain.SYSTEM


def _completion(task: TaskState, *, account_id: UUID | str | None, actor_id: UUID) -> dict[str, Any]:
    return {
        "task_id": str(task.id),
        "version": task.version,
        "account_id": str(account_id),
        "completion_no": task.completion_no,
        "actor_id": str(actor_id),
    }


def _whole(task: TaskState) -> dict[str, Any]:
    return {
        "task_id": str(task.id),
        "version": task.version,
        "title": task.title,
        "jira_id": task.jira_id or None,
        "description": task.description,
        "status": task.status,
        "assignee_id": str(task.assignee_id) if task.assignee_id else None,
        "assignment_no": task.assignment_no,
        "completion_no": task.completion_no,
        "creator_id": str(task.creator_id),
        "created_at": task.created_at,
    }

"""Giving tasks to workers, in sets: used by reassignments, leavers and newcomers."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from eventbus import Event, publish_many
from tasks.events import published

from .notifications import Assigned, assignments_note

# Small enough that the connection is never idle for seconds inside the transaction, and that memory stays flat.
CHUNK = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HeldTask(NamedTuple):
    """An open task that this transaction has locked. Ids are text: that is what events carry, and parsing 100,000 of
    them takes longer than drawing."""

    id: str
    assignee_id: str | None
    assigned_micros: int

    @property
    def assigned_at(self) -> datetime:
        return _time(self.assigned_micros)


class Drawn(NamedTuple):
    """Who gets a locked task, and why. Without a worker the task waits for one and costs nothing (T7)."""

    task: HeldTask
    worker_id: UUID | None
    cause: str


class MovedTask(NamedTuple):
    """A task as it is after the statement that moved it."""

    id: str
    version: int
    title: str
    jira_id: str
    description: str
    status: str
    assignee_id: str | None
    assignment_no: int
    completion_no: int
    creator_id: str
    created_micros: int
    assigned_micros: int
    cause: str

    @property
    def created_at(self) -> datetime:
        return _time(self.created_micros)

    @property
    def assigned_at(self) -> datetime:
        return _time(self.assigned_micros)


def array_literal(values: Iterable[str | None]) -> str:
    """Postgres' text for an array of ids or causes, none of which needs quoting."""
    return "{" + ",".join(value or "NULL" for value in values) + "}"


_HOLD = """
SELECT id::text, assignee_id::text, (extract(epoch FROM assigned_at) * 1000000)::bigint
FROM tasks_task WHERE status = 'open' AND {where} ORDER BY id FOR UPDATE
"""


def open_tasks_hold(where: str = "TRUE", params: Sequence[Any] = ()) -> list[HeldTask]:
    """Lock the open tasks that satisfy `where` (written by this package) until the transaction ends, in id order.

    A row that this waited for is returned as the transaction before left it, or not at all if it is done by now:
    Postgres evaluates the condition again for the locked row.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD.format(where=where), params)
        return [HeldTask(*row) for row in cursor.fetchall()]


def tasks_assign(
    *,
    drawn: Sequence[Drawn],
    at: datetime,
    actor_id: UUID | None,
    reassignment_id: UUID | None = None,
    caused: bool = False,
) -> None:
    """Move locked tasks, in id order as they were held, write their history, publish TaskAssigned and TaskUpdated, and
    note whom to tell.

    `at` is the time of the assignment; no task is assigned earlier than it was assigned before. `caused` by an event:
    the new events have ids that a replay repeats.
    """
    assigned: list[Assigned] = []
    for chunk in _chunks(drawn):
        moved = _move(chunk, at=at, actor_id=actor_id, reassignment_id=reassignment_id)
        publish_many(list(_events(moved, actor_id=actor_id, reassignment_id=reassignment_id, caused=caused)))
        assigned += [Assigned(task.assignee_id, task.id, task.assignment_no) for task in moved if task.assignee_id]
    assignments_note(assigned, at=at, reassignment_id=reassignment_id)


def _chunks(drawn: Sequence[Drawn]) -> Iterator[Sequence[Drawn]]:
    for start in range(0, len(drawn), CHUNK):
        yield drawn[start : start + CHUNK]


def _time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


_MOVE = """
WITH drawn AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(previous)s::uuid[], %(workers)s::uuid[], %(causes)s::text[])
        AS drawn (id, previous_id, worker_id, cause)
), moved AS (
    UPDATE tasks_task AS task
    SET assignee_id = drawn.worker_id,
        assigned_at = greatest(%(at)s, task.assigned_at),
        assignment_no = task.assignment_no + (drawn.worker_id IS NOT NULL)::int,
        version = task.version + 1
    FROM drawn WHERE task.id = drawn.id AND task.id BETWEEN %(first)s::uuid AND %(last)s::uuid
    RETURNING task.*, drawn.previous_id, drawn.cause
), noted AS (
    INSERT INTO tasks_taskhistory
        (task_id, version, kind, at, actor_id, account_id, previous_id, number, cause, reassignment_id)
    SELECT id, version, CASE WHEN assignee_id IS NULL THEN 'waiting' ELSE 'assigned' END, assigned_at, %(actor)s,
        assignee_id, previous_id, assignment_no, cause, %(reassignment)s
    FROM moved
)
SELECT id::text, version, title, jira_id, description, status, assignee_id::text, assignment_no, completion_no,
    creator_id::text, (extract(epoch FROM created_at) * 1000000)::bigint,
    (extract(epoch FROM assigned_at) * 1000000)::bigint, cause
FROM moved ORDER BY id
"""


def _move(
    drawn: Sequence[Drawn], *, at: datetime, actor_id: UUID | None, reassignment_id: UUID | None
) -> list[MovedTask]:
    names = {worker: str(worker) if worker else None for worker in {draw.worker_id for draw in drawn}}
    with connection.cursor() as cursor:
        cursor.execute(
            _MOVE,
            {
                # Held in id order: the range keeps each chunk from reading the whole table.
                "first": drawn[0].task.id,
                "last": drawn[-1].task.id,
                "ids": array_literal(draw.task.id for draw in drawn),
                "previous": array_literal(draw.task.assignee_id for draw in drawn),
                "workers": array_literal(names[draw.worker_id] for draw in drawn),
                "causes": array_literal(draw.cause for draw in drawn),
                "at": at,
                "actor": actor_id,
                "reassignment": reassignment_id,
            },
        )
        return [MovedTask(*row) for row in cursor.fetchall()]


def _events(
    moved: Sequence[MovedTask], *, actor_id: UUID | None, reassignment_id: UUID | None, caused: bool
) -> Iterator[Event]:
    actor = str(actor_id) if actor_id else None
    reassignment = str(reassignment_id) if reassignment_id else None
    for task in moved:
        at = task.assigned_at
        if task.assignee_id:
            yield published.task_assigned(
                task, at=at, cause=task.cause, actor_id=actor, reassignment_id=reassignment, caused=caused
            )
        yield published.task_updated(task, at=at, caused=caused)

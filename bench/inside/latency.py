"""From a commit in tasks to the commit of its posting in billing, at a steady rate, all processes of both running.

Both databases are of one cluster that notes the time of each commit (`track_commit_timestamp`), so that no clock, no
polling and no trigger stands between what is measured and the figure.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import perf_counter, sleep
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from bench.inside.tools import Connection, admin, empty, make_people, make_tasks
from bench.measure import percentile
from eventbus import publish
from tasks.events import published

TASKS = 10_000
PEOPLE = 8  # each waits for the disk at a commit, so one alone could not make five hundred a second
WARM_UP_SECONDS = 5
PATIENCE_SECONDS = 60.0

_ASSIGN = """
UPDATE tasks_task SET assignment_no = assignment_no + 1, version = version + 1, assigned_at = %s WHERE id = %s
RETURNING id, version, assignee_id, assignment_no, pg_current_xact_id()::xid::text
"""


class Assigned(NamedTuple):
    """A task after its assignment, as the event needs it, and the transaction that made it."""

    id: UUID
    version: int
    assignee_id: UUID
    assignment_no: int
    transaction: str


def measure(*, rate: int, duration: int, workers: int, repetitions: int) -> dict[str, list[float]]:
    """Percentiles in milliseconds, and the rate that was kept, of each run."""
    found: dict[str, list[float]] = {"p50": [], "p99": [], "rate": []}
    with admin("tasks") as tasks, admin("billing") as billing:
        empty(tasks, "tasks_task", "tasks_taskprice", "replica_account")
        make_tasks(tasks, TASKS, make_people(tasks, workers))
        ids = [row[0] for row in tasks.execute("SELECT id FROM tasks_task ORDER BY random()").fetchall()]
        _price(billing, ids)
        _await(billing, _run(ids, rate, WARM_UP_SECONDS)[0])
        for _ in range(repetitions):
            sent, taken = _run(ids, rate, duration)
            delays = _delays(billing, sent)
            found["p50"].append(percentile(delays, 0.5))
            found["p99"].append(percentile(delays, 0.99))
            found["rate"].append(len(sent) / taken)
    return found


def _price(billing: Connection, ids: Sequence[UUID]) -> None:
    """The tasks are known to billing, as most are when something happens to them."""
    billing.execute(
        "INSERT INTO billing_taskprice (task_id, fee, reward, key_id)"
        " SELECT id, 1500, 3000, 'bench' FROM unnest(%s::uuid[]) AS id",
        [list(ids)],
    )


def _run(ids: Sequence[UUID], rate: int, duration: int) -> tuple[list[Assigned], float]:
    """Assign tasks at a steady rate, a transaction each, as several people at once would.

    What is late is made up for: people do not wait for each other.
    """
    started = perf_counter()

    def person(first: int) -> list[Assigned]:
        sent = []
        for number in range(first, rate * duration, PEOPLE):
            if (early := started + number / rate - perf_counter()) > 0:
                sleep(early)
            sent.append(_assign(ids[number % len(ids)]))
        connection.close()
        return sent

    with ThreadPoolExecutor(PEOPLE) as pool:
        sent = [task for of_one in pool.map(person, range(PEOPLE)) for task in of_one]
    return sent, perf_counter() - started


def _assign(task_id: UUID) -> Assigned:
    now = datetime.now(UTC)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ASSIGN, [now, task_id])
            task = Assigned(*cursor.fetchone())
        event: Any = task
        publish(published.task_assigned(event, at=now, cause="reassigned", actor_id=None))
    return task


def _await(billing: Connection, sent: Sequence[Assigned]) -> dict[str, datetime]:
    """When the posting of each assignment was committed."""
    keys = [f"fee:{task.id}:{task.assignment_no}" for task in sent]
    deadline = perf_counter() + PATIENCE_SECONDS
    while perf_counter() < deadline:
        rows = billing.execute(
            "SELECT idempotency_key, pg_xact_commit_timestamp(xmin) FROM billing_transfer"
            " WHERE idempotency_key = ANY(%s)",
            [keys],
        ).fetchall()
        if len(rows) == len(keys):
            return dict(rows)
        sleep(0.5)
    raise RuntimeError(f"{len(rows)} of {len(keys)} assignments were posted.")


def _delays(billing: Connection, sent: Sequence[Assigned]) -> list[float]:
    """Milliseconds between the two commits of each assignment. Times of commits are known in each database."""
    posted = _await(billing, sent)
    rows = billing.execute(
        "SELECT id, pg_xact_commit_timestamp(id::xid) FROM unnest(%s::text[]) AS id",
        [[task.transaction for task in sent]],
    ).fetchall()
    committed = dict(rows)
    return [
        (posted[f"fee:{task.id}:{task.assignment_no}"] - committed[task.transaction]).total_seconds() * 1000
        for task in sent
    ]

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

import psycopg
from django.db import connection, transaction

from bench.inside.tools import Connection, admin, empty, make_people, make_tasks
from bench.measure import percentile
from eventbus import Event, publish_many
from eventbus.outbox import CHANNEL

TASKS = 10_000
PEOPLE = 8  # each waits for the disk at a commit, so one alone could not make five hundred a second
WARM_UP_SECONDS = 45  # after 15 the broker still spent two fifths of its time on compiling itself
PATIENCE_SECONDS = 60.0

_COLUMNS = "slot, topic, key, value, schema, event_id, event_time, traceparent"
# One statement, prepared: what the use case does to the database, without the time that Django and Avro take from the
# cores that everything here shares. The insert reads from the update, which has locked the task's row.
_ASSIGN = f"""
WITH moved AS (
    UPDATE tasks_task SET assignment_no = %s, version = %s, assigned_at = now() WHERE id = %s RETURNING id
)
INSERT INTO eventbus_outbox ({_COLUMNS}) SELECT %s, %s, %s, %s, %s, %s, %s, %s FROM moved
RETURNING pg_current_xact_id()::xid::text
"""


class Assignment(NamedTuple):
    """A task, the number of its next assignment, and the outbox row that tells of it."""

    task_id: UUID
    number: int
    row: tuple[Any, ...]

    @property
    def key(self) -> str:
        """The idempotency key of its posting."""
        return f"fee:{self.task_id}:{self.number}"


def measure(*, rate: int, duration: int, workers: int, repetitions: int) -> dict[str, list[float]]:
    """Percentiles in milliseconds, and the rate that was kept, of each run."""
    found: dict[str, list[float]] = {"p50": [], "p99": [], "rate": []}
    with admin("tasks") as tasks, admin("billing") as billing:
        empty(tasks, "tasks_task", "tasks_taskprice", "replica_account")
        make_tasks(tasks, TASKS, make_people(tasks, workers))
        rows = tasks.execute("SELECT id, assignee_id FROM tasks_task ORDER BY random()").fetchall()
        _price(billing, [row[0] for row in rows])
        done = 0
        for seconds in [WARM_UP_SECONDS, *[duration] * repetitions]:
            planned = [_assigned(*rows[n % TASKS], 2 + n // TASKS) for n in range(done, done + rate * seconds)]
            done += len(planned)
            sent, kept = _run(_with_rows(planned), rate)
            delays = _delays(billing, sent)
            found["p50"].append(percentile(delays, 0.5))
            found["p99"].append(percentile(delays, 0.99))
            found["rate"].append(kept)
    return {name: values[1:] for name, values in found.items()}


def _price(billing: Connection, ids: Sequence[UUID]) -> None:
    """The tasks are known to billing, as most are when something happens to them."""
    billing.execute(
        "INSERT INTO billing_taskprice (task_id, fee, reward, key_id)"
        " SELECT id, 1500, 3000, 'bench' FROM unnest(%s::uuid[]) AS id",
        [list(ids)],
    )


def _assigned(task_id: UUID, account_id: UUID, number: int) -> Event:
    key = str(task_id)
    data = {"task_id": key, "version": number, "account_id": str(account_id), "assignment_no": number}
    data |= {"cause": "reassigned", "actor_id": "system", "reassignment_id": None}
    return Event(name="TaskAssigned", version=1, key=key, time=datetime.now(UTC), data=data)


def _with_rows(planned: Sequence[Event]) -> list[Assignment]:
    """The outbox rows as `publish_many` makes them, which then were never there."""
    with transaction.atomic():
        publish_many(planned)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {_COLUMNS} FROM eventbus_outbox ORDER BY id")
            rows = cursor.fetchall()
        transaction.set_rollback(True)
    return [
        Assignment(UUID(event.key), event.data["assignment_no"], row) for event, row in zip(planned, rows, strict=True)
    ]


def _run(planned: Sequence[Assignment], rate: int) -> tuple[dict[str, str], float]:
    """Make assignments at a steady rate, a transaction each, as several people at once would.

    Returns the transaction of each key, and the rate. What is late is made up for: people do not wait for each other.
    """
    started = perf_counter()

    def person(first: int) -> list[tuple[str, str]]:
        parameters = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
        with psycopg.connect(**parameters, autocommit=True) as database:
            return [_assign(database, planned[n], started + n / rate) for n in range(first, len(planned), PEOPLE)]

    with ThreadPoolExecutor(PEOPLE) as pool:
        sent = dict(pair for of_one in pool.map(person, range(PEOPLE)) for pair in of_one)
    return sent, len(sent) / (perf_counter() - started)


def _assign(database: Connection, assignment: Assignment, due: float) -> tuple[str, str]:
    if (early := due - perf_counter()) > 0:
        sleep(early)
    number = assignment.number
    made = database.execute(_ASSIGN, (number, number, assignment.task_id, *assignment.row)).fetchone()
    database.execute(f"NOTIFY {CHANNEL}")
    if made is None:
        raise RuntimeError(f"There is no task {assignment.task_id}.")
    return assignment.key, made[0]


def _delays(billing: Connection, sent: dict[str, str]) -> list[float]:
    """Milliseconds between the two commits of each assignment. Times of commits are known in each database."""
    posted = _await(billing, list(sent))
    rows = billing.execute(
        "SELECT id, pg_xact_commit_timestamp(id::xid) FROM unnest(%s::text[]) AS id", [list(sent.values())]
    ).fetchall()
    committed = dict(rows)
    return [(posted[key] - committed[made]).total_seconds() * 1000 for key, made in sent.items()]


def _await(billing: Connection, keys: list[str]) -> dict[str, datetime]:
    """When the posting of each key was committed."""
    deadline = perf_counter() + PATIENCE_SECONDS
    rows: list[tuple[str, datetime]] = []
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

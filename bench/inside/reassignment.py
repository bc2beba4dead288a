"""Reassigning all open tasks by the use case itself, and one bare UPDATE of the same rows."""

import random
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from bench.inside.tools import Connection, admin, empty, make_people, make_tasks, price_tasks, seconds, settle
from chassis.replica.models import Account
from chassis.wsgi import make_application
from tasks.services import tasks_reassign

FILLED = ("tasks_task", "tasks_tasksearch", "tasks_taskprice", "replica_account")
WRITTEN = ("eventbus_outbox", "tasks_taskhistory", "tasks_reassignment", "tasks_notification")


def measure(*, tasks: int, workers: int, repetitions: int) -> dict[str, list[float]]:
    """Seconds of each run, the two in turn, in a process that is set up as the web process is."""
    make_application()
    found: dict[str, list[float]] = {"bare": [], "whole": []}
    with admin("tasks") as database:
        empty(database, *FILLED, *WRITTEN)
        people = _fill(database, tasks, workers)
        actor = Account.objects.get(role="manager")
        _bare_update(people)  # the table gets its room for second versions of rows
        for _ in range(repetitions):
            _settle(database)
            found["bare"].append(seconds(lambda: _bare_update(people)))
            _settle(database)
            found["whole"].append(seconds(lambda: _reassign(actor)))
            _check(database, tasks)
        empty(database, *FILLED, *WRITTEN)
    return found


def _fill(database: Connection, tasks: int, workers: int) -> list[UUID]:
    people = make_people(database, workers)
    make_tasks(database, tasks, people)
    price_tasks(database)
    return people


def _settle(database: Connection) -> None:
    empty(database, *WRITTEN)
    settle(database, *FILLED)


def _bare_update(people: list[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_task SET assignee_id = (%s::uuid[])[1 + floor(random() * %s)::int], assigned_at = now(),"
            " assignment_no = assignment_no + 1, version = version + 1 WHERE status = 'open'",
            [people, len(people)],
        )


def _reassign(actor: Account) -> None:
    tasks_reassign(key=uuid4(), actor=actor, again=True, now=timezone.now(), rng=random.SystemRandom())


def _check(database: Connection, tasks: int) -> None:
    """Two events and a line of history for each task, or it was not the whole work."""
    for table, expected in (("eventbus_outbox", 2 * tasks), ("tasks_taskhistory", tasks)):
        rows = database.execute(f"SELECT count(*) FROM {table}").fetchone()
        if rows is None or rows[0] != expected:
            raise RuntimeError(f"{table} has {rows} rows, not {expected}.")

"""What several measurements need: the superuser's connection, a clock, people and tasks."""

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any
from uuid import UUID

import psycopg

Connection = psycopg.Connection[Any]


def admin(service: str, database: str = "") -> Connection:
    """The superuser in a service's database, or in another one: fills tables, empties them, and vacuums."""
    address = os.environ[f"BENCH_ADMIN_{service.upper()}"]
    return psycopg.connect(address, dbname=database or service, autocommit=True)


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    started = perf_counter()
    action()
    return perf_counter() - started


def empty(database: Connection, *tables: str) -> None:
    """Forget all rows of tables, and of those that refer to them."""
    database.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")


def settle(database: Connection, *tables: str) -> None:
    """Leave nothing of what was before for the database to do while time is taken."""
    for table in tables:
        database.execute(f"VACUUM (ANALYZE) {table}")
    database.execute("CHECKPOINT")


def make_people(database: Connection, workers: int) -> list[UUID]:
    """Workers, a manager, an admin and one of finance; returns the workers' ids."""
    rows = [("worker", number) for number in range(workers)] + [("manager", 0), ("admin", 0), ("finance", 0)]
    database.execute(
        "INSERT INTO replica_account (id, email, full_name, position, role, is_active, session_epoch, state_version,"
        " access_version, is_deleted)"
        " SELECT uuidv7(), role || n || '@popug.example', initcap(role) || ' ' || n, '', role, true, 1, 1, 1, false"
        " FROM unnest(%s::text[], %s::int[]) AS person(role, n)",
        [[role for role, _ in rows], [number for _, number in rows]],
    )
    found = database.execute("SELECT id FROM replica_account WHERE role = 'worker' ORDER BY id").fetchall()
    return [row[0] for row in found]


def price_tasks(database: Connection) -> None:
    """Prices as billing would tell them."""
    database.execute(
        "INSERT INTO tasks_taskprice (task_id, fee, reward, currency) SELECT id, 1500, 3000, 'USD' FROM tasks_task"
    )


def make_tasks(database: Connection, count: int, people: list[UUID]) -> None:
    """Open tasks, spread evenly over people."""
    database.execute(
        "INSERT INTO tasks_task (id, title, jira_id, description, status, creator_id, created_at, assignee_id,"
        " assigned_at, assignment_no, completion_no, version)"
        " SELECT uuidv7(), 'Wash the cage number ' || n, 'POPUG-' || n, repeat('It is dirty. ', 10), 'open', %(who)s,"
        " now(), (%(people)s::uuid[])[1 + n %% %(workers)s], now(), 1, 0, 1 FROM generate_series(1, %(count)s) AS n",
        {"who": people[0], "people": people, "workers": len(people), "count": count},
    )


def set_letters_aside(database: Connection, count: int) -> None:
    """Dead letters, each of a key of its own, that somebody has to decide about."""
    database.execute("INSERT INTO eventbus_consumer_group (name) VALUES ('bench') ON CONFLICT DO NOTHING")
    database.execute(
        'INSERT INTO eventbus_dead_letter (group_id, topic, partition, "offset", key, value, headers, received_at,'
        " sequence_key, event_id, event_name, reason, error, state, attempts, resolved_by, resolution)"
        " SELECT (SELECT id FROM eventbus_consumer_group WHERE name = 'bench'), 'tasks', n %% 12, n, 'k', '?', '[]',"
        " now(), 'key ' || n, uuidv7(), 'TaskAssigned', 'handler', 'ValueError: nobody knows why', 'dead', 0, '', ''"
        " FROM generate_series(1, %s) AS n",
        [count],
    )
    settle(database, "eventbus_dead_letter")

"""The lists of tasks: each tab from its first page, the longest one from its middle, and the reassignments."""

from collections.abc import Iterator

from bench.inside.sites import Page, after_middle
from bench.inside.tools import Connection, empty, make_people, make_tasks, price_tasks, set_letters_aside, settle
from tasks.models import Task

TABLES = (
    "tasks_task",
    "tasks_tasksearch",
    "tasks_taskprice",
    "tasks_reassignment",
    "tasks_delivery",
    "replica_account",
    "eventbus_dead_letter",
)
FOUND = 5  # tasks whose words no other has
WORKERS = 8  # few, so that each of them has more than a page of a thousand tasks


def lists(database: Connection, size: int) -> Iterator[list[Page]]:
    """Half of the tasks are open."""
    empty(database, *TABLES)
    people = make_people(database, WORKERS)
    make_tasks(database, size, people)
    database.execute(
        "UPDATE tasks_task SET assigned_at = now() - n * interval '1 second',"
        " status = CASE n / 8 % 2 WHEN 0 THEN 'open' ELSE 'done' END,"
        " completed_at = now() - n * interval '1 second', completed_by_id = assignee_id"
        " FROM (SELECT id AS task, row_number() OVER (ORDER BY id) AS n FROM tasks_task) numbered WHERE id = task"
    )
    database.execute(
        "UPDATE tasks_task SET title = 'Polish the bell'"
        " WHERE id IN (SELECT id FROM tasks_task WHERE status = 'open' ORDER BY id LIMIT %s)",
        [FOUND],
    )
    price_tasks(database)
    database.execute(
        "INSERT INTO tasks_reassignment (id, actor_id, at, task_count, worker_count, fees, unpriced_count, currency)"
        " SELECT uuidv7(), %s, now() - n * interval '1 minute', 50, 8, 75000, 0, 'USD'"
        " FROM generate_series(1, %s) AS n",
        [people[0], size],
    )
    database.execute(
        "INSERT INTO tasks_delivery (account_id, channel, kind, message_id, address, subject, body, created_at,"
        " attempts, next_attempt_at, done_at, last_error)"
        " SELECT %s, 'mail', 'tasks', 'message ' || n, 'worker0@popug.example', 'A new task', 'Wash the cage',"
        " now() - n * interval '1 minute', 1, now(), now(), '' FROM generate_series(1, %s) AS n",
        [people[0], size],
    )
    settle(database, *TABLES)
    middle = after_middle(Task.objects.filter(status="open"), ("-assigned_at", "-id"))
    yield [
        Page("tasks, mine", "worker", "/"),
        Page("tasks, my done", "worker", "/?show=mine-done"),
        Page("tasks, all open", "manager", "/?show=open"),
        Page("tasks, all open, from the middle", "manager", f"/?show=open&after={middle}"),
        Page("tasks, all done", "manager", "/?show=done"),
        Page("tasks, a search that finds few", "manager", "/?show=open&q=polish+bell", FOUND),
        Page("tasks, a search that finds most", "manager", "/?show=open&q=wash+cage"),
        Page("reassignments", "manager", "/reassignments"),
        Page("notifications", "worker", "/notifications", 0),
    ]
    set_letters_aside(database, size)
    yield [Page("tasks, dead letters", "admin", "/dead-letters/")]


def exported(database: Connection, size: int) -> str:
    """As many open tasks with their prices; returns the address of their export."""
    empty(database, *TABLES)
    make_tasks(database, size, make_people(database, WORKERS))
    price_tasks(database)
    settle(database, *TABLES)
    return "/tasks/export?show=open&format=csv"

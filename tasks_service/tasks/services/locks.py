"""Locks, always taken in this order, so that no two use cases wait for each other in a circle:

1. the key of the form (`chassis.form_keys`),
2. an advisory lock: one run of "Reassign open tasks" at a time; one change of the set of workers at a time,
3. rows of workers: FOR SHARE to give them a task, FOR UPDATE to take their role away; several of them in id order,
4. rows of tasks, FOR UPDATE, several of them in id order,
5. the outbox, whose ids therefore rise in the order of the commits of each task.

Whoever draws one worker holds at most one worker's row: a row that turns out not to be an active worker's is released
(by rolling back its savepoint) before the next one is tried. What a lock protects is read in a statement after the one
that took it: a statement that waited still sees the world from before the wait.
"""

import random
from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from chassis.replica.models import Account
from tasks import domain, selectors
from tasks.models import Task

# Keys of pg_advisory_xact_lock(int, int): the service's number space and the lock.
_SPACE = 7_461_001
REASSIGNING = 1
WORKERS_CHANGING = 2
COMPOSING = 3
CODE_SENDING = 4


def advisory_lock(lock: int) -> None:
    """Wait for the lock; it goes with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_SPACE, lock])


def advisory_try(lock: int) -> bool:
    """Whether the lock was free and is held now; it goes with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_SPACE, lock])
        return bool(cursor.fetchone()[0])


def wait_patiently() -> None:
    """Let this transaction wait for locks almost as long as a statement may take: the run before it has much to do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '25s'")


def worker_lock(account_id: UUID) -> Account | None:
    """The account, locked FOR SHARE, if it is an active worker now that it is locked; otherwise None, not locked."""
    with transaction.atomic():
        _share([account_id])
        worker = selectors.workers().filter(pk=account_id).first()
        if worker is None:
            transaction.set_rollback(True)
    return worker


def worker_draw(*, rng: random.Random) -> Account | None:
    """A random active worker, locked FOR SHARE until the transaction ends; None when there is none (T2)."""
    tried: set[UUID] = set()
    while candidates := [account_id for account_id in selectors.worker_ids() if account_id not in tried]:
        drawn = domain.draw(candidates, rng=rng)
        if worker := worker_lock(drawn):
            return worker
        tried.add(drawn)
    return None


def workers_lock() -> list[UUID]:
    """All active workers, locked FOR SHARE, as they are now that they are locked; in id order."""
    locked = _share(selectors.worker_ids())
    return [account_id for account_id in selectors.worker_ids() if account_id in locked]


def task_lock(task_id: UUID) -> Task:
    """The task, locked until the transaction ends. Raises Task.DoesNotExist."""
    return Task.objects.select_for_update().get(pk=task_id)


def _share(ids: Iterable[UUID]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {Account._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR SHARE",  # noqa: S608
            [list(ids)],
        )
        return {row[0] for row in cursor.fetchall()}

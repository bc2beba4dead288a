"""The pointer to the projections that count, and the lock under which it moves.

Consumers hold the lock shared for each batch; rebuild takes it exclusively for a moment, twice or more.
"""

from __future__ import annotations

from django.db import connection

from analytics.models import (
    AccountBalance,
    AccountStanding,
    CompletedTask,
    DayIncome,
    Generation,
    TaskTitle,
    Transaction,
)

PROJECTIONS = (AccountBalance, AccountStanding, CompletedTask, DayIncome, TaskTitle, Transaction)
_LOCK = "hashtextextended('analytics.generation', 0)"
_SWEEP_ROWS = 20_000


def lock_shared() -> None:
    """Held to the end of the transaction: the pointer does not move meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")


def lock_exclusive() -> None:
    """Waits for the batches that run; the next ones wait for the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")


def current() -> int:
    """The generation that pages read."""
    return Generation.objects.get().number


def move_to(generation: int) -> None:
    """Readers follow from their next statement on."""
    Generation.objects.update(number=generation)


def sweep() -> None:
    """Delete the projections of all generations but the one that counts, some rows at a time."""
    with connection.cursor() as cursor:
        for model in PROJECTIONS:
            table = model._meta.db_table
            deleted = _SWEEP_ROWS
            while deleted == _SWEEP_ROWS:
                cursor.execute(
                    f"DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} WHERE generation <>"  # noqa: S608
                    " (SELECT number FROM analytics_generation) LIMIT %s)",
                    [_SWEEP_ROWS],
                )
                deleted = cursor.rowcount

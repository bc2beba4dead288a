"""Prices: fixed at first sight of a task, from its id alone, and never changed (B1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from billing.domain import Price, PriceConflict, price_of
from billing.events import published
from billing.metrics import PRICE_CONFLICTS
from billing.services.postings import uuid_array
from eventbus import Event, alarms, looks_twice, publish_many


def prices_ensure(first_seen: Mapping[UUID, datetime]) -> dict[UUID, Price]:
    """Prices of the tasks, in cents; draws and publishes those that are missing, and makes stubs of those tasks.

    `first_seen` has the event_time of each task's first event in the batch. Runs in the caller's transaction.
    """
    prices = _read(first_seen)
    missing = sorted(set(first_seen) - set(prices))
    if not missing:
        return prices
    key_id, key = next(iter(settings.PRICE_KEYS.items()))
    drawn = {task_id: price_of(key=key, task_id=task_id) for task_id in missing}
    inserted = _insert([(task_id, price, key_id) for task_id, price in drawn.items()])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_task (id, version, title, jira_id, status, assignment_no, completion_no)"
            " SELECT id, 0, '', '', '', 0, 0 FROM unnest(%s::uuid[]) AS id ORDER BY id ON CONFLICT (id) DO NOTHING",
            [uuid_array(missing)],
        )
    publish_many(
        published.task_priced(task_id=task_id, price=drawn[task_id], key_id=key_id, time=first_seen[task_id])
        for task_id in sorted(inserted)
    )
    if len(inserted) < len(missing):  # somebody else was first, perhaps with an older key: theirs holds
        return prices | _read(missing)
    return prices | drawn


@alarms(PriceConflict, PRICE_CONFLICTS)
@looks_twice
@transaction.atomic
def prices_restore(events: Sequence[Event]) -> None:
    """Take over prices that billing itself published before (a fresh or restored database).

    Raises PriceConflict if a task has another price here: money was already posted with it, people must look.
    """
    given = {
        UUID(event.data["task_id"]): (Price(event.data["fee"], event.data["reward"]), event.data["key_id"])
        for event in events
    }
    _insert([(task_id, price, key_id) for task_id, (price, key_id) in sorted(given.items())])
    stored = _read(given)
    different = [str(task_id) for task_id, (price, _) in given.items() if stored[task_id] != price]
    if different:
        raise PriceConflict(f"published with another price than stored: {', '.join(sorted(different)[:20])}")


def _read(task_ids: Iterable[UUID]) -> dict[UUID, Price]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_id, fee, reward FROM billing_taskprice WHERE task_id = ANY(%s::uuid[])", [uuid_array(task_ids)]
        )
        return {row[0]: Price(row[1], row[2]) for row in cursor.fetchall()}


def _insert(rows: Sequence[tuple[UUID, Price, str]]) -> set[UUID]:
    """Insert what is not there yet, in key order; returns the tasks that got their price now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_taskprice (task_id, fee, reward, key_id)"
            " SELECT * FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::text[]) AS v(task_id, fee, reward, key_id)"
            " ORDER BY task_id ON CONFLICT (task_id) DO NOTHING RETURNING task_id",
            [
                uuid_array(task_id for task_id, _, _ in rows),
                [price.fee for _, price, _ in rows],
                [price.reward for _, price, _ in rows],
                [key_id for _, _, key_id in rows],
            ],
        )
        return {row[0] for row in cursor.fetchall()}

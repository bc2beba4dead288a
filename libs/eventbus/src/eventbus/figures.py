"""Figures of the bus that the database knows, for the metrics of one process of a service.

Not of relay and consumers: while what they need is away, or they hang, they would go on telling their last number.
"""

from collections.abc import Callable
from typing import NamedTuple

from django.db import connection

from eventbus.catalogue import catalogue
from eventbus.conf import conf
from eventbus.dead_letters import open_dead_letters
from eventbus.positions import consumed_until, database_time
from eventbus.subscription import Subscription, subscriptions

_COUNT_AT_MOST = 100_000


class Figure(NamedTuple):
    """A number of the database, and what it says."""

    help: str
    read: Callable[[], float | None]  # None: there is nothing to say here


def outbox_rows() -> int:
    """Events waiting to be sent, 100,000 at most."""
    return _count("SELECT count(*) FROM (SELECT FROM eventbus_outbox LIMIT %s) waiting", _COUNT_AT_MOST)


def outbox_flagged_rows() -> int:
    """Events that cannot be sent as they are; those of their keys wait behind them."""
    return _count("SELECT count(*) FROM eventbus_outbox WHERE flagged_at IS NOT NULL")


def outbox_oldest_seconds() -> float:
    """Age of the event that waits longest, by the database's clock; 0 where none waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_at FROM eventbus_outbox ORDER BY id LIMIT 1")
        row = cursor.fetchone()
    return (database_time() - row[0]).total_seconds() if row else 0.0


def not_consumed_seconds() -> float | None:
    """How long ago everything received was consumed, by the consumer that is furthest behind; None before the first."""
    moments = [consumed_until(name) for name, found in subscriptions().items() if _runs(found)]
    known = [moment for moment in moments if moment is not None]
    return (database_time() - min(known)).total_seconds() if known else None


def _runs(subscription: Subscription) -> bool:
    """A topic of the service's own is read when something starts, not all the time."""
    return any(catalogue().writers[topic] != conf().service for topic in subscription.topics)


def _count(sql: str, *parameters: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.fetchone()[0])


FIGURES = {
    "eventbus_outbox_rows": Figure("Events waiting to be sent", outbox_rows),
    "eventbus_outbox_flagged_rows": Figure("Events that cannot be sent; their keys wait", outbox_flagged_rows),
    "eventbus_outbox_oldest_seconds": Figure("Age of the oldest event waiting to be sent", outbox_oldest_seconds),
    "eventbus_not_consumed_seconds": Figure("Since when not all that was received is consumed", not_consumed_seconds),
    "eventbus_dead_letters_open": Figure("Records that wait for a decision", open_dead_letters),
}

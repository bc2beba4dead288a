"""The transactional outbox: events are rows of the caller's transaction, or nothing."""

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

from django.db import connection, transaction

from eventbus.catalogue import Schema
from eventbus.codec import Headers, encode, pack_headers
from eventbus.conf import SLOTS, conf
from eventbus.errors import InvalidEvent
from eventbus.event import Event
from eventbus.tracing import current_traceparent, nearest, publishing

CHANNEL = "eventbus_outbox"

_COLUMNS = {
    "slot": "int2",
    "topic": "text",
    "key": "bytea",
    "value": "bytea",
    "schema": "bytea",
    "event_id": "uuid",
    "event_time": "timestamptz",
    "traceparent": "text",
    "headers": "bytea",
}
_INSERT = f"INSERT INTO eventbus_outbox ({', '.join(_COLUMNS)}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"  # noqa: S608
# A third of the time that text takes, on both sides; but it converts nothing: hence the types.
_COPY = f"COPY eventbus_outbox ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"

Row = tuple[Any, ...]


def publish(event: Event) -> None:
    """Put one event into the outbox of the current transaction.

    InvalidEvent if it does not fit its schema; TransactionManagementError outside of a transaction.
    Call it after the statement that locks the row behind the event's key: ids must rise in the order of commits.
    """
    publish_many([event])


def publish_many(events: Iterable[Event]) -> None:
    """Put events into the outbox of the current transaction, in this order. Errors as for `publish`."""
    _require_transaction()
    told = list(events)
    service = conf().service
    with publishing(event.name for event in told):
        current = current_traceparent()
        _insert([_row(event, service, nearest(event.traceparent, current)) for event in told])


def unsent() -> bool:
    """Whether an event is written that the broker has not yet taken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM eventbus_outbox)")
        return bool(cursor.fetchone()[0])


def publish_copies(copies: Iterable[tuple[str, bytes, bytes | None, Headers]]) -> None:
    """Put records that need no schema into the outbox: topic, key, value and headers as they are."""
    _require_transaction()
    _insert(
        [
            (slot(key), topic, key, value, None, None, None, "", pack_headers(found))
            for topic, key, value, found in copies
        ]
    )


def slot(key: bytes) -> int:
    """The part of the key space that a key belongs to, 0..63."""
    return crc32(key) % SLOTS


def _row(event: Event, service: str, traceparent: str) -> Row:
    schema, body = encode(event)
    _require_own(schema, service)
    key = event.key.encode()
    return (slot(key), schema.topic, key, body, schema.sha256, event.id, event.time, traceparent, None)


def _require_own(schema: Schema, service: str) -> None:
    if schema.producer != service:
        raise InvalidEvent(f"{schema.name} is written by {schema.producer}, not by {service}.")


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Events are published inside transaction.atomic() only.")


def _insert(rows: Sequence[Row]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(_INSERT, rows[0])
        else:
            with cursor.copy(_COPY) as copy:
                copy.set_types(list(_COLUMNS.values()))
                for row in rows:
                    copy.write_row(row)
    _wake_after_commit()


def _wake_after_commit() -> None:
    """Wake the relay once per transaction; not again if a hook is there that lives at least as long as this one."""
    here = set(connection.savepoint_ids)
    if not any(hook[1] is _wake and hook[0] <= here for hook in connection.run_on_commit):
        transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    # A statement of its own: inside the transaction NOTIFY would make commits wait for each other.
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")

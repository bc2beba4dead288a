"""The ceiling for one process in Python: poll, decode, COPY; nothing is decided and nothing looked up."""

import json
from collections.abc import Sequence
from io import BytesIO
from time import perf_counter
from typing import Any

import fastavro
from confluent_kafka import TopicPartition
from django.conf import settings
from django.db import connection, transaction

from bench.inside.plain import plain_consumer, take
from bench.inside.tools import Connection, empty, settle

BATCH = 500
PREFIX_BYTES = 5


class Rows:
    """All rows of a table, to be copied into it again: the same number for each event."""

    def __init__(self, database: Connection, table: str, events: int) -> None:
        columns = database.execute(
            "SELECT attname, atttypid FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [table],
        ).fetchall()
        names = ", ".join(f'"{row[0]}"' for row in columns)
        self.statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
        self.types = [row[1] for row in columns]
        self.rows: list[tuple[Any, ...]] = database.execute(f"SELECT {names} FROM {table}").fetchall()
        self.each, left = divmod(len(self.rows), events)
        if left or not self.each:
            raise RuntimeError(f"{table} has {len(self.rows)} rows for {events} events.")

    def copy(self, done: int, count: int) -> None:
        """Copy the rows of `count` events that come after `done` ones."""
        with connection.cursor() as cursor, cursor.copy(self.statement) as copy:
            copy.set_types(self.types)
            for row in self.rows[done * self.each : (done + count) * self.each]:
                copy.write_row(row)


def load(
    database: Connection, starts: Sequence[TopicPartition], events: int, tables: Sequence[str], before: Sequence[str]
) -> float:
    """Events per second of putting the present rows of `tables` there again, from empty tables.

    Rows of `before` are there from the start: transfers refer to them.
    """
    kept = [Rows(database, table, events) for table in tables]
    for table in before:
        database.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")
    empty(database, *tables, *before)
    for table in before:
        database.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        database.execute(f"DROP TABLE kept_{table}")
    settle(database, *tables)
    return _timed(starts, events, kept)


def _timed(starts: Sequence[TopicPartition], events: int, kept: Sequence[Rows]) -> float:
    schema = _schema()
    consumer = plain_consumer(list(starts))
    done = first = 0
    started = 0.0
    while done < events:
        messages = take(consumer, BATCH)
        for message in messages:
            fastavro.schemaless_reader(BytesIO((message.value() or b"")[PREFIX_BYTES:]), schema, None)
        with transaction.atomic():
            for rows in kept:
                rows.copy(done, len(messages))
        done += len(messages)
        if not first:  # connecting and the first fetch are not counted, on either side
            first, started = done, perf_counter()
    taken = perf_counter() - started
    consumer.close()
    return (done - first) / taken


def _schema() -> Any:
    path = settings.EVENTBUS["SCHEMAS"] / "tasks" / "task_assigned" / "1.avsc"
    return fastavro.parse_schema(json.loads(path.read_text()))

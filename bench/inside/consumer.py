"""Billing's consumer posting TaskAssigned, and the ceiling: poll, decode, COPY of the very rows that it wrote."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

from confluent_kafka import TopicPartition

from bench.inside.ceiling import load
from bench.inside.plain import Plain, ends, plain_producer, send, topic
from bench.inside.tools import Connection, admin, empty, settle
from eventbus import Consumer, Event
from eventbus.process import prepare
from eventbus.registry import CachedIds
from eventbus.testing import wire

# What a batch writes for each event, for each task that it sees first, and for each worker.
PER_EVENT = ("billing_transfer", "eventbus_inbox", "eventbus_outbox")
PER_TASK = ("billing_taskprice", "billing_task")
PER_WORKER = ("billing_ledgeraccount", "billing_accountday")


def measure(*, events: int, workers: int, known: bool, repetitions: int) -> dict[str, list[float]]:
    """Events per second of each run, the two in turn. `known`: the tasks have their prices, as in a reassignment."""
    found: dict[str, list[float]] = {"consumer": [], "ceiling": []}
    written = PER_EVENT if known else (*PER_EVENT, *PER_TASK)
    with admin("billing") as database:
        starts = ends("tasks")
        _know_partitions(database, starts)
        send(_assignments(events, workers), plain_producer())
        if known:
            _prepare(database, PER_TASK)
            _consumed(events)
        for _ in range(repetitions):
            _prepare(database, () if known else PER_TASK)
            found["consumer"].append(_consumed(events))
            found["ceiling"].append(load(database, starts, events, written, PER_WORKER))
        database.execute("DROP TABLE bench_offset")
    return found


def _assignments(events: int, workers: int) -> list[Plain]:
    """As tasks' relay would send them: one assignment of each of so many tasks."""
    people = [str(uuid4()) for _ in range(workers)]
    ids, now, chosen = CachedIds(), datetime.now(UTC), random.Random(1)
    actor, run = str(uuid4()), str(uuid4())
    records = []
    for _ in range(events):
        task = str(uuid4())
        data = {"task_id": task, "version": 2, "account_id": chosen.choice(people), "assignment_no": 2}
        data |= {"cause": "reassigned", "actor_id": actor, "reassignment_id": run}
        event = Event(name="TaskAssigned", version=1, key=task, time=now, data=data)
        name, key, value, headers = wire(event, ids)
        records.append(Plain(topic(name), key, value or b"", headers))
    return records


def _know_partitions(database: Connection, starts: Sequence[TopicPartition]) -> None:
    """Let the group note all its partitions, then keep the places where the records will begin."""
    consumer = Consumer.on_kafka("tasks")
    while _partitions(database) < 2 * len(starts):
        consumer.step()
    _leave(consumer)
    for name, places in (("tasks", starts), ("tasks-stream", ends("tasks-stream"))):
        for place in places:
            database.execute(
                "UPDATE eventbus_consumer_offset SET position = %s WHERE topic = %s AND partition = %s",
                [place.offset, name, place.partition],
            )
    database.execute("DROP TABLE IF EXISTS bench_offset")
    database.execute("CREATE TABLE bench_offset AS TABLE eventbus_consumer_offset")


def _partitions(database: Connection) -> int:
    return len(database.execute("SELECT FROM eventbus_consumer_offset").fetchall())


def _prepare(database: Connection, tables: Sequence[str]) -> None:
    """An empty ledger, these tables empty as well, and the group at the places where the records begin."""
    empty(database, *PER_EVENT, *PER_WORKER, "billing_cycle", *tables)
    database.execute(
        "UPDATE eventbus_consumer_offset o SET position = b.position FROM bench_offset b WHERE o.id = b.id"
    )
    settle(database, *PER_EVENT, *PER_TASK, *PER_WORKER)


def _consumed(events: int) -> float:
    """Events per second from the end of the first batch to the end of the last."""
    consumer = Consumer.on_kafka("tasks", prepare())
    while not (first := consumer.step()):
        pass
    done, started = first, perf_counter()
    while done < events:
        done += consumer.step()
    taken = perf_counter() - started
    _leave(consumer)
    return (done - first) / taken


def _leave(consumer: Consumer) -> None:
    consumer.stop()
    consumer.run()

"""The relay emptying an outbox, and a producer without outbox, transactions or database sending the same records."""

from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from django.db import transaction

from bench.inside.plain import ends, plain_producer, read, send
from bench.inside.tools import Connection, admin, empty, seconds, settle
from eventbus import Event, Relay, publish_many

CHUNK = 5_000


def measure(*, rows: int, repetitions: int) -> dict[str, list[float]]:
    """Rows per second of each run, the two in turn."""
    found: dict[str, list[float]] = {"relay": [], "raw": []}
    with admin("tasks") as database:
        empty(database, "eventbus_outbox")
        _publish(rows)
        database.execute("CREATE TABLE bench_outbox AS TABLE eventbus_outbox")
        starts = ends("tasks")
        _relayed(rows)
        records = read(starts, rows)
        for _ in range(repetitions):
            _refill(database)
            found["relay"].append(rows / _relayed(rows))
            producer = plain_producer()
            found["raw"].append(rows / seconds(partial(send, records, producer)))
        database.execute("DROP TABLE bench_outbox")
    return found


def _publish(rows: int) -> None:
    now = datetime.now(UTC)
    for _ in range(0, rows, CHUNK):
        with transaction.atomic():
            publish_many(_assigned(now) for _ in range(CHUNK))


def _assigned(now: datetime) -> Event:
    task, actor = str(uuid4()), str(uuid4())
    data = {"task_id": task, "version": 2, "account_id": str(uuid4()), "assignment_no": 1, "cause": "reassigned"}
    data |= {"actor_id": actor, "reassignment_id": str(uuid4())}
    return Event(name="TaskAssigned", version=1, key=task, time=now, data=data)


def _refill(database: Connection) -> None:
    empty(database, "eventbus_outbox")
    database.execute("INSERT INTO eventbus_outbox SELECT * FROM bench_outbox ORDER BY id")
    settle(database, "eventbus_outbox")


def _relayed(rows: int) -> float:
    relay = Relay()
    if not relay.claim():
        raise RuntimeError("Another relay has the shard.")
    sent = []

    def empty_outbox() -> None:
        while count := relay.step():
            sent.append(count)

    taken = seconds(empty_outbox)
    relay.close()
    if sum(sent) != rows:
        raise RuntimeError(f"The relay sent {sum(sent)} of {rows} rows.")
    return taken

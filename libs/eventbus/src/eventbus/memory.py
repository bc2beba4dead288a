"""A broker in memory, for tests without Kafka. It passes the same contract suite."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zlib import crc32

from django.db import connection, transaction

from eventbus import positions
from eventbus.codec import Headers, Record
from eventbus.consumer import Consumer
from eventbus.inbox import group_id
from eventbus.positions import Found, Partition, Position
from eventbus.registry import FixedIds
from eventbus.subscription import subscription
from eventbus.wire import COLUMNS, Wire

PARTITIONS = 12
TOPIC_ID = "memory"


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class MemoryBus:
    """Topics of twelve partitions, made at first use. `clock` gives the broker's timestamps in milliseconds."""

    clock: Callable[[], int] = _now
    low: dict[Partition, int] = field(default_factory=dict)  # first offsets, where they are not 0
    records: list[Record] = field(default_factory=list)  # in the order in which they were sent
    _high: dict[Partition, int] = field(default_factory=dict)

    def send(
        self, topic: str, key: bytes, value: bytes | None, headers: Headers, timestamp: int | None = None
    ) -> Record:
        """Append a record to the key's partition; `timestamp` replaces the clock's."""
        partition = topic, crc32(key) % PARTITIONS
        offset = self.found(partition).high
        record = Record(*partition, offset, key, value, headers, self.clock() if timestamp is None else timestamp)
        self.records.append(record)
        self._high[partition] = offset + 1
        return record

    def found(self, partition: Partition) -> Found:
        """Topic id and watermarks of a partition."""
        low = self.low.get(partition, 0)
        return Found(TOPIC_ID, low, self._high.get(partition, low))

    def relay(self) -> int:
        """Move this service's outbox into the topics, oldest first; returns how many rows it had."""
        wire = Wire(FixedIds())
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {COLUMNS} FROM eventbus_outbox ORDER BY id")  # noqa: S608
            sent = [wire.outgoing(row) for row in cursor.fetchall()]
            for row in sent:
                self.send(row.topic, row.key, row.value, row.headers)
            cursor.execute("DELETE FROM eventbus_outbox WHERE id = ANY(%s)", [[row.id for row in sent]])
        return len(sent)

    def consumer(self, name: str) -> Consumer:
        """A consumer of this service on this broker."""
        return Consumer(name, MemorySource(self, name))

    def consume(self, name: str) -> int:
        """Let a consumer take all that is there; returns how many records it read."""
        consumer, count = self.consumer(name), 0
        while read := consumer.step(timeout=0):
            count += read
        return count


class MemorySource:
    """The only member of a group on a MemoryBus."""

    def __init__(self, bus: MemoryBus, name: str) -> None:
        self.ids = FixedIds()
        self._bus = bus
        ours = [(topic, number) for topic in subscription(name).topics for number in range(PARTITIONS)]
        group = group_id(subscription(name).group)
        self.positions = positions.open_positions(group, {partition: bus.found(partition) for partition in ours})
        self._next = {partition: position.offset for partition, position in self.positions.items()}

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """The next records, in the order in which they were sent."""
        taken = [record for record in self._bus.records if self._is_next(record)][:limit]
        self._next.update({(record.topic, record.partition): record.offset + 1 for record in taken})
        return taken

    def _is_next(self, record: Record) -> bool:
        return record.offset >= self._next.get((record.topic, record.partition), record.offset + 1)

    def poll_paused(self, timeout: float) -> None:
        """There is no group to stay in."""
        time.sleep(timeout)

    def confirm(self) -> None:
        """Topics are never replaced here."""

    def rewind(self, stored: Mapping[Partition, Position]) -> None:
        """Read again from these positions."""
        self.positions.update(stored)
        self._next.update({partition: position.offset for partition, position in stored.items()})

    def advanced(self, moved: Mapping[Partition, Position]) -> None:
        """Remember where the last batch ended."""
        self.positions.update(moved)

    def caught_up(self) -> list[Partition]:
        """Partitions that were read to their end."""
        return [p for p, position in self.positions.items() if position.offset >= self._bus.found(p).high]

    def close(self) -> None:
        """Nothing is held."""

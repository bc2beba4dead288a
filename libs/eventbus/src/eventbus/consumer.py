"""The consumer: a loop around one step, over any broker that is a Source."""

import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Protocol

import structlog
from django.db import connection

from eventbus import metrics, positions
from eventbus.batch import Engine
from eventbus.codec import Record, SchemaIds
from eventbus.errors import Fenced, TopicReplaced
from eventbus.heartbeat import Heartbeat
from eventbus.inbox import Advance
from eventbus.kafka_source import KafkaSource
from eventbus.positions import Partition, Position
from eventbus.subscription import subscription
from eventbus.transient import is_transient

logger = structlog.get_logger("eventbus.consumer")

BATCH_SIZE = 500
_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 10.0
_PAUSED_POLL_SECONDS = 0.5
_LOOK_SECONDS = 2.0  # how often it looks whether it has all


class Source(Protocol):
    """What the consumer needs of a broker. Positions are the database's; the source only follows them."""

    @property
    def ids(self) -> SchemaIds:
        """What the records' schema ids stand for."""
        ...

    @property
    def positions(self) -> dict[Partition, Position]:
        """The partitions that are ours now, and the position that we left each of them at."""
        ...

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """Wait up to `timeout` seconds for a record, then take what is there, up to `limit`."""
        ...

    def poll_paused(self, timeout: float) -> None:
        """Stay in the group without taking records, for `timeout` seconds."""
        ...

    def confirm(self) -> None:
        """TopicReplaced if a topic of the records given out last is not the one that their positions are of.

        Called before the batch is committed; the partition is ours no longer then.
        """
        ...

    def rewind(self, stored: Mapping[Partition, Position]) -> None:
        """Drop what is buffered and go on from these positions."""
        ...

    def advanced(self, moved: Mapping[Partition, Position]) -> None:
        """The positions were moved by a committed batch."""
        ...

    def caught_up(self) -> list[Partition]:
        """Partitions of ours of which everything was given out."""
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


class Consumer:
    """One subscription at work. `run` is a loop around `step`, which tests call."""

    def __init__(
        self, name: str, source: Source, heartbeat: Heartbeat | None = None, stop: threading.Event | None = None
    ) -> None:
        self.engine = Engine(subscription(name), source.ids)
        self._source = source
        self._heartbeat = heartbeat or Heartbeat()
        self._stop = stop or threading.Event()
        self._look_at = 0.0

    @classmethod
    def on_kafka(cls, name: str, heartbeat: Heartbeat | None = None) -> "Consumer":
        """A member of the subscription's group on the configured broker."""
        stop, heartbeat = threading.Event(), heartbeat or Heartbeat()
        return cls(name, KafkaSource(subscription(name), stop, heartbeat), heartbeat, stop)

    def stop(self) -> None:
        """End `run` after the transaction under way; callable from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Consume until stopped. ConsumerStopped where somebody has to look first."""
        try:
            while not self._stop.is_set():
                self.step()
        finally:
            self.close()

    def close(self) -> None:
        """Leave the group; for tests that call `step`."""
        self._source.close()

    def step(self, timeout: float = 0.5) -> int:
        """Wait up to `timeout` seconds for records and apply one batch; returns how many records it had."""
        self._heartbeat.beat()
        records = self._source.poll(BATCH_SIZE, timeout)
        if records:
            self._patiently(lambda: self._apply(self._ours(records)))
        if monotonic() >= self._look_at:
            self._patiently(self._note_caught_up)
            self._look_at = monotonic() + _LOOK_SECONDS
        return len(records)

    def _note_caught_up(self) -> None:
        moment = positions.database_time()
        if caught_up := self._source.caught_up():
            positions.note_caught_up(self.engine.group_id(), caught_up, moment)

    def _ours(self, records: Sequence[Record]) -> list[Record]:
        """Without what was taken from us while we waited, and what somebody else applied before we got it back."""
        at = self._source.positions
        return [
            record
            for record in records
            if (position := at.get((record.topic, record.partition))) and record.offset >= position.offset
        ]

    def _apply(self, records: Sequence[Record]) -> None:
        if not records:
            return
        advances = self._advances(records)
        try:
            self.engine.apply(records, advances, self._source.confirm)
        except (Fenced, TopicReplaced) as error:
            metrics.FENCED.labels(self.engine.subscription.group).inc()
            logger.warning("batch_refused", group=self.engine.subscription.group, error=str(error))
            self._source.rewind(positions.stored_positions(self.engine.group_id(), self._source.positions))
            return
        moved = {(a.topic, a.partition): Position(a.topic_id, a.new) for a in advances}
        self._source.advanced(moved)

    def _advances(self, records: Sequence[Record]) -> list[Advance]:
        ends = {(record.topic, record.partition): record.offset + 1 for record in records}
        ours = self._source.positions
        return [
            Advance(topic, number, ours[topic, number].topic_id, ours[topic, number].offset, end)
            for (topic, number), end in ends.items()
        ]

    def _patiently(self, action: Callable[[], None]) -> None:
        """Do it, again and again while something it needs is away, staying in the group meanwhile."""
        group = self.engine.subscription.group
        backoff = _FIRST_BACKOFF_SECONDS
        while not self._stop.is_set():
            try:
                action()
            except Exception as error:
                if not is_transient(error):
                    raise
                metrics.TRANSIENT_ERRORS.labels(group).inc()
                logger.warning("try_again", group=group, error=str(error), seconds=backoff)
                if not connection.in_atomic_block:
                    connection.close()
                self._wait(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
            else:
                return

    def _wait(self, seconds: float) -> None:
        until = monotonic() + seconds
        while not self._stop.is_set() and (left := until - monotonic()) > 0:
            self._source.poll_paused(min(left, _PAUSED_POLL_SECONDS))
            self._heartbeat.beat()

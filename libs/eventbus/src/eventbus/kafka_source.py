"""Kafka as the consumer's source: partitions come and go with the group, positions come from the database."""

import threading
from collections.abc import Callable, Iterable, Mapping
from operator import methodcaller
from time import time
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from django.db import connection

from eventbus import inbox, metrics, positions
from eventbus.broker import Broker
from eventbus.codec import Record
from eventbus.conf import conf
from eventbus.errors import ConsumerStopped, TopicReplaced
from eventbus.heartbeat import Heartbeat
from eventbus.kafka import consumer_settings
from eventbus.positions import Found, Partition, Position
from eventbus.registry import CachedIds
from eventbus.subscription import Subscription
from eventbus.transient import is_transient

logger = structlog.get_logger("eventbus.consumer")

_BACKOFF_SECONDS = 1.0

Opened = dict[Partition, tuple[Position, str]]  # where to begin, and why not to


# Not `message.headers()`: once Python has specialised that call, it no longer looks whether the C function failed,
# and goes on with half a list until something else meets the exception.
_headers = methodcaller("headers")


def record_from(message: Message, prefix: int) -> Record:
    """A message without an error as a record; the topic loses its prefix of that length."""
    key: Any = message.key()
    value: Any = message.value()
    headers: Any
    try:
        headers = _headers(message) or []
    except (SystemError, UnicodeDecodeError):  # a header's name is no text: without any, the record is set aside
        headers = []
    where: tuple[Any, Any] = message.partition(), message.offset()
    return Record(str(message.topic())[prefix:], *where, key, value, headers, message.timestamp()[1])


class KafkaSource:
    """A member of the subscription's group.

    `stop` ends waiting for a database or broker that is away; the heartbeat goes on meanwhile.
    """

    def __init__(self, subscription: Subscription, stop: threading.Event, heartbeat: Heartbeat) -> None:
        self.ids = CachedIds()
        self.positions: dict[Partition, Position] = {}
        self._subscription = subscription
        self._stop = stop
        self._heartbeat = heartbeat
        self._broker = Broker()
        self._stopped: dict[Partition, str] = {}  # assigned, but not to be read: why
        self._ends: dict[Partition, int] = {}  # where a partition was found to end
        self._fetched: dict[Partition, int] = {}  # the offset after the last record that came
        self._carried: list[Record] = []
        self._paused = False
        self._received_at = 0.0  # the broker's timestamp of the record given out last, in seconds
        self._topics: set[str] = set()  # of the records given out last
        self._answer: Callable[[], dict[str, str]] | None = None
        self._prefix = len(conf().topic_prefix)
        self._consumer = Consumer(consumer_settings(subscription.group))
        self._consumer.subscribe(
            [conf().topic_prefix + topic for topic in subscription.topics],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._revoked,
        )

    def poll(self, limit: int, timeout: float) -> list[Record]:
        """Wait up to `timeout` seconds for a record, then take what is there, up to `limit`."""
        if self._paused:
            self._paused = False
            self._consumer.resume(self._named(self.positions))
        first = self._consumer.poll(0 if self._carried else timeout)
        new = [] if first is None else self._records([first, *self._consumer.consume(limit - 1, 0)])
        # Looked at only now: while we polled, a partition may have been taken from us and given back.
        records, self._carried = self._carried + new, []
        found = [record for record in records if (record.topic, record.partition) in self.positions]
        if found:
            self._received_at = found[-1].timestamp / 1000
            self._topics = {record.topic for record in found}
            self._answer = self._broker.ask_topic_ids(self._topics)
        return found

    def confirm(self) -> None:
        """Fetching goes by name: a topic that was created anew goes on where the old one ended, and would be skipped.

        The question was asked when the records came, so that the answer is there when the batch is done.
        """
        answer, self._answer = self._answer or self._broker.ask_topic_ids(self._topics), None
        ids = answer()
        replaced = [
            p for p, position in self.positions.items() if position.topic_id != ids.get(p[0], position.topic_id)
        ]
        for partition in replaced:
            self.positions.pop(partition)
            self._stop_reading(partition, f"the topic is another one: {ids[partition[0]]}")
        if replaced:
            raise TopicReplaced(f"{replaced[0][0]} was created anew.")

    def poll_paused(self, timeout: float) -> None:
        """Stay in the group without taking records, for `timeout` seconds."""
        if not self._paused:
            self._paused = True
            self._consumer.pause(self._named(self.positions))
        # What was on its way when the partitions were paused is kept.
        if (message := self._consumer.poll(timeout)) is not None:
            self._carried += self._records([message])

    def rewind(self, stored: Mapping[Partition, Position]) -> None:
        """Drop what is buffered and go on from these positions."""
        self._carried = []
        for partition in set(self.positions) & set(stored):
            self.positions[partition] = stored[partition]
            self._read_from(partition)
            self._seek(partition, stored[partition].offset)

    def advanced(self, moved: Mapping[Partition, Position]) -> None:
        """Remember the positions, and tell the broker for the sake of lag tools."""
        self.positions.update({partition: moved[partition] for partition in set(moved) & set(self.positions)})
        try:
            self._consumer.commit(offsets=self._named(moved, moved), asynchronous=True)
        except KafkaException as error:
            logger.debug("offsets_not_shown", error=str(error))

    def caught_up(self) -> list[Partition]:
        """Partitions that were read to their end; on the way their topics are checked and their lag is measured."""
        group = self._subscription.group
        found = self._broker.found([*self.positions, *self._stopped])
        self._check(found)
        metrics.STOPPED_PARTITIONS.labels(group).set(len(self._stopped))
        lags = {}
        for (topic, number), position in self.positions.items():
            lags[topic, number] = max(0, found[topic, number].high - self._consumed((topic, number), position))
            metrics.LAG_RECORDS.labels(group, topic, number).set(lags[topic, number])
        # For people only, so this may read a clock: what events do never depends on it.
        behind = any(lags.values()) and self._received_at > 0
        metrics.LAG_SECONDS.labels(group).set(max(0.0, time() - self._received_at) if behind else 0.0)
        return [partition for partition, lag in lags.items() if lag == 0]

    def _consumed(self, partition: Partition, position: Position) -> int:
        """Behind the last record there may be nothing but marks of transactions: they end where the partition does."""
        if position.offset < self._fetched.get(partition, 0):
            return position.offset  # records came and are not applied yet
        return max(position.offset, self._ends.get(partition, 0))

    def _read_from(self, partition: Partition) -> None:
        """Forget what was read: it is read again, or by somebody else."""
        self._ends.pop(partition, None)
        self._fetched.pop(partition, None)
        self._carried = [record for record in self._carried if (record.topic, record.partition) != partition]

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _check(self, found: Mapping[Partition, Found]) -> None:
        """Stop partitions whose topic was replaced; go on with those that somebody has decided about."""
        for partition in [p for p, position in self.positions.items() if position.topic_id != found[p].topic_id]:
            self._stop_reading(partition, positions.problem(self.positions.pop(partition), found[partition]))
        if not self._stopped:
            return
        stored = positions.stored_positions(self._group_id(), self._stopped)
        for partition, position in stored.items():
            if not positions.problem(position, found[partition]):
                del self._stopped[partition]
                logger.info("partition_goes_on", topic=partition[0], partition=partition[1], offset=position.offset)
                self.positions[partition] = position
                self._read_from(partition)
                self._seek(partition, position.offset)
                self._consumer.resume(self._named([partition]))

    def _stop_reading(self, partition: Partition, why: str) -> None:
        self._stopped[partition] = why
        metrics.STOPPED_PARTITIONS.labels(self._subscription.group).set(len(self._stopped))
        logger.critical("partition_stopped", topic=partition[0], partition=partition[1], why=why)
        self._consumer.pause(self._named([partition]))

    def _records(self, messages: Iterable[Message]) -> list[Record]:
        found = []
        for message in messages:
            error = message.error()
            if error is None:
                record = record_from(message, self._prefix)
                self._fetched[record.topic, record.partition] = record.offset + 1
                found.append(record)
            else:
                partition = str(message.topic())[self._prefix :], int(message.partition() or 0)
                self._tell(error, partition, message.offset() or 0)
        return found

    def _tell(self, error: KafkaError, partition: Partition, offset: int) -> None:
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            self._ends[partition] = offset
        elif code == KafkaError._AUTO_OFFSET_RESET and partition in self.positions:
            self.positions.pop(partition)
            self._stop_reading(partition, error.str())
        elif error.fatal():
            raise ConsumerStopped(f"Kafka refuses this consumer: {error.str()}")
        else:
            logger.warning("kafka_error", group=self._subscription.group, error=error.str())

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        partitions = [(partition.topic[self._prefix :], partition.partition) for partition in given]
        opened = self._patiently(lambda: self._open(partitions)) if partitions else {}
        starts = [
            TopicPartition(conf().topic_prefix + topic, number, position.offset)
            for (topic, number), (position, _) in opened.items()
        ]
        consumer.incremental_assign(starts)
        consumer.resume(self._named(opened))  # what we paused stays paused, also while it is somebody else's
        for partition, (position, why) in opened.items():
            self._read_from(partition)
            if why:
                self._stop_reading(partition, why)
            else:
                self.positions[partition] = position
        if self._paused:
            consumer.pause(self._named(opened))

    def _open(self, partitions: Iterable[Partition]) -> Opened:
        found = self._broker.found(partitions)
        opened = {}
        for partition, position in positions.open_positions(self._group_id(), found).items():
            why = positions.problem(position, found[partition])
            opened[partition] = Position(position.topic_id, found[partition].low) if why else position, why
        return opened

    def _revoked(self, consumer: Consumer, taken: list[TopicPartition]) -> None:
        for partition in taken:
            self.positions.pop((partition.topic[self._prefix :], partition.partition), None)
            self._stopped.pop((partition.topic[self._prefix :], partition.partition), None)
        consumer.incremental_unassign(taken)

    def _seek(self, partition: Partition, offset: int) -> None:
        """Unassigning drops what is buffered; a plain seek fails where fetching has not begun."""
        topic, number = conf().topic_prefix + partition[0], partition[1]
        self._consumer.incremental_unassign([TopicPartition(topic, number)])
        self._consumer.incremental_assign([TopicPartition(topic, number, offset)])

    def _named(
        self, partitions: Iterable[Partition], offsets: Mapping[Partition, Position] | None = None
    ) -> list[TopicPartition]:
        prefix = conf().topic_prefix
        if offsets is None:
            return [TopicPartition(prefix + topic, number) for topic, number in partitions]
        return [TopicPartition(prefix + p[0], p[1], offsets[p].offset) for p in partitions]

    def _group_id(self) -> int:
        return inbox.group_id(self._subscription.group)

    def _patiently(self, action: Callable[[], Opened]) -> Opened:
        """The group waits for our answer, so ask until database and broker answer or we are stopped."""
        while not self._stop.is_set():
            self._heartbeat.beat()
            try:
                return action()
            except Exception as error:
                if not is_transient(error):
                    raise
                logger.warning("positions_not_read", group=self._subscription.group, error=str(error))
                connection.close()
                self._stop.wait(_BACKOFF_SECONDS)
        return {}

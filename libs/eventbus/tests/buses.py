"""Two brokers behind one face: the contract suite runs against both."""

import time
import uuid
from collections.abc import Callable

from confluent_kafka import Consumer as PlainConsumer
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from eventbus.codec import Record
from eventbus.conf import conf
from eventbus.consumer import Consumer
from eventbus.event import Event
from eventbus.kafka import client_settings
from eventbus.memory import MemoryBus
from eventbus.models import ConsumerOffset, InboxRow
from eventbus.registry import CachedIds, FixedIds
from eventbus.relay import Relay
from eventbus.subscription import subscription
from eventbus.testing import wire
from eventbus.topics import settings_of, wanted_topics

PARTITIONS = 3
DEADLINE_SECONDS = 30.0


def until(condition: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until it is so; AssertionError after a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.02)


class Memory:
    """The in-memory broker."""

    def __init__(self) -> None:
        self.broker = MemoryBus()

    def send(self, event: Event, *, key: bytes | None = None, value: bytes | None = b"", headers=None) -> None:
        topic, good_key, good_value, good_headers = wire(event, FixedIds())
        self.broker.send(
            topic,
            good_key if key is None else key,
            good_value if value == b"" else value,
            good_headers if headers is None else headers,
        )

    def relay(self) -> int:
        return self.broker.relay()

    def consume(self, name: str, _count: int) -> None:
        self.broker.consume(name)

    def records(self, topic: str) -> list[Record]:
        return [record for record in self.broker.records if record.topic == topic]


class Kafka:
    """The real broker, with topics of this test alone."""

    def __init__(self, *, make_topics: bool = True) -> None:
        self.admin = AdminClient(client_settings())
        self.producer = Producer(client_settings() | {"partitioner": "murmur2_random", "linger.ms": 0})
        if make_topics:
            self.create(*wanted_topics())

    def create(self, *topics: str) -> None:
        new = [NewTopic(conf().topic_prefix + name, PARTITIONS, 1, config=settings_of(name)) for name in topics]
        for future in self.admin.create_topics(new).values():
            future.result()
        names = {topic.topic for topic in new}
        until(lambda: names <= set(self.admin.list_topics(timeout=10).topics))

    def delete(self, *topics: str) -> None:
        for future in self.admin.delete_topics([conf().topic_prefix + name for name in topics]).values():
            future.result()

    def send(self, event: Event, *, key: bytes | None = None, value: bytes | None = b"", headers=None) -> None:
        topic, good_key, good_value, good_headers = wire(event, CachedIds())
        self.producer.produce(
            conf().topic_prefix + topic,
            good_value if value == b"" else value,
            good_key if key is None else key,
            headers=good_headers if headers is None else headers,
        )
        self.producer.flush()

    def relay(self) -> int:
        relay, count = Relay(), 0
        assert relay.claim()
        try:
            while sent := relay.step():
                count += sent
        finally:
            relay.close()
        return count

    def consume(self, name: str, count: int) -> None:
        """Let a consumer take `count` records, and whatever comes within half a second after them."""
        consumer = Consumer.on_kafka(name)
        try:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while count > 0 and time.monotonic() < deadline:
                count -= consumer.step(0.2)
            while consumer.step(0.5):
                pass
        finally:
            consumer.close()

    def forget(self, name: str) -> None:
        """A subscription as a new database knows it: no position, no event seen."""
        group = subscription(name).group
        ConsumerOffset.objects.filter(group__name=group).delete()
        InboxRow.objects.filter(group__name=group).delete()

    def records(self, topic: str) -> list[Record]:
        """All committed records of a topic, partition by partition."""
        consumer = PlainConsumer(client_settings() | {"group.id": uuid.uuid4().hex, "enable.partition.eof": True})
        consumer.assign([TopicPartition(conf().topic_prefix + topic, number, 0) for number in range(PARTITIONS)])
        found, ended = [], 0
        while ended < PARTITIONS:
            message = consumer.poll(DEADLINE_SECONDS)
            assert message is not None, f"{topic} cannot be read"
            if message.error():
                ended += 1
                continue
            where = message.partition(), message.offset()
            found.append(
                Record(topic, *where, message.key(), message.value(), message.headers() or [], message.timestamp()[1])
            )
        consumer.close()
        return sorted(found, key=lambda record: record[1:3])

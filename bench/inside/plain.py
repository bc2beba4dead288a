"""Kafka without eventbus: the plain clients that the real ones are compared with."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from eventbus.conf import conf

PATIENCE_SECONDS = 10.0


class Plain(NamedTuple):
    """A record as it is on the broker."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def topic(name: str) -> str:
    """A topic's name on this broker."""
    return conf().topic_prefix + name


def ends(name: str) -> list[TopicPartition]:
    """Where each partition of a topic ends now."""
    consumer = plain_consumer([])
    partitions = consumer.list_topics(topic(name), timeout=PATIENCE_SECONDS).topics[topic(name)].partitions
    found = [TopicPartition(topic(name), number) for number in partitions]
    for partition in found:
        partition.offset = consumer.get_watermark_offsets(partition, timeout=PATIENCE_SECONDS)[1]
    consumer.close()
    return found


def plain_consumer(starts: list[TopicPartition]) -> Consumer:
    """Reads committed records from these places on, in no group."""
    consumer = Consumer(
        {
            "bootstrap.servers": conf().bootstrap_servers,
            "group.id": "bench",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
        }
    )
    consumer.assign(starts)
    return consumer


def take(consumer: Consumer, count: int) -> list[Message]:
    """Up to `count` records, as soon as there is one. RuntimeError where there is none for long."""
    found: Any = consumer.consume(count, PATIENCE_SECONDS)
    if not found or any(message.error() for message in found):
        raise RuntimeError(f"Kafka gave {[message.error() for message in found] or 'nothing'}.")
    return list(found)


def read(starts: list[TopicPartition], count: int) -> list[Plain]:
    """The next `count` records from these places on."""
    consumer = plain_consumer(starts)
    found: list[Message] = []
    while len(found) < count:
        found += take(consumer, min(5_000, count - len(found)))
    consumer.close()
    return [Plain(str(m.topic()), m.key() or b"", m.value() or b"", list(m.headers() or [])) for m in found]


def send(records: Sequence[Plain], producer: Producer) -> None:
    """Send all and wait for each one's acknowledgement, as fast as the client goes."""
    outcomes: list[object] = []
    for record in records:
        _queue(producer, record, lambda error, _message: outcomes.append(error))
    producer.flush()
    if len(outcomes) != len(records) or any(outcomes):
        raise RuntimeError(f"{outcomes.count(None)} of {len(records)} records arrived.")


def _queue(producer: Producer, record: Plain, on_delivery: Callable[[object, Message], object]) -> None:
    while True:
        try:
            producer.produce(record.topic, record.value, record.key, headers=record.headers, on_delivery=on_delivery)
        except BufferError:
            producer.poll(0.1)
        else:
            return


def plain_producer() -> Producer:
    """Idempotent, acknowledged by all replicas, in no transaction."""
    producer = Producer(
        {
            "bootstrap.servers": conf().bootstrap_servers,
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 200_000,
        }
    )
    producer.list_topics(timeout=PATIENCE_SECONDS)
    return producer

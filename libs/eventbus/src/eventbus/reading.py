"""Reading a whole topic, beside all consumers: for a database that was restored and asks what was told since."""

from collections.abc import Callable, Iterator
from time import monotonic

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from eventbus.codec import decode
from eventbus.conf import conf
from eventbus.errors import Rejected, TransientError
from eventbus.event import Event
from eventbus.kafka import client_settings
from eventbus.kafka_source import record_from
from eventbus.registry import CachedIds

_AT_ONCE = 1_000
_FIRST_ANSWER, _SILENCE = 3, 30  # seconds without an answer of the broker after which reading is given up


class Unreadable(Exception):
    """The topic holds a record that cannot be read, so that what it tells is not known; the message names it."""


def refuse(record: Unreadable) -> None:
    """Give reading up at a record that cannot be read."""
    raise record


def read_topic(topic: str, *, unreadable: Callable[[Unreadable], None] = refuse) -> Iterator[Event]:
    """The events of a topic from its first record to where it ends; of each key in order, repetitions too.

    `unreadable` is given each record that consumers would set aside unread; by default reading ends there. Raises
    TransientError where the broker (or the registry, if it must be asked) is away.
    """
    ids = CachedIds()
    consumer = Consumer(
        client_settings()
        | {"group.id": f"{conf().topic_prefix}{conf().service}.reader", "isolation.level": "read_committed"}
        | {"enable.auto.commit": False, "enable.partition.eof": True, "fetch.wait.max.ms": 100}
    )
    try:
        for message in _messages(consumer, conf().topic_prefix + topic):
            record = record_from(message, len(conf().topic_prefix))
            if record.value is None:
                continue
            try:
                event = decode(record, ids)
            except Rejected as error:
                unreadable(Unreadable(f"{topic}/{record.partition} at {record.offset}: {error}"))
            else:
                yield event
    except KafkaException as error:
        raise TransientError(f"Kafka does not tell what is in {topic}: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _messages(consumer: Consumer, name: str) -> Iterator[Message]:
    """All records of a topic, partition by partition as they come, to where each ends."""
    unread = set(consumer.list_topics(name, timeout=_FIRST_ANSWER).topics[name].partitions)
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in unread])
    heard = monotonic()
    while unread:
        for message in consumer.consume(_AT_ONCE, 0.1):
            heard, error = monotonic(), message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard(int(message.partition() or 0))
            else:
                raise KafkaException(error)
        if monotonic() - heard > _SILENCE:
            raise TransientError(f"Kafka has not answered for {_SILENCE} s.")

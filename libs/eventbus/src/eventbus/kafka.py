"""Settings of the Kafka clients, and which of their errors mean what."""

from typing import Any

from confluent_kafka import KafkaError

from eventbus.conf import conf
from eventbus.kafka_logs import kafka_logger

TRANSACTION_MILLISECONDS = 10_000

# The record itself, or that there is no such topic for it, is the reason: the others can be sent without it.
_PERMANENT = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_RECORD,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
    }
)
# Nothing of its topic can be sent.
_OF_TOPIC = frozenset(
    {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}
)


def is_of_topic(error: KafkaError) -> bool:
    """Whether the records of no other key of its topic can be sent either."""
    return error.code() in _OF_TOPIC


def is_permanent(error: KafkaError) -> bool:
    """Whether sending the same record again would end the same way."""
    return error.code() in _PERMANENT


def client_settings() -> dict[str, Any]:
    """What all clients share."""
    own = {"bootstrap.servers": conf().bootstrap_servers, "logger": kafka_logger()}
    return own | dict(conf().client_settings)


def producer_settings(shard: int) -> dict[str, Any]:
    """A relay's transactional producer: one id for each shard, so that a newer one fences an older one."""
    return client_settings() | {
        "transactional.id": f"{conf().transactional_prefix}-{shard}",
        "transaction.timeout.ms": TRANSACTION_MILLISECONDS,
        "message.timeout.ms": 8_000,
        "topic.metadata.propagation.max.ms": 2_000,
        "partitioner": "murmur2_random",  # as Java clients do
        "linger.ms": 0,
        "queue.buffering.max.messages": 200_000,
        "delivery.report.only.error": True,
        "reconnect.backoff.max.ms": 1_000,
    }


def consumer_settings(group: str) -> dict[str, Any]:
    """A consumer in the new group protocol that believes the database's positions and nothing else."""
    return client_settings() | {
        "group.id": f"{conf().topic_prefix}{group}",
        "group.protocol": "consumer",
        # The same number of each topic: all events of a key come to one member, whatever topic they are in.
        "group.remote.assignor": "range",
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "fetch.min.bytes": 1,
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 10,
        "queued.min.messages": 5_000,
        "queued.max.messages.kbytes": 16_384,  # ten batches of usual records; of large ones what the memory bears
        "reconnect.backoff.max.ms": 1_000,
    }

"""Publishing the present state of all aggregates anew: for a topic that was lost, or a database that was restored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from django.db import connection, models, transaction
from django.utils.module_loading import import_string

from eventbus.codec import Record, decode
from eventbus.conf import conf
from eventbus.event import Event
from eventbus.kafka import client_settings
from eventbus.kafka_source import record_from
from eventbus.outbox import publish_many
from eventbus.registry import CachedIds

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class State:
    """What a `-stream` topic tells: a row of `rows` for each aggregate, and the event that says its present state.

    `version` names the aggregate's version, as a column and as a field of the event.
    """

    rows: Callable[[], "models.QuerySet[Any]"]
    event: Callable[[Any], Event]
    version: str = "version"


def state_table() -> Mapping[str, State]:
    """The service's table: topic -> its state."""
    table: Mapping[str, State] = import_string(conf().state) if conf().state else {}
    return table


def republish(topic: str, *, above: Mapping[str, int] | None = None) -> int:
    """Publish the state of every aggregate of a topic; returns how many. KeyError for a topic that is not ours.

    A thousand rows in a transaction, locked in key order: ids of the outbox rise in the order of commits, so that no
    state can follow a later change of the same aggregate. With `above` (what `highest_versions` read), versions that
    are not higher are raised first, so that consumers take the restored state.
    """
    state, count = state_table()[topic], 0
    last: Any = None
    while True:
        with transaction.atomic():
            _wait_patiently()
            rows = state.rows().order_by("pk").select_for_update()
            found = list((rows if last is None else rows.filter(pk__gt=last))[:_AT_ONCE])
            if above:
                _raise(state, found, above)
            publish_many([state.event(row) for row in found])
        if not found:
            return count
        count, last = count + len(found), found[-1].pk


def _wait_patiently() -> None:
    """Somebody may hold a row for longer than a page would wait."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")


def _raise(state: State, rows: list[Any], above: Mapping[str, int]) -> None:
    behind = [row for row in rows if getattr(row, state.version) <= above.get(str(row.pk), -1)]
    for row in behind:
        setattr(row, state.version, above[str(row.pk)] + 1)
    if behind:
        type(behind[0])._default_manager.bulk_update(behind, [state.version])


def highest_versions(topic: str) -> dict[str, int]:
    """The highest version that the topic tells of each key, read from its first record to its last.

    Raises KafkaException where the broker is away, Rejected for a record that cannot be read.
    """
    name, ids = conf().topic_prefix + topic, CachedIds()
    consumer = Consumer(
        client_settings()
        | {"group.id": f"{name}.versions", "enable.auto.commit": False, "enable.partition.eof": True}
        | {"isolation.level": "read_committed"}
    )
    try:
        partitions = consumer.list_topics(name, timeout=10).topics[name].partitions
        consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in partitions])
        unread, highest = set(partitions), dict[str, int]()
        while unread:
            for message in consumer.consume(_AT_ONCE, 1.0):
                error = message.error()
                if error is None:
                    _note(highest, record_from(message, len(conf().topic_prefix)), ids, state_table()[topic].version)
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(int(message.partition() or 0))
                else:
                    raise KafkaException(error)
        return highest
    finally:
        consumer.close()


def _note(highest: dict[str, int], record: Record, ids: CachedIds, version: str) -> None:
    if record.value is not None:
        event = decode(record, ids)
        highest[event.key] = max(highest.get(event.key, -1), int(event.data[version]))

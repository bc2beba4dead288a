"""Whether everything that was done has arrived everywhere: no row left in an outbox, no record ahead of a consumer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import psycopg
from confluent_kafka import Consumer, KafkaError, TopicPartition

from dev.errors import Trouble
from dev.servers.kafka import SILENT

if TYPE_CHECKING:
    from dev.system import System

SUBSCRIPTIONS = """
import json
from django.conf import settings
from django.utils.module_loading import import_string
from eventbus.catalogue import catalogue
tables = import_string(settings.EVENTBUS["CONSUMERS"]) if settings.EVENTBUS["CONSUMERS"] else {}
topics = {schema.name: schema.topic for schema in catalogue().by_version.values()}
print(json.dumps({name: sorted({topics[event] for event in table}) for name, table in tables.items()}))
"""
POSITIONS = """
SELECT split_part(g.name, '.', 2), o.topic, o.partition, o.position
FROM eventbus_consumer_offset o JOIN eventbus_consumer_group g ON g.id = o.group_id
"""
PROBE_SECONDS = 5.0

Place = tuple[str, str, int]


class Progress:
    """Looks into the services' databases and the broker, as an operator would."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._subscriptions = {name: self._subscribed(name) for name in system.services}

    def wait(self, seconds: float = 120.0) -> None:
        """Wait until everything has arrived; twice in a row, since consumers emit events themselves."""
        deadline = time.monotonic() + seconds
        quiet = 0
        while quiet < 2:
            waiting = self.waiting()
            quiet = 0 if waiting else quiet + 1
            if time.monotonic() > deadline:
                raise Trouble(f"Still not everything has arrived after {seconds:.0f} s: {', '.join(waiting)}.")
            time.sleep(0.05)

    def waiting(self) -> list[str]:
        """What is still on its way, in words."""
        outboxes = [f"{name}'s outbox" for name in self._system.services if self._outbox(name)]
        return outboxes or [place for name in self._system.services for place in self._behind(name)]

    def _subscribed(self, service: str) -> dict[str, list[str]]:
        running = {entry.name for entry in self._system.entries}
        found = json.loads(self._system.manage(service, "shell", "-v", "0", "-c", SUBSCRIPTIONS))
        return {name: topics for name, topics in found.items() if f"{service}-consumer-{name}" in running}

    def _connect(self, service: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._system.servers.postgres.superuser_url(service), autocommit=True)

    def _outbox(self, service: str) -> bool:
        with self._connect(service) as connection:
            return connection.execute("SELECT 1 FROM eventbus_outbox LIMIT 1").fetchone() is not None

    def _behind(self, service: str) -> list[str]:
        with self._connect(service) as connection:
            rows = connection.execute(POSITIONS).fetchall()
        positions = {(str(name), str(topic), int(str(number))): int(str(at)) for name, topic, number, at in rows}
        return [
            f"{service}.{name} behind in {topic}"
            for name, topics in self._subscriptions[service].items()
            for topic in topics
            if self._has_news(topic, name, positions)
        ]

    def _has_news(self, topic: str, name: str, positions: dict[Place, int]) -> bool:
        consumer = Consumer(
            {
                "bootstrap.servers": self._system.servers.kafka.bootstrap_servers,
                "group.id": "progress",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            },
            logger=SILENT,
        )
        try:
            ahead = []
            for number in consumer.list_topics(topic, timeout=5).topics[topic].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=5)
                if (position := positions.get((name, topic, number), low)) < high:
                    ahead.append(TopicPartition(topic, number, position))
            return bool(ahead) and _finds_a_record(consumer, ahead)
        finally:
            consumer.close()


def _finds_a_record(consumer: Consumer, places: Iterable[TopicPartition]) -> bool:
    """Behind the position there may be nothing but the marks of transactions: those are not news."""
    open_places = {(place.topic, place.partition) for place in places}
    consumer.assign(list(places))
    deadline = time.monotonic() + PROBE_SECONDS
    while open_places and time.monotonic() < deadline:
        for message in consumer.consume(100, timeout=0.2):
            error = message.error()
            if error is None:
                return True
            if error.code() == KafkaError._PARTITION_EOF:
                open_places.discard((message.topic(), message.partition()))
    return bool(open_places)

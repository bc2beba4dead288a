"""Whether everything that was done has arrived everywhere: no row left in an outbox, no record ahead of a consumer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

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

Place = tuple[str, int]


class Progress:
    """Looks into the services' databases and the broker, as an operator would."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._subscriptions = {name: self._subscribed(name) for name in system.services}
        self._counts: dict[str, int] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": system.servers.kafka.bootstrap_servers,
                "group.id": "progress",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 10,
            },
            logger=SILENT,
        )

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
        return outboxes or self._topics_with_news(self._places())

    def _subscribed(self, service: str) -> dict[str, list[str]]:
        running = {entry.name for entry in self._system.entries}
        found = json.loads(self._system.manage(service, "shell", "-v", "0", "-c", SUBSCRIPTIONS))
        return {name: topics for name, topics in found.items() if f"{service}-consumer-{name}" in running}

    def _connect(self, service: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._system.servers.postgres.superuser_url(service), autocommit=True)

    def _outbox(self, service: str) -> bool:
        with self._connect(service) as connection:
            return connection.execute("SELECT 1 FROM eventbus_outbox LIMIT 1").fetchone() is not None

    def _places(self) -> list[TopicPartition]:
        """For each partition, where the group stands that has read least of it."""
        lowest: dict[Place, int] = {}
        for service, groups in self._subscriptions.items():
            with self._connect(service) as connection:
                rows = connection.execute(POSITIONS).fetchall()
            positions = {(str(name), str(topic), int(str(number))): int(str(at)) for name, topic, number, at in rows}
            for group, topics in groups.items():
                for place in self._partitions(topics):
                    position = positions.get((group, *place), OFFSET_BEGINNING)
                    lowest[place] = min(position, lowest.get(place, position))
        return [TopicPartition(*place, position) for place, position in lowest.items()]

    def _partitions(self, topics: Iterable[str]) -> Iterator[Place]:
        for topic in topics:
            if topic not in self._counts:
                self._counts[topic] = len(self._consumer.list_topics(topic, timeout=10).topics[topic].partitions)
            yield from ((topic, number) for number in range(self._counts[topic]))

    def _topics_with_news(self, places: list[TopicPartition]) -> list[str]:
        """Behind a position there may be nothing but the marks of transactions: those are not news."""
        unread = {(place.topic, place.partition) for place in places}
        self._consumer.assign(places)
        deadline = time.monotonic() + PROBE_SECONDS
        while unread and time.monotonic() < deadline:
            for message in self._consumer.consume(len(unread), timeout=0.05):
                error = message.error()
                if error is None:
                    return [f"a record of {message.topic()}"]
                if error.code() == KafkaError._PARTITION_EOF:
                    unread.discard((str(message.topic()), int(message.partition() or 0)))
        return sorted({f"a record of {topic}" for topic, _ in unread})

"""Shows what happens: one readable line per event of interest, read from Kafka like any other consumer would."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import fastavro
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from dev.environment import BUSINESS_TIME_ZONE
from dev.paths import ROOT
from dev.servers.kafka import SILENT

if TYPE_CHECKING:
    from dev.system import System

SYSTEM = "system"


class Names:
    """Who and what the ids stand for, learned from the events themselves."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {SYSTEM: "the system"}

    def learn(self, data: Mapping[str, Any]) -> None:
        """Remember a name that an event carries."""
        if "full_name" in data:
            self._known[data["account_id"]] = data["full_name"] or data["email"]
        if "title" in data:
            self._known[data["task_id"]] = f"“{data['title']}”"

    def __getitem__(self, key: str | None) -> str:
        return self._known.get(key or "", (key or "nobody")[:8])


def money(cents: int, currency: str) -> str:
    """An amount for people."""
    return f"{cents / 100:+,.2f} {currency}"


Line = Callable[[Mapping[str, Any], Names], str]
LINES: dict[str, Line] = {
    "AccountCreated": lambda data, names: f"{names[data['account_id']]} joined as {data['role']}",
    "AccountRoleChanged": lambda data, names: f"{names[data['account_id']]} is now {data['role']}",
    "AccountDeactivated": lambda data, names: f"{names[data['account_id']]} was deactivated",
    "AccountReactivated": lambda data, names: f"{names[data['account_id']]} is active again",
    "TaskCreated": lambda data, names: f"{names[data['task_id']]} was created by {names[data['creator_id']]}",
    "TaskAssigned": lambda data, names: (
        f"{names[data['task_id']]} went to {names[data['account_id']]} ({data['cause']})"
    ),
    "TaskCompleted": lambda data, names: f"{names[data['task_id']]} was completed by {names[data['actor_id']]}",
    "TaskReopened": lambda data, names: f"{names[data['task_id']]} was reopened by {names[data['actor_id']]}",
    "TaskPriced": lambda data, names: (
        f"{names[data['task_id']]} costs {data['fee'] / 100:.0f}, earns {data['reward'] / 100:.0f} {data['currency']}"
    ),
    "TransactionPosted": lambda data, names: (
        f"{names[data['account_id']]}: {data['kind']} {money(data['amount'], data['currency'])}"
    ),
    "CycleClosed": lambda data, names: (
        f"the cycle due {data['due_at']:%d %B} closed: {data['payout_count']} payouts, "
        f"{money(-data['payout_sum'], data['currency'])}"
    ),
}


class Tail:
    """A consumer of its own without a group: it changes nothing."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._schemas: dict[int, Any] = {}
        self._names = Names()
        self._zone = ZoneInfo(BUSINESS_TIME_ZONE)

    def lines(self, ending: threading.Event) -> Iterator[str]:
        """A line per event that happens from now on; names are learned from the state topics first."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._system.servers.kafka.bootstrap_servers,
                "group.id": "tail",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
            },
            logger=SILENT,
        )
        try:
            history = self._assign(consumer)
            while not ending.is_set():
                for message in consumer.consume(500, timeout=0.3):
                    error = message.error()
                    place = (message.topic(), message.partition())
                    if error is None and (line := self._read(message)) and place not in history:
                        yield line
                    elif error is not None and error.code() == KafkaError._PARTITION_EOF:
                        history.discard(place)
        finally:
            consumer.close()

    @staticmethod
    def _assign(consumer: Consumer) -> set[tuple[str | None, int | None]]:
        """State topics from the beginning, the others from now on."""
        places = []
        history: set[tuple[str | None, int | None]] = set()
        for topic in own_topics():
            for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                if topic.endswith("-stream"):
                    places.append(TopicPartition(topic, number, OFFSET_BEGINNING))
                    history.add((topic, number))
                else:
                    _, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
                    places.append(TopicPartition(topic, number, high))
        consumer.assign(places)
        return history

    def _read(self, message: Message) -> str | None:
        value = message.value()
        if not isinstance(value, bytes):
            return None
        try:
            return self._line(self._decode(value))
        except Exception:  # whatever somebody wrote there
            return f"{'':8}  a record on {message.topic()} that cannot be read: see the dead letters"

    def _line(self, envelope: Mapping[str, Any]) -> str | None:
        data = envelope["data"]
        self._names.learn(data)
        if (write := LINES.get(envelope["event_name"])) is None:
            return None
        at: datetime = envelope["event_time"]
        return f"{at.astimezone(self._zone):%H:%M:%S}  {envelope['event_name']:18} {write(data, self._names)}"

    def _decode(self, value: bytes) -> dict[str, Any]:
        number = int.from_bytes(value[1:5], "big")
        if number not in self._schemas:
            address = f"{self._system.servers.registry.url}/schemas/ids/{number}"
            with urllib.request.urlopen(address, timeout=5) as response:
                self._schemas[number] = fastavro.parse_schema(json.loads(json.load(response)["schema"]))
        envelope = fastavro.schemaless_reader(BytesIO(value[5:]), self._schemas[number], None)
        if not isinstance(envelope, dict):
            raise ValueError("not an envelope")
        return envelope


def own_topics() -> list[str]:
    """The topics of the event catalogue."""
    return sorted({json.loads(path.read_text())["topic"] for path in (ROOT / "schemas").rglob("*.avsc")})

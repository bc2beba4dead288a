"""The relay: outbox rows become records, oldest first, each batch in one Kafka transaction, then they are deleted."""

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, cast

import psycopg
import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from django.db import connections

from eventbus import metrics
from eventbus.conf import SLOTS, conf
from eventbus.errors import InvalidEvent
from eventbus.kafka import is_of_topic, is_permanent, producer_settings
from eventbus.outbox import CHANNEL
from eventbus.registry import CachedIds
from eventbus.tracing import sending
from eventbus.wire import COLUMNS, Outgoing, Wire

logger = structlog.get_logger("eventbus.relay")

BATCH_SIZE = 5_000
BATCH_BYTES = 8_000_000  # of content, which is in memory three times on its way
POLL_SECONDS = 1.0
_KAFKA_SECONDS = 10
_LOCK_CLASS = 0x0B0B  # first key of the advisory locks on slots
_FIRST_TRY_SECONDS, _LAST_TRY_SECONDS = 5.0, 60.0  # after a row was refused: 5, 10, 20, 40, 60, 60 ...
_FULL_QUEUE_SECONDS = 0.1
_SIZE = "(coalesce(octet_length(value), 0) + coalesce(octet_length(headers), 0))"  # read without the content itself

Key = tuple[str, bytes]


class Relay:
    """One shard of the key space: `claim` it, then `step` and `wait` in turn; after any error `close` it.

    Lock, reading, waiting and deleting share one connection that is never replaced: if it is lost, so is the shard.
    """

    def __init__(self, shard: int = 0, shards: int = 1) -> None:
        self.shard = shard
        self._slots = [slot for slot in range(SLOTS) if slot % shards == shard]
        self._where = "" if shards == 1 else f" AND mod(slot, {int(shards)}) = {int(shard)}"
        self._connection: psycopg.Connection[Any] | None = None
        self._producer: Producer | None = None
        self._flagged: set[Key] = set()  # keys that wait behind a row that cannot be sent
        self._refused: set[str] = set()  # topics of which nothing can be sent
        self._failed: dict[tuple[str, bytes | None, bytes | None], KafkaError] = {}  # records that never can be sent
        self._limit = BATCH_SIZE  # fewer rows while one is looked for that Kafka refuses without naming it
        self._try_flagged_at = 0.0
        self._pause = _FIRST_TRY_SECONDS

    def claim(self) -> bool:
        """Connect and take the shard; False if another relay has it. Raises psycopg.Error or KafkaException."""
        self._connection = psycopg.connect(**database_address(), autocommit=True)
        for slot in self._slots:
            if not self._query("SELECT pg_try_advisory_lock(%s, %s)", (_LOCK_CLASS, slot))[0][0]:
                self.close()
                return False
        self._wire = Wire(CachedIds(self._query))
        self._start_producer()
        self._query(f"LISTEN {CHANNEL}")
        return True

    def step(self) -> int:
        """Send what is there, up to one batch, and delete it; returns how many rows were sent.

        Raises where something is away. The rows are there still, or are sent again: inboxes take that.
        """
        self._look_after_flagged()
        sent = 0
        if rows := self.take():
            sendable = self._sendable(rows)
            if sendable and self._send_traced(sendable):
                self.forget(sendable)
                sent = len(sendable)
                if not self._flagged:
                    self._pause = _FIRST_TRY_SECONDS
        return sent

    def take(self) -> list[Any]:
        """The oldest rows of the shard, without those of keys that wait: as many as fit a batch, and one at least."""
        waiting: tuple[object, ...] = ()
        oldest = f"FROM eventbus_outbox WHERE flagged_at IS NULL{self._where}"
        if self._flagged:
            oldest += " AND (topic, key) NOT IN (SELECT * FROM unnest(%s::text[], %s::bytea[])) AND topic <> ALL(%s)"
            waiting = ([topic for topic, _ in self._flagged], [key for _, key in self._flagged], [*self._refused])
        oldest += " ORDER BY id LIMIT"
        # Sizes are added up without the rows: with them it takes three times as long.
        before = f"SELECT sum({_SIZE}) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - {_SIZE} AS bytes {oldest} %s"
        fitting = f"SELECT count(*) FROM ({before}) AS before WHERE bytes < %s"  # noqa: S608
        parameters = (*waiting, *waiting, self._limit, BATCH_BYTES)
        return self._query(f"SELECT {COLUMNS} {oldest} ({fitting})", parameters, binary=True)

    def send(self, rows: Sequence[Outgoing]) -> bool:
        """Send rows in one Kafka transaction.

        False if one of them never can be: none is sent, and it is flagged, or looked for in smaller batches.
        """
        producer = self._live_producer()
        self._failed.clear()
        producer.begin_transaction()
        try:
            self._queue(producer, rows)
            producer.commit_transaction(_KAFKA_SECONDS)
        except KafkaException as error:
            self._give_up(rows, error)
            return False
        self._limit = min(2 * self._limit, BATCH_SIZE)
        return True

    def _queue(self, producer: Producer, rows: Sequence[Outgoing]) -> None:
        for row in rows:
            topic = conf().topic_prefix + row.topic
            try:
                produce(producer, topic, row)
            except KafkaException as error:
                if error.args[0].code() == KafkaError._STATE:
                    producer.commit_transaction(_KAFKA_SECONDS)  # one before it broke the transaction: this tells why
                self._note_failed(error.args[0], (topic, row.key, row.value))
                raise

    def _send_traced(self, rows: Sequence[Outgoing]) -> bool:
        with sending((row.topic, dict(row.headers)) for row in rows):
            return self.send(rows)

    def forget(self, rows: Sequence[Outgoing]) -> None:
        """Delete rows that were sent."""
        ids = "{" + ",".join(str(row.id) for row in rows) + "}"  # much faster than letting the driver write a list
        self._query("DELETE FROM eventbus_outbox WHERE id = ANY(%s::bigint[])", (ids,))
        for topic in {row.topic for row in rows}:
            metrics.RELAYED.labels(topic).inc(sum(row.topic == topic for row in rows))

    def wait(self, timeout: float = POLL_SECONDS) -> None:
        """Sleep until a transaction with events commits, `timeout` seconds at most."""
        self._live_producer().poll(0)  # what it has to log: an idle producer says nothing by itself
        for _ in self._live_connection().notifies(timeout=timeout, stop_after=1):
            return

    def close(self) -> None:
        """Give up producer and shard. Nothing under way is committed."""
        self._flagged.clear()
        self._refused.clear()
        self._try_flagged_at = 0.0
        if self._producer is not None:
            # A broken producer raises here what it told before.
            with suppress(KafkaException):
                self._producer.poll(0)
            self._producer.purge()
            self._producer = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _start_producer(self) -> None:
        settings = producer_settings(self.shard) | {"on_delivery": self._delivery_failed}
        self._producer = Producer(settings)
        self._producer.init_transactions(_KAFKA_SECONDS)

    def _delivery_failed(self, error: KafkaError, message: Message) -> None:
        self._note_failed(error, (str(message.topic()), message.key(), message.value()))

    def _note_failed(self, error: KafkaError, record: tuple[str, bytes | None, bytes | None]) -> None:
        if is_permanent(error):
            self._failed[record] = error

    def _give_up(self, rows: Sequence[Outgoing], error: KafkaException) -> None:
        """Abort, and flag the rows that are to blame; raises the error where no row is.

        An error of the commit is the transaction's: it names no row, unless there is but one.
        """
        prefix = conf().topic_prefix
        metrics.RELAY_ERRORS.inc()
        cause: KafkaError = error.args[0]
        if cause.fatal():
            raise error
        self._abort(may_be_unknown=is_permanent(cause))
        if len(rows) == 1:
            self._note_failed(cause, (prefix + rows[0].topic, rows[0].key, rows[0].value))
        found = False
        for row in rows:
            if (reason := self._failed.get((prefix + row.topic, row.key, row.value))) is not None:
                self._flag(row.id, (row.topic, row.key), reason.str())
                found = True
                if is_of_topic(reason):
                    self._refused.add(row.topic)
        if not found:
            if len(rows) == 1 or not is_permanent(cause):
                raise error
            self._limit = len(rows) // 2

    def _abort(self, *, may_be_unknown: bool) -> None:
        """Where the coordinator refused a topic it may know of no transaction, which librdkafka takes for fatal."""
        try:
            self._live_producer().abort_transaction(_KAFKA_SECONDS)
        except KafkaException:
            if not may_be_unknown:
                raise
            self._query("SELECT 1")  # the shard is still ours
            self._start_producer()

    def _sendable(self, rows: Sequence[Any]) -> list[Outgoing]:
        """The records of rows; a row without a schema is flagged, and its key's later rows wait."""
        found: list[Outgoing] = []
        lacking: dict[bytes, str] = {}  # schemas that nobody knows, so that they are asked for once
        for row in rows:
            key, sha256 = (row[1], row[2]), row[4]
            if self._flagged and key in self._flagged:
                continue
            try:
                if sha256 in lacking:
                    raise InvalidEvent(lacking[sha256])
                found.append(self._wire.outgoing(row))
            except InvalidEvent as error:
                lacking[sha256] = str(error)
                self._flag(row[0], key, str(error))
        return found

    def _flag(self, row_id: int, key: Key, problem: str) -> None:
        logger.error("outbox_row_flagged", row=row_id, topic=key[0], problem=problem)
        self._query("UPDATE eventbus_outbox SET flagged_at = now(), problem = %s WHERE id = %s", (problem, row_id))
        self._flagged.add(key)
        self._try_flagged_at = min(self._try_flagged_at, monotonic() + self._pause)

    def _look_after_flagged(self) -> None:
        """Try again what could not be sent: somebody may have made the topic or registered the schema.

        Soon at first, for the sake of what is missing for a moment only.
        """
        if monotonic() < self._try_flagged_at:
            return
        self._pause = min(2 * self._pause, _LAST_TRY_SECONDS) if self._flagged else _FIRST_TRY_SECONDS
        self._query(f"UPDATE eventbus_outbox SET flagged_at = NULL WHERE flagged_at IS NOT NULL{self._where}", ())  # noqa: S608
        self._flagged.clear()
        self._refused.clear()
        self._try_flagged_at = monotonic() + _LAST_TRY_SECONDS

    def _query(self, sql: str, parameters: tuple[object, ...] = (), *, binary: bool = False) -> list[tuple[Any, ...]]:
        cursor = self._live_connection().execute(sql, parameters or None, binary=binary)
        return cursor.fetchall() if cursor.description else []

    def _live_connection(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            raise psycopg.OperationalError("The relay does not hold its shard.")
        return self._connection

    def _live_producer(self) -> Producer:
        if self._producer is None:
            raise psycopg.OperationalError("The relay does not hold its shard.")
        return self._producer


def produce(producer: Producer, topic: str, row: Outgoing) -> None:
    """Queue a record, waiting for room where there is none."""
    while True:
        try:
            producer.produce(topic, row.value, row.key, headers=cast("Any", row.headers))
        except BufferError:
            producer.poll(_FULL_QUEUE_SECONDS)
        else:
            return


def database_address() -> dict[str, Any]:
    """Arguments of the relay's connection: direct, never through a pooler, and soon lost if it is frozen."""
    options = {
        "idle_session_timeout": conf().relay_idle_seconds * 1000,
        "statement_timeout": 30_000,
        "synchronous_commit": "off",  # a lost deletion sends a batch again, no more
        # The table's statistics are of a moment long ago: always walk the index from the oldest row on.
        "enable_seqscan": "off",
        "enable_sort": "off",
    }
    address: dict[str, Any] = {
        "application_name": f"{conf().service}-relay",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
    if conf().relay_database:
        return address | {"conninfo": conf().relay_database}
    django = connections["default"].settings_dict
    given = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    own = {name: django[setting] for name, setting in given.items() if django.get(setting)}
    return address | own | {name: value for name, value in django["OPTIONS"].items() if name.startswith("ssl")}

"""The relay on the real broker: nothing lost, nothing reordered, nothing written by the undead."""

import threading
import time
from contextlib import contextmanager

import psycopg
import pytest
from buses import until
from confluent_kafka import KafkaError, KafkaException, Producer
from django.db import connection, transaction
from sample.models import Effect
from sample.published import order

from eventbus import publish, publish_many
from eventbus.catalogue import catalogue
from eventbus.conf import conf
from eventbus.figures import FIGURES
from eventbus.heartbeat import Heartbeat
from eventbus.models import CachedSchema, OutboxRow
from eventbus.outbox import publish_copies
from eventbus.registry import Registry, RegistryAway
from eventbus.relay import Relay, database_address
from eventbus.relay_runner import RelayRunner


@contextmanager
def claimed(shard: int = 0, shards: int = 1):
    relay = Relay(shard, shards)
    assert relay.claim()
    try:
        yield relay
    finally:
        relay.close()


@contextmanager
def running(*runners: RelayRunner):
    threads = [threading.Thread(target=runner.run) for runner in runners]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for runner in runners:
            runner.stop()
        for thread in threads:
            thread.join()


def commit(*events) -> None:
    with transaction.atomic():
        publish_many(events)


def sent(kafka, topic: str = "orders") -> list[int]:
    """Numbers at the end of the records' keys, in order; keys are o<n>."""
    return [int(record.key.decode().lstrip("o")) for record in kafka.records(topic)]


def end_connections_of(pattern: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s AND pid <> pg_backend_pid()",
            [pattern],
        )


def test_a_crash_between_produce_and_delete_repeats_the_record_and_its_effect_happens_once(kafka):
    commit(order("OrderPlaced"))
    with claimed() as crashing:
        rows = [crashing._wire.outgoing(row) for row in crashing.take()]
        assert crashing.send(rows)
    assert kafka.relay() == 1
    first, second = kafka.records("orders")
    assert dict(first.headers)["ce_id"] == dict(second.headers)["ce_id"]
    kafka.consume("orders", 2)
    assert Effect.objects.count() == 1


def test_a_relay_frozen_past_the_loss_of_its_shard_and_woken_up_writes_nothing(kafka):
    commit(order("OrderState", "o1", 1))
    frozen = Relay()
    assert frozen.claim()
    rows = [frozen._wire.outgoing(row) for row in frozen.take()]
    end_connections_of("shop-relay")  # as idle_session_timeout does
    commit(order("OrderState", "o1", 2))
    assert kafka.relay() == 2
    with pytest.raises(KafkaException):
        frozen.send(rows)
    with pytest.raises(psycopg.OperationalError):
        frozen.forget(rows)
    frozen.close()
    states = kafka.records("orders-stream")
    assert [record.value[-2] for record in states] == [2, 4]  # zigzag of 1 and 2: it ends in the present


def test_a_frozen_relay_loses_its_shard():
    options = database_address()["options"]
    assert "idle_session_timeout=30000" in options
    assert database_address()["tcp_user_timeout"] == 15_000


def test_one_shard_has_one_relay(kafka):
    with claimed():
        assert not Relay().claim()
    with claimed():
        pass


def test_relays_that_split_the_keys_otherwise_do_not_overlap(kafka):
    with claimed(0, 2):
        assert not Relay(0, 1).claim()
        with claimed(1, 2):
            pass


def test_the_order_of_each_key_holds_with_three_relays_at_once(kafka, settings):
    runners = [RelayRunner(3, Heartbeat()) for _ in range(3)]
    with running(*runners):
        until(lambda: shard_holders() == 3)
        for number in range(40):
            commit(*(order(("OrderPlaced", "OrderShipped")[number % 2], f"o{key}", number) for key in range(12)))
        until(lambda: not OutboxRow.objects.exists())
    by_key: dict[bytes, list[int]] = {}
    for record in kafka.records("orders"):
        by_key.setdefault(record.key, []).append(record.value[-2] // 2)
    assert set(map(tuple, by_key.values())) == {tuple(range(40))}
    assert len(by_key) == 12


def shard_holders() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND classid = 2827 AND d.datname = current_database()"
        )
        return cursor.fetchone()[0]


def test_one_process_takes_the_shards_that_nobody_else_has(kafka):
    with running(RelayRunner(2, Heartbeat())):
        commit(*(order("OrderPlaced", f"o{key}") for key in range(10)))
        until(lambda: not OutboxRow.objects.exists())
    assert sorted(sent(kafka)) == list(range(10))


def test_the_relay_wakes_up_after_a_commit(kafka):
    with claimed() as relay:
        assert relay.step() == 0
        writer = threading.Timer(0.3, commit_elsewhere)
        writer.start()
        started = time.monotonic()
        relay.wait(5)
        assert time.monotonic() - started < 2
        until(lambda: relay.step() == 1)
        writer.join()


def commit_elsewhere() -> None:
    commit(order("OrderPlaced"))
    connection.close()


def test_a_relay_whose_connection_is_lost_starts_anew(kafka):
    with running(RelayRunner(1, Heartbeat())):
        commit(order("OrderPlaced", "o1"))
        until(lambda: not OutboxRow.objects.exists())
        end_connections_of("shop-relay")
        commit(order("OrderPlaced", "o2"))
        until(lambda: not OutboxRow.objects.exists())
    assert sorted(sent(kafka)) == [1, 2]


class Breaking(Producer):
    """Once `broken`, it says so at every call, as librdkafka does after a fatal error of the broker."""

    broken = False

    def _say(self) -> None:
        if self.broken:
            raise KafkaException(KafkaError(KafkaError.INVALID_TXN_STATE, "broken", fatal=True))

    def poll(self, timeout=0):
        self._say()
        return super().poll(timeout)

    def commit_transaction(self, timeout=10):
        self._say()
        return super().commit_transaction(timeout)


def test_a_relay_whose_producer_broke_starts_anew(kafka, monkeypatch):
    made: list[Breaking] = []
    monkeypatch.setattr("eventbus.relay.Producer", lambda settings: made.append(Breaking(settings)) or made[-1])
    with running(RelayRunner(1, Heartbeat())):
        commit(order("OrderPlaced", "o1"))
        until(lambda: not OutboxRow.objects.exists())
        made[0].broken = True
        commit(order("OrderPlaced", "o2"))
        until(lambda: not OutboxRow.objects.exists())
    assert sorted(sent(kafka)) == [1, 2]
    assert len(made) == 2


def test_a_fault_in_one_shard_ends_the_process_and_does_not_leave_the_shard_alone(kafka):
    class Faulty(Relay):
        def step(self) -> int:
            if self.shard == 1:
                raise ZeroDivisionError
            return super().step()

    with pytest.raises(ZeroDivisionError):
        RelayRunner(2, Heartbeat(), Faulty).run()


def test_a_row_for_a_topic_that_is_not_there_holds_back_only_its_key(kafka):
    with transaction.atomic():
        publish_copies([("nowhere", b"o1", b"first", []), ("nowhere", b"o1", b"second", [])])
        publish(order("OrderPlaced", "o3"))
    with claimed() as relay:
        until(lambda: relay.step() == 1)
        assert OutboxRow.objects.filter(flagged_at__isnull=False).exists()
        commit(order("OrderPlaced", "o4"))
        assert relay.step() == 1
        assert relay.step() == 0
        assert sorted(sent(kafka)) == [3, 4]
        assert FIGURES["eventbus_outbox_flagged_rows"].read() == 2
    assert "nknown topic" in OutboxRow.objects.filter(flagged_at__isnull=False).first().problem
    kafka.create("nowhere")
    assert kafka.relay() == 2
    assert [record.value for record in kafka.records("nowhere")] == [b"first", b"second"]
    kafka.delete("nowhere")


def test_a_row_that_is_too_large_for_the_broker_holds_back_only_its_key(kafka):
    with transaction.atomic():
        publish_copies([("orders", b"o1", b"x" * 2_000_000, [])])
        publish(order("OrderPlaced", "o2"))
    with claimed() as relay:
        assert relay.step() == 0
        assert relay.step() == 1
    assert sent(kafka) == [2]
    assert OutboxRow.objects.get().flagged_at


def test_an_event_whose_schema_is_not_registered_waits_for_it_and_its_key_with_it(kafka):
    shipped = catalogue().by_version["OrderShipped", 1]
    CachedSchema.objects.filter(sha256=shipped.sha256).delete()
    commit(order("OrderShipped", "o1"), order("OrderPlaced", "o1"), order("OrderPlaced", "o2"))
    with claimed() as relay:
        assert relay.step() == 1
        assert sent(kafka) == [2]
        assert "register_schemas" in OutboxRow.objects.get(flagged_at__isnull=False).problem
        Registry(conf().registry_url).register(shipped)
    assert kafka.relay() == 2
    assert sorted(sent(kafka)) == [1, 1, 2]


def test_an_event_of_a_schema_without_a_file_is_flagged(kafka):
    commit(order("OrderPlaced"))
    OutboxRow.objects.update(schema=b"\x00" * 32)
    with claimed() as relay:
        assert relay.step() == 0
    assert "No schema file" in OutboxRow.objects.get().problem


def test_rows_wait_for_the_registry_where_an_id_is_not_cached(kafka, settings):
    settings.EVENTBUS = settings.EVENTBUS | {"REGISTRY_URL": "http://127.0.0.1:9"}
    CachedSchema.objects.all().delete()
    commit(order("OrderPlaced"))
    with claimed() as relay, pytest.raises(RegistryAway):
        relay.step()
    assert OutboxRow.objects.get().flagged_at is None


def test_a_closed_relay_does_nothing(kafka):
    relay = Relay()
    relay.close()
    with pytest.raises(psycopg.OperationalError, match="does not hold"):
        relay.step()
    with pytest.raises(psycopg.OperationalError, match="does not hold"):
        relay.send([])


def test_the_direct_connection_may_have_an_address_of_its_own(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"RELAY_DATABASE": "host=elsewhere dbname=shop"}
    assert database_address()["conninfo"] == "host=elsewhere dbname=shop"

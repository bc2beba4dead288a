"""Servers go away and come back: nothing is lost, nothing is done twice, order holds."""

import threading
from contextlib import contextmanager
from itertools import count

import psycopg
import pytest
from buses import Kafka, until
from django.core.management import call_command
from django.db import connection, connections, transaction
from prometheus_client import REGISTRY
from sample.models import Effect
from sample.published import bank, order
from test_commands import end, start

from eventbus import publish
from eventbus.consumer import Consumer
from eventbus.heartbeat import Heartbeat
from eventbus.models import DeadLetter, OutboxRow
from eventbus.relay_runner import RelayRunner


@pytest.fixture
def private(own_servers, own_prefix, settings, transactional_db):
    """Kafka and a registry of our own, to be stopped."""
    settings.EVENTBUS = settings.EVENTBUS | {
        "BOOTSTRAP_SERVERS": own_servers.kafka.bootstrap_servers,
        "REGISTRY_URL": own_servers.registry.url,
    }
    call_command("register_schemas", verbosity=0)
    return own_servers


@contextmanager
def at_work(*loops):
    """Relay and consumer in threads, as their processes run them."""

    def work(loop) -> None:
        try:
            loop.run()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        for thread in threads:
            thread.join()


def place(*numbers: int) -> None:
    for number in numbers:
        with transaction.atomic():
            publish(order(("OrderPlaced", "OrderShipped")[number % 2], f"o{number % 3}", number))


def in_order(expected: int) -> bool:
    found = list(Effect.objects.order_by("id").values_list("key", "number"))
    for key in ("o0", "o1", "o2"):
        numbers = [number for name, number in found if name == key]
        assert numbers == sorted(set(numbers))
    return len(found) == expected


def test_while_kafka_is_down_writes_go_on_and_all_arrives_in_order_after_its_return(private):
    with at_work(RelayRunner(1, Heartbeat()), Consumer.on_kafka("orders")):
        place(*range(10))
        until(lambda: in_order(10))
        private.kill("kafka")
        place(*range(10, 40))
        assert OutboxRow.objects.count() == 30
        private.start("kafka")
        until(lambda: in_order(40), 90)
    assert not OutboxRow.objects.exists()
    assert not DeadLetter.objects.exists()


def test_while_the_registry_is_down_restarted_processes_go_on(private, tmp_path):
    private.stop("registry")
    relay, consumer = start(tmp_path, "run_relay"), start(tmp_path, "run_consumer", "orders")
    try:
        place(*range(6))
        until(lambda: in_order(6))
    finally:
        codes = [end(relay), end(consumer)]
        private.start("registry")
    assert codes == [0, 0], (tmp_path / "log").read_text()


def test_an_unknown_schema_waits_for_the_registry(private, tmp_path):
    """With neither registry nor cached id nobody knows whether the record is bad: it is not a dead letter."""
    kafka = Kafka(make_topics=False)
    kafka.send(bank("PaymentMade", number=1))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM eventbus_schema")
    private.stop("registry")
    with at_work(Consumer.on_kafka("payments")):
        until(lambda: metric_of_retries() > 0)
        assert not DeadLetter.objects.exists()
        private.start("registry")
        until(lambda: Effect.objects.count() == 1)


def metric_of_retries() -> float:
    return REGISTRY.get_sample_value("eventbus_transient_errors_total", {"group": "shop.payments"}) or 0.0


def test_after_a_restart_of_postgres_the_processes_reconnect_and_nothing_is_lost(private, tmp_path):
    private.postgres.ensure_database("eventbus")
    address = private.postgres.url("eventbus", "owner", "eventbus")
    environment = {"DATABASE_URL": address}
    for command in (("migrate",), ("register_schemas",)):
        assert start(tmp_path, *command, **environment).wait(60) == 0, (tmp_path / "log").read_text()
    relay = start(tmp_path, "run_relay", **environment)
    consumer = start(tmp_path, "run_consumer", "orders", **environment)
    numbers = count(1)

    def effects() -> int:
        with psycopg.connect(address, connect_timeout=2) as shop:
            return shop.execute("SELECT count(DISTINCT event_id) FROM sample_effect").fetchone()[0]

    def place_one() -> None:
        assert start(tmp_path, "place", str(next(numbers)), **environment).wait(90) == 0

    try:
        place_one()
        until(lambda: effects() == 1)
        private.restart("postgres")
        place_one()
        until(lambda: effects() == 2, 60)
    finally:
        codes = [end(relay), end(consumer)]
    assert codes == [0, 0], (tmp_path / "log").read_text()

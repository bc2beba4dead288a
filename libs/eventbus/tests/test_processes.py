"""Relay and consumer commands in this process, and what they share."""

import os
import signal
import threading
import time

import pytest
from buses import until
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from sample.models import Effect
from sample.published import bank, order

from eventbus import publish
from eventbus.broker import Broker
from eventbus.errors import TransientError
from eventbus.heartbeat import Heartbeat
from eventbus.models import OutboxRow


@pytest.fixture
def terminated():
    """After a condition holds, this process is told to end, as by Kubernetes; signals are put back afterwards."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    threads = []

    def when(condition) -> None:
        def wait_and_kill() -> None:
            try:
                until(condition)
            finally:
                connections.close_all()
                os.kill(os.getpid(), signal.SIGTERM)

        threads.append(threading.Thread(target=wait_and_kill))
        threads[-1].start()

    yield when
    for thread in threads:
        thread.join()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_the_relay_command_ends_on_sigterm(kafka, terminated):
    with transaction.atomic():
        publish(order("OrderPlaced"))
    terminated(lambda: not OutboxRow.objects.exists())
    call_command("run_relay")
    assert len(kafka.records("orders")) == 1


def test_the_consumer_command_ends_on_sigterm(kafka, terminated):
    kafka.send(bank("PaymentMade"))
    terminated(Effect.objects.exists)
    call_command("run_consumer", "payments")
    assert Effect.objects.count() == 1


def test_the_consumer_command_fails_where_the_fault_is_its_own(kafka, terminated, settings):
    settings.EVENTBUS = settings.EVENTBUS | {"STOP_AFTER": 0}
    kafka.send(bank("PaymentMade", text="poison"))
    with pytest.raises(CommandError, match="the fault seems to be its own"):
        call_command("run_consumer", "payments")


def test_a_heartbeat_touches_its_file_at_most_once_a_second(tmp_path):
    path = tmp_path / "beat"
    heartbeat = Heartbeat(str(path))
    heartbeat.beat()
    os.utime(path, (0, 0))
    heartbeat.beat()
    assert path.stat().st_mtime == 0
    until(lambda: heartbeat.beat() is None and path.stat().st_mtime > time.time() - 5, 5)


@pytest.mark.django_db
def test_a_broker_that_does_not_answer_is_away(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    with pytest.raises(TransientError, match="Kafka does not say"):
        Broker().found([("orders", 0)])
    assert Broker().found([]) == {}

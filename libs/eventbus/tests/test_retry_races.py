"""A dead letter is retried while a consumer comes by with a later event of its key: whoever locks first."""

import threading
from collections.abc import Callable
from contextlib import contextmanager

import pytest
from buses import until
from django.db import OperationalError, connection, connections
from sample import consumed
from sample.models import Effect
from sample.published import bank
from test_consumer import running

from eventbus import Event, dead_letters
from eventbus.memory import MemoryBus
from eventbus.models import DeadLetter, InboxRow, Sequence
from eventbus.registry import FixedIds
from eventbus.testing import wire


@contextmanager
def meanwhile(work: Callable[[], object]):
    """Do something in a thread with a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        consumed.gate.set()
        thread.join()


def waits_for_a_sequence(statement: str) -> bool:
    """Whether a session of this database waits for another one's lock in such a statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND query LIKE %s AND query LIKE %s",
            ["%eventbus_sequence%", f"%{statement}%"],
        )
        return cursor.fetchone()[0] > 0


@pytest.fixture
def dead(kafka) -> DeadLetter:
    """The first payment of a1 is set aside; by the time it is retried, it waits at the gate."""
    kafka.send(bank("PaymentMade", "a1", 1, "poison"))
    kafka.consume("payments", 1)
    return DeadLetter.objects.get()


def assert_applied(*numbers: int) -> None:
    assert list(Effect.objects.filter(key="a1").order_by("id").values_list("number", flat=True)) == list(numbers)
    assert set(InboxRow.objects.values_list("outcome", flat=True)) == {InboxRow.Outcome.APPLIED}
    assert not DeadLetter.objects.filter(state__in=dead_letters.OPEN).exists()
    assert not Sequence.objects.exists()


def test_an_event_that_comes_during_the_retry_is_applied_after_it(kafka, dead):
    gated = bytes(dead.value).replace(b"\x0cpoison", b"\x08gate")
    DeadLetter.objects.filter(pk=dead.pk).update(value=gated)
    with running(), meanwhile(lambda: dead_letters.retry(dead.pk, by="me")):
        until(consumed.at_gate.is_set)
        kafka.send(bank("PaymentMade", "a1", 2))
        until(lambda: waits_for_a_sequence("FOR SHARE"))
        consumed.gate.set()
        until(lambda: Effect.objects.filter(key="a1").count() == 2)
    assert_applied(1, 2)
    assert DeadLetter.objects.count() == 1


def test_an_event_that_was_set_aside_just_before_the_retry_is_part_of_it(transactional_db):
    bus = MemoryBus()
    consumer = bus.consumer("payments")
    send(bus, bank("PaymentMade", "a1", 1, "poison"))
    consumer.step()
    consumed.healed.set()
    send(bus, bank("PaymentMade", "a1", 2), bank("PaymentMade", "a1", 3), bank("PaymentMade", "a2", 4, "gate"))
    found: list[dead_letters.Retried] = []
    with meanwhile(consumer.step):
        until(consumed.at_gate.is_set)
        with meanwhile(lambda: found.append(retry_until_unlocked(DeadLetter.objects.earliest("id").pk))):
            until(lambda: waits_for_a_sequence("FOR UPDATE"))
            assert not Effect.objects.exists()
            consumed.gate.set()
            until(lambda: Effect.objects.count() == 4)
    assert found == [dead_letters.Retried(applied=3, left=0, error="")]
    assert_applied(1, 2, 3)


def send(bus: MemoryBus, *events: Event) -> None:
    for event in events:
        bus.send(*wire(event, FixedIds()))


def retry_until_unlocked(pk: int) -> dead_letters.Retried:
    """As a person would who is told to try again."""
    while True:
        try:
            return dead_letters.retry(pk, by="me")
        except OperationalError:
            connection.close()

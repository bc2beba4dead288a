"""Which errors of Postgres are tried again, and which are an event's fault."""

import secrets
import select
from io import BytesIO

import pytest
from django.db import connection
from fastavro import schemaless_writer
from sample import consumed
from sample.models import Effect
from sample.published import bank
from structlog.testing import capture_logs

from eventbus import dead_letters
from eventbus.catalogue import catalogue
from eventbus.codec import MAX_KEY_BYTES, Headers, read_body
from eventbus.consumer import Consumer
from eventbus.memory import MemoryBus, MemorySource
from eventbus.models import DeadLetter, OutboxRow
from eventbus.registry import FixedIds
from eventbus.testing import deliver, wire

pytestmark = pytest.mark.django_db

LONG_KEY = secrets.token_hex(5_000)  # Postgres indexes no such key, however it packs it


def with_key(key: str, text: str = "") -> tuple[str, bytes, bytes, Headers]:
    """The record of an event whose key its producer should have refused."""
    topic, _, value, headers = wire(bank("PaymentMade", text=text), FixedIds())
    schema = catalogue().by_version["PaymentMade", 1]
    envelope = read_body(schema, value, 5)
    envelope["data"]["account_id"] = key
    buffer = BytesIO(value[:5])
    buffer.seek(5)
    schemaless_writer(buffer, schema.parsed, envelope)
    return topic, key.encode(), buffer.getvalue(), headers


@pytest.mark.parametrize("text", ["", "poison"])
def test_a_record_whose_key_is_too_long_for_us_is_set_aside_alone(text):
    bus = MemoryBus()
    bus.send(*with_key(LONG_KEY, text))
    bus.send(*wire(bank("PaymentMade", number=2), FixedIds()))
    bus.consume("payments")
    assert Effect.objects.get().number == 2
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.sequence_key, bytes(letter.key)) == ("wrong_key", "", LONG_KEY.encode())
    assert str(MAX_KEY_BYTES) in letter.error


def test_a_record_that_cannot_be_read_is_set_aside_whatever_the_length_of_its_key():
    bus = MemoryBus()
    topic, key, _, headers = with_key(LONG_KEY)
    bus.send(topic, key, b"junk", headers)
    bus.consume("payments")
    assert bytes(DeadLetter.objects.get().key) == key
    assert bytes(OutboxRow.objects.get().key) == key


def test_an_event_that_is_too_much_for_postgres_is_a_dead_letter_of_its_own():
    deliver("payments", [bank("PaymentMade", f"a{n}", n, "too much" if n == 2 else "") for n in range(4)])
    assert sorted(Effect.objects.values_list("number", flat=True)) == [0, 1, 3]
    letter = DeadLetter.objects.get()
    assert letter.error.startswith("OperationalError")
    retried = dead_letters.retry(letter.pk, by="me")
    assert (retried.applied, retried.left) == (0, 1)
    consumed.healed.set()
    assert dead_letters.retry(letter.pk, by="me").applied == 1


class Freezing(MemorySource):
    """The process stands still before its first commit, for longer than Postgres waits."""

    frozen = False

    def confirm(self) -> None:
        if not self.frozen:
            self.frozen = True
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 20")
                select.select([cursor.connection.fileno()], [], [], 30)  # until Postgres says that it is over


@pytest.mark.django_db(transaction=True)
def test_a_session_that_postgres_ended_before_the_commit_is_replaced():
    bus = MemoryBus()
    bus.send(*wire(bank("PaymentMade", number=1), FixedIds()))
    with capture_logs() as lines:
        assert Consumer("payments", Freezing(bus, "payments")).step(timeout=0) == 1
    assert Effect.objects.get().number == 1
    assert [line["event"] for line in lines][:2] == ["try_again", "event_applied"]


@pytest.mark.django_db(transaction=True)
def test_a_primary_that_became_a_standby_is_asked_again():
    bus = MemoryBus()
    bus.send(*wire(bank("PaymentMade", number=1), FixedIds()))
    consumer = bus.consumer("payments")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")  # for as long as the session lasts
    with capture_logs() as lines:
        assert consumer.step(timeout=0) == 1
    assert Effect.objects.get().number == 1
    assert [line["event"] for line in lines][:2] == ["try_again", "event_applied"]


@pytest.mark.django_db(transaction=True)
def test_a_handler_that_goes_on_after_an_error_of_the_database_is_to_blame():
    deliver("payments", [bank("PaymentMade", text="goes on")])
    assert DeadLetter.objects.get().error.startswith("InternalError")

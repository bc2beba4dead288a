"""Which errors of Postgres are tried again, and which are an event's fault."""

import secrets
from io import BytesIO

import pytest
from fastavro import schemaless_writer
from sample import consumed
from sample.models import Effect
from sample.published import bank

from eventbus import dead_letters
from eventbus.catalogue import catalogue
from eventbus.codec import MAX_KEY_BYTES, Headers, read_body
from eventbus.memory import MemoryBus
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

"""What every broker must do: one suite for the one in memory and for Kafka."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from opentelemetry import context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sample import consumed
from sample.models import Effect
from sample.published import EPOCH, bank, order

from eventbus import dead_letters, publish, publish_many
from eventbus.codec import SHA256_HEADER
from eventbus.models import ConsumerOffset, DeadLetter, InboxRow, OutboxRow
from eventbus.testing import published

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def numbers(**which) -> list[int]:
    return list(Effect.objects.filter(**which).order_by("id").values_list("number", flat=True))


def test_what_is_published_has_its_effect_once(bus):
    with transaction.atomic():
        publish_many(order("OrderPlaced", f"o{number}", number) for number in range(30))
    assert bus.relay() == 30
    assert not OutboxRow.objects.exists()
    bus.consume("orders", 30)
    bus.consume("orders", 0)
    assert sorted(numbers()) == list(range(30))


def test_the_order_of_a_key_is_kept_across_event_types(bus):
    with transaction.atomic():
        publish_many(order(("OrderPlaced", "OrderShipped")[number % 2], "o1", number) for number in range(20))
    bus.relay()
    bus.consume("orders", 20)
    assert numbers() == list(range(20))


def test_handlers_that_differ_take_turns_within_a_key_and_get_sets_across_keys(bus):
    for name in ("PaymentMade", "PaymentCancelled", "PaymentMade"):
        for key in ("a1", "a2", "a3"):
            bus.send(bank(name, key))
    bus.consume("payments", 9)
    for key in ("a1", "a2", "a3"):
        names = list(Effect.objects.filter(key=key).order_by("id").values_list("name", flat=True))
        assert names == ["PaymentMade", "PaymentCancelled", "PaymentMade"]


def test_a_record_repeated_by_the_relay_has_its_effect_once(bus):
    event = bank("PaymentMade", number=1)
    bus.send(event)
    bus.send(event)
    bus.consume("payments", 2)
    bus.send(event)
    bus.consume("payments", 1)
    assert numbers() == [1]
    assert InboxRow.objects.count() == 1


def test_events_that_nobody_handles_are_skipped_with_their_offset(bus):
    bus.send(bank("PaymentNoticed"))
    bus.send(bank("PaymentMade", number=2))
    bus.consume("payments", 2)
    assert numbers() == [2]
    assert not DeadLetter.objects.exists()
    assert sum(ConsumerOffset.objects.values_list("position", flat=True)) >= 2


def test_null_values_are_skipped(bus):
    bus.send(bank("PaymentMade"), value=None)
    bus.send(bank("PaymentMade", number=2))
    bus.consume("payments", 2)
    assert numbers() == [2]
    assert not DeadLetter.objects.exists()


def test_both_versions_of_an_event_reach_the_handler(bus):
    bus.send(bank("PaymentMade", number=1, version=1))
    bus.send(bank("PaymentMade", number=2, version=2))
    bus.consume("payments", 2)
    assert numbers() == [1, 2]


@pytest.mark.parametrize("place", [0, 250, 499])
def test_a_bad_record_among_500_dead_letters_alone_and_its_key_waits_in_order(bus, place):
    for number in range(500):
        bus.send(bank("PaymentMade", f"a{number % 100}", number, "poison" if number == place else ""))
    bus.consume("payments", 500)
    behind = [number for number in range(place + 1, 500) if number % 100 == place % 100]
    letters = list(DeadLetter.objects.order_by("id"))
    assert [letter.state for letter in letters] == ["dead", *["waiting"] * len(behind)]
    assert len(numbers()) == 499 - len(behind)
    consumed.healed.set()
    assert dead_letters.retry(letters[0].pk, by="me").applied == 1 + len(behind)
    expected = [number for number in range(500) if number % 100 == place % 100]
    assert numbers(key=f"a{place % 100}") == expected


def test_dead_letters_are_mirrored_with_the_reason(bus):
    bus.send(bank("PaymentMade", text="poison"))
    bus.consume("payments", 1)
    bus.relay()
    (copy,) = bus.records("shop.payments.dlq")
    headers = dict(copy.headers)
    assert (copy.key, headers["dlq-reason"], headers["dlq-topic"]) == (b"a1", b"handler", b"payments")
    assert b"PaymentMade" in copy.value


def test_undecodable_records_dead_letter_alone(bus):
    bus.send(bank("PaymentMade", number=1), value=b"\xff\x00 no avro")
    bus.send(bank("PaymentMade", number=2))
    bus.consume("payments", 2)
    assert numbers() == [2]
    assert DeadLetter.objects.get().reason == "malformed"


def test_an_event_from_the_future_dead_letters_whatever_the_consumers_clock_says(bus):
    bus.send(bank("PaymentMade", "a1", 1, time=timezone.now() + timedelta(minutes=6)))
    bus.send(bank("PaymentMade", "a2", 2, time=timezone.now() + timedelta(minutes=4)))
    bus.send(bank("PaymentMade", "a3", 3, time=EPOCH - timedelta(days=3000)))
    bus.consume("payments", 3)
    assert sorted(numbers()) == [2, 3]
    assert DeadLetter.objects.get().reason == "future"


def test_a_later_state_supersedes_a_dead_one(bus):
    bus.send(bank("AccountState", number=1, text="poison"))
    bus.consume("state", 1)
    assert DeadLetter.objects.get().state == "dead"
    bus.send(bank("AccountState", number=2))
    bus.consume("state", 1)
    assert numbers() == [2]
    assert DeadLetter.objects.get().state == "superseded"


def test_topics_that_are_said_to_supersede_do(bus):
    bus.send(bank("CardBlocked", number=1, text="poison"))
    bus.send(bank("CardBlocked", number=2))
    bus.consume("state", 2)
    assert numbers() == [2]
    assert DeadLetter.objects.get().state == "superseded"


def test_what_a_handler_publishes_goes_with_its_batch(bus):
    bus.send(bank("PaymentMade", "a1", 1, "echo"))
    bus.send(bank("PaymentMade", "a2", 2, "poison"))
    bus.consume("payments", 2)
    assert [event.data["number"] for event in published()] == [1]


def test_headers_carry_cloudevents_fingerprint_and_trace(bus):
    token = context.attach(TraceContextTextMapPropagator().extract({"traceparent": TRACE}))
    event = order("OrderPlaced")
    try:
        with transaction.atomic():
            publish(event)
    finally:
        context.detach(token)
    bus.relay()
    (record,) = bus.records("orders")
    headers = dict(record.headers)
    assert headers["traceparent"].decode().split("-")[1] == TRACE.split("-")[1]
    assert headers["ce_id"].decode() == str(event.id)
    assert headers["ce_type"] == b"sample.shop.OrderPlaced.v1"
    assert headers["ce_source"] == b"/shop"
    assert headers["ce_time"].decode() == event.time.isoformat()
    assert len(headers[SHA256_HEADER]) == 64
    bus.consume("orders", 1)
    assert Effect.objects.get().trace.split("-")[1] == TRACE.split("-")[1]


def test_a_record_without_a_fingerprint_is_not_believed(bus):
    bus.send(bank("PaymentMade"), headers=[])
    bus.consume("payments", 1)
    assert DeadLetter.objects.get().reason == "malformed"
    assert not Effect.objects.exists()


def test_a_record_under_another_key_dead_letters_alone(bus):
    bus.send(bank("PaymentMade"), key=b"a2")
    bus.send(bank("PaymentMade", "a2", 2))
    bus.consume("payments", 2)
    assert DeadLetter.objects.get().reason == "wrong_key"
    assert numbers() == [2]


def test_positions_survive_the_consumer(bus):
    for number in range(3):
        bus.send(bank("PaymentMade", number=number))
        bus.consume("payments", 1)
    assert numbers() == [0, 1, 2]

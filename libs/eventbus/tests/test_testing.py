"""`eventbus.testing`, as tests of services use it."""

import pytest
from sample.models import Effect
from sample.published import bank, order

from eventbus import publish, publish_many
from eventbus.models import DeadLetter
from eventbus.testing import clear_outbox, deliver, published

pytestmark = pytest.mark.django_db


def test_published_shows_the_outbox_in_order():
    publish(order("OrderPlaced", number=1))
    publish_many([order("OrderShipped", number=2), order("OrderState", number=3)])
    assert [(event.name, event.data["number"], event.topic, event.producer) for event in published()] == [
        ("OrderPlaced", 1, "orders", "shop"),
        ("OrderShipped", 2, "orders", "shop"),
        ("OrderState", 3, "orders-stream", "shop"),
    ]
    assert [event.name for event in published("OrderShipped")] == ["OrderShipped"]


def test_clear_outbox_forgets():
    publish(order("OrderPlaced"))
    clear_outbox()
    assert published() == []


def test_delivered_events_are_handled_once():
    event = bank("PaymentMade", number=7)
    deliver("payments", [event, event])
    deliver("payments", [event])
    assert list(Effect.objects.values_list("handler", "number")) == [("keep_payments", 7)]


def test_a_delivered_event_that_cannot_be_handled_is_a_dead_letter():
    deliver("payments", [bank("PaymentMade", text="poison"), bank("PaymentMade", "a2")])
    assert Effect.objects.get().key == "a2"
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.error) == ("handler", "ValueError: cannot take 1\\x00")

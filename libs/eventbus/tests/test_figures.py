"""What operators watch of the bus in the database."""

from datetime import UTC, datetime

import pytest
from sample.published import bank, order

from eventbus import publish
from eventbus.figures import FIGURES
from eventbus.models import ConsumerOffset, OutboxRow
from eventbus.testing import deliver

pytestmark = pytest.mark.django_db


def test_a_record_set_aside_is_counted_until_somebody_decides():
    assert FIGURES["eventbus_dead_letters_open"].read() == 0
    deliver("payments", [bank("PaymentMade", number=1, text="poison")])
    assert FIGURES["eventbus_dead_letters_open"].read() == 1


def test_depth_and_age_of_the_outbox_are_told_also_while_no_relay_gets_through():
    assert FIGURES["eventbus_outbox_oldest_seconds"].read() == 0
    for key in range(3):
        publish(order("OrderPlaced", f"o{key}"))
    OutboxRow.objects.filter(key=b"o0").update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert FIGURES["eventbus_outbox_rows"].read() == 3
    assert FIGURES["eventbus_outbox_oldest_seconds"].read() > 1000


def test_a_consumer_that_hangs_is_told_by_when_it_had_consumed_all():
    assert FIGURES["eventbus_not_consumed_seconds"].read() is None
    deliver("payments", [bank("PaymentMade", number=1)])
    assert FIGURES["eventbus_not_consumed_seconds"].read() < 60
    ConsumerOffset.objects.update(caught_up_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert FIGURES["eventbus_not_consumed_seconds"].read() > 1000

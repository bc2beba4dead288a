"""What operators watch of the bus in the database."""

import pytest
from sample.published import bank

from eventbus.figures import FIGURES
from eventbus.testing import deliver

pytestmark = pytest.mark.django_db


def test_a_record_set_aside_is_counted_until_somebody_decides():
    assert FIGURES["eventbus_dead_letters_open"].read() == 0
    deliver("payments", [bank("PaymentMade", number=1, text="poison")])
    assert FIGURES["eventbus_dead_letters_open"].read() == 1

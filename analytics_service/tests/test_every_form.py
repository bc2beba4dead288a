"""Every form of analytics, found on its pages from the address table: sent twice, and given odd input."""

import itertools
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client

from dev import forms, sweep
from eventbus.testing import set_aside
from tests.making import earned
from tests.test_pages import NOW, TODAY, consume, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
# They need auth: identity's own tests send them twice.
SIGNING_OUT = {"logout", "backchannel_logout"}
FILLED = {"dead_letters:discard": {"reason": "It was a test."}}
MORE = ["/?from=2026-03-03&to=2026-03-04"]


@pytest.fixture
def clients() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield {"admin": signed_in("admin"), "stranger": Client()}


@pytest.fixture
def table(clients: dict[str, Client]) -> dict[str, list[str]]:
    consume(earned(2500, TODAY))
    letter = set_aside("facts", earned(3500, TODAY, task="perch"))
    return forms.addresses({"first": [date(2026, 3, 1)], "last": [date(2026, 3, 31)], "pk": [letter.pk]})


@pytest.fixture
def pages(clients: dict[str, Client], table: dict[str, list[str]]) -> list[forms.Page]:
    return forms.pages(clients, [*itertools.chain.from_iterable(table.values()), *MORE])


def test_every_form_and_every_page(
    subtests: pytest.Subtests, clients: Any, table: Any, pages: list[forms.Page]
) -> None:
    sweep.everything(
        subtests,
        clients,
        table,
        pages,
        elsewhere=SIGNING_OUT,
        filled=FILLED,
        other={},
        addresses=4,
    )

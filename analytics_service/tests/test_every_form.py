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


@pytest.fixture
def found(pages: list[forms.Page]) -> list[forms.Form]:
    return [form for form in forms.forms(pages) if form.name not in SIGNING_OUT]


def test_every_address_that_takes_something_has_its_form_on_a_page(clients: Any, table: Any, found: Any):
    shown = {form.name for form in found if form.post}
    assert forms.taking_posts(clients, table, sweep.undone) - SIGNING_OUT == shown
    assert set(FILLED) <= shown


def test_every_form_sent_twice_has_one_effect_and_the_same_answer(found: Any):
    assert sweep.sent_twice([form for form in found if form.post], filled=FILLED) == []


def test_odd_input_in_any_field_of_any_form_is_refused_and_kept_or_shown_as_it_is(found: Any):
    assert sweep.given_odd_input(found, filled=FILLED) == []


def test_every_page_loads_one_style_sheet_and_one_script_of_this_service(pages: list[forms.Page]):
    assert len({page.address for page in pages}) > 4
    assert sweep.foreign_or_many_files(pages) == []

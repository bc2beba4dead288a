"""Every form of billing, found on its pages from the address table: sent twice, and given odd input."""

import itertools
from datetime import timedelta

import pytest
from django.test import Client

from billing.models import Cycle, Transfer
from billing.selectors.clock import database_now
from dev import forms, sweep
from eventbus.testing import set_aside
from tests.make import BORIS, WILMA, account, assigned, task_id

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
# They need auth: identity's own tests send them twice.
SIGNING_OUT = {"logout", "backchannel_logout"}
MORE = ["/workers?show=left", f"/workers/{WILMA}?day=2020-01-01", f"/corrections?worker={BORIS}", "/search?q=w"]
REASON = {"reason": "It was the wrong worker."}
CORRECTION = {"worker": "wilma@popug.example", "direction": "pay", "amount": "12.50", **REASON, "about": ""}
FILLED = {
    "correction_new": CORRECTION,
    "correction_take_back": REASON,
    "payout_return": REASON,
    "dead_letters:discard": {"reason": "It was a test."},
}
# What else somebody types into a form that was sent already.
OTHER = {
    "correction_new step=post": {"amount": "13"},
    "correction_take_back": {"reason": "It was another worker."},
    "payout_return": {"reason": "It was another worker."},
}
# A preview books nothing.
NO_EFFECT = {"correction_new", "correction_new step=edit"}


@pytest.fixture
def clients(story, browser):
    """Who looks: everybody who sees another page, and somebody who is not signed in."""
    wilma = browser(who=account(name="Wanda Wolf"))
    return {role: browser(role) for role in ("finance", "admin")} | {"worker": wilma, "stranger": Client()}


@pytest.fixture
def table(clients, story):
    """Every address, with something in each state for its arguments."""
    now = database_now()
    Cycle.objects.filter(state="open").update(due_at=now - timedelta(minutes=1))
    payout = Transfer.objects.filter(kind="payout").exclude(id=story["payout"]).get()
    letter = set_aside("tasks", assigned(task_id(8), time=now))
    return forms.addresses(
        {
            "day": [story["day"]],
            "task_id": [task_id(), task_id(5)],
            "entry_id": [story["right"], story["wrong"], payout.id],
            "account_id": [WILMA],
            "cycle_id": list(Cycle.objects.values_list("id", flat=True)),
            "pk": [letter.pk],
        }
    )


@pytest.fixture
def pages(clients, table):
    found = forms.pages(clients, [*itertools.chain.from_iterable(table.values()), *MORE])
    new = next(form for form in forms.forms(found) if form.called == "correction_new")
    return [*found, forms.answer(new, CORRECTION)]


def test_every_form_and_every_page(subtests, clients, table, pages):
    sweep.everything(
        subtests,
        clients,
        table,
        pages,
        elsewhere=SIGNING_OUT,
        filled=FILLED,
        other=OTHER,
        no_effect=NO_EFFECT,
        addresses=15,
    )

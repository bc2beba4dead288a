"""Every form of billing, sent twice at once in a real browser: one effect, the same answer."""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.urls import resolve

from billing.models import Cycle, Transfer
from billing.selectors.clock import database_now
from billing.web.urls import urlpatterns
from chassis.testing import addresses_of_forms, sent_twice
from eventbus.models import DeadLetter
from eventbus.testing import set_aside
from tests.make import account, assigned, task_id

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # traced, it takes twice as long
REASON = {"reason": "It was the wrong worker."}


class Sent(NamedTuple):
    """A form: who fills it in, on which page, where it leads, and its one effect; `first` is pressed before it."""

    who: str
    page: str
    action: str
    typed: dict[str, str]
    effect: dict[str, int]
    first: str = ""


FORMS = [
    Sent(
        "finance",
        "/corrections/new",
        "/corrections/new",
        {"worker": "wilma@popug.example", "amount": "12.50", **REASON},
        {"adjustment": 1},
        first="Preview",
    ),
    Sent("finance", "/entries/{right}/take-back", "", REASON, {"adjustment": 1}),
    Sent("finance", "/entries/{payout}/return", "", REASON, {"payout_return": 1}),
    Sent("finance", "/cycles/{due}", "/cycles/{due}/close", {}, {"requested": 1}),
    Sent("admin", "/dead-letters/{one}/", "/dead-letters/{one}/retry/", {}, {"fee": 1, "letter dead": -1}),
    Sent("admin", "/dead-letters/{two}/", "/dead-letters/{two}/discard/", REASON, {"letter dead": -1}),
]
DEAD_LETTERS = {"dead_letters:retry", "dead_letters:discard"}


def effects():
    """What there is to count in the database."""
    counted = Counter(Transfer.objects.values_list("kind", flat=True))
    counted["requested"] = Cycle.objects.filter(requested_at__isnull=False).count()
    counted["letter dead"] = DeadLetter.objects.filter(state=DeadLetter.State.DEAD).count()
    return counted


@pytest.fixture
def names(story):
    """What stands for the words in braces."""
    now = database_now()
    Cycle.objects.filter(state="open").update(due_at=now - timedelta(minutes=1))
    letters = {name: set_aside("tasks", assigned(task_id(n), time=now)) for name, n in (("one", 8), ("two", 10))}
    return {
        "right": story["right"],
        "payout": Transfer.objects.filter(kind="payout").exclude(id=story["payout"]).get().id,
        "due": Cycle.objects.get(state="open").id,
        **{name: letter.pk for name, letter in letters.items()},
    }


def test_every_form_sent_twice_at_once_has_one_effect_and_the_same_answer(new_page, browser, names):
    clients = {role: browser(who=account(role=role, name=f"Some {role}")) for role in ("finance", "admin")}
    pages = {role: new_page(client) for role, client in clients.items()}
    sent = set()
    for form in FORMS:
        page, path, action = pages[form.who], form.page.format(**names), form.action.format(**names)
        page.goto(path)
        place = page.locator(f"form[action='{action}']" if action else "main form:not([action])")
        for name, value in form.typed.items():
            place.locator(f"[name={name}]").fill(value)
        if form.first:
            place.get_by_label("pay to the worker").check()
            place.get_by_role("button", name=form.first).click()
            page.get_by_text("Balance after").wait_for()
        before = effects()
        status, _ = sent_twice(place)
        after = effects()
        assert status == 200, form
        found = {name: after[name] - before[name] for name in after | before if after[name] != before[name]}
        assert found == form.effect, form
        sent.add(resolve(action or path).view_name)
    assert sent == addresses_of_forms(urlpatterns, clients["finance"]) | DEAD_LETTERS

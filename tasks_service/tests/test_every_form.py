"""Every form of the service, found on its pages from the address table: sent twice, and given odd input."""

import itertools
import random
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from dev import forms, sweep
from eventbus.testing import set_aside
from tasks import domain, services
from tasks.models import ConfirmationCode, Delivery, Reassignment, Task

from .support.people import person
from .support.work import new_task
from .test_prices import priced

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long
MORE = ["/?show=mine-done", "/?show=open", "/?show=done", "/?show=open&q=wash", "/?q=nothing+like+it"]
# They need auth: identity's own tests send them twice.
SIGNING_OUT = {"logout", "backchannel_logout"}
FILLED = {
    "quick_add": {"title": "[POPUG-1] Wash"},
    "task_new": {"title": "[POPUG-1] Wash", "description": "Both sides."},
    "task_edit": {"title": "Wash it all", "description": "Both sides."},
    "code_send": {"address": "+4915111111111"},
    "code_confirm": {"code": domain.code_new(rng=random.Random(1))},
    "dead_letters:discard": {"reason": "It was a test."},
}
# What else somebody types into a form that was sent already.
OTHER = {
    "quick_add": {"title": "Feed"},
    "task_new": {"description": "One side."},
    "task_edit": {"title": "Wash nothing"},
    "code_send": {"address": "+4915122222222"},
    "code_confirm": {"code": "000000"},
    "task_reopen": {"reason": "It is dirty"},
}


@pytest.fixture
def clients(story, manager, worker, browser):
    """Who looks: everybody who sees another page, and somebody who is not signed in."""
    accounts = {"manager": manager, "worker": worker, "admin": person("admin")}
    return {role: browser(account=account) for role, account in accounts.items()} | {"stranger": Client()}


@pytest.fixture
def table(clients, story, manager, worker):
    """Every address, with something in each state for its arguments."""
    now = timezone.now()
    done = new_task(manager, "Just done", assignee_id=worker.pk)
    services.task_complete(task_id=done.pk, actor=worker, assignment_no=1, now=now)
    ConfirmationCode.objects.update(created_at=now - timedelta(minutes=2))
    Delivery.objects.filter(kind="tasks", account_id=worker.pk).update(done_at=None, next_attempt_at=None, attempts=12)
    return forms.addresses(
        {
            "task_id": [done.pk, story.pk, Task.objects.get(assignee_id=None).pk],
            "reassignment_id": list(Reassignment.objects.values_list("pk", flat=True)),
            "channel": [domain.MAIL, domain.SMS, domain.SLACK],
            "delivery_id": list(Delivery.objects.values_list("pk", flat=True)),
            "pk": [set_aside("prices", priced(uuid4())).pk],
        }
    )


@pytest.fixture
def pages(clients, table):
    return forms.pages(clients, [*itertools.chain.from_iterable(table.values()), *MORE])


def test_every_form_and_every_page(subtests, clients, table, pages):
    sweep.everything(
        subtests,
        clients,
        table,
        pages,
        elsewhere=SIGNING_OUT,
        filled=FILLED,
        other=OTHER,
        addresses=15,
    )

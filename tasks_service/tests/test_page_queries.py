"""The number of queries of each list is fixed: it grows neither with the rows nor by accident."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from eventbus.testing import set_aside
from tasks import jobs
from tasks.models import Task

from .support.people import person
from .support.work import complete, new_task, price, reassign, reopen
from .test_prices import priced

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]  # traced, it takes twice as long


def work(manager, worker, count):
    """More of everything that a list shows."""
    for _ in range(count):
        mine, other = (new_task(manager, "Wash the cage", assignee_id=one.pk) for one in (worker, person("worker")))
        price(mine)
        complete(mine, worker)
        complete(other, manager)
        new_task(manager, "Wash another", assignee_id=worker.pk, now=timezone.now())
        reopen(complete(new_task(person("manager"), assignee_id=worker.pk), worker), manager)
        set_aside("prices", priced(uuid4()))
        reassign(person("manager"))


def lists(story, run):
    """Each list, who looks, and how many rows it has at least as `story` and `work` made them."""
    return [
        ("worker", "/"),
        ("worker", "/?show=mine-done"),
        ("manager", "/?show=open"),
        ("manager", "/?show=done"),
        ("manager", "/?show=open&q=wash"),
        ("manager", "/reassignments"),
        ("manager", f"/reassignments/{run.pk}"),
        ("manager", f"/tasks/{story.pk}"),
        ("worker", "/notifications"),
        ("admin", "/dead-letters/"),
    ]


def test_a_list_asks_as_many_queries_for_many_rows_as_for_few(story, manager, worker, browser):
    clients = {
        role: browser(account=account)
        for role, account in {"manager": manager, "worker": worker, "admin": person("admin")}.items()
    }
    work(manager, worker, 1)
    run = reassign(manager)
    new_task(manager, "Wash mine", assignee_id=worker.pk)  # whatever was drawn, nobody's list is empty
    few = {(role, address): count(clients[role], address) for role, address in lists(story, run)}
    work(manager, worker, 6)
    new_task(manager, "Wash mine", assignee_id=worker.pk)
    jobs.notifications_send()
    task = Task.objects.get(pk=story.pk)
    for _ in range(4):
        task = reopen(complete(task, manager), manager)
    many = {(role, address): count(clients[role], address) for role, address in lists(story, run)}
    assert {place: rows for place, (rows, _) in many.items()} != {place: rows for place, (rows, _) in few.items()}
    assert {place: queries for place, (_, queries) in many.items()} == {
        place: queries for place, (_, queries) in few.items()
    }
    assert max(queries for _, queries in many.values()) <= 12


def count(client, address):
    """Rows of the page, and queries that it took the second time."""
    client.get(address)
    with CaptureQueriesContext(connection) as found:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.count(b"<tr") + answer.content.count(b"<li"), len(found)

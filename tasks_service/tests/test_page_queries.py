"""The number of queries of each list is fixed: it grows neither with the rows nor by accident."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from eventbus.testing import set_aside
from tasks import jobs
from tasks.models import ReassignmentShare, Task, TaskHistory

from .support.pages import soup, text_of
from .support.people import person
from .support.work import at, complete, new_task, price, reassign, reopen
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
    """Each list: who looks, and the queries that it takes."""
    return {
        ("worker", "/"): 5,
        ("worker", "/?show=mine-done"): 5,
        ("manager", "/?show=open"): 5,
        ("manager", "/?show=done"): 5,
        ("manager", "/?show=open&q=wash"): 6,
        ("manager", "/reassignments"): 5,
        ("manager", f"/reassignments/{run.pk}"): 6,
        ("manager", f"/tasks/{story.pk}"): 7,
        ("worker", "/notifications"): 6,
        ("admin", "/dead-letters/"): 5,
    }


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
    lengthen(task, run)
    many = {(role, address): count(clients[role], address) for role, address in lists(story, run)}
    assert {place: rows for place, (rows, _) in many.items()} != {place: rows for place, (rows, _) in few.items()}
    assert {place: queries for place, (_, queries) in few.items()} == lists(story, run)
    assert {place: queries for place, (_, queries) in many.items()} == lists(story, run)


def lengthen(task, run):
    """More than a page of what the task went through, and of workers in the run."""
    edited = {"kind": TaskHistory.Kind.EDITED, "actor_id": run.actor_id, "version": 1}
    TaskHistory.objects.bulk_create(
        TaskHistory(task_id=task.pk, at=at(n), note=f"no. {n}", **edited) for n in range(60)
    )
    ReassignmentShare.objects.bulk_create(
        ReassignmentShare(reassignment=run, account_id=uuid4(), before=0, after=100 + n // 7) for n in range(60)
    )


def test_a_long_history_and_a_run_among_many_workers_have_pages(manager, browser):
    client, worker = browser(account=manager), person("worker")
    task = new_task(manager, assignee_id=worker.pk)
    run = reassign(manager)
    lengthen(task, run)
    history = [text_of(entry) for entry in all_of(client, f"/tasks/{task.pk}", ".timeline > li")]
    assert [number for number in range(60) if f"no. {59 - number}" in history[number]] == list(range(60))
    assert "Created" in history[-1]
    shares = [text_of(row.select("td")[1]) for row in all_of(client, f"/reassignments/{run.pk}", "tbody tr")]
    assert shares == [*(str(100 + n // 7) for n in reversed(range(60))), "1"]


def all_of(client, address, selector):
    """What is selected on all pages of a list, each of at most fifty."""
    found, following = [], address
    while following:
        page = soup(client.get(following))
        assert len(page.select(selector)) <= 50
        found += page.select(selector)
        link = page.select_one("a[rel=next]")
        following = link and address + link["href"]
    return found


def count(client, address):
    """Rows of the page, and queries that it took the second time."""
    client.get(address)
    with CaptureQueriesContext(connection) as found:
        answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.count(b"<tr") + answer.content.count(b"<li"), len(found)

"""One story with tasks, messages and runs in every state, for tests that look at all pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tasks import jobs, services
from tasks.domain import Heading
from tasks.models import Delivery, Task

from .endpoints import http_endpoint
from .people import person
from .work import complete, edit, new_task, price, reassign, reopen, rng


@pytest.fixture
def manager():
    return person("manager", "Max Braun")


@pytest.fixture
def worker():
    return person("worker", "Wilma Weber")


@pytest.fixture
def gateway(settings):
    with http_endpoint(settings) as gateway:
        yield gateway


@pytest.fixture
def story(manager, worker, gateway):
    """Tasks in every state, a run, an edit, messages that went well and badly; returns the task with most history."""
    now = timezone.now()
    minutes_ago = (now - timedelta(hours=3)).replace(microsecond=0)
    ago = {"now": minutes_ago}
    tasks = [
        new_task(manager, heading=Heading(title, jira), description=text, **ago)
        for title, jira, text in (
            ("Wash the big cage", "POPUG-42", "Both sides.\nSee https://wiki.popug.example/how-we-do-it"),
            ("Refill the seed silo", None, ""),
            ("اغسل القفص قبل الظهر 🦜", None, ""),
            ("=cmd() <script>alert(1)</script> " + "x" * 90, "POPUG-7", ""),
            ("Oil the door of aviary 3", "POPUG-8", ""),
        )
    ]
    for task in tasks[:4]:
        price(task)
    edit(tasks[0], manager, Heading("Wash the big cage and its door", "POPUG-43"), "Both sides.", now=now)
    reassign(manager)
    first = Task.objects.get(pk=tasks[0].pk)
    reopen(complete(first, worker), manager)
    complete(Task.objects.get(pk=tasks[1].pk), worker)
    Task.objects.filter(pk=tasks[4].pk).update(assignee_id=None)
    jobs.notifications_send()
    services.code_send(actor=worker, channel="sms", address="+4915123456789", now=now, rng=rng())
    Delivery.objects.filter(kind="code").update(attempts=12, next_attempt_at=None, last_error="451 later, please")
    return first


def pages_of(story, manager, worker):
    """Every page in its states: who looks, and the address."""
    run = f"/reassignments/{reassign(manager, minutes=6).pk}"
    return [
        (worker, "/"),
        (worker, "/?show=mine-done"),
        (manager, "/?show=open"),
        (manager, "/?show=done"),
        (manager, "/?show=open&q=wash"),
        (manager, "/?show=open&q=nothing+like+it"),
        (manager, "/tasks/new"),
        (worker, "/tasks/new"),
        (manager, f"/tasks/{story.pk}"),
        (manager, f"/tasks/{story.pk}/edit"),
        (worker, f"/tasks/{story.pk}/edit"),
        (manager, "/reassignments"),
        (manager, "/reassignments/new"),
        (manager, run),
        (worker, "/notifications"),
        (manager, "/notifications"),
    ]

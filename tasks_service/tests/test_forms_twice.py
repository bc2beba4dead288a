"""Every form of tasks, sent twice at once in a real browser: one effect, the same answer."""

import re
from collections import Counter
from typing import NamedTuple

import pytest
from django.urls import resolve
from django.utils import timezone

from chassis.testing import addresses_of_forms, sent_twice
from tasks import services
from tasks.models import ConfirmationCode, Contact, Delivery, Reassignment, TaskHistory
from tasks.web.urls import urlpatterns

from .support.endpoints import http_endpoint
from .support.people import person
from .support.work import complete, new_task, rng

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]  # traced, it takes twice as long


class Sent(NamedTuple):
    """A form: who fills it in, on which page, where it leads, and its one effect."""

    who: str
    page: str
    action: str
    typed: dict[str, str]
    effect: dict[str, int]


FORMS = [
    Sent("worker", "/", "/tasks/add", {"title": "[popug-7] Wash"}, {"created": 1, "assigned": 1}),
    Sent("worker", "/tasks/new", "", {"title": "Feed"}, {"created": 1, "assigned": 1}),
    Sent("manager", "/tasks/{task}/edit", "", {"title": "Oil the door"}, {"edited": 1}),
    Sent("manager", "/tasks/{task}", "/tasks/{task}/done", {}, {"done": 1}),
    Sent("manager", "/tasks/{task}", "/tasks/{task}/undo", {}, {"undone": 1}),
    Sent("manager", "/tasks/{done}", "/tasks/{done}/reopen", {}, {"reopened": 1}),
    Sent("manager", "/reassignments/new", "", {}, {"run": 1, "assigned": 4}),
    Sent("worker", "/notifications", "/notifications/mail/switch", {}, {"channel": 1}),
    Sent("worker", "/notifications", "/notifications/slack/code", {"address": "U024BE7LH"}, {"code": 1, "due": 1}),
    Sent("worker", "/notifications", "/notifications/sms/confirm", {"code": "{code}"}, {"channel": 1, "used": 1}),
    Sent("worker", "/notifications", "/notifications/sms/forget", {}, {"channel": -1}),
    Sent("worker", "/notifications", "/notifications/messages/{failed}/again", {}, {"due": 1}),
]


def effects():
    """What there is to count in the database."""
    counted = Counter(TaskHistory.objects.values_list("kind", flat=True))
    return counted + Counter(
        run=Reassignment.objects.count(),
        channel=Contact.objects.count(),
        code=ConfirmationCode.objects.count(),
        used=ConfirmationCode.objects.filter(closed_at__isnull=False).count(),
        due=Delivery.objects.filter(done_at=None, next_attempt_at__isnull=False).count(),
    )


@pytest.fixture
def people():
    return {"worker": person("worker", "Wilma Weber"), "manager": person("manager", "Max Braun")}


@pytest.fixture
def names(people, settings):
    """What stands for the words in braces."""
    manager, worker = people["manager"], people["worker"]
    task, done = new_task(manager, "Mend the perch"), complete(new_task(manager, "Sort the seeds"), worker)
    with http_endpoint(settings):
        services.code_send(actor=worker, channel="sms", address="+4915123456789", now=timezone.now(), rng=rng())
        code = Delivery.objects.get(kind="code")
        failed = Delivery.objects.create(
            account_id=worker.pk,
            channel="mail",
            kind="tasks",
            message_id="<failed@popug.example>",
            subject="New task: Mend the perch",
            created_at=timezone.now(),
            next_attempt_at=None,
        )
        yield {"task": task.pk, "done": done.pk, "code": re.match(r"\d{6}", code.body)[0], "failed": failed.pk}


def test_every_form_sent_twice_at_once_has_one_effect_and_the_same_answer(open_page, browser, people, names):
    pages = {name: open_page("/", account) for name, account in people.items()}
    sent = set()
    for form in FORMS:
        page, path, action = pages[form.who], form.page.format(**names), form.action.format(**names)
        page.goto(path)
        place = page.locator(f"form[action='{action}']" if action else "main form:not([action])")
        for name, value in form.typed.items():
            place.locator(f"[name={name}]").fill(value.format(**names))
        before = effects()
        status, _ = sent_twice(place)
        after = effects()
        assert status == 200, form
        found = {name: after[name] - before[name] for name in after | before if after[name] != before[name]}
        assert found == form.effect, form
        sent.add(resolve(action or path).url_name)
    assert sent == addresses_of_forms(urlpatterns, browser(account=people["manager"]))

"""Whoever is given a task is told (T5): noted with the assignment, grouped, sent, sent again after a failure."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone

from chassis.outgoing import claim
from tasks import domain, jobs, services
from tasks.domain import Heading
from tasks.models import Contact, Delivery, Notification, Task
from tasks.services.notifications import Assigned, assignments_note, contacts_erase

from .support.endpoints import http_endpoint, smtp_server
from .support.pages import soup, text_of
from .support.people import NOW, deactivated, person
from .support.together import Held, meanwhile
from .support.work import at, complete, edit, new_task, reassign, reopen

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(settings):
    with smtp_server(settings) as mailbox:
        yield mailbox


@pytest.fixture
def gateway(settings):
    with http_endpoint(settings) as gateway:
        yield gateway


@pytest.fixture
def worker():
    return person("worker", "Wilma Weber")


@pytest.fixture
def manager():
    return person("manager", "Max Braun")


def tell(minutes=2.0):
    services.messages_compose(now=at(minutes))
    return services.messages_send(clock=lambda: at(minutes))


def chooses(account, channel, address="", enabled=True):
    Contact.objects.create(account_id=account.pk, channel=channel, enabled=enabled, address=address)


def test_an_assignment_is_mailed_to_the_worker_with_a_link(worker, manager, mailbox, settings):
    task = new_task(manager, heading=Heading("Wash the cage 🦜", "POPUG-42"))
    assert tell() == 1
    (mail,) = mailbox.messages
    assert (mail["To"], mail["Subject"]) == (worker.email, "New task: [POPUG-42] Wash the cage 🦜")
    body = mail.get_content()
    assert "- [POPUG-42] Wash the cage 🦜" in body
    assert f"{settings.PUBLIC_URL}/tasks/{task.pk}" in body
    assert mail["Message-ID"] == Delivery.objects.get().message_id


def test_mail_is_on_and_sms_and_slack_are_off_by_default(worker, manager, mailbox, gateway):
    new_task(manager)
    tell()
    assert len(mailbox.messages) == 1
    assert gateway.requests == []


def test_sms_and_slack_reach_the_operators_address_with_the_persons_own_in_it(worker, manager, mailbox, gateway):
    chooses(worker, "mail", enabled=False)
    chooses(worker, "sms", "+4915123456789")
    chooses(worker, "slack", "U024BE7LH")
    new_task(manager, "Wash")
    assert tell() == 2
    assert mailbox.messages == []
    assert sorted(path for path, _ in gateway.requests) == ["/slack/U024BE7LH", "/sms?to=%2B4915123456789"]
    assert all("New task: Wash" in text for text in gateway.texts())


def test_who_switched_all_channels_off_is_told_nothing(worker, manager, mailbox):
    chooses(worker, "mail", enabled=False)
    new_task(manager)
    assert tell() == 0
    assert not Delivery.objects.exists()


def test_a_channel_that_the_operator_has_not_set_up_is_not_used(worker, manager, mailbox):
    chooses(worker, "sms", "+4915123456789")
    new_task(manager)
    assert tell() == 1
    assert Delivery.objects.get().channel == "mail"


def test_assignments_within_a_minute_are_one_message(worker, manager, mailbox):
    for n in range(3):
        new_task(manager, f"Task {n}", minutes=n / 3)
    new_task(manager, "Later", minutes=1.5)
    assert services.messages_compose(now=at(0.9)) == 0, "the minute is not over"
    assert tell(1.01) == 1
    (mail,) = mailbox.messages
    assert mail["Subject"] == "3 new tasks for you"
    assert [line for line in mail.get_content().splitlines() if line.startswith("- ")] == [
        "- Task 0",
        "- Task 1",
        "- Task 2",
    ]
    assert tell(2.6) == 1
    assert mailbox.messages[1]["Subject"] == "New task: Later"
    assert tell(99) == 0


def test_a_message_names_twenty_tasks_at_most_and_says_how_many_more(worker, manager, mailbox):
    for n in range(23):
        new_task(manager, f"Task {n}")
    tell()
    body = mailbox.messages[0].get_content()
    assert body.count("- Task") == 20
    assert "and 3 more" in body


def test_a_reassignment_is_one_row_and_one_message_for_each_worker(manager, mailbox):
    workers = [person("worker") for _ in range(3)]
    for n in range(100):
        new_task(manager, f"Task {n}", assignee_id=workers[0].pk)
    Notification.objects.all().delete()
    run = reassign(manager)
    rows = {row.account_id: row for row in Notification.objects.all()}
    assert set(rows) == {worker.pk for worker in workers}
    for worker in workers:
        got = Task.objects.filter(assignee_id=worker.pk)
        assert rows[worker.pk].cause == f"reassignment:{run.pk}"
        assert rows[worker.pk].count == got.count()
        assert len(rows[worker.pk].task_ids) == 20
        assert set(rows[worker.pk].task_ids) <= set(got.values_list("pk", flat=True))
    assert tell(7) == 3
    assert {mail["To"]: mail["Subject"] for mail in mailbox.messages} == {
        worker.email: f"{rows[worker.pk].count} new tasks for you" for worker in workers
    }


def test_a_task_that_came_twice_within_the_minute_is_named_once(worker, manager, mailbox):
    new_task(manager, "Wash")
    reassign(manager, minutes=0.5)
    tell()
    assert mailbox.messages[0]["Subject"] == "New task: Wash"


def test_noting_a_reassignment_takes_one_statement_whatever_its_size(worker, manager, django_assert_num_queries):
    assigned = [Assigned(worker.pk, uuid4(), 1) for _ in range(10_000)]
    with django_assert_num_queries(1):
        assignments_note(assigned, at=NOW, reassignment_id=uuid4())
    assert (Notification.objects.get().count, len(Notification.objects.get().task_ids)) == (10_000, 20)


def test_whoever_gets_a_leavers_task_or_a_reopened_one_is_told_and_the_leaver_is_not(worker, manager, mailbox):
    task = new_task(manager, "Wash")
    done = complete(new_task(manager, "Dry"), worker)
    heir = person("worker", "Nora Nagel")
    services.accounts_apply(events=[deactivated(worker, time=at(5))], rng_of=domain.rng_of)
    reopen(done, manager, minutes=20)
    assert Task.objects.get(pk=task.pk).assignee_id == heir.pk
    tell(30)
    assert {mail["To"] for mail in mailbox.messages} == {heir.email}
    assert [mail["Subject"] for mail in mailbox.messages] == ["New task: Wash", "New task: Dry"]


def test_keeping_ones_task_when_it_is_reopened_or_edited_tells_nothing(worker, manager):
    done = complete(new_task(manager), worker)
    Notification.objects.all().delete()
    edit(reopen(done, manager), manager, Heading("Other words"))
    assert not Notification.objects.exists()


def test_a_rolled_back_assignment_tells_nobody(worker, manager):
    with transaction.atomic():
        new_task(manager)
        transaction.set_rollback(True)
    assert not Notification.objects.exists()


def test_a_message_for_an_address_not_known_yet_waits_for_it(manager, mailbox):
    stub = person("worker", "Nameless", email="")
    new_task(manager)
    assert tell(2) == 0
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.last_error) == ("waiting", 0, "waits for an address")
    stub.email = "now@popug.example"
    stub.save()
    assert tell(11.9) == 0
    assert tell(12) == 1
    assert mailbox.messages[0]["To"] == "now@popug.example"


def test_a_failure_is_kept_and_tried_again_with_the_same_message_id_ever_later(worker, manager, mailbox):
    new_task(manager)
    mailbox.refusing = True
    assert tell(2) == 0
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("retrying", 1)
    assert "451" in row.last_error
    assert row.next_attempt_at == at(2.5)
    assert tell(2.4) == 0
    assert Delivery.objects.get().attempts == 1
    tell(2.5)
    assert Delivery.objects.get().next_attempt_at == at(3.5)
    mailbox.refusing = False
    assert tell(3.5) == 1
    row = Delivery.objects.get()
    assert (row.state, row.last_error, row.attempts) == ("sent", "", 3)
    assert [mail["Message-ID"] for mail in mailbox.messages] == [row.message_id]


def test_a_server_that_is_away_is_a_failure_like_any_other(worker, manager, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    new_task(manager)
    tell()
    assert "ConnectionRefusedError" in Delivery.objects.get().last_error


def test_an_endpoint_that_fails_says_why_without_the_operators_address(worker, manager, gateway):
    chooses(worker, "mail", enabled=False)
    chooses(worker, "slack", "U024BE7LH")
    gateway.status = 500
    new_task(manager)
    tell()
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("retrying", 1)
    assert "500" in row.last_error
    assert "127.0.0.1" not in row.last_error
    gateway.status = 200
    assert tell(9) == 1


def test_a_message_that_came_since_the_page_was_made_is_offered_to_its_person(browser, manager, mailbox):
    me, other = browser("worker"), browser("worker")
    asked = [soup(client.get("/notifications")).select_one(".news[data-poll]")["hx-get"] for client in (me, other)]
    assert soup(me.get(asked[0])).a is None
    new_task(manager, "Wash the cage", assignee_id=me.account.pk, now=timezone.now() - timedelta(minutes=2))
    jobs.notifications_send()
    offered = soup(me.get(asked[0])).a
    assert (text_of(offered), offered["href"]) == ("1 new, show", "/notifications")
    assert soup(other.get(asked[1])).a is None
    assert me.get("/notifications/news?colour=red&since=1").status_code == 400


def test_after_a_day_of_failures_it_is_given_up_and_can_be_sent_again(browser, manager, mailbox):
    me = browser("worker")
    new_task(manager, "Wash")
    mailbox.refusing = True
    services.messages_compose(now=at(2))
    now = [at(2)]
    while Delivery.objects.get().state != "failed":
        services.messages_send(clock=lambda: now[-1])
        now.append(Delivery.objects.get().next_attempt_at or now[-1])
    assert timedelta(hours=12) < now[-1] - at(2) < timedelta(hours=36)
    mailbox.refusing = False
    page = soup(me.get("/notifications"))
    row = page.select_one("tbody tr")
    assert "New task: Wash" in text_of(row)
    assert "failed" in text_of(row)
    assert "451" in text_of(row)
    form = row.select_one("form")
    fields = {field["name"]: field["value"] for field in form.select("input")}
    for _ in range(2):
        me.post(form["action"], fields)
    jobs.notifications_send()
    assert len(mailbox.messages) == 1
    assert "sent" in text_of(soup(me.get("/notifications")).select_one("tbody tr"))
    assert browser("worker").post(form["action"], fields | {"form_key": str(uuid4())}).status_code == 404
    me.post(form["action"], fields | {"form_key": str(uuid4())})
    assert "on its way or was sent already" in text_of(soup(me.get("/notifications")))


class ErasedMeanwhile(BaseEmailBackend):
    """A slow mail server: the account is deleted while it takes the message."""

    def send_messages(self, messages):
        contacts_erase(Delivery.objects.values_list("account_id", flat=True))
        return len(messages)


def test_what_is_erased_while_a_message_is_on_its_way_stays_erased(worker, manager, settings):
    settings.EMAIL_BACKEND = f"{__name__}.ErasedMeanwhile"
    new_task(manager)
    assert tell() == 1
    row = Delivery.objects.get()
    assert (row.state, row.address, row.body) == ("sent", "", "")


def test_an_address_that_no_message_can_be_made_for_holds_nobody_back(manager, mailbox):
    person("worker", "Nora Nagel", email="nora@popug.example\nBcc: everybody@popug.example")
    new_task(manager)
    person("worker", "Wilma Weber")
    services.messages_compose(now=at(2))
    Delivery.objects.create(
        account_id=person("worker", "Otto").pk, channel="mail", kind="tasks", message_id="<2@popug.example>",
        subject="New task", created_at=at(0), next_attempt_at=at(0),
    )  # fmt: skip
    assert services.messages_send(clock=lambda: at(2)) == 1
    assert [(row.state, row.attempts) for row in Delivery.objects.order_by("id")] == [("retrying", 1), ("sent", 1)]
    assert Delivery.objects.earliest("id").last_error.startswith("ValueError: Invalid address")


def test_one_failing_message_does_not_hold_back_the_others(manager, mailbox, gateway):
    gateway.status = 500
    for _ in range(3):
        chooses(person("worker"), "sms", "+4915123456789")
    for _ in range(30):
        new_task(manager)
    told = Notification.objects.values("account_id").distinct().count()
    assert tell() == told == len(mailbox.messages)


def test_the_job_composes_and_sends(worker, manager, mailbox):
    new_task(manager)
    jobs.notifications_send()
    jobs.notifications_send()
    assert len(mailbox.messages) == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_is_composed_once_by_two_workers_at_once(manager):
    person("worker")
    new_task(manager)
    first = Held(lambda: services.messages_compose(now=at(2)))
    second = meanwhile(lambda: services.messages_compose(now=at(2)))
    assert second.result(10) == 0, "it does not wait for the first"
    assert first.commit() == 1
    assert services.messages_compose(now=at(2)) == 0
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_is_sent_once_by_two_workers_at_once(manager, mailbox):
    person("worker")
    new_task(manager)
    services.messages_compose(now=at(2))
    first = Held(lambda: claim(Delivery, limit=10, due=at(2), until=at(7)))
    assert services.messages_send(clock=lambda: at(2)) == 0, "what another worker claims is left to it, without waiting"
    assert len(first.commit()) == 1
    assert services.messages_send(clock=lambda: at(3)) == 0
    assert services.messages_send(clock=lambda: at(7)) == 1, "after a crash another sends it when the claim is over"
    assert len(mailbox.messages) == 1

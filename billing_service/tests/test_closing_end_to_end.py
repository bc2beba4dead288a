"""By the button or the clock celery closes the cycle and pays; the mail arrives over SMTP, also when it was down."""

import socket
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from time import monotonic, sleep
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from celery.contrib.testing.worker import start_worker
from django.db import connections

from billing.jobs import send_payout_mails
from billing.models import Cycle, LedgerAccount, Payout
from billing.selectors.clock import database_now
from billing.selectors.ledger_check import ledger_findings
from chassis.celery import Clock
from config.celery import app
from eventbus.testing import deliver
from tests.make import WILMA, account, completed, open_cycle, reward, task_id
from tests.pages import dollars, page, rows, text

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30  # seconds


class Inbox:
    """What an SMTP server on a port of this machine was given."""

    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def mail_server(port):
    inbox = Inbox()
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield inbox
    finally:
        server.stop()


def wait_for(condition):
    deadline = monotonic() + PATIENCE
    while not (found := condition()):
        assert monotonic() < deadline, "waited in vain"
        sleep(0.05)
    return found


@pytest.fixture
def smtp(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_USER = "127.0.0.1", free_port(), ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    return settings.EMAIL_PORT


@pytest.fixture
def worker():
    """A celery worker on the real broker, on a queue of this test alone."""
    before = app.conf.task_default_queue
    app.conf.task_default_queue = f"test-{uuid4()}"
    app.amqp.queues.select([app.conf.task_default_queue])
    with start_worker(app, perform_ping_check=False, pool="solo"):
        yield
    app.conf.task_default_queue = before
    connections.close_all()


@pytest.fixture
def due_cycle(db):
    """A cycle that was due a minute ago and owes Wilma a reward."""
    account(WILMA)
    now = database_now()
    cycle = open_cycle(now - timedelta(minutes=1))
    deliver("tasks", [completed(time=now - timedelta(hours=1))])
    return cycle


def press(client, cycle):
    address = f"/cycles/{cycle.id}"
    key = page(client, address).select_one(f"form[action='{address}/close'] [name=form_key]")["value"]
    assert client.post(f"{address}/close", {"form_key": key}).status_code == 302


def test_the_button_closes_the_cycle_and_the_worker_gets_the_mail(browser, due_cycle, worker, smtp):
    client = browser("finance")
    amount = dollars(reward(task_id()))
    with mail_server(smtp) as inbox:
        press(client, due_cycle)
        [[recipients, message]] = wait_for(lambda: inbox.messages)
        wait_for(lambda: Payout.objects.filter(done_at__isnull=False).exists())
        send_payout_mails()
        assert len(inbox.messages) == 1
    assert recipients == ["wilma@popug.example"]
    assert message["Subject"] == f"You were paid {amount}"
    assert message["Message-ID"] == Payout.objects.get().message_id
    assert amount in message.get_content()
    assert Cycle.objects.get(id=due_cycle.id).state == "closed"
    assert LedgerAccount.objects.get(id=WILMA).balance == 0
    [line] = rows(page(client, f"/cycles/{due_cycle.id}").select_one("#payouts"))
    assert line[1].startswith("sent ")
    assert ledger_findings() == []


def test_a_due_cycle_is_closed_by_the_clock_alone(due_cycle, worker):
    clock = Clock(app)
    for entry in clock.schedule.values():
        entry.last_run_at -= timedelta(minutes=1)
    while clock.tick() == 0:  # one job at a time, until no other is due
        pass
    wait_for(lambda: Cycle.objects.get(id=due_cycle.id).state == "closed")
    assert Payout.objects.get().amount == reward(task_id())


def test_a_mail_server_that_is_down_is_tried_again_and_shown_on_the_cycles_page(browser, due_cycle, worker, smtp):
    client = browser("finance")
    press(client, due_cycle)
    wait_for(lambda: Payout.objects.filter(attempts=1).exists())
    soup = page(client, f"/cycles/{due_cycle.id}")
    [line] = rows(soup.select_one("#payouts"))
    assert line[1].startswith("not sent yet ConnectionRefusedError")
    assert "1 attempt, next " in line[1]
    assert "1 payout mail still to send" in text(soup)
    assert Payout.objects.get().next_attempt_at > database_now()
    Payout.objects.update(next_attempt_at=database_now())
    with mail_server(smtp) as inbox:
        send_payout_mails()
        assert len(inbox.messages) == 1
    assert Payout.objects.get().attempts == 2

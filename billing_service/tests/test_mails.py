"""The mail about a payout is a row: sent once, tried again, waits for an address."""

from datetime import timedelta
from typing import ClassVar

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connections

from billing.jobs import send_payout_mails
from billing.models import Payout
from billing.selectors.clock import database_now
from billing.services.mails import payout_mails_send
from chassis.outgoing import BATCH, LEASE, NOT_YET, claim, message_id
from chassis.replica.models import Account
from dev.language import speaking
from eventbus import event_id
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import BORIS, WILMA, account, completed, open_cycle, reward, task_id

pytestmark = pytest.mark.django_db


class Refusing(BaseEmailBackend):
    """A mail server that is away."""

    def send_messages(self, messages):
        raise ConnectionRefusedError("nobody answers")


@pytest.fixture
def payout():
    open_cycle()
    deliver("tasks", [completed()])
    close()
    return Payout.objects.get()


def test_the_worker_is_told_the_amount_once(payout):
    account(WILMA)
    now = database_now()
    assert payout_mails_send(clock=lambda: now) == 1
    assert payout_mails_send(clock=lambda: now + timedelta(days=1)) == 0
    [message] = mail.outbox
    assert message.to == ["wilma@popug.example"]
    amount = f"${reward(task_id()) / 100:.2f}"
    assert message.subject == f"You were paid {amount}"
    assert amount in message.body
    assert "Hello Wilma Weber" in message.body
    assert "2 Mar 2026, 18:00 CET" in message.body
    assert "/statement" in message.body
    assert message.extra_headers["Message-ID"] == payout.message_id
    payout.refresh_from_db()
    assert (payout.done_at, payout.sent_to, payout.attempts) == (now, "wilma@popug.example", 1)


def test_the_mail_is_in_the_language_of_the_installation(payout, tmp_path, settings):
    account(WILMA)
    texts = {"You were paid %(amount)s": "Auszahlung: %(amount)s", "Hello %(name)s,": "Hallo %(name)s,"}
    with speaking(texts, folder=tmp_path, settings=settings):
        payout_mails_send(clock=database_now)
    [message] = mail.outbox
    assert message.subject == f"Auszahlung: ${reward(task_id()) / 100:.2f}"
    assert message.body.startswith("Hallo Wilma Weber,\n\nThe billing cycle of 2 Mar 2026, 18:00 CET is closed")


def test_the_message_id_follows_from_the_payout(payout):
    assert payout.id == event_id(f"payout_mail:{payout.transfer.idempotency_key}")
    assert payout.message_id == message_id("payout", payout.id)


def test_it_waits_for_an_address(payout):
    now = database_now()
    assert payout_mails_send(clock=lambda: now) == 0
    payout.refresh_from_db()
    assert (payout.last_error, payout.next_attempt_at, payout.attempts) == ("waits for an address", now + NOT_YET, 0)
    account(WILMA, name="", email="")
    assert payout_mails_send(clock=lambda: now + NOT_YET) == 0
    Account.objects.update(email="late@popug.example")
    assert payout_mails_send(clock=lambda: now + 2 * NOT_YET) == 1
    assert mail.outbox[0].to == ["late@popug.example"]
    assert not mail.outbox[0].body.startswith("Hello")


def test_a_mail_that_fails_is_kept_and_tried_again_later_each_time(payout, settings):
    account(WILMA)
    times = [database_now()]
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Refusing"
    for attempts, wait in ((1, 30), (2, 60), (3, 120)):
        assert payout_mails_send(clock=lambda: times[-1]) == 0
        payout.refresh_from_db()
        assert (payout.attempts, payout.next_attempt_at) == (attempts, times[-1] + timedelta(seconds=wait))
        assert payout.last_error == "ConnectionRefusedError: nobody answers"
        times.append(payout.next_attempt_at)
    settings.EMAIL_BACKEND = working
    assert payout_mails_send(clock=lambda: times[-1]) == 1
    payout.refresh_from_db()
    assert (payout.attempts, payout.last_error, payout.done_at) == (4, "", times[-1])


def test_an_address_that_no_mail_can_be_made_for_keeps_nobody_elses_mail():
    open_cycle()
    account(WILMA, email="wilma@popug.example\nBcc: everybody@popug.example")
    account(BORIS, name="Boris Bauer")
    deliver("tasks", [completed(), completed(task_id(2), account=BORIS)])
    close()
    Payout.objects.filter(account_id=BORIS).update(attempts=1)  # its turn comes after Wilma's
    assert payout_mails_send(clock=database_now) == 1
    assert mail.outbox[0].to == ["boris@popug.example"]
    assert Payout.objects.get(account_id=WILMA).attempts == 1


class Slow(BaseEmailBackend):
    """A mail server that takes minutes for each mail of a worker, while a quicker one looks for what is due."""

    now = None
    taken: ClassVar = []
    looking = False

    def send_messages(self, messages):
        Slow.taken += [message.to[0] for message in messages]
        if not Slow.looking:
            Slow.now, Slow.looking = Slow.now + timedelta(minutes=4), True
            payout_mails_send(clock=lambda: Slow.now)
            Slow.looking = False
        return len(messages)


def test_sending_that_takes_longer_than_a_claim_sends_each_mail_once(settings):
    open_cycle()
    workers = [account(name=f"Worker{number} Weber") for number in range(4)]
    deliver("tasks", [completed(task_id(number), account=worker.id) for number, worker in enumerate(workers)])
    close()
    settings.EMAIL_BACKEND = f"{__name__}.Slow"
    Slow.now, Slow.taken = database_now(), []
    payout_mails_send(clock=lambda: Slow.now)
    assert sorted(Slow.taken) == sorted(worker.email for worker in workers)


def test_a_claimed_mail_is_left_alone_until_the_claim_ends(payout):
    account(WILMA)
    now = database_now()
    assert [claimed.id for claimed in claim(Payout, limit=BATCH, due=now, until=now + LEASE)] == [payout.id]
    assert payout_mails_send(clock=lambda: now + LEASE - timedelta(seconds=1)) == 0
    assert payout_mails_send(clock=lambda: now + LEASE) == 1


def test_the_job_sends_what_is_due(payout):
    account(WILMA)
    send_payout_mails()
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_another_worker_is_claiming_is_passed_over(payout):
    account(WILMA)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("SELECT * FROM billing_payout FOR UPDATE")
            assert payout_mails_send(clock=database_now) == 0
            other.rollback()
    finally:
        other.close()
    assert payout_mails_send(clock=database_now) == 1

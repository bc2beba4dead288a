"""The mail about a payout is a row: sent once, tried again, waits for an address."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connections, transaction

from billing.jobs import send_payout_mails
from billing.models import Payout
from billing.selectors.clock import database_now
from billing.services.mails import ADDRESS_WAIT, CLAIM, payout_mails_claim, payout_mails_send
from chassis.replica.models import Account
from eventbus.testing import deliver
from tests.ledger import close
from tests.make import WILMA, account, completed, open_cycle, reward, task_id

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
    assert payout_mails_send(now=now) == 1
    assert payout_mails_send(now=now + timedelta(days=1)) == 0
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
    assert (payout.sent_at, payout.sent_to, payout.attempts) == (now, "wilma@popug.example", 1)


def test_the_message_id_is_the_same_after_a_replay(payout):
    assert payout.message_id == f"<payout.{payout.id}@billing.tracker>"
    assert payout.id.version == 5


def test_it_waits_for_an_address(payout):
    now = database_now()
    assert payout_mails_send(now=now) == 0
    payout.refresh_from_db()
    assert (payout.error, payout.due_at, payout.attempts) == ("waits for an address", now + ADDRESS_WAIT, 0)
    account(WILMA, name="", email="")
    assert payout_mails_send(now=now + ADDRESS_WAIT) == 0
    Account.objects.update(email="late@popug.example")
    assert payout_mails_send(now=now + 2 * ADDRESS_WAIT) == 1
    assert mail.outbox[0].to == ["late@popug.example"]
    assert not mail.outbox[0].body.startswith("Hello")


def test_a_mail_that_fails_is_kept_and_tried_again_later_each_time(payout, settings):
    account(WILMA)
    now = database_now()
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Refusing"
    for attempts, wait in ((1, 30), (2, 60), (3, 120)):
        assert payout_mails_send(now=now) == 0
        payout.refresh_from_db()
        assert (payout.attempts, payout.due_at) == (attempts, now + timedelta(seconds=wait))
        assert payout.error == "ConnectionRefusedError: nobody answers"
        now = payout.due_at
    settings.EMAIL_BACKEND = working
    assert payout_mails_send(now=now) == 1
    payout.refresh_from_db()
    assert (payout.attempts, payout.error, payout.sent_at) == (4, "", now)


def test_a_claimed_mail_is_left_alone_until_the_claim_ends(payout):
    account(WILMA)
    now = database_now()
    assert [claimed.id for claimed in payout_mails_claim(now=now)] == [payout.id]
    assert payout_mails_send(now=now + CLAIM - timedelta(seconds=1)) == 0
    assert payout_mails_send(now=now + CLAIM) == 1


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
            with transaction.atomic():
                assert payout_mails_claim(now=database_now()) == []
            other.rollback()
    finally:
        other.close()
    assert len(payout_mails_claim(now=database_now())) == 1

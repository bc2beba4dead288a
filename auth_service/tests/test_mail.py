"""Mail rows, and what the real mail server receives."""

from datetime import timedelta
from typing import Any

from django.core import mail as outbox
from django.utils import timezone

from accounts import jobs, services
from accounts.models import Account, Mail

from .conftest import NOW


def test_a_mail_is_sent_once_and_its_link_forgotten(worker: Account) -> None:
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=NOW)
    assert (services.mail_send(now=NOW), services.mail_send(now=NOW)) == (1, 0)
    (message,) = outbox.outbox
    assert (message.to, message.extra_headers["Message-ID"]) == ([worker.email], Mail.objects.get().message_id)
    assert "http://auth.example/link?token=" in message.body
    assert Mail.objects.get().body == ""


def test_a_mail_that_fails_is_tried_again_later_with_the_same_id(worker: Account, settings: Any) -> None:
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert services.mail_send(now=NOW) == 0
    mail = Mail.objects.get()
    assert (mail.attempts, mail.done_at, mail.next_attempt_at) == (1, None, NOW + timedelta(seconds=1))
    assert "ConnectionRefusedError" in mail.last_error
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert services.mail_send(now=NOW) == 0
    assert services.mail_send(now=NOW + timedelta(seconds=1)) == 1
    assert outbox.outbox[0].extra_headers["Message-ID"] == mail.message_id


def test_the_mail_job_sends_what_is_due(worker: Account) -> None:
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=timezone.now())
    jobs.mail_send()
    assert len(outbox.outbox) == 1

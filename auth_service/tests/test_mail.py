"""Mail rows, and what the real mail server receives."""

from datetime import timedelta
from typing import Any

from django.core import mail as outbox
from django.utils import timezone

from accounts import jobs, services
from accounts.domain import WORKER
from accounts.models import Account, Mail

from .conftest import NOW
from .steps import Make, SignIn, account_page, form_of, keyed, page, said


def test_a_mail_is_sent_once_and_its_link_forgotten(worker: Account) -> None:
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=NOW)
    assert (services.mail_send(clock=lambda: NOW), services.mail_send(clock=lambda: NOW)) == (1, 0)
    (message,) = outbox.outbox
    assert (message.to, message.extra_headers["Message-ID"]) == ([worker.email], Mail.objects.get().message_id)
    assert "http://auth.example/link?token=" in message.body
    assert Mail.objects.get().body == ""


def test_a_mail_that_fails_is_tried_again_later_with_the_same_id(worker: Account, settings: Any) -> None:
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert services.mail_send(clock=lambda: NOW) == 0
    mail = Mail.objects.get()
    assert (mail.attempts, mail.done_at, mail.next_attempt_at) == (1, None, NOW + timedelta(seconds=1))
    assert "ConnectionRefusedError" in mail.last_error
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert services.mail_send(clock=lambda: NOW) == 0
    assert services.mail_send(clock=lambda: NOW + timedelta(seconds=1)) == 1
    assert outbox.outbox[0].extra_headers["Message-ID"] == mail.message_id


def test_an_address_that_cannot_be_written_to_holds_up_nobody_elses_mail(worker: Account, make_account: Make) -> None:
    other = make_account("other@popug.example")
    for account in (worker, other):
        services.password_reset_request(email=account.email, base_url="http://auth.example", now=NOW)
    Mail.objects.filter(account_id=worker.pk).update(to=f"a@{'ü' * 60}.de")
    assert services.mail_send(clock=lambda: NOW) == 1
    assert [message.to for message in outbox.outbox] == [[other.email]]
    assert "UnicodeError" in Mail.objects.get(account_id=worker.pk).last_error


def test_the_mail_job_sends_what_is_due(worker: Account) -> None:
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=timezone.now())
    jobs.mail_send()
    assert len(outbox.outbox) == 1


def away(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def test_a_mail_waits_longer_after_each_failure_and_a_quarter_of_an_hour_at_most(
    worker: Account, settings: Any
) -> None:
    away(settings)
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=NOW)
    waits: list[int] = []
    times = [NOW]
    while len(waits) < 12:
        services.mail_send(clock=lambda: times[-1])
        due = Mail.objects.get().next_attempt_at
        if due is None:
            break
        waits.append(round((due - times[-1]).total_seconds()))
        times.append(due)
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert max(waits) == 15 * 60


def test_a_mail_whose_link_has_expired_is_given_up(worker: Account, settings: Any) -> None:
    away(settings)
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=NOW)
    services.mail_send(clock=lambda: NOW)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert services.mail_send(clock=lambda: NOW + timedelta(hours=1)) == 0
    mail = Mail.objects.get()
    assert (mail.next_attempt_at, mail.done_at, mail.body, outbox.outbox) == (None, None, "", [])


def test_an_admin_sees_why_a_mail_was_not_sent_and_when_it_is_tried_again(
    admin: Account, browser: SignIn, settings: Any
) -> None:
    client = browser(admin)
    client.post("/accounts/invite", keyed(email="new@popug.example", full_name="Nora Neu", role=WORKER))
    invited = Account.objects.get(email="new@popug.example")

    def panel() -> str:
        found = page(client.get(account_page(invited))).select_one(".mails")
        return " ".join(found.get_text(" ").split())

    assert panel().startswith("on its way You are invited to Task Tracker")
    away(settings)
    services.mail_send(clock=timezone.now)
    assert "not sent yet" in panel()
    assert "ConnectionRefusedError" in panel()
    assert "Next try" in panel()
    services.mail_send(clock=lambda: timezone.now() + timedelta(hours=73))
    assert "Given up, because its link has expired" in panel()
    assert "Send the link again." in panel()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    form = form_of(client.get(account_page(invited)), account_page(invited, "/link"))
    assert "new link is on its way" in said(client.post(account_page(invited, "/link"), form, follow=True))
    services.mail_send(clock=timezone.now)
    assert panel().startswith("sent You are invited to Task Tracker")
    assert outbox.outbox[0].to == ["new@popug.example"]


def test_where_no_button_sends_a_new_link_an_admin_is_told_who_asks_for_one(
    admin: Account, worker: Account, browser: SignIn, settings: Any
) -> None:
    now = timezone.now()
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=now)
    away(settings)
    services.mail_send(clock=lambda: now)
    services.mail_send(clock=lambda: now + timedelta(hours=2))
    shown = page(browser(admin).get(account_page(worker)))
    told = " ".join(shown.select_one(".mails").get_text(" ").split())
    assert told.endswith("This person has a new one sent under “Forgotten password”.")
    assert not shown.find("button", string="Send the link again")

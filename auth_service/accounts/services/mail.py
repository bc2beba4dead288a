"""Mail as rows: written with the use case, sent by the job, the same Message-ID at each attempt."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts.models import Account, Mail
from chassis.outgoing import Clock, Retry, attempt_due, message_id

RETRY = Retry(first=timedelta(seconds=1), longest=timedelta(minutes=15))


def mail_write(
    account: Account, *, template: str, context: dict[str, Any], now: datetime, expires_at: datetime
) -> Mail:
    """Queues one mail; the template's first line is the subject. From `expires_at` on it is worth nothing."""
    text = render_to_string(f"accounts/mail/{template}.txt", {"account": account, **context})
    subject, _, body = text.strip().partition("\n")
    return Mail.objects.create(
        account_id=account.pk,
        message_id=message_id(uuid.uuid4()),
        to=account.email,
        subject=subject.strip(),
        body=body.strip() + "\n",
        created_at=now,
        next_attempt_at=now,
        expires_at=expires_at,
    )


def mail_send(*, clock: Clock) -> int:
    """Sends the mail that is due; returns how many went out. A link that has expired is not sent any more."""
    Mail.objects.filter(done_at__isnull=True, next_attempt_at__isnull=False, expires_at__lte=clock()).update(
        next_attempt_at=None, body=""
    )
    return attempt_due(Mail, attempt=_attempt, retry_after=RETRY, clock=clock)


def _attempt(mail: Mail) -> str:
    EmailMessage(mail.subject, mail.body, to=[mail.to], headers={"Message-ID": mail.message_id}).send()
    mail.body = ""
    return ""

"""Mail as rows: written with the use case, sent by the job, the same Message-ID at each attempt."""

import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from accounts.domain import retry_delay
from accounts.models import Account, Mail
from chassis.outgoing import claim, settle

BATCH, LEASE = 10, timedelta(minutes=3)  # the server may take ten seconds for each
LONGEST_WAIT = timedelta(minutes=15)


def mail_write(
    account: Account, *, template: str, context: dict[str, Any], now: datetime, expires_at: datetime
) -> Mail:
    """Queues one mail; the template's first line is the subject. From `expires_at` on it is worth nothing."""
    text = render_to_string(f"accounts/mail/{template}.txt", {"account": account, **context})
    subject, _, body = text.strip().partition("\n")
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(">")
    return Mail.objects.create(
        account_id=account.pk,
        message_id=f"<{uuid.uuid4()}@{domain}>",
        to=account.email,
        subject=subject.strip(),
        body=body.strip() + "\n",
        created_at=now,
        next_attempt_at=now,
        expires_at=expires_at,
    )


def mail_send(*, now: datetime) -> int:
    """Sends the mail that is due; returns how many went out. A link that has expired is not sent any more."""
    Mail.objects.filter(done_at__isnull=True, next_attempt_at__isnull=False, expires_at__lte=now).update(
        next_attempt_at=None, body=""
    )
    rows = claim(Mail, limit=BATCH, lease=LEASE, now=now)
    return settle(rows, attempt=_attempt, retry_after=partial(retry_delay, longest=LONGEST_WAIT), now=now)


def _attempt(mail: Mail) -> str:
    message = EmailMessage(mail.subject, mail.body, to=[mail.to], headers={"Message-ID": mail.message_id})
    try:
        message.send()
    except OSError as error:  # smtplib's errors are among them
        return f"{type(error).__name__}: {error}"
    mail.body = ""
    return ""

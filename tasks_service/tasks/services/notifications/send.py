"""Messages leave: mail through Django, SMS and Slack through the operator's address template."""

import logging
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _

from chassis.outgoing import GiveUp, NotYet, claim, settle
from chassis.replica.models import Account
from tasks import domain
from tasks.domain import Refused
from tasks.models import Delivery

BATCH, LEASE = 10, timedelta(minutes=5)  # a server may take ten seconds for each

log = structlog.get_logger(__name__)


def messages_send(*, now: datetime) -> int:
    """Send what is due, a batch at a time; returns how many went out. A failure is kept, and tried again later."""
    sent = 0
    while rows := claim(Delivery, limit=BATCH, lease=LEASE, now=now):
        sent += settle(
            rows,
            attempt=lambda row: _attempt(row, now=now),
            retry_after=domain.message_retry_after,
            now=now,
        )
    return sent


@transaction.atomic
def message_send_again(*, delivery_id: int, actor: Account, now: datetime) -> Delivery:
    """Send a message of the actor's that was given up. Raises Delivery.DoesNotExist; Refused for any other one."""
    row = Delivery.objects.select_for_update().get(pk=delivery_id, account_id=actor.pk)
    if row.state != "failed" or row.kind != Delivery.Kind.TASKS:
        raise Refused(_("This message is on its way or was sent already."))
    row.attempts, row.next_attempt_at = 0, now
    row.save()
    return row


def _attempt(row: Delivery, *, now: datetime) -> str:
    if row.kind == Delivery.Kind.CODE and now - row.created_at > domain.CODE_LIFE:
        row.body = ""
        raise GiveUp("the code is no longer good")
    error = _mail(row) if row.channel == domain.MAIL else _by_template(row)
    if error:
        log.warning("message.failed", delivery=row.pk, channel=row.channel, error=error, attempts=row.attempts + 1)
    elif row.kind == Delivery.Kind.CODE:
        row.body = ""
    return error


def _mail(row: Delivery) -> str:
    row.address = _mail_address(row.account_id)
    if not row.address:
        raise NotYet("waits for an address")
    message = EmailMessage(row.subject, row.body, to=[row.address], headers={"Message-ID": row.message_id})
    try:
        message.send()
    except OSError as error:  # smtplib's errors are among them
        return f"{type(error).__name__}: {error}"
    return ""


def _mail_address(account_id: UUID) -> str:
    account = Account.objects.filter(pk=account_id).first()
    return account.email if account else ""


def _by_template(row: Delivery) -> str:
    """Nobody but the operator says where a request goes: an address is digits or a member id, and quoted besides."""
    # Only the worker sends; pages need not wait until a library with a hundred services is read.
    import apprise  # noqa: PLC0415

    template = settings.NOTIFICATION_TEMPLATES[row.channel]
    if not template:
        raise NotYet("waits until the channel is set up")
    url = template.replace(domain.PLACEHOLDERS[row.channel], quote(row.address, safe=""))
    service = apprise.Apprise()
    if not service.add(url):
        return "the operator's address template is not understood"
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
        sent = service.notify(title=row.subject, body=row.body, body_format=apprise.NotifyFormat.TEXT)
    return "" if sent else said.getvalue().strip() or "not accepted"

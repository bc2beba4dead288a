"""Messages leave: mail through Django, SMS and Slack through the operator's address template."""

import logging
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _

from chassis.outgoing import Clock, GiveUp, NotYet, Retry, attempt_due
from chassis.replica.models import Account
from tasks import domain
from tasks.domain import Refused
from tasks.models import Delivery

RETRY = Retry(first=timedelta(seconds=30), longest=timedelta(hours=6), attempts=12)  # a day of failures


def messages_send(*, clock: Clock) -> int:
    """Send what is due; returns how many went out. A failure is kept, and tried again later."""
    return attempt_due(Delivery, attempt=partial(_attempt, clock=clock), retry_after=RETRY, clock=clock)


@transaction.atomic
def message_send_again(*, delivery_id: int, actor: Account, now: datetime) -> Delivery:
    """Send a message of the actor's that was given up. Raises Delivery.DoesNotExist; Refused for any other one."""
    row = Delivery.objects.select_for_update().get(pk=delivery_id, account_id=actor.pk)
    if row.state != "failed" or row.kind != Delivery.Kind.TASKS:
        raise Refused(_("This message is on its way or was sent already."))
    row.attempts, row.next_attempt_at = 0, now
    row.save()
    return row


def _attempt(row: Delivery, *, clock: Clock) -> str:
    if row.kind == Delivery.Kind.CODE and clock() - row.created_at > domain.CODE_LIFE:
        row.body = ""
        raise GiveUp("the code is no longer good")
    error = _mail(row) if row.channel == domain.MAIL else _by_template(row)
    if not error and row.kind == Delivery.Kind.CODE:
        row.body = ""
    return error


def _mail(row: Delivery) -> str:
    row.address = _mail_address(row.account_id)
    if not row.address:
        raise NotYet("waits for an address")
    EmailMessage(row.subject, row.body, to=[row.address], headers={"Message-ID": row.message_id}).send()
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

"""The mail about a payout: a row that is claimed and sent, again until the server takes it; it waits for an address."""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string

from billing.domain import mail_retry_after
from billing.models import Payout
from chassis.business_time import format_when
from chassis.money import format_cents
from chassis.replica.models import Account

BATCH = 50
CLAIM = timedelta(minutes=5)  # longer than sending takes: who crashed meanwhile has its row sent by another
ADDRESS_WAIT = timedelta(minutes=10)

log = structlog.get_logger(__name__)


def payout_mails_send(*, now: datetime) -> int:
    """Send what is due, a batch at a time; returns how many were sent. A mail that fails is kept and tried again."""
    sent = 0
    while claimed := payout_mails_claim(now=now):
        sent += sum(payout_mail_send(payout=payout, now=now) for payout in claimed)
    return sent


@transaction.atomic
def payout_mails_claim(*, now: datetime) -> list[Payout]:
    """Mails that are due, hidden from other workers until the claim ends."""
    due = Payout.objects.filter(sent_at=None, due_at__lte=now).order_by("due_at", "id")
    claimed = list(due.select_for_update(skip_locked=True, of=("self",)).select_related("cycle")[:BATCH])
    Payout.objects.filter(id__in=[payout.id for payout in claimed]).update(due_at=now + CLAIM)
    return claimed


def payout_mail_send(*, payout: Payout, now: datetime) -> bool:
    """Send one claimed mail; False if it has to wait, for an address or for the mail server."""
    mine = Payout.objects.filter(id=payout.id, sent_at=None)
    account = Account.objects.filter(id=payout.account_id).first()
    if account is None or not account.email:
        mine.update(due_at=now + ADDRESS_WAIT, error="waits for an address")
        return False
    try:
        _message(payout, account).send()
    except (OSError, SMTPException) as error:
        retry_at = now + mail_retry_after(payout.attempts + 1)
        mine.update(due_at=retry_at, attempts=F("attempts") + 1, error=f"{type(error).__name__}: {error}"[:500])
        log.warning("payout_mail.failed", payout=str(payout.id), error=str(error), retry_at=retry_at.isoformat())
        return False
    mine.update(sent_at=now, sent_to=account.email, attempts=F("attempts") + 1, error="")
    return True


def _message(payout: Payout, account: Account) -> EmailMessage:
    amount = format_cents(payout.amount)
    context = {
        "name": account.full_name,
        "amount": amount,
        "due": format_when(payout.cycle.due_at),
        "url": f"{settings.PUBLIC_URL}/statement",
    }
    return EmailMessage(
        subject=f"You were paid {amount}",
        body=render_to_string("billing/mail/payout.txt", context),
        to=[account.email],
        headers={"Message-ID": payout.message_id},
    )

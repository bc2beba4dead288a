"""The mail about a payout: a row that is claimed and sent, again until the server takes it; it waits for an address."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from billing.models import Payout
from chassis.money import format_cents
from chassis.outgoing import Clock, NotYet, Retry, attempt_due
from chassis.replica.models import Account

RETRY = Retry(first=timedelta(seconds=30), longest=timedelta(hours=6))


def payout_mails_send(*, clock: Clock) -> int:
    """Send what is due; returns how many were sent. A mail that fails is kept and tried again, until it worked."""
    return attempt_due(Payout, attempt=_attempt, retry_after=RETRY, clock=clock)


def _attempt(payout: Payout) -> str:
    account = Account.objects.filter(id=payout.account_id).first()
    if account is None or not account.email:
        raise NotYet("waits for an address")
    _message(payout, account).send()
    payout.sent_to = account.email
    return ""


def _message(payout: Payout, account: Account) -> EmailMessage:
    amount = format_cents(payout.amount)
    context = {
        "name": account.full_name,
        "amount": amount,
        "cycle": payout.cycle.name,
        "url": f"{settings.PUBLIC_URL}/statement",
    }
    return EmailMessage(
        subject=_("You were paid %(amount)s") % {"amount": amount},
        body=render_to_string("billing/mail/payout.txt", context),
        to=[account.email],
        headers={"Message-ID": payout.message_id},
    )

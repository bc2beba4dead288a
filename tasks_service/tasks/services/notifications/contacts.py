"""How a person wants to be told: channels switched on and off, addresses confirmed by a code sent to them."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from chassis.outgoing import message_id
from chassis.replica.models import Account
from tasks import domain, selectors
from tasks.domain import Refused
from tasks.models import ConfirmationCode, Contact, Delivery
from tasks.services import locks


class CodeOutcome(StrEnum):
    CONFIRMED = "confirmed"
    WRONG = "wrong"
    OVER = "over"  # expired, tried too often, or withdrawn


@transaction.atomic
def contact_switch(*, actor: Account, channel: str, enabled: bool) -> None:
    """Switch a channel on or off. Raises Refused where there is no confirmed address to switch on."""
    if channel == domain.MAIL:
        Contact.objects.update_or_create(account_id=actor.pk, channel=channel, defaults={"enabled": enabled})
    elif not Contact.objects.filter(account_id=actor.pk, channel=channel).update(enabled=enabled):
        raise Refused(_("Confirm an address first: there is none to send to."))


@transaction.atomic
def contact_forget(*, actor: Account, channel: str, now: datetime) -> None:
    """Forget the address of a channel, confirmed or not."""
    Contact.objects.filter(account_id=actor.pk, channel=channel).delete()
    ConfirmationCode.objects.filter(account_id=actor.pk, channel=channel, closed_at=None).update(closed_at=now)


@transaction.atomic
def contacts_erase(account_ids: Iterable[UUID]) -> None:
    """Forget all addresses of people whose accounts were deleted."""
    for model in (Contact, ConfirmationCode):
        model._default_manager.filter(account_id__in=account_ids).delete()
    Delivery.objects.filter(account_id__in=account_ids).update(address="", body="", next_attempt_at=None)


@transaction.atomic
def code_send(*, actor: Account, channel: str, address: str, now: datetime, rng: random.Random) -> None:
    """Send a code to an address that the actor says is theirs; an earlier code is no longer good.

    Raises Refused for a channel that the operator has not set up, within a minute of the last code, and after five
    codes of a day, whether of the person or to the address: nobody can use it to bother a stranger.
    """
    if not selectors.is_offered(channel):
        raise Refused(_("This channel is not set up in this installation."))
    address = domain.address_read(channel, address)
    locks.advisory_lock(locks.CODE_SENDING)
    today = ConfirmationCode.objects.filter(created_at__gt=now - timedelta(days=1))
    mine = today.filter(account_id=actor.pk, channel=channel)
    if mine.filter(created_at__gt=now - domain.CODE_PAUSE).exists():
        raise Refused(_("A code is on its way. Another one can be sent a minute after it."))
    if mine.count() >= domain.CODES_A_DAY or today.filter(address=address).count() >= domain.CODES_A_DAY:
        raise Refused(_("Five codes a day are the limit. Please try again tomorrow."))
    selectors.codes_open(actor.pk).filter(channel=channel).update(closed_at=now)
    code = domain.code_new(rng=rng)
    row = ConfirmationCode.objects.create(
        account_id=actor.pk, channel=channel, address=address, code_hash=_hash(code, address), created_at=now
    )
    Delivery.objects.create(
        account_id=actor.pk,
        channel=channel,
        kind=Delivery.Kind.CODE,
        message_id=message_id("code", row.pk, channel),
        address=address,
        subject=_("Your confirmation code"),
        body=_("%(code)s is your code for notifications of Task Tracker. It is good for ten minutes.") % {"code": code},
        created_at=now,
        next_attempt_at=now,
    )


@transaction.atomic
def code_confirm(*, actor: Account, channel: str, code: str, now: datetime) -> CodeOutcome:
    """Compare a code with the one that was sent; the right one makes its address the channel's, switched on.

    Does not raise: a wrong code is counted in the transaction that compared it, so that many at once are counted too.
    """
    row = selectors.codes_open(actor.pk).select_for_update().filter(channel=channel).order_by("-id").first()
    if row is None or now - row.created_at > domain.CODE_LIFE or not row.tries_left:
        return CodeOutcome.OVER
    if not constant_time_compare(_hash(code, row.address), row.code_hash):
        row.tries += 1
        row.save()
        return CodeOutcome.WRONG if row.tries_left else CodeOutcome.OVER
    row.closed_at = now
    row.save()
    Contact.objects.update_or_create(
        account_id=actor.pk, channel=channel, defaults={"enabled": True, "address": row.address}
    )
    return CodeOutcome.CONFIRMED


def _hash(code: str, address: str) -> str:
    return salted_hmac("tasks.confirmation", f"{address}:{code}", algorithm="sha256").hexdigest()

"""Signed-in browsers: where they begin, and how all services learn that one or all of an account are over."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from oauth2_provider.models import (
    get_access_token_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
)

from accounts.domain import Refused
from accounts.models import Account, BrowserSession, Consent, LogoutDelivery, Mail, OneTimeLink, RelyingParty

from .logouts import logouts_send_soon

KEPT = timedelta(days=31)  # longer than the longest session


@transaction.atomic
def session_start(*, account_id: UUID, session_key: str, now: datetime) -> BrowserSession:
    """Notes the browser that has just signed in. Raises Refused("inactive") if the account lost access meanwhile."""
    account = Account.objects.select_for_update().get(pk=account_id)
    if not account.is_active or not account.is_confirmed:
        raise Refused("inactive")
    return BrowserSession.objects.create(
        sid=secrets.token_urlsafe(32),
        account_id=account_id,
        session_key=session_key,
        session_epoch=account.session_epoch,
        started_at=now,
    )


@transaction.atomic
def session_end(*, sid: str, now: datetime) -> bool:
    """U4: signs one browser out of all services. Other browsers of the account stay. False if it was over already."""
    browser = BrowserSession.objects.select_for_update().filter(pk=sid, ended_at__isnull=True).first()
    if browser is None:
        return False
    browser.ended_at = now
    browser.save(update_fields=["ended_at"])
    Session.objects.filter(pk=browser.session_key).delete()
    parties = told_parties(browser.account_id)
    tell(parties, browser.account_id, sid=sid, session_epoch=browser.session_epoch, now=now)
    return True


def access_end(account: Account, *, now: datetime) -> None:
    """Ends every session, token and grant of an account whose session epoch has just been raised."""
    browsers = BrowserSession.objects.filter(account_id=account.pk, ended_at__isnull=True)
    Session.objects.filter(pk__in=list(browsers.values_list("session_key", flat=True))).delete()
    browsers.update(ended_at=now)
    for model in (get_refresh_token_model(), get_access_token_model(), get_id_token_model(), get_grant_model()):
        model.objects.filter(user_id=account.pk).delete()
    tell(told_parties(account.pk), account.pk, sid="", session_epoch=account.session_epoch, now=now)


def sessions_tidy(*, now: datetime) -> None:
    """Forgets what no session, link or retry can need any more."""
    limit = now - KEPT
    BrowserSession.objects.filter(started_at__lt=limit).delete()
    LogoutDelivery.objects.filter(created_at__lt=limit).delete()
    Mail.objects.filter(created_at__lt=limit).delete()
    OneTimeLink.objects.filter(expires_at__lt=limit).delete()


def told_parties(account_id: UUID) -> QuerySet[RelyingParty]:
    """Who hears of a log-out: the own services, and the applications that the person let see who it is."""
    allowed = Consent.objects.filter(account_id=account_id, withdrawn_at__isnull=True).values("client_id")
    parties = RelyingParty.objects.filter(Q(is_own=True) | Q(client_id__in=allowed))
    return parties.exclude(backchannel_logout_uri="").order_by("id")


def tell(parties: Iterable[RelyingParty], account_id: UUID, *, sid: str, session_epoch: int, now: datetime) -> None:
    """Writes a log-out for each of the parties and sends them on commit."""
    LogoutDelivery.objects.bulk_create(
        LogoutDelivery(
            client_id=party.client_id,
            url=party.backchannel_logout_uri,
            account_id=account_id,
            sid=sid,
            session_epoch=session_epoch,
            created_at=now,
            next_attempt_at=now,
        )
        for party in parties
    )
    transaction.on_commit(logouts_send_soon)

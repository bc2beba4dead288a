"""U3: what a person lets an application see, once given and at any time withdrawn."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from oauth2_provider.models import get_access_token_model, get_grant_model, get_id_token_model

from accounts.domain import Refused
from accounts.models import Account, Consent, RelyingParty

from .changes import account_locked, account_noted
from .sessions import tell


@transaction.atomic
def consent_give(*, account_id: UUID, client_id: str, scopes: str, now: datetime) -> Consent:
    """Remembers that the account lets the client see `scopes` (separated by spaces), added to what it saw already."""
    account_locked(account_id)  # two windows of one person: one consent
    consent = Consent.objects.filter(account_id=account_id, client_id=client_id, withdrawn_at__isnull=True).first()
    if consent is not None and consent.covers(scopes):
        return consent
    before = consent.scopes if consent else ""
    if consent is None:
        consent = Consent(account_id=account_id, client_id=client_id, given_at=now)
    consent.scopes = " ".join(sorted({*before.split(), *scopes.split()}))
    consent.save()
    _noted(consent, action="access_given", before=before, after=consent.scopes, now=now)
    return consent


@transaction.atomic
def consent_withdraw(*, account_id: UUID, consent_id: int, now: datetime) -> None:
    """Ends what the application may see: its tokens of this account go, and it is told to end its sessions.

    Again changes nothing. Raises Refused("gone") for a consent that the account never gave.
    """
    account = account_locked(account_id)
    consent = Consent.objects.filter(pk=consent_id, account_id=account_id).first()
    if consent is None:
        raise Refused("gone")
    if consent.withdrawn_at is not None:
        return
    for model in (get_access_token_model(), get_id_token_model(), get_grant_model()):
        model.objects.filter(user_id=account_id, application__client_id=consent.client_id).delete()
    _tell_of_the_end(account, consent, now=now)
    consent.withdrawn_at = now
    consent.save()
    _noted(consent, action="access_withdrawn", before=consent.scopes, after="", now=now)


def _tell_of_the_end(account: Account, consent: Consent, *, now: datetime) -> None:
    parties = RelyingParty.objects.filter(client_id=consent.client_id).exclude(backchannel_logout_uri="")
    tell(parties, account.pk, sid="", session_epoch=account.session_epoch, now=now)


def _noted(consent: Consent, *, action: str, before: str, after: str, now: datetime) -> None:
    party = RelyingParty.objects.filter(client_id=consent.client_id).first()
    name = party.label if party else consent.client_id
    account_noted(
        consent.account_id,
        action=action,
        before={"sees": before} if before else {},
        after={"application": name, "sees": after},
        actor_id=str(consent.account_id),
        now=now,
    )

"""U3: applications that are not our own, made and changed by admins. Each change is kept with actor and time."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from oauth2_provider.models import (
    AbstractApplication,
    get_access_token_model,
    get_application_model,
    get_grant_model,
    get_id_token_model,
)

from accounts.domain import REDIRECT_URIS, Refused, redirect_uri_checked
from accounts.models import Consent, RelyingParty
from accounts.selectors import application_fields, plain_http_allowed

from .changes import admin_only
from .relying_parties import application_noted

SECRET_BYTES = 32


@transaction.atomic
def application_create(
    *, name: str, redirect_uris: Sequence[str], backchannel_logout_uri: str = "", actor_id: str, now: datetime
) -> tuple[RelyingParty, str]:
    """Makes a confidential client that asks each person once; returns it and its secret, of which a hash is kept.

    Raises Refused: `not_admin`, `name_taken`, `uris`, and those of `domain.redirect_uri_checked`.
    """
    admin_only(actor_id)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    application = get_application_model()(
        name=name,
        client_secret=secret,
        client_type=AbstractApplication.CLIENT_CONFIDENTIAL,
        authorization_grant_type=AbstractApplication.GRANT_AUTHORIZATION_CODE,
        algorithm=AbstractApplication.RS256_ALGORITHM,
        skip_authorization=False,
        redirect_uris=_checked(redirect_uris),
    )
    party = RelyingParty(name=name, client_id=application.client_id, is_own=False, created_at=now)
    party.backchannel_logout_uri = _backchannel(backchannel_logout_uri)
    _saved(party)
    application.full_clean(exclude=["client_secret"])
    application.save()
    application_noted(party, action="created", before={}, actor_id=actor_id, now=now)
    return party, secret


@transaction.atomic
def application_update(
    *,
    party_id: int,
    name: str,
    redirect_uris: Sequence[str],
    backchannel_logout_uri: str = "",
    actor_id: str,
    now: datetime,
) -> RelyingParty:
    """Changes name and addresses. A form that changes nothing leaves no trace.

    Raises Refused: `not_admin`, `provisioned`, `gone`, `name_taken`, `uris`, those of `domain.redirect_uri_checked`.
    """
    party = _locked(party_id, actor_id=actor_id)
    before = application_fields(party)
    application = get_application_model().objects.get(client_id=party.client_id)
    party.name = application.name = name
    party.backchannel_logout_uri = _backchannel(backchannel_logout_uri)
    application.redirect_uris = _checked(redirect_uris)
    _saved(party)
    application.full_clean(exclude=["client_secret"])
    application.save()
    if application_fields(party) != before:
        application_noted(party, action="updated", before=before, actor_id=actor_id, now=now)
    return party


@transaction.atomic
def application_secret_rotate(*, party_id: int, actor_id: str, now: datetime) -> str:
    """A new secret; the old one, and whatever it was exchanged for, is worth nothing from now on.

    Raises Refused: `not_admin`, `provisioned`, `gone`.
    """
    party = _locked(party_id, actor_id=actor_id)
    application = get_application_model().objects.get(client_id=party.client_id)
    application.client_secret = secret = secrets.token_urlsafe(SECRET_BYTES)
    application.save()
    for model in (get_access_token_model(), get_id_token_model(), get_grant_model()):
        model.objects.filter(application=application).delete()
    application_noted(party, action="secret_rotated", before=application_fields(party), actor_id=actor_id, now=now)
    return secret


@transaction.atomic
def application_delete(*, party_id: int, actor_id: str, now: datetime) -> None:
    """Takes the application away with all its tokens and consents; its history stays.

    Raises Refused: `not_admin`, `provisioned`, `gone`.
    """
    party = _locked(party_id, actor_id=actor_id)
    application_noted(party, action="deleted", before=application_fields(party), after={}, actor_id=actor_id, now=now)
    Consent.objects.filter(client_id=party.client_id, withdrawn_at__isnull=True).update(withdrawn_at=now)
    get_application_model().objects.filter(client_id=party.client_id).delete()
    party.delete()


def _locked(party_id: int, *, actor_id: str) -> RelyingParty:
    admin_only(actor_id)
    party = RelyingParty.objects.select_for_update().filter(pk=party_id).first()
    if party is None:
        raise Refused("gone")
    if party.is_own:
        raise Refused("provisioned")
    return party


def _saved(party: RelyingParty) -> None:
    try:
        with transaction.atomic():
            party.save()
    except IntegrityError as error:
        raise Refused("name_taken") from error


def _checked(uris: Sequence[str]) -> str:
    """As the toolkit keeps them: separated by spaces, each once."""
    if not 1 <= len(uris) <= REDIRECT_URIS:
        raise Refused("uris")
    return " ".join(dict.fromkeys(redirect_uri_checked(uri, plain_http=plain_http_allowed()) for uri in uris))


def _backchannel(uri: str) -> str:
    return redirect_uri_checked(uri, plain_http=plain_http_allowed()) if uri else ""

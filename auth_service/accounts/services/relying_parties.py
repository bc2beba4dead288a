"""The own services as OAuth clients, made and kept right at each deploy, and the history of all applications."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.db.models import Q
from oauth2_provider.models import AbstractApplication, get_application_model

from accounts.domain import SYSTEM
from accounts.hashers import current_secret, rotated_secret
from accounts.models import ApplicationChange, RelyingParty
from accounts.selectors import application_fields

USE_NOTED_EVERY = timedelta(minutes=1)  # not at each sign-in: they would all wait for one row
CALLBACK_PATH = "/complete/auth"
BACKCHANNEL_PATH = "/backchannel-logout"


@transaction.atomic
def relying_party_provision(
    *, name: str, client_id: str, secret: str, public_url: str, internal_url: str, now: datetime
) -> bool:
    """Makes the client of one own service, or brings it up to what is asked; True if anything was changed.

    Own services ask for no consent (U3). The secret is stored as a hash, and the one it replaces works for an hour;
    history names the system as the actor.
    """
    party = RelyingParty.objects.filter(name=name).first()
    before = application_fields(party) if party else {}
    application = get_application_model().objects.filter(client_id=client_id).first()
    wanted = {
        "name": name.capitalize(),
        "client_type": AbstractApplication.CLIENT_CONFIDENTIAL,
        "authorization_grant_type": AbstractApplication.GRANT_AUTHORIZATION_CODE,
        "algorithm": AbstractApplication.RS256_ALGORITHM,
        "skip_authorization": True,
        "redirect_uris": f"{public_url.rstrip('/')}{CALLBACK_PATH}",
        "post_logout_redirect_uris": public_url.rstrip("/") + "/",
    }
    changed = application is None
    if application is None:
        application = get_application_model()(client_id=client_id, client_secret=secret)
    changed |= any(getattr(application, field) != value for field, value in wanted.items())
    for field, value in wanted.items():
        setattr(application, field, value)
    if application.pk is not None and not check_password(secret, current_secret(application.client_secret)):
        application.client_secret = rotated_secret(secret, application.client_secret, now=now.timestamp())
        changed = True
    if changed:
        application.full_clean()
        application.save()
    known = {
        "client_id": client_id,
        "home_url": public_url.rstrip("/") + "/",
        "backchannel_logout_uri": f"{internal_url.rstrip('/')}{BACKCHANNEL_PATH}",
        "is_own": True,
    }
    if party is None or any(getattr(party, field) != value for field, value in known.items()):
        party, _ = RelyingParty.objects.update_or_create(
            name=name, defaults=known, create_defaults=known | {"created_at": now}
        )
        changed = True
    if changed:
        application_noted(party, action="provisioned", before=before, actor_id=SYSTEM, now=now)
    return changed


def relying_party_used(*, client_id: str, now: datetime) -> None:
    """Notes that somebody signed in to the application, to the minute."""
    seen = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    RelyingParty.objects.filter(seen, client_id=client_id).update(last_used_at=now)


def application_noted(
    party: RelyingParty,
    *,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any] | None = None,
    actor_id: str,
    now: datetime,
) -> None:
    """Keeps one change of an application; `after` is as it is now unless it is given."""
    after = application_fields(party) if after is None else after
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    ApplicationChange.objects.create(
        party_id=party.pk,
        name=party.name,
        actor_id=actor_id,
        action=action,
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed if name in after},
        at=now,
    )

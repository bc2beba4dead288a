"""The own services as OAuth clients, made and kept right at each deploy."""

from django.contrib.auth.hashers import check_password
from django.db import transaction
from oauth2_provider.models import AbstractApplication, get_application_model

from accounts.models import RelyingParty

CALLBACK_PATH = "/complete/auth"
BACKCHANNEL_PATH = "/backchannel-logout"


@transaction.atomic
def relying_party_provision(*, name: str, client_id: str, secret: str, public_url: str, internal_url: str) -> bool:
    """Makes the client of one own service, or brings it up to what is asked; True if anything was changed.

    Own services ask for no consent (U3). The secret is stored as a hash.
    """
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
    if application.pk is not None and not check_password(secret, application.client_secret):
        application.client_secret, changed = secret, True
    if changed:
        application.full_clean()
        application.save()
    known = {
        "client_id": client_id,
        "home_url": public_url.rstrip("/") + "/",
        "backchannel_logout_uri": f"{internal_url.rstrip('/')}{BACKCHANNEL_PATH}",
    }
    party = RelyingParty.objects.filter(name=name).first()
    if party is None or any(getattr(party, field) != value for field, value in known.items()):
        RelyingParty.objects.update_or_create(name=name, defaults=known)
        changed = True
    return changed

"""Every page of auth in every state, for tests that look at all of them."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.domain import INVITATION, MANAGER, RESET, WORKER, token_hash
from accounts.models import Account, Mail, OneTimeLink, RelyingParty

from .flow import authorization
from .steps import Make


@pytest.fixture
def everything(admin: Account, worker: Account, make_account: Make) -> dict[str, str]:
    """Every page of auth in every state, by a name: its address, for the admin unless the name begins with `open`."""
    call_command("provision_clients", verbosity=0)
    actor, now = str(admin.pk), timezone.now()
    max_ = make_account("max@popug.example", MANAGER, full_name="Max Braun", position="Shift manager")
    services.account_role_change(account_id=worker.pk, role=MANAGER, actor_id=actor, now=now)
    out = make_account("out@popug.example", full_name="Otto Out")
    services.account_deactivate(account_id=out.pk, actor_id=actor, now=now)
    invited = services.invite(
        email="new@popug.example", full_name="Nora Neu", role=WORKER, actor_id=actor, base_url="http://x", now=now
    )
    Mail.objects.update(attempts=3, last_error="ConnectionRefusedError: [Errno 111] Connection refused")
    party, _ = services.application_create(
        name="Roster", redirect_uris=["https://roster.example/complete"], actor_id=actor, now=now
    )
    services.consent_give(account_id=admin.pk, client_id=party.client_id, scopes="openid email", now=now)
    for _ in range(10):
        Client().post("/login", {"email": worker.email, "password": "wrong"})
    links = {kind: services.link_open(account_id=worker.pk, kind=kind, now=now) for kind in (INVITATION, RESET)}
    OneTimeLink.objects.filter(pk=token_hash(links[INVITATION])).update(expires_at=now)
    used = services.link_open(account_id=max_.pk, kind=RESET, now=now)
    OneTimeLink.objects.filter(pk=token_hash(used)).update(used_at=now)
    own = RelyingParty.objects.get(name="tasks")
    foreign = {"client_id": party.client_id, "redirect_uri": "https://roster.example/complete"}
    return {
        "accounts": "/",
        "accounts-none": "/?q=zebra",
        "accounts-not-understood": "/?role=owner",
        "account-locked": f"/accounts/{worker.pk}",
        "account-out": f"/accounts/{out.pk}",
        "account-invited": f"/accounts/{invited.pk}",
        "invite": "/accounts/invite",
        "profile": "/profile",
        "applications": "/oauth/applications",
        "application": f"/oauth/applications/{party.pk}",
        "application-own": f"/oauth/applications/{own.pk}",
        "application-new": "/oauth/applications/new",
        "application-edit": f"/oauth/applications/{party.pk}/edit",
        "application-secret": f"/oauth/applications/{party.pk}/secret",
        "application-changes": "/oauth/applications/changes",
        "consent": authorization(**foreign),
        "consent-error": authorization(client_id="nobody"),
        "sign-out": "/oauth/logout/",
        "dead-letters": "/dead-letters/",
        "not-found": "/nowhere",
        "open-sign-in": "/login",
        "open-sign-in-to-tasks": f"/login?next={authorization().replace('&', '%26').replace('?', '%3F')}",
        "open-sign-up": "/sign-up",
        "open-forgotten": "/forgotten-password",
        "open-signed-out": "/signed-out?from=tasks",
        "open-link": f"/link?token={links[RESET]}",
        "open-link-expired": f"/link?token={links[INVITATION]}",
        "open-link-used": f"/link?token={used}",
        "open-link-nowhere": "/link?token=x",
    }

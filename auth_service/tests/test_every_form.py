"""Every form of auth, found on its pages from the address table: sent twice, and given odd input."""

import itertools
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, Consent, RelyingParty
from dev import forms, sweep
from eventbus.codec import pack_headers
from eventbus.models import ConsumerGroup, DeadLetter

from .conftest import NOW, PASSWORD
from .steps import Make, SignIn

pytestmark = pytest.mark.no_cover  # traced, it takes twice as long
# Machines send these; no page shows them. They have tests of their own: a code and a token are good once.
FOR_MACHINES = {f"oauth2_provider:{name}" for name in ("token", "revoke-token", "introspect", "user-info")}
NEW = {"email": "newer@popug.example", "full_name": "Nele Neuer"}
FILLED = {
    "login": {"email": "max@popug.example", "password": PASSWORD},
    "sign_up": NEW,
    "forgotten_password": {"email": "max@popug.example"},
    "link": {"password": "a cage as good as new"},
    "profile": {"full_name": "Ada Eagle"},
    "profile_password": {"current": PASSWORD, "password": "a cage as good as new"},
    "account_invite": {**NEW, "position": "Feeder", "role": "worker"},
    "account_edit": {"full_name": "Somebody Else", "position": "Feeder"},
    "account_role": {"role": "finance"},
    "application_new": {"name": "Rota", "redirect_uris": "https://rota.example/complete"},
    "application_edit": {"name": "Roster of ours"},
    "dead_letters:discard": {"reason": "It was a test."},
}
# What else somebody types into a form that was sent already.
OTHER = {
    "sign_up": {"email": "other@popug.example"},
    "forgotten_password": {"email": "other@popug.example"},
    "link": {"password": "quite another cage"},
    "profile": {"full_name": "Ada Albatross"},
    "profile_password": {"password": "quite another cage"},
    "account_invite": {"email": "other@popug.example"},
    "account_edit": {"position": "Cleaner"},
    "account_role": {"role": "manager"},
    "application_new": {"name": "Rota 2"},
    "application_edit": {"name": "Roster of theirs"},
}
# Signing in begins another session each time; a record that nobody can read stays so, however often it is tried.
ANEW = {"login", "dead_letters:retry"}
# Somebody else's, whose page asks for consent; allowing it twice hands out two codes, each good once.
CONSENT = {"oauth2_provider:authorize", "oauth2_provider:authorize allow=Authorize"}


@pytest.fixture
def clients(settings: Any, everything: dict[str, str], admin: Account, worker: Account, browser: SignIn) -> Any:
    settings.SIGN_UP = "open"
    max_ = Account.objects.get(email="max@popug.example")
    return {"admin": browser(admin), "manager": browser(max_), "stranger": Client()}


@pytest.fixture
def table(clients: Any, everything: dict[str, str], admin: Account, make_account: Make) -> Any:
    group = ConsumerGroup.objects.create(name="auth-none")
    letter = DeadLetter.objects.create(
        group=group, topic="accounts", partition=0, offset=1, key=b"k", value=b"?", headers=pack_headers([]),
        received_at=NOW, reason="unknown_version", error="there is no such version", state=DeadLetter.State.DEAD,
    )  # fmt: skip
    return forms.addresses(
        {
            # The last admin comes last: some forms would be refused there.
            "account_id": sorted(Account.objects.values_list("pk", flat=True), key=lambda pk: pk == admin.pk),
            "party_id": list(RelyingParty.objects.values_list("pk", flat=True)),
            "consent_id": list(Consent.objects.values_list("pk", flat=True)),
            "pk": [letter.pk],
        }
    )


@pytest.fixture
def pages(clients: Any, table: Any, everything: dict[str, str]) -> list[forms.Page]:
    return forms.pages(clients, [*itertools.chain.from_iterable(table.values()), *everything.values()])


def test_every_form_and_every_page(
    subtests: pytest.Subtests, clients: Any, table: Any, pages: list[forms.Page]
) -> None:
    sweep.everything(
        subtests,
        clients,
        table,
        pages,
        formless=FOR_MACHINES,
        filled=FILLED,
        other=OTHER,
        unsent=CONSENT,
        anew=ANEW,
        addresses=15,
    )

"""Every form of auth, sent twice at once in a real browser: one effect, the same answer."""

from typing import Any, NamedTuple

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import resolve
from django.utils import timezone
from playwright.sync_api import Page

from accounts import services
from accounts.domain import MANAGER, RESET, WORKER
from accounts.models import Account, AccountChange, ApplicationChange, Consent, Mail
from accounts.web.urls import urlpatterns
from chassis.testing import addresses_of_forms, sent_twice
from dev.pytest_browser import OpenPage

from .conftest import PASSWORD
from .steps import Make, SignIn

pytestmark = pytest.mark.no_cover  # traced, it takes twice as long
NEW_PASSWORD = "square cages"


class Sent(NamedTuple):
    """A form: who fills it in, on which page, where it leads, and what its one effect leaves in the histories."""

    who: str
    page: str
    action: str
    typed: dict[str, str]
    leaves: list[str]
    mails: int = 0
    answer: str = ""


FORMS = [
    Sent("nobody", "/sign-up", "", {"full_name": "Nora Neu", "email": "nora@popug.example"}, ["signed_up"], mails=1),
    Sent("nobody", "/forgotten-password", "", {"email": "w.weber@popug.example"}, [], mails=1),
    Sent("nobody", "/link?token={token}", "", {"password": NEW_PASSWORD}, ["password_set"], answer="/login"),
    Sent("nobody", "/login", "/login", {"email": "max@popug.example", "password": PASSWORD}, [], answer="/profile"),
    Sent("worker", "/profile", "/profile", {"full_name": "Wilma Wolf"}, ["updated"]),
    Sent("worker", "/profile", "/profile/applications/{consent}/withdraw", {}, ["access_withdrawn"]),
    Sent("worker", "/profile", "/profile/password", {"current": PASSWORD, "password": NEW_PASSWORD}, ["password_set"]),
    Sent("worker", "/profile", "/logout", {}, [], answer="/signed-out"),
    Sent("second", "/oauth/logout/", "", {}, [], answer="/signed-out"),
    Sent(
        "admin",
        "/accounts/invite",
        "",
        {"full_name": "Ines", "email": "ines@popug.example"},
        ["invited"],
        mails=1,
    ),
    Sent("admin", "/accounts/{invited}", "/accounts/{invited}/link", {}, ["link_sent"], mails=1),
    Sent("admin", "/accounts/{max}", "/accounts/{max}/unlock", {}, ["unlocked"]),
    Sent("admin", "/accounts/{max}", "/accounts/{max}/edit", {"position": "Shift manager"}, ["updated"]),
    Sent("admin", "/accounts/{max}", "/accounts/{max}/role", {"role": WORKER}, ["role_changed"]),
    Sent("admin", "/accounts/{max}", "/accounts/{max}/deactivate", {}, ["deactivated"]),
    Sent("admin", "/accounts/{max}", "/accounts/{max}/reactivate", {}, ["reactivated"]),
    Sent(
        "admin",
        "/oauth/applications/new",
        "",
        {"name": "Plan", "redirect_uris": "https://plan.example/complete"},
        ["created"],
    ),
    Sent("admin", "/oauth/applications/{party}/edit", "", {"name": "Roster 2"}, ["updated"]),
    Sent("admin", "/oauth/applications/{party}", "/oauth/applications/{party}/rotate", {}, ["secret_rotated"]),
    Sent("admin", "/oauth/applications/{party}", "/oauth/applications/{party}/delete", {}, ["deleted"]),
]
# Beside the service's own: asked by a service to sign out. Consent is answered with another code each time, as it must.
OF_OAUTH = {"rp-initiated-logout"}


@pytest.fixture
def names(admin: Account, worker: Account, make_account: Make) -> dict[str, Any]:
    """What stands for the words in braces."""
    call_command("provision_clients", verbosity=0)
    actor, now = str(admin.pk), timezone.now()
    manager = make_account("max@popug.example", MANAGER, full_name="Max Braun")
    for _ in range(10):
        Client().post("/login", {"email": manager.email, "password": "wrong"}, REMOTE_ADDR="10.1.1.1")
    invited = services.invite(
        email="new@popug.example", full_name="Nils", role=WORKER, actor_id=actor, base_url="http://x", now=now
    )
    party, _ = services.application_create(
        name="Roster", redirect_uris=["https://roster.example/complete"], actor_id=actor, now=now
    )
    services.consent_give(account_id=worker.pk, client_id=party.client_id, scopes="openid", now=now)
    forgetful = make_account("lena@popug.example")
    return {
        "token": services.link_open(account_id=forgetful.pk, kind=RESET, now=now),
        "consent": Consent.objects.get().pk,
        "invited": invited.pk,
        "max": manager.pk,
        "party": party.pk,
    }


def test_every_form_sent_twice_at_once_has_one_effect_and_the_same_answer(
    open_page: OpenPage,
    browser: SignIn,
    admin: Account,
    worker: Account,
    make_account: Make,
    names: dict[str, Any],
    settings: Any,
) -> None:
    settings.SIGN_UP = "open"
    second = make_account("otto@popug.example", full_name="Otto Okafor")
    people = {"nobody": None, "worker": worker, "second": second, "admin": admin}
    pages = {name: open_page("/login", account) for name, account in people.items()}
    sent = set()
    for form in FORMS:
        before, mails = told(), Mail.objects.count()
        sent.add(send(pages[form.who], form, names))
        assert [action for _, _, action in told() - before] == form.leaves, form
        assert Mail.objects.count() - mails == form.mails, form
    assert sent == addresses_of_forms(urlpatterns, browser(admin)) | OF_OAUTH


def send(page: Page, form: Sent, names: dict[str, Any]) -> str:
    """Fills the form in and sends it twice; returns the name of the address that it leads to."""
    path, action = form.page.format(**names), form.action.format(**names)
    page.goto(path)
    for summary in page.locator("details > summary").all():
        summary.click()
    place = page.locator(f"form[action='{action}']" if action else "main form:not([action])")
    for name, value in form.typed.items():
        field = place.locator(f"[name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    status, answer = sent_twice(place)
    assert status == 200, form
    assert form.answer in ("", answer), form
    return str(resolve(action or path.partition("?")[0]).url_name)


def told() -> set[tuple[str, int, str]]:
    """What the histories hold."""
    histories = (AccountChange, ApplicationChange)
    return {(model.__name__, row.pk, row.action) for model in histories for row in model.objects.all()}

"""Auth in a real browser: journeys from end to end, consent under the strict policy, axe on every page and state."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail as outbox
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import services
from accounts.domain import INVITATION, MANAGER, RESET, WORKER, token_hash
from accounts.models import Account, Mail, OneTimeLink, RelyingParty

from .browsing import PHONE, WIDE, Open
from .conftest import PASSWORD
from .flow import authorization
from .steps import Make


@pytest.fixture
def roster() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An application of somebody else's on loopback: its address, and the answers that it got."""
    answers: list[dict[str, str]] = []

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if place.path == "/complete":  # not the browser's question for an icon
                answers.append({name: values[0] for name, values in parse_qs(place.query).items()})
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Roster</title><h1>Welcome to Roster</h1>")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def link_in_mail() -> str:
    """The link of the mail that was sent last."""
    services.mail_send(clock=timezone.now)
    return re.search(r"http://\S+/link\?token=\S+", outbox.outbox[-1].body).group(0)


def choose(page: Page, password: str) -> None:
    page.get_by_label("New password").fill(password)
    page.get_by_role("button", name="Set the password").click()


def test_one_signs_up_confirms_the_address_and_signs_in(open_page: Open, settings: Any, transactional_db: None) -> None:
    settings.SIGN_UP, settings.SIGN_UP_DOMAINS = "domains", ["popug.example"]
    page = open_page("/login")
    page.get_by_role("link", name="Sign up").click()
    page.get_by_label("Name").fill("Nora Neu")
    page.get_by_label("E-mail").fill("nora@else.example")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_text("addresses of our own domains only")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Nora Neu")
    page.get_by_label("E-mail").fill("Nora@Popug.example")
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(link_in_mail())
    field = page.get_by_label("New password")
    for shown in ("text", "password", "text"):
        page.get_by_role("button", name="Show").click()
        expect(field).to_have_attribute("type", shown)
    choose(page, "round cages")
    expect(page.get_by_text("Your password is set")).to_be_visible()
    sign_in(page, "nora@popug.example", "round cages")
    expect(page.get_by_role("heading", name="Nora Neu")).to_be_visible()
    assert Account.objects.get().role == WORKER


@pytest.mark.parametrize(("policy", "told"), [("closed", "There is no such page"), ("open", "Look into your mail")])
def test_signing_up_is_offered_as_its_setting_says(
    open_page: Open, settings: Any, transactional_db: None, policy: str, told: str
) -> None:
    settings.SIGN_UP = policy
    page = open_page("/login")
    expect(page.get_by_role("link", name="Sign up")).to_have_count(0 if policy == "closed" else 1)
    page.goto("/sign-up")
    if policy == "open":
        page.get_by_label("Name").fill("Nora Neu")
        page.get_by_label("E-mail").fill("nora@else.example")
        page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name=told)).to_be_visible()
    assert Account.objects.count() == (0 if policy == "closed" else 1)


def test_an_admin_invites_and_an_expired_invitation_is_sent_again(open_page: Open, admin: Account) -> None:
    page = open_page("/", admin)
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("E-mail").fill("nora@popug.example")
    page.get_by_label("Name").fill("Nora Neu")
    page.get_by_label("Role").select_option("manager")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("a mail with a link is on its way")).to_be_visible()
    OneTimeLink.objects.update(expires_at=timezone.now())
    theirs = open_page(urlsplit(link_in_mail())._replace(scheme="", netloc="").geturl())
    expect(theirs.get_by_role("heading", name="This invitation has expired")).to_be_visible()
    page.get_by_role("button", name="Send the link again").click()
    expect(page.get_by_text("A mail with a new link is on its way")).to_be_visible()
    theirs.goto(link_in_mail())
    choose(theirs, "round cages")
    sign_in(theirs, "nora@popug.example", "round cages")
    expect(theirs.locator("h1 .role")).to_have_text("manager")


def test_a_lock_is_said_seen_and_lifted(open_page: Open, admin: Account, worker: Account) -> None:
    for _ in range(9):
        Client().post("/login", {"email": worker.email, "password": "wrong"})
    theirs = open_page("/login")
    sign_in(theirs, worker.email, "wrong")
    expect(theirs.get_by_role("alert")).to_contain_text("Wait 15 minutes")
    page = open_page(f"/accounts/{worker.pk}", admin)
    page.get_by_role("button", name="Lift the lock").click()
    expect(page.get_by_text("The lock is lifted.")).to_be_visible()
    sign_in(theirs, worker.email, PASSWORD)
    expect(theirs.get_by_role("heading", name="Wilma Weber")).to_be_visible()


def test_a_foreign_application_is_allowed_seen_and_withdrawn(
    open_page: Open, admin: Account, worker: Account, roster: tuple[str, list[dict[str, str]]]
) -> None:
    """The whole life of an application, in a browser that holds to the content security policy."""
    place, answers = roster
    page = open_page("/oauth/applications", admin)
    page.get_by_role("link", name="New application").first.click()
    page.get_by_label("Name").fill("Roster")
    page.get_by_label("Redirect addresses").fill(f"{place}/complete")
    page.get_by_role("button", name="Make it").click()
    assert len(page.locator("#secret").inner_text()) > 40
    page.reload()
    expect(page.locator("#secret")).to_have_count(0)
    client_id = RelyingParty.objects.get(name="Roster").client_id
    target = authorization(client_id=client_id, redirect_uri=f"{place}/complete")

    theirs = open_page(target, allow=place)
    sign_in(theirs, worker.email, PASSWORD)
    theirs.get_by_role("button", name="Refuse").click()
    expect(theirs.get_by_role("heading", name="Welcome to Roster")).to_be_visible()
    assert answers[-1]["error"] == "access_denied"

    theirs.goto(target)
    theirs.get_by_role("button", name="Allow").click()
    expect(theirs.get_by_role("heading", name="Welcome to Roster")).to_be_visible()
    assert {"code", "state", "iss"} <= answers[-1].keys()

    again = open_page(target, allow=place)  # signing in leads straight on: the policy of that page lets it
    sign_in(again, worker.email, PASSWORD)
    expect(again.get_by_role("heading", name="Welcome to Roster")).to_be_visible()

    theirs.goto("/profile")
    theirs.get_by_role("button", name="Withdraw from Roster").click()
    expect(theirs.get_by_text("Withdrawn: it will ask you again")).to_be_visible()
    theirs.goto(target)
    expect(theirs.get_by_role("heading", name="Allow Roster?")).to_be_visible()


def test_a_form_of_megabytes_leaves_what_was_typed(open_page: Open, worker: Account) -> None:
    page = open_page("/profile", worker)
    field = page.locator("[name=full_name]")
    field.evaluate("field => field.removeAttribute('maxlength')")
    field.evaluate("field => { field.value = 'x'.repeat(10_000_000) }")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", name="That was too much text")).to_be_visible()
    assert Account.objects.get(pk=worker.pk).full_name == "Wilma Weber"


@pytest.fixture
def everything(admin: Account, worker: Account, make_account: Make) -> dict[str, str]:
    """Every page of auth in every state, by a name: its address, for the admin unless the name begins with `open`."""
    call_command("provision_clients", verbosity=0)
    actor, now = str(admin.pk), timezone.now()
    make_account("max@popug.example", MANAGER, full_name="Max Braun", position="Shift manager")
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
        "open-link-nowhere": "/link?token=x",
    }


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", PHONE)], ids=str)
def test_axe_finds_nothing_on_any_page(
    open_page: Open, everything: dict[str, str], admin: Account, settings: Any, scheme: str, size: Any
) -> None:
    settings.SIGN_UP = "open"
    signed_in = open_page("/profile", admin, color_scheme=scheme, viewport=size)
    stranger = open_page("/login", color_scheme=scheme, viewport=size)
    for name, address in everything.items():
        page = stranger if name.startswith("open") else signed_in
        page.goto(address)
        check(page, name)
    signed_in.goto(everything["account-locked"])
    for summary in signed_in.locator("details.disclose > summary").all():
        summary.click()
    check(signed_in, "account, about to deactivate")


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", PHONE)], ids=str)
def test_axe_finds_nothing_on_a_form_with_errors(
    open_page: Open, everything: dict[str, str], admin: Account, settings: Any, scheme: str, size: Any
) -> None:
    settings.SIGN_UP = "open"
    signed_in = open_page("/profile", admin, color_scheme=scheme, viewport=size)
    stranger = open_page("/login", color_scheme=scheme, viewport=size)
    for page, address, button in (
        (signed_in, "/accounts/invite", "Send the invitation"),
        (signed_in, "/oauth/applications/new", "Make it and show its secret"),
        (signed_in, "/profile", "Change password"),
        (stranger, "/sign-up", "Send me the link"),
        (stranger, "/forgotten-password", "Send me the link"),
        (stranger, "/login", "Sign in"),
    ):
        page.goto(address)
        page.locator("main form").evaluate_all("forms => forms.forEach((form) => { form.noValidate = true })")
        page.get_by_role("main").get_by_role("button", name=button).click()
        expect(page.locator(".field-error").first).to_be_visible()
        check(page, f"{address} with errors")


def check(page: Page, name: str) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"

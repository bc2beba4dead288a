"""Auth in a real browser: journeys from end to end, consent under the strict policy, axe on every page and state."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import services
from accounts.domain import WORKER
from accounts.models import Account, OneTimeLink, RelyingParty
from dev.faults import faults
from dev.pytest_browser import OpenPage

from .conftest import PASSWORD
from .flow import authorization

pytestmark = pytest.mark.no_cover  # traced, it takes twice as long


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
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
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


def test_one_signs_up_confirms_the_address_and_signs_in(
    open_page: OpenPage, settings: Any, transactional_db: None
) -> None:
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
    open_page: OpenPage, settings: Any, transactional_db: None, policy: str, told: str
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


def test_an_admin_invites_and_an_expired_invitation_is_sent_again(open_page: OpenPage, admin: Account) -> None:
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


def test_an_admin_finds_an_account_by_keyboard_alone(open_page: OpenPage, admin: Account, worker: Account) -> None:
    page = open_page("/", admin)
    page.keyboard.press("/")
    page.keyboard.type("weber")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("main").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Wilma Weber")).to_be_visible()


def test_a_lock_is_said_seen_and_lifted(open_page: OpenPage, admin: Account, worker: Account) -> None:
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
    open_page: OpenPage, admin: Account, worker: Account, roster: tuple[str, list[dict[str, str]]]
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


def test_a_form_of_megabytes_leaves_what_was_typed(open_page: OpenPage, worker: Account) -> None:
    page = open_page("/profile", worker)
    field = page.locator("[name=full_name]")
    field.evaluate("field => field.removeAttribute('maxlength')")
    field.evaluate("field => { field.value = 'x'.repeat(10_000_000) }")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", name="That was too much text")).to_be_visible()
    page.go_back()
    assert len(field.input_value()) == 10_000_000
    assert Account.objects.get(pk=worker.pk).full_name == "Wilma Weber"


def test_no_page_has_a_fault_in_any_theme_and_size(
    open_page: OpenPage, everything: dict[str, str], admin: Account, settings: Any
) -> None:
    settings.SIGN_UP = "open"
    signed_in, stranger = open_page("/profile", admin), open_page("/login")
    for name, address in everything.items():
        page = stranger if name.startswith("open") else signed_in
        page.goto(address)
        assert faults(page, f"auth {name}") == []
    signed_in.goto(everything["account-locked"])
    for summary in signed_in.locator("details.disclose > summary").all():
        summary.click()
    assert faults(signed_in, "auth account, about to deactivate") == []
    signed_in.goto(everything["application"])
    signed_in.get_by_text("Rotate the secret…").click()
    signed_in.get_by_role("button", name="Rotate it now").click()
    expect(signed_in.get_by_text("Copy it now: it is shown this once.")).to_be_visible()
    assert faults(signed_in, "auth a secret while it is shown") == []
    stranger.goto(everything["open-forgotten"])
    stranger.get_by_label("E-mail").fill("nobody@popug.example")
    stranger.get_by_role("button", name="Send me the link").click()
    expect(stranger.get_by_role("heading", name="Look into your mail")).to_be_visible()
    assert faults(stranger, "auth look into your mail") == []


def test_no_form_with_errors_has_a_fault_in_any_theme_and_size(
    open_page: OpenPage, everything: dict[str, str], admin: Account, settings: Any
) -> None:
    settings.SIGN_UP = "open"
    signed_in, stranger = open_page("/profile", admin), open_page("/login")
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
        assert faults(page, f"auth {address} with errors") == []
    for _ in range(10):
        sign_in(stranger, "nobody@popug.example", "wrong")
    expect(stranger.get_by_role("alert")).to_contain_text("Too many")
    assert faults(stranger, "auth locked") == []

"""Bad input on each form of auth: a field error or safe display, and what was typed is kept, but never a password."""

from typing import Any

import pytest
from django.test import Client

from accounts import services
from accounts.domain import RESET, WORKER
from accounts.models import Account, Mail
from accounts.web.forms import NAME_LENGTH

from .conftest import NOW, PASSWORD
from .steps import Make, SignIn, account_page, form_of, keyed, page

pytestmark = pytest.mark.no_cover  # traced, it takes twice as long

STRANGE = [
    "😀 Popug 🦜",
    "שלום עולם",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "{{ 7*7 }} {% now 'Y' %}",
    "Robert'); DROP TABLE accounts_account;--",
    "x" * NAME_LENGTH,
]
REFUSED = [
    "x" * (NAME_LENGTH + 1),
    "   ",
    "",
    "a\x00b",
    "a\x07b",
    "two\nlines",
    "turned \u202e round",
    "\u200b",
    "\u3164 \u2800",
]


@pytest.mark.parametrize("text", STRANGE)
def test_a_strange_name_is_kept_and_shown_as_it_is(admin: Account, worker: Account, browser: SignIn, text: str) -> None:
    client = browser(admin)
    form = form_of(client.get(account_page(worker)), account_page(worker, "/edit"))
    shown = client.post(account_page(worker, "/edit"), form | {"full_name": text, "position": text}, follow=True)
    assert Account.objects.get(pk=worker.pk).full_name == text
    assert page(shown).find("h1").get_text(" ", strip=True).startswith(text)
    for response in (shown, client.get("/"), browser(worker).get("/profile")):
        assert text in page(response).get_text()
        assert "<script>alert" not in response.content.decode()
        assert "<img src=x" not in response.content.decode()


@pytest.mark.parametrize(
    ("form", "text"),
    [(form, text) for form in ("profile", "invite", "sign_up") for text in REFUSED]
    + [("edit", text) for text in REFUSED if text.strip()],  # name and position of an account may be empty
)
def test_a_name_that_is_none_is_said_at_the_field_and_kept(
    admin: Account, worker: Account, browser: SignIn, settings: Any, form: str, text: str
) -> None:
    settings.SIGN_UP = "open"
    client = Client() if form == "sign_up" else browser(admin)
    address, more = {
        "profile": ("/profile", {}),
        "invite": ("/accounts/invite", {"email": "new@popug.example", "role": WORKER, "position": "Feeder"}),
        "edit": (account_page(worker, "/edit"), {}),
        "sign_up": ("/sign-up", {"email": "new@popug.example"}),
    }[form]
    field = "position" if form == "edit" else "full_name"
    response = client.post(address, keyed(**more, **{field: text}))
    assert response.status_code == 422
    assert page(response).select(".field-error")
    typed = page(response).find("input", {"name": field}).get("value", "")
    assert typed.strip() == text.strip()
    if "email" in more:
        assert page(response).find("input", {"name": "email"})["value"] == more["email"]
    assert Account.objects.count() == 2


@pytest.mark.parametrize(
    "email",
    [
        "",
        "weber",
        "a@b",
        "x" * 300 + "@popug.example",
        "<script>@popug.example",
        "a@popug.example\nBcc: all@popug.example",
        "a b@popug.example",
        "a@popug.example, b@popug.example",
        "=cmd@popug.example;",
    ],
)
def test_an_address_that_is_none_is_said_at_the_field_of_each_form(
    admin: Account, browser: SignIn, settings: Any, email: str
) -> None:
    settings.SIGN_UP = "open"
    asked = [
        (Client(), "/login", {"password": "x"}),
        (Client(), "/sign-up", {"full_name": "Nora"}),
        (browser(admin), "/accounts/invite", {"full_name": "Nora", "role": WORKER}),
    ]
    for client, address, more in asked:
        response = client.post(address, keyed(email=email, **more))
        assert response.status_code == 422, address
        assert page(response).select(".field-error, [role=alert]"), address
        assert "<script>@" not in response.content.decode()
    assert Account.objects.count() == 1


def test_an_address_that_no_mail_can_be_sent_to_is_said_at_the_field(
    admin: Account, browser: SignIn, settings: Any
) -> None:
    settings.SIGN_UP = "open"
    email = f"a@{'ü' * 60}.de"
    asked = [(Client(), "/sign-up", {}), (browser(admin), "/accounts/invite", {"role": WORKER})]
    for client, address, more in asked:
        response = client.post(address, keyed(email=email, full_name="Nora", **more))
        assert response.status_code == 422, address
        assert "not an e-mail address" in page(response).select_one(".field-error").get_text(), address
    assert not Mail.objects.exists()


def test_no_page_gives_a_password_back(worker: Account, browser: SignIn) -> None:
    secret = "my very own password"
    token = services.link_open(account_id=worker.pk, kind=RESET, now=NOW)
    answers = [
        Client().post("/login", {"email": worker.email, "password": secret}),
        browser(worker).post("/profile/password", keyed(current=secret, password="x")),
        browser(worker).post("/profile/password", keyed(current="x", password=secret)),
        Client().post(f"/link?token={token}", keyed(password=secret[:5])),
    ]
    for response in answers:
        assert response.status_code in (410, 422)
        assert secret not in response.content.decode()
        assert not any(field.get("value") for field in page(response).select("input[type=password]"))


@pytest.mark.parametrize("length", [257, 100_000])
def test_a_password_without_end_is_said_at_the_field(worker: Account, browser: SignIn, length: int) -> None:
    for client, address, form in (
        (Client(), "/login", {"email": worker.email, "password": "x" * length}),
        (browser(worker), "/profile/password", keyed(current="x" * length, password="round cages")),
        (browser(worker), "/profile/password", keyed(current=PASSWORD, password="x" * length)),
    ):
        response = client.post(address, form)
        assert response.status_code == 422
        assert "256" in page(response).select_one(".field-error").get_text()


@pytest.mark.parametrize("address", ["/login", "/sign-up", "/forgotten-password", "/link", "/profile"])
def test_ten_megabytes_are_refused_in_the_house_style(
    worker: Account, browser: SignIn, settings: Any, address: str
) -> None:
    settings.SIGN_UP = "open"
    response = browser(worker).post(address, {"full_name": "x" * 10_000_000})
    assert response.status_code == 413
    assert "nothing was saved" in response.content.decode()


def test_the_application_form_shows_strange_text_safely(admin: Account, browser: SignIn) -> None:
    form = keyed(name="<script>alert(1)</script>", redirect_uris="<script>alert(2)</script>")
    response = browser(admin).post("/oauth/applications/new", form)
    assert response.status_code == 422
    assert "<script>alert" not in response.content.decode()
    assert page(response).find("input", {"name": "name"})["value"] == form["name"]


@pytest.mark.parametrize("key", ["", "x", "00000000-0000-0000-0000-00000000000g"])
def test_a_form_without_its_key_changes_nothing(admin: Account, worker: Account, browser: SignIn, key: str) -> None:
    client = browser(admin)
    for part in ("/deactivate", "/unlock", "/link"):
        response = client.post(account_page(worker, part), {"form_key": key}, follow=True)
        assert "nothing was changed" in response.content.decode()
    assert Account.objects.get(pk=worker.pk).is_active


def test_a_key_of_another_form_is_refused(admin: Account, make_account: Make, browser: SignIn) -> None:
    client = browser(admin)
    one, other = make_account("one@popug.example"), make_account("other@popug.example")
    form = keyed()
    client.post(account_page(one, "/deactivate"), form)
    assert client.post(account_page(other, "/deactivate"), form).status_code == 403
    assert Account.objects.get(pk=other.pk).is_active

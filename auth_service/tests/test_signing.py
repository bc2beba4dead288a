"""Signing in and out, passwords and one's own page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import user_logged_in
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.domain import ADMIN, FINANCE, MANAGER, RESET, WORKER
from accounts.models import Account, AccountChange, BrowserSession, Mail

from .conftest import PASSWORD
from .steps import form_of, keyed, page, said

SignIn = Callable[..., Client]
Make = Callable[..., Account]


def test_signing_in_leads_where_one_wanted_to_go(worker: Account) -> None:
    response = Client().post("/login", {"email": "W.Weber@POPUG.example", "password": PASSWORD, "next": "/profile"})
    assert (response.status_code, response["Location"]) == (302, "/profile")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_never_leads_to_a_stranger(worker: Account, target: str) -> None:
    response = Client().post("/login", {"email": worker.email, "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


def test_who_is_signed_in_is_not_asked_again(worker: Account, browser: SignIn) -> None:
    assert browser(worker).get("/login?next=/profile")["Location"] == "/profile"


def test_a_wrong_password_and_an_unknown_address_are_told_the_same(worker: Account) -> None:
    answers = [
        page(Client().post("/login", {"email": email, "password": "wrong"})).find(role="alert").get_text()
        for email in (worker.email, "nobody@popug.example")
    ]
    assert answers[0] == answers[1]


def test_nobody_signs_in_deactivated_or_unconfirmed(make_account: Make, admin: Account) -> None:
    out, unconfirmed = make_account(), make_account("new@popug.example", confirmed=False)
    services.account_deactivate(account_id=out.pk, actor_id=str(admin.pk), now=timezone.now())
    for account in (out, unconfirmed):
        response = Client().post("/login", {"email": account.email, "password": PASSWORD})
        assert response.status_code == 422
    assert not BrowserSession.objects.exists()


def test_the_form_is_kept_with_an_address_that_is_none() -> None:
    response = Client().post("/login", {"email": "weber", "password": PASSWORD})
    assert 'value="weber"' in response.content.decode()


@pytest.mark.django_db
def test_signing_in_needs_the_forms_token(worker: Account) -> None:
    form = {"email": worker.email, "password": PASSWORD}
    assert Client(enforce_csrf_checks=True).post("/login", form).status_code == 403


@pytest.mark.parametrize(("form", "hours"), [({}, 12), ({"remember": "on"}, 30 * 24)])
def test_a_session_lasts_twelve_hours_or_thirty_days(
    worker: Account, browser: SignIn, form: dict[str, str], hours: int
) -> None:
    client = browser(worker, **form)
    assert client.session.get_expiry_age() == pytest.approx(hours * 3600, abs=60)


def test_signing_out_ends_the_session(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    assert client.post("/logout")["Location"] == "/signed-out"
    assert client.get("/profile")["Location"] == "/login?next=%2Fprofile"
    assert BrowserSession.objects.get().ended_at is not None


def test_a_link_cannot_sign_anybody_out(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    assert client.get("/logout").status_code == 405
    response = client.get("/oauth/logout/")
    assert "Sign out?" in response.content.decode()
    assert client.get("/profile").status_code == 200
    assert client.post("/oauth/logout/").status_code == 302
    assert client.get("/profile").status_code == 302


@pytest.mark.usefixtures("clients")
def test_a_service_that_knows_the_browser_signs_it_out_unasked(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    sid = BrowserSession.objects.get().sid
    response = client.get("/oauth/logout/", {"client_id": "tasks", "logout_hint": sid})
    assert response["Location"] == "/signed-out?from=tasks"
    again = client.get("/oauth/logout/", {"client_id": "tasks", "logout_hint": sid})
    assert (again.status_code, again["Location"]) == (response.status_code, response["Location"])
    assert client.get("/profile").status_code == 302
    assert "Sign in to Tasks" in client.get(response["Location"]).content.decode()


def test_a_browser_that_auth_has_forgotten_is_signed_out_of_the_services(worker: Account, browser: SignIn) -> None:
    browser(worker)
    sid = BrowserSession.objects.get().sid
    assert Client().get("/oauth/logout/", {"logout_hint": sid}).status_code == 302
    assert BrowserSession.objects.get().ended_at is not None


def test_a_wrong_hint_signs_nobody_out(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    assert client.get("/oauth/logout/", {"logout_hint": "guessed"}).status_code == 200
    assert client.get("/profile").status_code == 200


def test_a_raised_epoch_ends_a_session_on_its_next_request(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    Account.objects.update(session_epoch=2)
    assert client.get("/profile").status_code == 302


@pytest.mark.parametrize(
    ("policy", "email", "mails"),
    [
        ("open", "a@else.example", 1),
        ("domains", "A@POPUG.example", 1),
        ("domains", "a@x.popug.example", 0),
        ("domains", "a@popug.example.evil.example", 0),
    ],
)
def test_sign_up_follows_its_setting(db: None, settings: Any, policy: str, email: str, mails: int) -> None:
    settings.SIGN_UP, settings.SIGN_UP_DOMAINS = policy, ["popug.example"]
    form = keyed(full_name="Anna Ast", email=email, role=ADMIN)
    assert Client().post("/sign-up", form).status_code == (200 if mails else 422)
    assert Mail.objects.count() == mails
    assert set(Account.objects.values_list("role", flat=True)) <= {WORKER}


def test_sign_up_is_closed_by_default(db: None) -> None:
    assert Client().get("/sign-up").status_code == 404
    assert Client().post("/sign-up", {"full_name": "A", "email": "a@popug.example"}).status_code == 404
    assert "Sign up" not in Client().get("/login").content.decode()


def test_a_forgotten_password_says_the_same_to_everybody(worker: Account) -> None:
    for email in (worker.email, "nobody@popug.example"):
        response = Client().post("/forgotten-password", keyed(email=email))
        assert "Look into your mail" in response.content.decode()
    assert list(Mail.objects.values_list("to", flat=True)) == [worker.email]


def test_a_link_that_was_used_meanwhile_says_so(worker: Account) -> None:
    token = services.link_open(account_id=worker.pk, kind=RESET, now=timezone.now())
    services.link_use(token=token, password="round cages", now=timezone.now())
    assert Client().post(f"/link?token={token}", keyed(password="square cages")).status_code == 410


def test_an_address_that_sign_up_cannot_use_is_said(db: None, settings: Any) -> None:
    settings.SIGN_UP = "open"
    response = Client().post("/sign-up", keyed(full_name="A", email="a@localhost"))
    assert page(response).select(".field-error")
    assert not Account.objects.exists()


def test_one_changes_ones_own_name(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    form = form_of(client.get("/profile"), "/profile") | {"full_name": "Wilma Wolf"}
    assert "saved" in said(client.post("/profile", form, follow=True))
    assert AccountChange.objects.latest("id").actor_id == str(worker.pk)
    assert client.post("/profile", form | {"full_name": ""}).status_code == 422


def test_a_new_password_keeps_this_browser_and_ends_the_others(worker: Account, browser: SignIn) -> None:
    here, there = browser(worker, remember="on"), browser(worker)
    form = keyed(current=PASSWORD, password="round cages")
    assert "signed out everywhere else" in said(here.post("/profile/password", form, follow=True))
    assert here.get("/profile").status_code == 200
    assert here.session.get_expiry_age() > 29 * 24 * 3600
    assert there.get("/profile").status_code == 302


@pytest.mark.parametrize(
    "form", [{"current": "wrong", "password": "round cages"}, {"current": PASSWORD, "password": "x"}]
)
def test_a_password_that_does_not_do_changes_nothing(worker: Account, browser: SignIn, form: dict[str, str]) -> None:
    response = browser(worker).post("/profile/password", keyed(**form))
    assert response.status_code == 422
    assert page(response).select(".field-error")
    assert Account.objects.get(pk=worker.pk).check_password(PASSWORD)


def test_who_loses_access_while_signing_in_is_told(worker: Account) -> None:
    """The account is deactivated after its password was found right."""

    def deactivate(**_: Any) -> None:
        Account.objects.update(is_active=False)

    user_logged_in.connect(deactivate)
    client = Client()
    response = client.post("/login", {"email": worker.email, "password": PASSWORD})
    user_logged_in.disconnect(deactivate)
    assert "This account is deactivated" in response.content.decode()
    assert client.get("/profile").status_code == 302


def test_changing_the_password_twice_with_one_form_says_the_same(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    form = form_of(client.get("/profile"), "/profile/password") | {"current": PASSWORD, "password": "round cages"}
    answers = [said(client.post("/profile/password", form, follow=True)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert "Your password is changed" in answers[0]
    assert AccountChange.objects.filter(action="password_set").count() == 1


def test_the_form_of_the_password_stays_good_for_going_back(worker: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    form = form_of(client.get("/login"), "/login") | {"email": worker.email, "password": PASSWORD}
    client.post("/login", form)
    change = form_of(client.get("/profile"), "/profile/password") | {"current": PASSWORD, "password": "round cages"}
    assert [client.post("/profile/password", change).status_code for _ in range(2)] == [302, 302]


def test_a_new_password_keeps_the_end_of_the_session_where_it_was(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    before = client.session.get_expiry_date()
    client.post("/profile/password", keyed(current=PASSWORD, password="round cages"))
    assert client.session.get_expiry_date() == before


def test_the_profile_shows_ones_own_data_and_no_form_for_the_role(worker: Account, browser: SignIn) -> None:
    shown = page(browser(worker).get("/profile"))
    text = shown.find("main").get_text(" ", strip=True)
    for part in (worker.email, "Wilma Weber", "worker", "Last sign-in"):
        assert part in text
    names = {field.get("name") for field in shown.select("main input, main select")}
    assert names == {"csrfmiddlewaretoken", "form_key", "full_name", "current", "password"}


@pytest.mark.parametrize(
    ("role", "places"),
    [
        (ADMIN, ["Tasks", "Billing", "Analytics", "Accounts"]),
        (FINANCE, ["Tasks", "Billing", "Profile"]),
        (MANAGER, ["Tasks", "Billing", "Profile"]),
        (WORKER, ["Tasks", "Billing", "Profile"]),
    ],
)
def test_the_profile_leads_to_the_services_of_ones_role(
    make_account: Make, browser: SignIn, role: str, places: list[str]
) -> None:
    shown = page(browser(make_account(role=role)).get("/profile")).select(".places strong")
    assert [place.get_text() for place in shown] == places

"""The pages of auth, as people of each role use them."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from bs4 import BeautifulSoup
from django.contrib.auth import user_logged_in
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.domain import ADMIN, FINANCE, MANAGER, RESET, WORKER
from accounts.models import Account, AccountChange, BrowserSession, Mail
from eventbus.testing import published

from .conftest import PASSWORD

SignIn = Callable[..., Client]
Make = Callable[..., Account]


def page(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.content, "html.parser")


def said(response: Any) -> str:
    found = page(response).find(id="messages")
    return " ".join(found.get_text().split()) if found else ""


def form_of(response: Any, action: str) -> dict[str, str]:
    """What a browser would send of a form on the page."""
    form = page(response).find("form", action=action)
    assert form is not None, f"no form for {action}"
    fields = {field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name")}
    for select in form.find_all("select"):
        fields[select["name"]] = select.find("option", selected=True)["value"]
    return fields


def account_page(account: Account, part: str = "") -> str:
    return f"/accounts/{account.pk}{part}"


def send(client: Client, account: Account, part: str, **changed: str) -> Any:
    shown = client.get(account_page(account))
    form = form_of(shown, account_page(account, part)) | changed
    return client.post(account_page(account, part), form, follow=True)


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
        assert response.status_code == 200
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


def test_ten_wrong_passwords_lock_the_address_from_there_only(worker: Account, admin: Account, browser: SignIn) -> None:
    client = Client(REMOTE_ADDR="10.0.0.1")
    for _ in range(10):
        response = client.post("/login", {"email": worker.email.upper(), "password": "wrong"})
    assert response.status_code == 429
    response = client.post("/login", {"email": worker.email, "password": PASSWORD})
    assert response.status_code == 429
    assert "Wait 15 minutes" in response.content.decode()
    elsewhere = Client(REMOTE_ADDR="10.0.0.2")
    assert elsewhere.post("/login", {"email": worker.email, "password": PASSWORD}).status_code == 302
    assert client.post("/login", {"email": admin.email, "password": PASSWORD}).status_code == 302
    assert AccessAttempt.objects.filter(ip_address="10.0.0.1").count() == 1


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


@pytest.mark.parametrize("role", [MANAGER, FINANCE, WORKER])
def test_only_admins_see_accounts(make_account: Make, admin: Account, browser: SignIn, role: str) -> None:
    client = browser(make_account(role=role))
    assert client.get("/")["Location"] == "/profile"
    refused = client.get(account_page(admin))
    assert refused.status_code == 403
    assert "admin" in refused.content.decode()
    for part in ("/edit", "/role", "/deactivate", "/reactivate"):
        assert client.post(account_page(admin, part)).status_code == 403
    assert client.get("/accounts/invite").status_code == 403


def test_a_stranger_is_sent_to_sign_in_and_nothing_is_shown(admin: Account) -> None:
    for address in ("/", account_page(admin), "/profile", "/accounts/invite"):
        assert Client().get(address).status_code == 302


def test_the_list_is_ordered_by_name_and_narrowed_by_words_role_and_status(
    admin: Account, make_account: Make, browser: SignIn
) -> None:
    make_account("max@popug.example", MANAGER, full_name="Max Braun")
    make_account("new@popug.example", full_name="Nora Neu", confirmed=False)
    client = browser(admin)

    def names(question: str = "") -> list[str]:
        cells = page(client.get(f"/{question}")).select("tbody th")
        return [cell.get_text(strip=True) for cell in cells]

    assert names() == ["Ada Adler", "Max Braun", "Nora Neu"]
    assert names("?sort=-name") == ["Nora Neu", "Max Braun", "Ada Adler"]
    assert names("?q=BRAUN+max") == ["Max Braun"]
    assert names("?role=admin") == ["Ada Adler"]
    assert names("?status=invited") == ["Nora Neu"]
    assert "No account matches" in client.get("/?q=zzz").content.decode()


@pytest.mark.parametrize("question", ["?role=owner", "?status=x", "?sort=email", "?after=x", "?rolle=admin"])
def test_a_filter_that_is_not_understood_is_an_error(admin: Account, browser: SignIn, question: str) -> None:
    assert browser(admin).get(f"/{question}").status_code == 400


def test_the_list_goes_on_after_fifty(admin: Account, make_account: Make, browser: SignIn) -> None:
    for number in range(52):
        make_account(f"w{number}@popug.example", full_name=f"Worker {number:02}", password=None)
    first = page(browser(admin).get("/"))
    assert len(first.select("tbody tr")) == 50
    second = page(browser(admin).get("/" + first.select_one("[rel=next]")["href"]))
    assert [cell.get_text(strip=True) for cell in second.select("tbody th")] == ["Worker 49", "Worker 50", "Worker 51"]


def test_an_admin_changes_a_role_and_history_tells(admin: Account, worker: Account, browser: SignIn) -> None:
    response = send(browser(admin), worker, "/role", role=MANAGER)
    assert "role is changed" in said(response)
    assert Account.objects.get(pk=worker.pk).role == MANAGER
    newest = page(response).select(".timeline li")[0].get_text(" ", strip=True)
    assert newest.startswith("Role changed by Ada Adler")
    assert "worker → manager" in newest


def test_a_form_sent_twice_has_one_effect_and_the_same_answer(admin: Account, worker: Account, browser: SignIn) -> None:
    client = browser(admin)
    form = form_of(client.get(account_page(worker)), account_page(worker, "/deactivate"))
    answers = [client.post(account_page(worker, "/deactivate"), form) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [account_page(worker)] * 2
    assert [event.name for event in published()] == ["AccountUpdated", "AccountDeactivated"]


def test_an_admin_deactivates_and_reactivates(admin: Account, worker: Account, browser: SignIn) -> None:
    client, theirs = browser(admin), browser(worker)
    assert "signed out everywhere" in said(send(client, worker, "/deactivate"))
    assert theirs.get("/profile").status_code == 302
    assert "Reactivated" in said(send(client, worker, "/reactivate"))
    browser(worker)


def test_the_last_admin_is_told_why_not(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    assert "last active admin" in said(send(client, admin, "/role", role=WORKER))
    assert "last active admin" in said(send(client, admin, "/deactivate"))


def test_a_role_that_does_not_exist_is_refused(admin: Account, worker: Account, browser: SignIn) -> None:
    assert "owner" in said(send(browser(admin), worker, "/role", role="owner"))
    assert Account.objects.get(pk=worker.pk).role == WORKER


def test_an_admin_edits_name_and_position(admin: Account, worker: Account, browser: SignIn) -> None:
    send(browser(admin), worker, "/edit", full_name="<script>alert(1)</script>", position="Feeder")
    shown = browser(admin).get(account_page(worker)).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def test_an_account_that_is_not_there_is_not_found(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    nobody = uuid.uuid4()
    assert client.get(f"/accounts/{nobody}").status_code == 404
    assert client.post(f"/accounts/{nobody}/deactivate", {"form_key": uuid.uuid4()}).status_code == 404


def test_an_invitation_leads_from_the_form_to_a_signed_in_person(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    form = {"form_key": str(uuid.uuid4()), "email": "New@popug.example", "full_name": "Nora Neu", "role": MANAGER}
    assert "Invited" in said(client.post("/accounts/invite", form, follow=True))
    services.mail_send(now=timezone.now())
    link = re.search(r"http://\S+(/link\?token=\S+)", outbox.outbox[0].body).group(1)
    stranger = Client()
    assert "new@popug.example" in stranger.get(link).content.decode()
    assert stranger.post(link, {"password": "short"}).status_code == 200
    assert stranger.post(link, {"password": "round cages"}).status_code == 302
    assert stranger.get(link).status_code == 410
    assert stranger.post("/login", {"email": "new@popug.example", "password": "round cages"}).status_code == 302


def test_a_taken_address_is_said_at_the_field(admin: Account, worker: Account, browser: SignIn) -> None:
    form = {"form_key": str(uuid.uuid4()), "email": worker.email.upper(), "full_name": "W", "role": WORKER}
    response = browser(admin).post("/accounts/invite", form)
    assert "an account with this address already" in response.content.decode()


@pytest.mark.parametrize(
    ("policy", "email", "mails"),
    [("open", "a@else.example", 1), ("domains", "a@popug.example", 1), ("domains", "a@x.popug.example", 0)],
)
def test_sign_up_follows_its_setting(db: None, settings: Any, policy: str, email: str, mails: int) -> None:
    settings.SIGN_UP, settings.SIGN_UP_DOMAINS = policy, ["popug.example"]
    form = {"full_name": "Anna Ast", "email": email, "role": ADMIN}
    assert Client().post("/sign-up", form).status_code == 200
    assert Mail.objects.count() == mails
    assert set(Account.objects.values_list("role", flat=True)) <= {WORKER}


def test_sign_up_is_closed_by_default(db: None) -> None:
    assert Client().get("/sign-up").status_code == 404
    assert Client().post("/sign-up", {"full_name": "A", "email": "a@popug.example"}).status_code == 404
    assert "Sign up" not in Client().get("/login").content.decode()


def test_a_forgotten_password_says_the_same_to_everybody(worker: Account) -> None:
    for email in (worker.email, "nobody@popug.example"):
        response = Client().post("/forgotten-password", {"email": email})
        assert "Look into your mail" in response.content.decode()
    assert list(Mail.objects.values_list("to", flat=True)) == [worker.email]


def test_a_link_that_was_used_meanwhile_says_so(worker: Account) -> None:
    token = services.link_open(account_id=worker.pk, kind=RESET, now=timezone.now())
    services.link_use(token=token, password="round cages", now=timezone.now())
    assert Client().post(f"/link?token={token}", {"password": "square cages"}).status_code == 410


def test_an_address_that_sign_up_cannot_use_is_said(db: None, settings: Any) -> None:
    settings.SIGN_UP = "open"
    response = Client().post("/sign-up", {"full_name": "A", "email": "a@localhost"})
    assert page(response).select(".field-error")
    assert not Account.objects.exists()


def test_the_profile_shows_what_one_may_open(make_account: Make, browser: SignIn) -> None:
    shown = page(browser(make_account(role=WORKER)).get("/profile")).select(".places strong")
    assert [place.get_text() for place in shown] == ["Tasks", "Billing", "Profile"]


def test_one_changes_ones_own_name(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    form = form_of(client.get("/profile"), "/profile") | {"full_name": "Wilma Wolf"}
    assert "saved" in said(client.post("/profile", form, follow=True))
    assert AccountChange.objects.latest("id").actor_id == str(worker.pk)
    assert client.post("/profile", form | {"full_name": ""}).status_code == 200


def test_a_new_password_keeps_this_browser_and_ends_the_others(worker: Account, browser: SignIn) -> None:
    here, there = browser(worker, remember="on"), browser(worker)
    form = {"current": PASSWORD, "password": "round cages"}
    assert "signed out everywhere else" in said(here.post("/profile/password", form, follow=True))
    assert here.get("/profile").status_code == 200
    assert here.session.get_expiry_age() > 29 * 24 * 3600
    assert there.get("/profile").status_code == 302


@pytest.mark.parametrize(
    "form", [{"current": "wrong", "password": "round cages"}, {"current": PASSWORD, "password": "x"}]
)
def test_a_password_that_does_not_do_changes_nothing(worker: Account, browser: SignIn, form: dict[str, str]) -> None:
    response = browser(worker).post("/profile/password", form)
    assert response.status_code == 200
    assert page(response).select(".field-error")
    assert Account.objects.get(pk=worker.pk).check_password(PASSWORD)


def test_history_of_a_created_account_names_who_made_it(admin: Account, worker: Account, browser: SignIn) -> None:
    entry = page(browser(admin).get(account_page(worker))).select_one(".timeline li").get_text(" ", strip=True)
    assert entry.startswith("Created by the system")
    assert "Role: worker" in entry


def test_dead_letters_are_for_admins(admin: Account, worker: Account, browser: SignIn) -> None:
    assert browser(admin).get("/dead-letters/").status_code == 200
    assert browser(worker).get("/dead-letters/").status_code == 403


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

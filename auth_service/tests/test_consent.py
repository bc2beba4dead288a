"""U3: another client asks once, naming what it will see; the person can withdraw it."""

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from accounts import services
from accounts.domain import MANAGER, Refused
from accounts.models import Account, AccountChange, Consent, LogoutDelivery, RelyingParty

from .conftest import NOW, PASSWORD
from .flow import answer_of, authorization, authorize, exchange
from .steps import SignIn, form_of, keyed, page, said

URI = "https://roster.example/complete"
HEARS = "https://roster.example/backchannel"
pytestmark = pytest.mark.usefixtures("clients")


@pytest.fixture
def roster(admin: Account) -> tuple[RelyingParty, str]:
    return services.application_create(
        name="Roster", redirect_uris=[URI], backchannel_logout_uri=HEARS, actor_id=str(admin.pk), now=NOW
    )


@pytest.fixture
def ask(roster: tuple[RelyingParty, str]) -> Any:
    party, _ = roster

    def authorized(client: Client, **changed: str | None) -> Any:
        return authorize(client, **{"client_id": party.client_id, "redirect_uri": URI} | changed)

    return authorized


def answer(client: Client, asked: Any, *, allow: bool) -> Any:
    fields = BeautifulSoup(asked.content, "html.parser").select("main form input")
    form = {field["name"]: field["value"] for field in fields if field.get("value")}
    return client.post(asked.wsgi_request.get_full_path(), form | ({"allow": "Authorize"} if allow else {}))


def form_places(response: Any) -> set[str]:
    parts = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    return set(parts["form-action"].split())


def test_a_foreign_application_names_profile_e_mail_and_role(worker: Account, browser: SignIn, ask: Any) -> None:
    shown = page(ask(browser(worker))).find("main").get_text(" ", strip=True)
    for text in (
        "Allow Roster?",
        "Your profile: name and role",
        "Your e-mail address",
        "roster.example",
        "Wilma Weber",
    ):
        assert text in shown


def test_it_names_only_what_it_asks_for(worker: Account, browser: SignIn, ask: Any) -> None:
    shown = page(ask(browser(worker), scope="openid")).find("main").get_text(" ", strip=True)
    assert "identifier" in shown
    assert "e-mail" not in shown


def test_it_asks_once(worker: Account, browser: SignIn, ask: Any) -> None:
    client = browser(worker)
    assert "code" in answer_of(answer(client, ask(client), allow=True))
    AccessToken.objects.all().delete()  # it does not hang on a token that is still good
    assert "code" in answer_of(ask(client))
    assert "code" in answer_of(ask(browser(worker), scope="openid email"))
    assert Consent.objects.count() == 1


@pytest.mark.parametrize(("allow", "kept", "said"), [(True, 1, "code"), (False, 0, "error")])
def test_an_answer_sent_twice_is_kept_once_and_leads_to_the_same_place(
    worker: Account, browser: SignIn, ask: Any, allow: bool, kept: int, said: str
) -> None:
    """A code is good once, so that each answer has another; nothing else differs."""
    client = browser(worker)
    asked = ask(client)
    first, second = (answer(client, asked, allow=allow) for _ in range(2))
    places = [(found.status_code, found["Location"].split("?")[0], set(answer_of(found))) for found in (first, second)]
    assert places[0] == places[1]
    assert said in answer_of(second)
    assert Consent.objects.count() == AccountChange.objects.filter(action="access_given").count() == kept


def test_it_asks_again_for_more(worker: Account, browser: SignIn, ask: Any) -> None:
    client = browser(worker)
    answer(client, ask(client, scope="openid"), allow=True)
    asked = ask(client)
    assert asked.status_code == 200
    answer(client, asked, allow=True)
    assert Consent.objects.get().scopes == "email openid profile"


def test_it_asks_each_person(worker: Account, admin: Account, browser: SignIn, ask: Any) -> None:
    client = browser(worker)
    answer(client, ask(client), allow=True)
    assert ask(browser(admin)).status_code == 200


def test_refusing_returns_the_error_to_the_client_and_keeps_nothing(worker: Account, browser: SignIn, ask: Any) -> None:
    client = browser(worker)
    refused = answer(client, ask(client), allow=False)
    assert refused["Location"].startswith(URI)
    assert answer_of(refused)["error"] == "access_denied"
    assert answer_of(refused)["state"] == "s"
    assert not Consent.objects.exists()
    assert ask(client).status_code == 200


def test_only_the_consent_page_may_lead_its_form_to_that_client(worker: Account, browser: SignIn, ask: Any) -> None:
    client = browser(worker)
    place = "https://roster.example"
    assert place in form_places(ask(client))
    assert place not in form_places(client.get("/profile"))
    assert place not in form_places(client.get("/login"))


def test_signing_in_may_lead_on_to_a_client_that_asks_no_more(
    worker: Account, browser: SignIn, ask: Any, roster: tuple[RelyingParty, str]
) -> None:
    target = authorization(client_id=roster[0].client_id, redirect_uri=URI)
    shown = Client().get("/login", {"next": target})
    assert "https://roster.example" in form_places(shown)
    assert "Roster" in page(shown).find("main").get_text()
    forged = authorization(client_id=roster[0].client_id, redirect_uri="https://evil.example/")
    assert "https://evil.example" not in form_places(Client().get("/login", {"next": forged}))


def test_a_silent_request_is_answered_without_a_page(worker: Account, browser: SignIn, ask: Any) -> None:
    client = browser(worker)
    asked = answer_of(ask(client, prompt="none"))
    assert (asked["error"], asked["state"]) == ("consent_required", "s")
    assert asked["iss"] == settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"]
    answer(client, ask(client), allow=True)
    assert "code" in answer_of(ask(client, prompt="none"))
    assert answer_of(ask(Client(), prompt="none"))["error"] == "login_required"


def test_an_application_may_ask_to_ask_again(worker: Account, browser: SignIn, ask: Any) -> None:
    client = browser(worker)
    answer(client, ask(client), allow=True)
    assert ask(client, prompt="consent").status_code == 200


def test_our_own_services_leave_no_consent_behind(worker: Account, browser: SignIn) -> None:
    client = browser(worker)
    assert "code" in answer_of(authorize(client))
    client.post(
        authorization(), {"client_id": "tasks", "redirect_uri": "x", "scope": "openid", "response_type": "code"}
    )
    assert not Consent.objects.exists()


def test_what_it_gets_is_what_was_allowed(
    worker: Account, browser: SignIn, ask: Any, roster: tuple[RelyingParty, str]
) -> None:
    party, secret = roster
    client = browser(worker)
    code = answer_of(answer(client, ask(client, scope="openid email"), allow=True))["code"]
    token = exchange(code, party.client_id, secret=secret, redirect_uri=URI).json()["access_token"]
    seen = Client().get("/oauth/userinfo/", headers={"Authorization": f"Bearer {token}"}).json()
    assert seen["email"] == worker.email
    assert "role" not in seen
    assert "name" not in seen


def test_the_profile_shows_who_sees_what_and_takes_it_back(
    worker: Account, browser: SignIn, ask: Any, roster: tuple[RelyingParty, str]
) -> None:
    party, secret = roster
    client = browser(worker)
    assert "Applications with access" not in client.get("/profile").content.decode()
    code = answer_of(answer(client, ask(client), allow=True))["code"]
    token = exchange(code, party.client_id, secret=secret, redirect_uri=URI).json()["access_token"]
    shown = client.get("/profile")
    panel = page(shown).select_one(".grants").get_text(" ", strip=True)
    assert "Roster" in panel
    assert "Your e-mail address" in panel
    consent = Consent.objects.get()
    where = f"/profile/applications/{consent.pk}/withdraw"
    form = form_of(shown, where)
    answers = [said(client.post(where, form, follow=True)) for _ in range(2)]
    assert answers[0] == answers[1]
    assert "Withdrawn" in answers[0]
    assert Client().get("/oauth/userinfo/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert ask(client).status_code == 200
    assert list(AccountChange.objects.order_by("-id").values_list("action", flat=True)[:2]) == [
        "access_withdrawn",
        "access_given",
    ]


def test_nobody_withdraws_for_somebody_else(
    worker: Account, admin: Account, browser: SignIn, roster: tuple[RelyingParty, str]
) -> None:
    consent = services.consent_give(account_id=worker.pk, client_id=roster[0].client_id, scopes="openid", now=NOW)
    assert browser(admin).post(f"/profile/applications/{consent.pk}/withdraw").status_code == 404
    with pytest.raises(Refused, match="gone"):
        services.consent_withdraw(account_id=admin.pk, consent_id=consent.pk, now=NOW)
    assert Consent.objects.get().withdrawn_at is None


def told(account: Account) -> set[str]:
    return set(LogoutDelivery.objects.filter(account_id=account.pk).values_list("client_id", flat=True))


def test_a_log_out_is_told_to_the_applications_that_know_the_person(
    worker: Account, admin: Account, browser: SignIn, roster: tuple[RelyingParty, str]
) -> None:
    party, _ = roster
    services.consent_give(account_id=worker.pk, client_id=party.client_id, scopes="openid", now=NOW)
    browser(worker).post("/logout")
    browser(admin).post("/logout")
    assert told(worker) == {"tasks", "billing", "analytics", party.client_id}
    assert told(admin) == {"tasks", "billing", "analytics"}


def test_a_role_change_revokes_what_a_foreign_application_holds(
    worker: Account, admin: Account, browser: SignIn, ask: Any, roster: tuple[RelyingParty, str]
) -> None:
    party, secret = roster
    client = browser(worker)
    code = answer_of(answer(client, ask(client), allow=True))["code"]
    exchange(code, party.client_id, secret=secret, redirect_uri=URI)
    services.account_role_change(account_id=worker.pk, role=MANAGER, actor_id=str(admin.pk), now=timezone.now())
    assert not AccessToken.objects.filter(user=worker).exists()
    assert party.client_id in told(worker)
    assert Consent.objects.get().withdrawn_at is None


def test_a_withdrawal_tells_that_application_and_no_other(worker: Account, roster: tuple[RelyingParty, str]) -> None:
    party, _ = roster
    consent = services.consent_give(account_id=worker.pk, client_id=party.client_id, scopes="openid", now=NOW)
    services.consent_withdraw(account_id=worker.pk, consent_id=consent.pk, now=NOW + timedelta(days=1))
    (delivery,) = LogoutDelivery.objects.all()
    assert (delivery.client_id, delivery.url, delivery.sid) == (party.client_id, HEARS, "")


def test_an_error_that_may_not_go_back_is_shown_in_the_house_style(worker: Account, browser: SignIn) -> None:
    response = authorize(browser(worker), client_id="nobody")
    assert response.status_code == 400
    assert "This link does not work" in response.content.decode()


def test_signing_in_with_a_consent_goes_straight_on(
    worker: Account, browser: SignIn, roster: tuple[RelyingParty, str]
) -> None:
    party, _ = roster
    services.consent_give(account_id=worker.pk, client_id=party.client_id, scopes="openid profile email", now=NOW)
    client = Client()
    target = authorization(client_id=party.client_id, redirect_uri=URI)
    response = client.post("/login", keyed(email=worker.email, password=PASSWORD, next=target))
    assert client.get(response["Location"])["Location"].startswith(f"{URI}?code=")


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"client_id": "nobody", "redirect_uri": URI, "scope": "openid", "response_type": "code"},
        {"client_id": "a\x00b", "redirect_uri": URI, "scope": "openid", "response_type": "code"},
        {"client_id": "tasks", "redirect_uri": "https://evil.example/", "scope": "openid", "response_type": "code"},
    ],
)
def test_an_answer_that_is_not_of_our_page_leads_nowhere(
    worker: Account, browser: SignIn, form: dict[str, str]
) -> None:
    response = browser(worker).post("/oauth/authorize/", form | {"allow": "Authorize"})
    assert response.status_code == 400
    assert "This link does not work" in response.content.decode()
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "address",
    ["/oauth/authorize/?client_id=%00", "/login?next=/%3Fclient_id%3D%2500", "/signed-out?from=%00", "/?q=%00"],
)
def test_a_zero_byte_in_an_address_is_not_our_fault(admin: Account, browser: SignIn, address: str) -> None:
    assert browser(admin).get(address).status_code in (302, 400)
    assert Client().get(address).status_code in (200, 302, 400)

"""U3: applications that are not our own, on pages for admins only."""

import re
from typing import Any

import psycopg
import pytest
from django.contrib.auth.hashers import check_password, identify_hasher
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, Grant

from accounts import services
from accounts.domain import FINANCE, MANAGER, SYSTEM, WORKER
from accounts.models import Account, ApplicationChange, Consent, RelyingParty

from .conftest import NOW
from .flow import answer_of, authorize, exchange
from .steps import Make, SignIn, form_of, keyed, page, said

LIST = "/oauth/applications"
URI = "https://roster.example/complete"
pytestmark = pytest.mark.usefixtures("clients")


@pytest.fixture
def roster(admin: Account) -> tuple[RelyingParty, str]:
    return services.application_create(
        name="Roster", redirect_uris=[URI], actor_id=str(admin.pk), now=NOW, backchannel_logout_uri=""
    )


def address(party: RelyingParty, part: str = "") -> str:
    return f"{LIST}/{party.pk}{part}"


def press(client: Client, party: RelyingParty, part: str) -> Any:
    return client.post(address(party, part), form_of(client.get(address(party)), address(party, part)), follow=True)


@pytest.mark.parametrize("role", [MANAGER, FINANCE, WORKER])
def test_nobody_but_an_admin_sees_or_registers_an_application(
    make_account: Make, roster: tuple[RelyingParty, str], browser: SignIn, role: str
) -> None:
    client = browser(make_account(role=role))
    party, _ = roster
    for part in ("", "/edit", "/secret"):
        assert client.get(address(party, part)).status_code == 403
    for part in ("", "/new", "/changes"):
        assert client.get(LIST + part).status_code == 403
    for part in (f"/{party.pk}/edit", f"/{party.pk}/rotate", f"/{party.pk}/delete", "/new"):
        assert client.post(LIST + part, keyed(name="Mine", redirect_uris=URI)).status_code == 403
    assert "Applications" not in page(client.get("/profile")).select_one(".tabs").get_text()
    assert Client().get(LIST).status_code == 302


def test_the_list_has_name_client_redirects_and_last_use_by_name(
    admin: Account, roster: tuple[RelyingParty, str], browser: SignIn
) -> None:
    client = browser(admin)
    rows = [row.get_text(" ", strip=True) for row in page(client.get(LIST)).select("tbody tr")]
    assert [row.split(" ")[0] for row in rows] == ["Analytics", "Billing", "Roster", "Tasks"]
    assert URI in rows[2]
    assert rows[2].endswith("never")
    assert [("own service" in row) for row in rows] == [True, True, False, True]


def test_the_list_asks_the_same_number_of_queries_however_long_it_is(
    admin: Account, browser: SignIn, django_assert_num_queries: Any
) -> None:
    client = browser(admin)
    client.get(LIST)
    for number in range(12):
        with django_assert_num_queries(4):  # session, account, applications, their redirect addresses
            client.get(LIST)
        services.application_create(name=f"App {number}", redirect_uris=[URI], actor_id=str(admin.pk), now=NOW)


def test_the_changes_ask_the_same_number_of_queries_however_many_they_are(
    admin: Account, worker: Account, browser: SignIn, django_assert_num_queries: Any
) -> None:
    client, account = browser(admin), f"/accounts/{worker.pk}"
    for number in range(12):
        services.application_create(name=f"App {number}", redirect_uris=[URI], actor_id=str(admin.pk), now=NOW)
        services.account_update(account_id=worker.pk, full_name=f"Wilma {number}", actor_id=str(admin.pk), now=NOW)
        with django_assert_num_queries(4):
            client.get(f"{LIST}/changes")
        with django_assert_num_queries(7):
            client.get(account)


def test_an_admin_makes_an_application_and_sees_its_secret_once(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    form = keyed(name="Roster", redirect_uris=f"{URI}\r\nhttps://roster.example/other\r\n")
    shown = client.post(f"{LIST}/new", form, follow=True)
    secret = page(shown).find(id="secret").get_text()
    party = RelyingParty.objects.get(name="Roster")
    application = Application.objects.get(client_id=party.client_id)
    assert check_password(secret, application.client_secret)
    assert identify_hasher(application.client_secret).algorithm == "client_secret"
    assert application.redirect_uris.split() == [URI, "https://roster.example/other"]
    assert not application.skip_authorization
    again = client.get(shown.redirect_chain[-1][0])
    assert again.status_code == 200
    assert page(again).find(id="secret") is None
    assert "shown once" in again.content.decode()
    assert "no-store" in again["Cache-Control"]
    assert secret not in str(ApplicationChange.objects.values())


def test_the_form_sent_twice_makes_one_application_and_shows_its_one_secret(admin: Account, browser: SignIn) -> None:
    client = browser(admin)
    form = keyed(name="Roster", redirect_uris=URI)
    answers = [client.post(f"{LIST}/new", form) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert RelyingParty.objects.filter(is_own=False).count() == 1
    secret = page(client.get(answers[1]["Location"])).find(id="secret").get_text()
    assert check_password(secret, Application.objects.get(name="Roster").client_secret)


@pytest.mark.parametrize(
    ("uris", "why"),
    [
        ("http://roster.example/complete", "begins with https"),
        ("https://roster.example/*", "no *"),
        ("https://*.roster.example/", "no *"),
        ("https://roster.example/complete#here", "no #"),
        ("com.example.roster:/complete", "not a complete address"),
        ("javascript:alert(1)", "not a complete address"),
        ("https://", "not a complete address"),
        ("https://user:password@roster.example/", "not a complete address"),
        ("https://roster.example:port/", "not a complete address"),
        ("roster", "not a complete address"),
        ("https://röster.example/", "not a complete address"),
        ("\r\n \r\n", "required"),
        ("\r\n".join(f"https://roster.example/{n}" for n in range(11)), "one to ten"),
        ("https://roster.example/" + "x" * 400, "not a complete address"),
    ],
)
def test_a_redirect_address_is_exact_and_safe_or_refused_at_the_field(
    admin: Account, browser: SignIn, uris: str, why: str
) -> None:
    response = browser(admin).post(f"{LIST}/new", keyed(name="Roster", redirect_uris=uris))
    assert response.status_code == 422
    assert why in " ".join(error.get_text() for error in page(response).select(".field-error"))
    assert page(response).find("textarea").get_text().strip() == uris.strip()
    assert not RelyingParty.objects.filter(is_own=False).exists()


@pytest.mark.parametrize("uri", ["http://127.0.0.1:8765/complete", "http://localhost/complete"])
def test_plain_http_is_for_a_loopback_address_only(admin: Account, uri: str, settings: Any) -> None:
    arguments = {"name": "Roster", "redirect_uris": [uri], "actor_id": str(admin.pk), "now": NOW}
    services.application_create(**arguments)
    settings.OAUTH2_PROVIDER = settings.OAUTH2_PROVIDER | {"ALLOWED_REDIRECT_URI_SCHEMES": ["https"]}
    with pytest.raises(services.applications.Refused, match="uri_scheme"):
        services.application_create(**arguments | {"name": "Another"})


@pytest.mark.parametrize("name", ["roster", "ROSTER", "Tasks", "analytics"])
def test_a_name_is_taken_in_any_case_and_cannot_pose_as_an_own_service(
    admin: Account, roster: tuple[RelyingParty, str], browser: SignIn, name: str
) -> None:
    response = browser(admin).post(f"{LIST}/new", keyed(name=name, redirect_uris=URI))
    assert "an application with this name already" in page(response).select_one(".field-error").get_text()


def test_an_admin_edits_and_history_has_actor_before_and_after(
    admin: Account, roster: tuple[RelyingParty, str], browser: SignIn
) -> None:
    party, _ = roster
    client = browser(admin)
    form = form_of(client.get(address(party, "/edit")), None)
    assert form["redirect_uris"] == URI
    changed = form | {"name": "Rota", "redirect_uris": "https://rota.example/"}
    response = client.post(address(party, "/edit"), changed, follow=True)
    assert "Saved" in said(response)
    newest = page(response).select(".timeline li")[0].get_text(" ", strip=True)
    assert newest.startswith("Edited by Ada Adler")
    assert "Roster → Rota" in newest
    assert f"{URI} → https://rota.example/" in newest
    assert Application.objects.get(client_id=party.client_id).redirect_uris == "https://rota.example/"


def test_an_edit_that_changes_nothing_leaves_no_trace(admin: Account, roster: tuple[RelyingParty, str]) -> None:
    party, _ = roster
    services.application_update(party_id=party.pk, name="Roster", redirect_uris=[URI], actor_id=str(admin.pk), now=NOW)
    assert list(ApplicationChange.objects.filter(party_id=party.pk).values_list("action", flat=True)) == ["created"]


def test_an_edit_that_is_refused_keeps_what_was_typed(
    admin: Account, roster: tuple[RelyingParty, str], browser: SignIn
) -> None:
    party, _ = roster
    response = browser(admin).post(address(party, "/edit"), keyed(name="Rota", redirect_uris="ftp://x.example/"))
    assert response.status_code == 422
    assert page(response).find("input", {"name": "name"})["value"] == "Rota"
    assert RelyingParty.objects.get(pk=party.pk).name == "Roster"


def test_a_rotated_secret_is_shown_once_and_the_old_one_is_worth_nothing(
    admin: Account, worker: Account, roster: tuple[RelyingParty, str], browser: SignIn
) -> None:
    party, old = roster
    services.consent_give(account_id=worker.pk, client_id=party.client_id, scopes="openid profile email", now=NOW)
    theirs = browser(worker)

    def code() -> str:
        return answer_of(authorize(theirs, client_id=party.client_id, redirect_uri=URI))["code"]

    before = code()
    response = press(browser(admin), party, "/rotate")
    new = page(response).find(id="secret").get_text()
    assert exchange(before, party.client_id, secret=new, redirect_uri=URI).status_code == 400
    assert exchange(code(), party.client_id, secret=old, redirect_uri=URI).status_code == 401
    assert exchange(code(), party.client_id, secret=new, redirect_uri=URI).status_code == 200
    change = ApplicationChange.objects.latest("id")
    assert (change.action, change.actor_id, change.after) == ("secret_rotated", str(admin.pk), {})


def test_a_rotation_pressed_again_after_its_secret_was_shown_is_told_that_nothing_was_done(
    admin: Account, roster: tuple[RelyingParty, str], browser: SignIn
) -> None:
    party, _ = roster
    client, address = browser(admin), f"{LIST}/{party.pk}/rotate"
    used = form_of(client.get(f"{LIST}/{party.pk}"), address)
    answers = [client.post(address, used) for _ in range(2)]
    shown = client.get(answers[1]["Location"])
    assert page(shown).find(id="secret")
    assert said(shown) == "The secret is new; the old one is worth nothing any more."
    late = client.post(address, used, follow=True)
    assert "pressed before" in said(late)
    assert "The secret is new" not in said(late)
    assert ApplicationChange.objects.filter(action="secret_rotated").count() == 1


def test_a_deleted_application_signs_nobody_in_and_its_history_stays(
    admin: Account, worker: Account, roster: tuple[RelyingParty, str], browser: SignIn
) -> None:
    party, _ = roster
    services.consent_give(account_id=worker.pk, client_id=party.client_id, scopes="openid", now=NOW)
    client = browser(admin)
    response = press(client, party, "/delete")
    assert "deleted" in said(response)
    assert "Roster" not in page(response).select_one("tbody").get_text()
    assert client.get(address(party)).status_code == 404
    assert authorize(browser(worker), client_id=party.client_id, redirect_uri=URI).status_code == 400
    assert not Consent.objects.filter(withdrawn_at__isnull=True).exists()
    newest = page(client.get(f"{LIST}/changes")).select(".timeline li")[0].get_text(" ", strip=True)
    assert newest.startswith("Roster: Deleted by Ada Adler")


def test_deleting_twice_says_the_same(admin: Account, roster: tuple[RelyingParty, str], browser: SignIn) -> None:
    party, _ = roster
    client = browser(admin)
    form = form_of(client.get(address(party)), address(party, "/delete"))
    answers = [client.post(address(party, "/delete"), form)["Location"] for _ in range(2)]
    assert answers == [LIST, LIST]
    late = client.post(address(party, "/delete"), keyed(), follow=True)
    assert "not there any more" in said(late)


@pytest.mark.parametrize("name", ["tasks", "billing", "analytics"])
def test_a_provisioned_service_is_marked_and_can_be_neither_changed_nor_deleted(
    admin: Account, browser: SignIn, name: str
) -> None:
    party = RelyingParty.objects.get(name=name)
    client = browser(admin)
    shown = client.get(address(party))
    assert "own service" in shown.content.decode()
    assert [form["action"] for form in page(shown).select("main form")] == []
    assert client.get(address(party, "/edit")).status_code == 404
    before = Application.objects.filter(client_id=name).values().get()
    for part in ("/rotate", "/delete"):
        assert "set up at deployment" in said(client.post(address(party, part), keyed(), follow=True))
    assert Application.objects.filter(client_id=name).values().get() == before


def test_provisioning_is_kept_in_the_history_once(admin: Account, browser: SignIn) -> None:
    call_command("provision_clients", verbosity=0)
    party = RelyingParty.objects.get(name="tasks")
    (change,) = ApplicationChange.objects.filter(party_id=party.pk)
    assert (change.action, change.actor_id) == ("provisioned", SYSTEM)
    assert change.after["redirect_uris"] == Application.objects.get(client_id="tasks").redirect_uris


def test_who_is_no_admin_any_more_changes_no_application(make_account: Make, roster: tuple[RelyingParty, str]) -> None:
    actor = str(make_account(role=MANAGER).pk)
    party, _ = roster
    for call in (
        lambda: services.application_create(name="Mine", redirect_uris=[URI], actor_id=actor, now=NOW),
        lambda: services.application_update(
            party_id=party.pk, name="Mine", redirect_uris=[URI], actor_id=actor, now=NOW
        ),
        lambda: services.application_secret_rotate(party_id=party.pk, actor_id=actor, now=NOW),
        lambda: services.application_delete(party_id=party.pk, actor_id=actor, now=NOW),
    ):
        with pytest.raises(services.applications.Refused, match="not_admin"):
            call()


def test_the_last_use_is_noted_when_somebody_signs_in(worker: Account, browser: SignIn) -> None:
    assert RelyingParty.objects.get(name="tasks").last_used_at is None
    exchange(answer_of(authorize(browser(worker)))["code"])
    used = RelyingParty.objects.get(name="tasks").last_used_at
    assert (timezone.now() - used).total_seconds() < 60
    exchange(answer_of(authorize(browser(worker)))["code"])
    assert RelyingParty.objects.get(name="tasks").last_used_at == used


def test_nothing_of_a_deleted_application_can_be_exchanged(
    admin: Account, worker: Account, roster: tuple[RelyingParty, str], browser: SignIn
) -> None:
    party, secret = roster
    services.consent_give(account_id=worker.pk, client_id=party.client_id, scopes="openid profile email", now=NOW)
    code = answer_of(authorize(browser(worker), client_id=party.client_id, redirect_uri=URI))["code"]
    services.application_delete(party_id=party.pk, actor_id=str(admin.pk), now=NOW)
    assert exchange(code, party.client_id, secret=secret, redirect_uri=URI).status_code == 401
    assert not Grant.objects.exists()
    assert not AccessToken.objects.exists()


def test_the_client_id_is_made_by_the_server(roster: tuple[RelyingParty, str]) -> None:
    assert re.fullmatch(r"\w{40}", roster[0].client_id)


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_applicationchange SET name = ''", "DELETE FROM accounts_applicationchange"]
)
def test_the_app_cannot_rewrite_the_history_of_applications(app_dsn: str, statement: str) -> None:
    with psycopg.connect(app_dsn) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)

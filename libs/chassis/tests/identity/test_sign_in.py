"""Signing in through auth: what is asked, what is believed and what is kept."""

import base64
import hashlib
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from identity.fake_auth import FakeAuth, make_key
from identity.steps import Browser

from chassis.replica.models import Account
from chassis.replica.services import accounts_apply


def event(name: str, account_id: UUID, **data: Any) -> SimpleNamespace:
    known = {"account_id": str(account_id), "version": 1, "role": "worker", "active": True, "session_epoch": 1}
    return SimpleNamespace(name=name, data=known | data)


def created(account_id: UUID, **data: Any) -> SimpleNamespace:
    state = {"email": "w@popug.example", "full_name": "Wilma Weber", "position": "Cage keeper"}
    return event("AccountCreated", account_id, **(state | data))


def test_the_browser_is_sent_to_auth_with_state_nonce_and_challenge(browser: Browser) -> None:
    question = browser.begin()
    assert (question["client_id"], question["response_type"], question["code_challenge_method"]) == (
        "tasks",
        "code",
        "S256",
    )
    assert question["redirect_uri"] == "http://127.0.0.1:5000/complete/auth"
    assert set(question["scope"].split()) == {"openid", "profile", "email"}
    assert len(question["state"]) >= 32
    assert len(question["nonce"]) >= 32


def test_signing_in_leads_to_where_one_wanted_to_go(browser: Browser) -> None:
    account_id = uuid4()
    response = browser.sign_in(account_id)
    assert (response.status_code, response["Location"]) == (302, "/mine")
    assert browser.client.get("/mine").content.decode() == f"{account_id} worker"


@pytest.mark.parametrize(("hours_at_auth", "hours_here"), [(1, 1), (12, 12), (30 * 24, 12), (None, 12)])
def test_a_session_here_ends_with_the_one_at_auth_and_after_twelve_hours_at_most(
    browser: Browser, hours_at_auth: int | None, hours_here: int
) -> None:
    now = time.time()
    browser.sign_in(session_ends=int(now + hours_at_auth * 3600) if hours_at_auth else None)
    assert browser.client.session.get_expiry_date().timestamp() == pytest.approx(now + hours_here * 3600, abs=5)


def test_a_session_that_is_saved_again_ends_no_later(browser: Browser) -> None:
    browser.sign_in(session_ends=int(time.time()) + 3600)
    ends = Session.objects.get().expire_date
    session = browser.client.session
    session["message"] = "Done."
    session.save()
    assert Session.objects.get().expire_date == ends


def test_the_code_is_exchanged_with_the_verifier_of_its_challenge(browser: Browser, auth: FakeAuth) -> None:
    question = browser.begin()
    auth.claims = {"sub": str(uuid4()), "nonce": question["nonce"]}
    browser.end(question)
    (sent,) = auth.token_requests
    digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == question["code_challenge"]
    assert base64.b64decode(sent["authorization"].removeprefix("Basic ")).decode() == f"tasks:{'s' * 40}"
    assert "client_secret" not in sent


def test_an_unknown_person_becomes_a_stub_that_the_event_fills_in(browser: Browser) -> None:
    account_id = uuid4()
    browser.sign_in(account_id, role="manager")
    account = Account.objects.get(pk=account_id)
    assert (account.full_name, account.email, account.role, account.is_stub) == (
        "Wilma Weber",
        "w@popug.example",
        "manager",
        True,
    )
    accounts_apply([created(account_id, role="manager", full_name="Wilma Wolf")])
    account.refresh_from_db()
    assert (account.full_name, account.position, account.is_stub) == ("Wilma Wolf", "Cage keeper", False)


def test_a_person_is_found_by_sub_never_by_e_mail(browser: Browser) -> None:
    other = uuid4()
    accounts_apply([created(other, role="admin")])
    account_id = uuid4()
    browser.sign_in(account_id, email="w@popug.example", role="worker")
    assert browser.client.get("/mine").content.decode() == f"{account_id} worker"
    assert Account.objects.get(pk=other).role == "admin"
    assert browser.client.get("/office").status_code == 403


def test_a_sign_in_brings_a_newer_role_before_its_event(browser: Browser) -> None:
    account_id = uuid4()
    accounts_apply([created(account_id)])
    browser.sign_in(account_id, role="admin", access_version=2)
    assert browser.client.get("/office").status_code == 200
    accounts_apply([event("AccountRoleChanged", account_id, version=2, role="admin", session_epoch=1)])
    assert browser.client.get("/office").status_code == 200


def test_a_stale_sign_in_cannot_undo_a_newer_event(browser: Browser) -> None:
    account_id = uuid4()
    accounts_apply([created(account_id), event("AccountRoleChanged", account_id, version=3, session_epoch=1)])
    browser.sign_in(account_id, role="admin", access_version=2, name="Old Name", email="old@popug.example")
    account = Account.objects.get(pk=account_id)
    assert (account.role, account.access_version, account.full_name) == ("worker", 3, "Wilma Weber")


def test_a_sign_in_that_was_overtaken_by_a_deactivation_gets_no_session(browser: Browser) -> None:
    account_id = uuid4()
    accounts_apply([event("AccountDeactivated", account_id, version=2, active=False, session_epoch=2)])
    response = browser.sign_in(account_id)
    assert response.status_code == 403
    assert "signed out, changed or deactivated" in response.content.decode()
    assert not browser.is_in()


def test_a_sign_in_below_the_lowest_epoch_gets_no_session(browser: Browser) -> None:
    account_id = uuid4()
    accounts_apply([created(account_id, version=1, session_epoch=4)])
    assert browser.sign_in(account_id, session_epoch=3).status_code == 403


def test_a_deleted_account_does_not_come_back(browser: Browser) -> None:
    account_id = uuid4()
    accounts_apply([event("AccountDeleted", account_id, version=9)])
    assert browser.sign_in(account_id, access_version=10).status_code == 403
    assert Account.objects.get(pk=account_id).email == ""


def test_a_session_keeps_neither_tokens_nor_role(browser: Browser) -> None:
    browser.sign_in(uuid4(), role="finance")
    kept = str(Session.objects.get().get_decoded())
    assert "never kept" not in kept
    assert "finance" not in kept
    assert "eyJ" not in kept
    tables = connection.introspection.table_names()
    assert [table for table in tables if table.startswith("social_")] == []


def test_the_session_gets_a_new_key_when_it_begins(browser: Browser) -> None:
    planted = browser.client.session
    planted["by"] = "a stranger"
    planted.save()
    browser.client.cookies["tasks_session"] = before = planted.session_key
    browser.sign_in()
    assert browser.client.cookies["tasks_session"].value != before
    assert browser.is_in()
    assert not Session.objects.filter(session_key=before).exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example/oauth"},
        {"aud": "billing"},
        {"exp": 1},
        {"iat": 1},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": "not-a-uuid"},
        {"role": None},
        {"role": ""},
        {"sid": None},
        {"sid": ""},
        {"access_version": None},
        {"access_version": "7"},
        {"access_version": True},
        {"session_epoch": 0},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(browser: Browser, claims: dict[str, Any]) -> None:
    response = browser.sign_in(uuid4(), **claims)
    assert response.status_code == 400
    assert "Sign in again" in response.content.decode()
    assert not browser.is_in()
    assert not Account.objects.exists()


def test_a_token_of_another_key_is_refused(browser: Browser, auth: FakeAuth) -> None:
    auth.key = make_key()
    assert browser.sign_in(uuid4()).status_code == 400
    assert not browser.is_in()


def test_a_rotated_key_is_learnt(browser: Browser, auth: FakeAuth) -> None:
    browser.sign_in(uuid4())
    auth.kid, auth.key = "rotated", make_key()
    auth.published.insert(0, (auth.kid, auth.key))
    other = Browser(auth, Client())
    assert other.sign_in(uuid4()).status_code == 302
    assert other.is_in()


@pytest.mark.parametrize(
    "changed", [{"state": "another"}, {"state": None}, {"iss": None}, {"iss": "https://evil.example"}]
)
def test_an_answer_to_another_question_is_refused(
    browser: Browser, auth: FakeAuth, changed: dict[str, str | None]
) -> None:
    question = browser.begin()
    auth.claims = {"sub": str(uuid4()), "nonce": question["nonce"]}
    assert browser.end(question, **changed).status_code == 400
    assert auth.token_requests == []
    assert not browser.is_in()


def test_the_answer_of_one_browser_is_worth_nothing_in_another(browser: Browser, auth: FakeAuth) -> None:
    question = browser.begin()
    auth.claims = {"sub": str(uuid4()), "nonce": question["nonce"]}
    victim = Browser(auth, Client())
    assert victim.end(question).status_code == 400
    assert not victim.is_in()


def test_an_answer_works_once(browser: Browser, auth: FakeAuth) -> None:
    question = browser.begin("/office")
    auth.claims = {"sub": str(uuid4()), "nonce": question["nonce"]}
    browser.end(question)
    again = browser.end(question)
    assert (again.status_code, again["Location"]) == (302, "/")
    assert len(auth.token_requests) == 1


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_signing_in_never_leads_to_a_stranger(browser: Browser, auth: FakeAuth, target: str) -> None:
    question = browser.begin(target)
    auth.claims = {"sub": str(uuid4()), "nonce": question["nonce"]}
    assert browser.end(question)["Location"] == "/"


def test_who_is_signed_in_goes_on(browser: Browser) -> None:
    browser.sign_in(uuid4())
    assert browser.client.get("/login?next=/office")["Location"] == "/office"


def test_a_refusal_at_auth_is_said(browser: Browser) -> None:
    question = browser.begin()
    response = browser.client.get("/complete/auth", {"error": "access_denied", "state": question["state"]})
    assert response.status_code == 400


def test_a_code_that_auth_refuses_is_said(browser: Browser, auth: FakeAuth) -> None:
    auth.status = 400
    assert browser.sign_in(uuid4()).status_code == 400


@pytest.mark.django_db
def test_with_auth_down_signing_in_says_so(auth: FakeAuth) -> None:
    auth.stop()
    response = Client().get("/login?next=/mine")
    assert response.status_code == 503
    assert "Signing in is unavailable" in response.content.decode()
    assert "/login?next=%2Fmine" in response.content.decode()
    assert response["Retry-After"] == "10"


@pytest.mark.django_db
def test_with_auths_database_down_signing_in_says_so(auth: FakeAuth) -> None:
    auth.health = 503
    assert Client().get("/login").status_code == 503


def test_with_auth_failing_midway_signing_in_says_so(browser: Browser, auth: FakeAuth) -> None:
    question = browser.begin()
    auth.status = 502
    assert browser.end(question).status_code == 503


def test_a_busy_auth_is_waited_for(browser: Browser, auth: FakeAuth) -> None:
    auth.seconds = 3.5
    assert browser.sign_in(uuid4()).status_code == 302


def test_with_auth_down_signed_in_people_go_on(browser: Browser, auth: FakeAuth) -> None:
    browser.sign_in(uuid4())
    auth.stop()
    assert browser.is_in()


@pytest.mark.django_db
def test_a_stranger_is_sent_to_sign_in_also_by_htmx(auth: FakeAuth) -> None:
    assert Client().get("/mine")["Location"] == "/login?next=%2Fmine"
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/office?x=1"}
    response = Client().get("/mine", headers=headers)
    assert urlsplit(response["HX-Redirect"]).path == "/login"
    assert "office" in response["HX-Redirect"]

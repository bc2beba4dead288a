"""Signing out, log-outs that auth tells, and sessions that race them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import jwt
import pytest
from bs4 import BeautifulSoup
from django.test import Client
from identity.fake_auth import FakeAuth, make_key
from identity.steps import Browser
from identity.test_sign_in import created, event

from chassis.identity.models import LogoutNotice
from chassis.replica.models import Account
from chassis.replica.services import accounts_apply


@pytest.fixture
def somebody(browser: Browser) -> UUID:
    """Signed in, in `browser`."""
    account_id = uuid4()
    browser.sign_in(account_id)
    assert browser.is_in()
    return account_id


def test_signing_out_ends_the_session_and_sends_the_browser_to_auth(browser: Browser, somebody: UUID) -> None:
    response = browser.client.post("/logout")
    address = urlsplit(response["Location"])
    assert address.path == "/oauth/logout/"
    assert parse_qs(address.query) == {"client_id": ["tasks"], "logout_hint": ["a-browser"]}
    assert not browser.is_in()


def test_signing_out_twice_is_the_same_answer_and_tells_auth_the_browser_both_times(
    browser: Browser, somebody: UUID
) -> None:
    """A double click: the browser follows the second answer only, when the session here is gone already."""
    page = BeautifulSoup(browser.client.get("/office").content, "html.parser")
    fields = {field["name"]: field["value"] for field in page.select("form[action='/logout'] input")}
    first, second = (browser.client.post("/logout", fields) for _ in range(2))
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    assert parse_qs(urlsplit(second["Location"]).query)["logout_hint"] == ["a-browser"]
    assert not browser.is_in()


def test_a_form_names_no_browser_that_it_was_not_made_for(browser: Browser, somebody: UUID) -> None:
    browser.client.post("/logout")
    answer = browser.client.post("/logout", {"hint": "a-browser"})
    assert parse_qs(urlsplit(answer["Location"]).query) == {"client_id": ["tasks"]}


def test_a_link_cannot_sign_anybody_out(browser: Browser, somebody: UUID) -> None:
    assert browser.client.get("/logout").status_code == 405
    checked = Client(enforce_csrf_checks=True)
    checked.cookies = browser.client.cookies
    assert checked.post("/logout").status_code == 403
    assert browser.is_in()


def test_with_auth_down_signing_out_ends_the_session_here_and_says_so(
    browser: Browser, somebody: UUID, auth: FakeAuth
) -> None:
    auth.stop()
    response = browser.client.post("/logout")
    assert response.status_code == 503
    assert "Signed out here only" in response.content.decode()
    assert not browser.is_in()


def test_a_notice_ends_the_sessions_of_its_browser_and_of_no_other(browser: Browser, somebody: UUID) -> None:
    other = Browser(browser.auth, Client())
    other.sign_in(somebody, sid="another-browser")
    assert browser.log_out_notice(browser.auth.logout_token(somebody, sid="a-browser")).status_code == 200
    assert not browser.is_in()
    assert other.is_in()


def test_who_was_signed_out_by_a_change_of_access_is_told_once_signed_in_again(
    browser: Browser, somebody: UUID
) -> None:
    told = "because your account was changed"
    accounts_apply([event("AccountRoleChanged", somebody, version=2, role="manager", session_epoch=2)])
    assert not browser.is_in()
    browser.sign_in(somebody, role="manager", session_epoch=2, access_version=2)
    assert told in browser.client.get("/office").content.decode()
    assert told not in browser.client.get("/office").content.decode()


def test_another_one_at_the_same_browser_is_told_nothing_of_changes(browser: Browser, somebody: UUID) -> None:
    accounts_apply([event("AccountRoleChanged", somebody, version=2, role="manager", session_epoch=2)])
    assert not browser.is_in()
    browser.sign_in(uuid4())
    assert "was changed" not in browser.client.get("/office").content.decode()


def test_who_lost_access_is_told_nothing_of_changes(browser: Browser, somebody: UUID) -> None:
    accounts_apply([event("AccountDeactivated", somebody, version=2, active=False, session_epoch=2)])
    assert not browser.is_in()
    accounts_apply([event("AccountReactivated", somebody, version=3, session_epoch=2)])
    browser.sign_in(somebody, session_epoch=2, access_version=3)
    assert "was changed" not in browser.client.get("/office").content.decode()


def test_who_signed_out_is_told_nothing_of_changes(browser: Browser, somebody: UUID) -> None:
    browser.log_out_notice(browser.auth.logout_token(somebody, sid="a-browser"))
    assert not browser.is_in()
    browser.sign_in(somebody, sid="another-browser")
    assert "was changed" not in browser.client.get("/office").content.decode()


def test_a_notice_with_a_higher_epoch_ends_all_sessions_of_the_account(browser: Browser, somebody: UUID) -> None:
    other = Browser(browser.auth, Client())
    other.sign_in(somebody, sid="another-browser")
    browser.log_out_notice(browser.auth.logout_token(somebody, session_epoch=2))
    assert (browser.is_in(), other.is_in()) == (False, False)
    assert other.sign_in(somebody, session_epoch=2, access_version=2, sid="third").status_code == 302
    assert other.is_in()


def test_a_notice_that_is_late_lowers_nothing(browser: Browser, somebody: UUID) -> None:
    accounts_apply([created(somebody, session_epoch=5)])
    browser.log_out_notice(browser.auth.logout_token(somebody, session_epoch=2))
    assert Account.objects.get(pk=somebody).session_epoch == 5


def test_the_events_do_the_same_if_no_notice_comes(browser: Browser, somebody: UUID) -> None:
    accounts_apply([event("AccountDeactivated", somebody, version=2, active=False, session_epoch=2)])
    assert not browser.is_in()


def test_a_role_change_takes_effect_on_the_next_request(browser: Browser, somebody: UUID) -> None:
    accounts_apply([event("AccountRoleChanged", somebody, version=2, role="admin", session_epoch=1)])
    assert browser.client.get("/office").status_code == 200


def test_a_sign_in_that_races_the_log_out_of_its_browser_keeps_nothing(browser: Browser) -> None:
    """The notice comes between the browser's return from auth and the session's beginning."""
    account_id = uuid4()
    browser.log_out_notice(browser.auth.logout_token(account_id, sid="a-browser"))
    browser.sign_in(account_id)
    assert not browser.is_in()


def test_a_sign_in_that_races_a_deactivation_keeps_nothing_also_for_an_account_not_seen_yet(browser: Browser) -> None:
    account_id = uuid4()
    browser.log_out_notice(browser.auth.logout_token(account_id, session_epoch=2))
    account = Account.objects.get(pk=account_id)
    assert (account.session_epoch, account.is_stub) == (2, True)
    assert browser.sign_in(account_id).status_code == 403
    assert not browser.is_in()


def test_a_session_without_an_epoch_is_over(browser: Browser, somebody: UUID) -> None:
    session = browser.client.session
    del session["identity_epoch"]
    session.save()
    assert not browser.is_in()


def test_an_account_that_lost_its_row_is_signed_out(browser: Browser, somebody: UUID) -> None:
    Account.objects.filter(pk=somebody).delete()
    assert not browser.is_in()


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example/oauth"},
        {"aud": "billing"},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"sub": None},
        {"sub": "nobody"},
        {"events": None},
        {"events": {}},
        {"events": ["http://schemas.openid.net/event/backchannel-logout"]},
        {"nonce": "n"},
        {"session_epoch": None},
        {"session_epoch": 0},
        {"session_epoch": "9"},
        {"typ": "JWT"},
        {"kid": "unknown"},
    ],
)
def test_a_token_that_is_no_log_out_of_ours_is_refused(
    browser: Browser, somebody: UUID, changed: dict[str, Any]
) -> None:
    token = browser.auth.logout_token(changed.pop("sub", somebody), **({"sid": "a-browser"} | changed))
    response = browser.log_out_notice(token)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert browser.is_in()
    assert not LogoutNotice.objects.exists()


def test_a_token_signed_by_somebody_else_is_refused(browser: Browser, somebody: UUID) -> None:
    forged = browser.auth.logout_token(somebody, key=make_key(), sid="a-browser", session_epoch=9)
    assert browser.log_out_notice(forged).status_code == 400
    assert browser.is_in()


@pytest.mark.parametrize(("alg", "key"), [("none", None), ("HS256", "tasks" * 10)])
def test_a_token_by_another_algorithm_is_refused(browser: Browser, somebody: UUID, alg: str, key: str | None) -> None:
    claims = jwt.decode(browser.auth.logout_token(somebody, sid="a-browser"), options={"verify_signature": False})
    forged = jwt.encode(claims, key, algorithm=alg, headers={"kid": browser.auth.kid, "typ": "logout+jwt"})
    assert browser.log_out_notice(forged).status_code == 400
    assert browser.is_in()


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_what_is_no_token_is_refused(browser: Browser, somebody: UUID, token: str) -> None:
    assert browser.log_out_notice(token).status_code == 400


def test_an_id_token_is_no_log_out(browser: Browser, somebody: UUID) -> None:
    assert browser.log_out_notice(browser.auth.id_token()).status_code == 400
    assert browser.is_in()


def test_a_token_that_comes_again_is_refused(browser: Browser, somebody: UUID) -> None:
    token = browser.auth.logout_token(somebody, sid="a-browser")
    answers = [browser.log_out_notice(token) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json()["error_description"] == "jti"


def test_invented_key_ids_do_not_make_us_ask_auth_each_time(browser: Browser, somebody: UUID) -> None:
    for number in range(5):
        browser.log_out_notice(browser.auth.logout_token(somebody, kid=f"invented-{number}"))
    assert browser.auth.key_requests <= 2


def test_a_rotated_key_is_learnt_from_a_log_out(browser: Browser, somebody: UUID) -> None:
    browser.auth.kid, browser.auth.key = "rotated", make_key()
    browser.auth.published.insert(0, ("rotated", browser.auth.key))
    assert browser.log_out_notice(browser.auth.logout_token(somebody, sid="a-browser")).status_code == 200
    assert not browser.is_in()


def test_a_log_out_that_cannot_be_checked_is_to_be_sent_again(browser: Browser) -> None:
    token = browser.auth.logout_token(uuid4())
    browser.auth.stop()
    assert browser.log_out_notice(token).status_code == 503
    assert not LogoutNotice.objects.exists()


def test_notices_are_forgotten_when_no_session_can_be_as_old(browser: Browser, somebody: UUID) -> None:
    browser.log_out_notice(browser.auth.logout_token(somebody, sid="old"))
    LogoutNotice.objects.update(received_at="2020-01-01T00:00:00Z")
    browser.log_out_notice(browser.auth.logout_token(somebody, sid="new"))
    assert list(LogoutNotice.objects.values_list("sid", flat=True)) == ["new"]

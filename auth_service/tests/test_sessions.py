"""Browser sessions and back-channel logout, delivered to a real HTTP server."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from jwcrypto import jwt
from oauth2_provider.utils import jwk_from_pem

from accounts import jobs, services
from accounts.domain import MANAGER, Refused
from accounts.models import Account, BrowserSession, LogoutDelivery, Mail, OneTimeLink, RelyingParty
from accounts.services.logouts import EVENT, logout_token

from .conftest import NOW


class Receiver:
    """Stands in for the services: keeps the logout tokens, and answers as it is told."""

    def __init__(self) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.tokens.append((self.path, parse_qs(body)["logout_token"][0]))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def receiver(db: None) -> Iterator[Receiver]:
    receiver = Receiver()
    for name in ("tasks", "billing"):
        RelyingParty.objects.create(
            client_id=name, name=name, home_url=receiver.url, backchannel_logout_uri=f"{receiver.url}/{name}"
        )
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def start(account: Account) -> BrowserSession:
    store = SessionStore()
    store.create()
    return services.session_start(account_id=account.pk, session_key=store.session_key or "", now=NOW)


def claims_of(token: str, settings: Any) -> dict[str, Any]:
    key = jwk_from_pem(settings.OAUTH2_PROVIDER["OIDC_RSA_PRIVATE_KEY"])
    # Issued at the test's time, so that it has expired by now: the signature is what is checked here.
    return dict(json.loads(jwt.JWT(jwt=token, key=key, check_claims={}).claims))


def test_signing_out_ends_one_browser_and_tells_every_service(worker: Account, receiver: Receiver) -> None:
    one, other = start(worker), start(worker)
    assert services.session_end(sid=one.sid, now=NOW)
    assert list(Session.objects.values_list("pk", flat=True)) == [other.session_key]
    told = LogoutDelivery.objects.order_by("id").values_list("client_id", "sid", "session_epoch")
    assert list(told) == [("tasks", one.sid, 1), ("billing", one.sid, 1)]
    assert Account.objects.get(pk=worker.pk).session_epoch == 1


def test_signing_out_twice_tells_once(worker: Account, receiver: Receiver) -> None:
    browser = start(worker)
    assert [services.session_end(sid=browser.sid, now=NOW) for _ in range(2)] == [True, False]
    assert LogoutDelivery.objects.count() == 2


def test_a_role_change_ends_all_browsers_and_tells_the_new_epoch(
    worker: Account, admin: Account, receiver: Receiver
) -> None:
    start(worker), start(worker)
    admins = start(admin)
    services.account_role_change(account_id=worker.pk, role=MANAGER, actor_id=str(admin.pk), now=NOW)
    assert not BrowserSession.objects.filter(account_id=worker.pk, ended_at=None).exists()
    assert list(Session.objects.values_list("pk", flat=True)) == [admins.session_key]
    assert set(LogoutDelivery.objects.values_list("account_id", "sid", "session_epoch")) == {(worker.pk, "", 2)}


def test_who_lost_access_while_signing_in_gets_no_session(worker: Account, admin: Account) -> None:
    services.account_deactivate(account_id=worker.pk, actor_id=str(admin.pk), now=NOW)
    with pytest.raises(Refused, match="inactive"):
        start(worker)


def test_log_outs_are_delivered_signed_and_once(worker: Account, receiver: Receiver, settings: Any) -> None:
    browser = start(worker)
    services.session_end(sid=browser.sid, now=NOW)
    assert (services.logouts_send(clock=lambda: NOW), services.logouts_send(clock=lambda: NOW)) == (2, 0)
    assert sorted(path for path, _ in receiver.tokens) == ["/billing", "/tasks"]
    claims = {path: claims_of(token, settings) for path, token in receiver.tokens}["/tasks"]
    assert (claims["iss"], claims["aud"], claims["sub"], claims["sid"], claims["session_epoch"], claims["events"]) == (
        settings.OAUTH2_PROVIDER["OIDC_ISS_ENDPOINT"],
        "tasks",
        str(worker.pk),
        browser.sid,
        1,
        {EVENT: {}},
    )
    assert claims["exp"] - claims["iat"] == 120
    assert "nonce" not in claims


def test_a_service_that_is_away_is_told_again_with_another_jti(
    worker: Account, receiver: Receiver, settings: Any
) -> None:
    services.session_end(sid=start(worker).sid, now=NOW)
    receiver.status = 503
    assert services.logouts_send(clock=lambda: NOW) == 0
    assert set(LogoutDelivery.objects.values_list("attempts", "last_error", "done_at")) == {(1, "HTTP 503", None)}
    receiver.status = 200
    assert services.logouts_send(clock=lambda: NOW) == 0
    assert services.logouts_send(clock=lambda: NOW + timedelta(seconds=1)) == 2
    ids = [claims_of(token, settings)["jti"] for _, token in receiver.tokens]
    assert len(set(ids)) == len(ids) == 4


def test_a_service_that_does_not_answer_keeps_nobody_else_waiting(worker: Account, receiver: Receiver) -> None:
    RelyingParty.objects.create(
        client_id="gone", name="gone", home_url=receiver.url, backchannel_logout_uri="http://127.0.0.1:1/"
    )
    services.session_end(sid=start(worker).sid, now=NOW)
    assert services.logouts_send(clock=lambda: NOW) == 2
    assert LogoutDelivery.objects.get(done_at=None).last_error == "ConnectionError"


def test_the_job_delivers_what_the_thread_could_not(worker: Account, receiver: Receiver) -> None:
    services.session_end(sid=start(worker).sid, now=NOW)
    jobs.logouts_send()
    assert len(receiver.tokens) == 2


@pytest.mark.django_db(transaction=True)
def test_log_outs_leave_right_after_the_commit(worker: Account, receiver: Receiver) -> None:
    services.session_end(sid=start(worker).sid, now=NOW)
    deadline = monotonic() + 5
    while LogoutDelivery.objects.filter(done_at=None).exists() and monotonic() < deadline:
        sleep(0.02)
    assert len(receiver.tokens) == 2


def test_a_token_for_a_whole_account_names_no_browser(worker: Account, settings: Any) -> None:
    row = LogoutDelivery(pk=7, account_id=worker.pk, client_id="tasks", session_epoch=3, attempts=0)
    assert "sid" not in claims_of(logout_token(row, now=NOW), settings)


def test_what_nobody_needs_any_more_is_forgotten(worker: Account, receiver: Receiver) -> None:
    services.session_end(sid=start(worker).sid, now=NOW)
    services.password_reset_request(email=worker.email, base_url="http://auth.example", now=NOW)
    jobs.tidy()
    kept = (BrowserSession, LogoutDelivery, Mail, OneTimeLink)
    assert [model.objects.exists() for model in kept] == [False] * 4


def test_what_may_be_needed_is_kept(worker: Account, receiver: Receiver) -> None:
    services.session_end(sid=start(worker).sid, now=NOW)
    services.sessions_tidy(now=NOW + timedelta(days=30))
    assert BrowserSession.objects.exists()
    assert LogoutDelivery.objects.exists()

"""What pages wait for before they show a new secret to auth."""

from threading import Thread
from time import sleep

import pytest
from django.core.management import call_command
from identity.fake_auth import FakeAuth

from chassis.identity.management.commands import await_client


def test_pages_wait_until_auth_knows_their_secret(auth: FakeAuth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(await_client, "_BETWEEN_LOOKS_SECONDS", 0.1)
    auth.status = 401
    waiting = Thread(target=call_command, args=("await_client",))
    waiting.start()
    sleep(0.5)
    assert waiting.is_alive()
    auth.status = 400  # the code is wrong: so the secret was right
    waiting.join(timeout=10)
    assert not waiting.is_alive()
    assert {sent["authorization"][:6] for sent in auth.token_requests} == {"Basic "}


def test_an_auth_that_is_away_or_broken_is_not_waited_for(auth: FakeAuth) -> None:
    auth.status = 502
    call_command("await_client")
    auth.stop()
    call_command("await_client")

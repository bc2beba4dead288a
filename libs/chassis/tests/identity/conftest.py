"""A service whose auth is on loopback."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from identity.fake_auth import FakeAuth
from identity.steps import Browser

from chassis.identity import logout_tokens


@pytest.fixture
def auth(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAuth]:
    fake = FakeAuth()
    settings.ROOT_URLCONF, settings.NAVIGATION = "identity.urls", []
    settings.IDENTITY = settings.IDENTITY | {
        "ISSUER": fake.issuer,
        "AUTH_INTERNAL_URL": fake.url,
        "CALLBACK_URL": "http://127.0.0.1:5000/complete/auth",
        "TIMEOUT": 1.0,
    }
    settings.SOCIAL_AUTH_AUTH_KEY, settings.SOCIAL_AUTH_AUTH_SECRET = "tasks", "s" * 40
    settings.SOCIAL_AUTH_AUTH_AUTHORIZATION_URL = f"{fake.issuer}/authorize/"
    settings.SOCIAL_AUTH_AUTH_ACCESS_TOKEN_URL = f"{fake.issuer}/token/"
    settings.SOCIAL_AUTH_AUTH_JWKS_URI = f"{fake.issuer}/.well-known/jwks.json"
    settings.SOCIAL_AUTH_AUTH_ID_TOKEN_ISSUER = fake.issuer
    monkeypatch.setattr(logout_tokens, "_refreshed", {})
    yield fake
    fake.stop()


@pytest.fixture
def browser(auth: FakeAuth, db: None) -> Browser:
    return Browser(auth, Client())

"""Accounts of each kind, a browser that signs in through the page, and the three clients."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import services
from accounts.domain import ADMIN, WORKER
from accounts.models import Account
from dev.pytest_browser import OpenPage
from eventbus.testing import clear_outbox

from .story import everything  # noqa: F401 - a fixture

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "cages are round"


@pytest.fixture(autouse=True)
def cheap_settings(settings: Any) -> None:
    """A million rounds for each password would be most of the run, and nothing is collected for it."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "accounts.hashers.ClientSecretHasher"]


@pytest.fixture
def make_account(db: None) -> Callable[..., Account]:
    """An account with a password, and its own events forgotten."""

    def make(email: str = "w.weber@popug.example", role: str = WORKER, **more: Any) -> Account:
        account = services.account_create(
            **{"email": email, "full_name": "Wilma Weber", "role": role, "password": PASSWORD, "now": NOW} | more
        )
        clear_outbox()
        return account

    return make


@pytest.fixture
def worker(make_account: Callable[..., Account]) -> Account:
    return make_account()


@pytest.fixture
def admin(make_account: Callable[..., Account]) -> Account:
    return make_account("admin@popug.example", ADMIN, full_name="Ada Adler")


@pytest.fixture
def browser() -> Callable[..., Client]:
    """A signed-in browser."""

    def sign_in(account: Account, **form: str) -> Client:
        client = Client()
        answer = client.post("/login", {"email": account.email, "password": PASSWORD} | form)
        assert answer.status_code == 302, answer.content.decode()
        return client

    return sign_in


@pytest.fixture
def clients(db: None) -> None:
    call_command("provision_clients", verbosity=0)


@pytest.fixture
def open_page(new_page: OpenPage, live_server: Any, browser: Callable[..., Client], settings: Any) -> OpenPage:
    """Opens pages, signed in as an account if one is given."""
    settings.PUBLIC_URL = live_server.url

    def start(path: str, account: Account | None = None, **options: Any) -> Any:
        page = new_page(browser(account) if account else None, **options)
        page.goto(path)
        return page

    return start

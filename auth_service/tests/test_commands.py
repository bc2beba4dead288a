"""create_admin, seed_demo and what the app role may not do."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import Account, AccountChange
from eventbus.testing import published

from .steps import keyed


def test_create_admin_shows_a_link_that_works_once(db: None, capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    call_command("create_admin", "Boss@popug.example")
    address = capsys.readouterr().out.strip()
    assert address.startswith(f"{settings.PUBLIC_URL}/link?token=")
    link = address.removeprefix(settings.PUBLIC_URL)
    assert Client().post(link, keyed(password="round cages")).status_code == 302
    assert Client().post(link, keyed(password="round cages")).status_code == 410
    client = Client()
    client.post("/login", {"email": "boss@popug.example", "password": "round cages"})
    assert client.get("/").status_code == 200
    assert AccountChange.objects.filter(action="restored").exists()


def test_create_admin_refuses_what_is_no_address(db: None) -> None:
    with pytest.raises(CommandError, match="not an e-mail address"):
        call_command("create_admin", "boss")


def test_provisioning_without_clients_is_an_error(db: None, settings: Any) -> None:
    settings.OIDC_CLIENTS = {}
    with pytest.raises(CommandError, match="OIDC_CLIENTS"):
        call_command("provision_clients")


def test_the_demo_has_its_people_once_as_of_that_morning(db: None, settings: Any, tmp_path: Path) -> None:
    settings.DEMO, settings.BUSINESS_TIME_ZONE = True, "Europe/Berlin"
    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps({"worker@popug.example": "generated one"}))
    for _ in range(2):
        call_command("seed_demo", "--password-file", str(passwords), "--since", "2026-03-02")
    roles = list(Account.objects.order_by("role").values_list("role", flat=True))
    assert roles == ["admin", "finance", "manager", *["worker"] * 6]
    assert Account.objects.get(email="worker@popug.example").check_password("generated one")
    assert not Account.objects.get(email="otto@popug.example").has_usable_password()
    assert {event.time for event in published()} == {datetime(2026, 3, 2, 6, 30, tzinfo=UTC)}


def test_a_worker_of_the_demo_leaves_once(db: None, settings: Any) -> None:
    settings.DEMO = True
    for _ in range(2):
        call_command("seed_demo", "--since", "2026-03-02", "--leave", "2026-03-10")
    assert list(Account.objects.filter(is_active=False).values_list("email", flat=True)) == ["jonas@popug.example"]
    assert [event.name for event in published()][-2:] == ["AccountUpdated", "AccountDeactivated"]


def test_there_is_no_demo_where_none_is_asked_for(db: None, settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO"):
        call_command("seed_demo", "--since", "2026-03-02")
    assert not Account.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_accountchange SET action = ''", "DELETE FROM accounts_accountchange"]
)
def test_the_app_cannot_rewrite_history(app_dsn: str, statement: str) -> None:
    with psycopg.connect(app_dsn) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(statement)


@pytest.mark.django_db
def test_no_table_of_accounts_refers_to_the_user_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid = 'accounts_account'::regclass"
            " AND conrelid::regclass::text LIKE 'accounts%'"
        )
        assert cursor.fetchall() == []

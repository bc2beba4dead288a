"""What a process waits for before it starts."""

from threading import Thread
from time import sleep

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from eventbus.management.commands.await_deployment import Command
from eventbus.models import CachedSchema


def test_what_is_there_is_not_waited_for(kafka, capsys):
    call_command("register_schemas")
    call_command("await_deployment", "database", "migrations", "registry", "schemas")
    assert capsys.readouterr().out.endswith("There: database, migrations, registry, schemas.\n")


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_is_missing():
    MigrationRecorder(connection).record_unapplied("eventbus", "0001_initial")
    assert Command().missing("migrations") == "1 migrations are not applied yet"


def test_it_waits_until_the_schemas_are_registered(kafka, capsys):
    CachedSchema.objects.all().delete()

    def wait():
        call_command("await_deployment", "schemas")
        connection.close()

    waiting = Thread(target=wait)
    waiting.start()
    sleep(0.5)
    assert waiting.is_alive()
    call_command("register_schemas")
    waiting.join(timeout=10)
    assert not waiting.is_alive()
    assert "schemas: 9 schemas are not registered yet\n" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_registry_that_is_away_is_missing(settings):
    settings.EVENTBUS = settings.EVENTBUS | {"REGISTRY_URL": "http://127.0.0.1:9"}
    assert "does not answer" in Command().missing("registry")


@pytest.mark.django_db
def test_a_database_that_is_away_is_missing(monkeypatch):
    def refused():
        raise OperationalError("connection failed: refused\nIs the server running?")

    monkeypatch.setattr(connection, "ensure_connection", refused)
    assert Command().missing("database") == "connection failed: refused"

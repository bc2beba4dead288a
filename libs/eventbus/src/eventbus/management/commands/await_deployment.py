"""`await_deployment WHAT..`: wait until what a process needs is there, before it starts."""

from collections.abc import Callable
from time import sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from eventbus.catalogue import catalogue
from eventbus.conf import conf
from eventbus.registry import Registry, RegistryAway

_BETWEEN_LOOKS_SECONDS = 2.0  # two dozen processes look at the same time on a first start


def database() -> str:
    """The database answers."""
    connection.ensure_connection()
    return ""


def migrations() -> str:
    """It has every migration of this code."""
    applied = MigrationRecorder(connection).applied_migrations()
    waiting = sum(1 for name in MigrationLoader(None).disk_migrations if name not in applied)
    return f"{waiting} migrations are not applied yet" if waiting else ""


def schemas() -> str:
    """All schemas are registered, as this service's database knows; topics are made before."""
    wanted = [schema.sha256 for schema in catalogue().schemas]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT sha256) FROM eventbus_schema WHERE sha256 = ANY(%s)", (wanted,))
        missing = len(wanted) - int(cursor.fetchone()[0])
    return f"{missing} schemas are not registered yet" if missing else ""


def registry() -> str:
    """The schema registry answers; it keeps its records in Kafka, so Kafka does."""
    Registry(conf().registry_url).lookup(catalogue().schemas[0])
    return ""


LOOKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "schemas": schemas,
    "registry": registry,
}


class Command(BaseCommand):
    help = "Wait until database, migrations, schemas or registry are there, in the order they are named."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Any of the four."""
        parser.add_argument("what", nargs="+", choices=list(LOOKS))

    def handle(self, *args: Any, what: list[str], **options: Any) -> None:
        """Says once what it waits for, and waits for ever: who started it decides when that is too long."""
        for name in what:
            told = ""
            while reason := self.missing(name):
                if reason != told:
                    self.stdout.write(f"{name}: {reason}")
                    told = reason
                sleep(_BETWEEN_LOOKS_SECONDS)
        self.stdout.write(f"There: {', '.join(what)}.")

    def missing(self, name: str) -> str:
        """Why one of them is not there yet, or nothing."""
        try:
            return LOOKS[name]()
        except (DatabaseError, RegistryAway) as error:
            connection.close()
            return str(error).splitlines()[0]

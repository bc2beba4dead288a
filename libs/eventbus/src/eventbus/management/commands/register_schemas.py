"""`register_schemas`: at deployment; at run time nothing registers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from eventbus.catalogue import catalogue
from eventbus.conf import conf
from eventbus.registry import CachedIds, Registry, RegistryAway, RegistryRefused
from eventbus.topics import create_topics

_SECONDS = 30  # a registry that has just started is slow, and nobody waits in line behind a deployment


class Command(BaseCommand):
    help = "Create topics, register all schemas under FULL_TRANSITIVE, and keep their ids in this service's database."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent. Every service registers all frozen files, so that services can be deployed in any order."""
        create_topics()
        registry, ids = Registry(conf().registry_url, timeout_seconds=_SECONDS), CachedIds()
        # In the order of versions: compatibility is checked against those before.
        for schema in sorted(catalogue().schemas, key=lambda s: (s.full_name, s.version)):
            try:
                ids.remember(registry.register(schema), schema.text)
            except RegistryRefused as error:
                raise CommandError(f"{schema.full_name} version {schema.version} is refused: {error}") from error
            except RegistryAway as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{len(catalogue().schemas)} schemas are registered.")

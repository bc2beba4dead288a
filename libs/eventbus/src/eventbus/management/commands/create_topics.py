"""`create_topics`: the topics of the catalogue, with their settings."""

from typing import Any

from django.core.management.base import BaseCommand

from eventbus.topics import create_topics


class Command(BaseCommand):
    help = "Create the topics that are missing and put the settings of the others right."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent."""
        created = create_topics()
        self.stdout.write(f"Created {', '.join(created)}." if created else "All topics are there.")

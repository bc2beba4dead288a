"""`manage.py rebuild`: all numbers again from the kept events; pages and consumers stay up."""

from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analytics import services


class Command(BaseCommand):
    help = "Make all numbers again from the kept events, while pages and consumers stay up."

    def handle(self, *_: Any, **__: Any) -> None:
        started = monotonic()
        try:
            done = services.rebuild()
        except services.RebuildRunning as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Rebuilt from {done.events:,} events in {monotonic() - started:.1f} s, the last {done.tail:,} of them"
            f" while consumers waited. Pages read generation {done.generation}."
        )

"""`republish_state TOPIC`: write the present state of all aggregates to a topic of state."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from eventbus.conf import conf
from eventbus.state import highest_versions, republish, state_table


class Command(BaseCommand):
    help = "Publish the present state of all aggregates of a topic, through the outbox."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One of the topics of the service's STATE table."""
        parser.add_argument("topic")
        parser.add_argument(
            "--after-restore",
            action="store_true",
            help="the database came from a backup: first raise each version above the highest in the topic",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """CommandError for a topic that this service does not keep."""
        if options["topic"] not in state_table():
            raise CommandError(f"{conf().service} keeps the state of: {', '.join(state_table()) or 'nothing'}.")
        above = highest_versions(options["topic"]) if options["after_restore"] else None
        self.stdout.write(f"Published {republish(options['topic'], above=above)} states.")

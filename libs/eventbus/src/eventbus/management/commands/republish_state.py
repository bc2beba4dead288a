"""`republish_state TOPIC`: write the present state of all aggregates to a topic of state."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from eventbus.conf import conf
from eventbus.errors import TransientError
from eventbus.reading import Unreadable
from eventbus.state import Told, read_state, republish, state_table, take_back


class Command(BaseCommand):
    help = "Publish the present state of all aggregates of a topic, through the outbox."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One of the topics of the service's STATE table."""
        parser.add_argument("topic")
        parser.add_argument(
            "--after-restore",
            action="store_true",
            help="the database came from a backup: first take back what the topic tells that it does not know, and"
            " raise each version above the highest in the topic",
        )
        parser.add_argument(
            "--skip-unreadable",
            action="store_true",
            help="go on although the topic holds records that cannot be read: consumers set those aside too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """CommandError for a topic that this service does not keep, and where it could not be read to its end."""
        if options["topic"] not in state_table():
            raise CommandError(f"{conf().service} keeps the state of: {', '.join(state_table()) or 'nothing'}.")
        topic, above = options["topic"], None
        if options["after_restore"]:
            told = self._read(topic, skip_unreadable=options["skip_unreadable"])
            above = told.highest
            self.stdout.write(f"Took back {take_back(topic, told)} states that are newer than the backup.")
        self.stdout.write(f"Published {republish(topic, above=above)} states.")

    def _read(self, topic: str, *, skip_unreadable: bool) -> Told:
        try:
            told = read_state(topic, skip_unreadable=skip_unreadable)
        except TransientError as error:
            raise CommandError(f"{error} Nothing was published; try again.") from error
        except Unreadable as error:
            raise CommandError(
                f"A record cannot be read: {error} Nothing was published. Where consumers have set it aside as well,"
                " --skip-unreadable goes on without it."
            ) from error
        if told.unreadable:
            self.stdout.write(f"Records that cannot be read, skipped: {told.unreadable}.")
        return told

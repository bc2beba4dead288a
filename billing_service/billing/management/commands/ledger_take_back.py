"""After a restore: what billing told since the dump comes back into its ledger."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.domain import PriceConflict
from billing.models import Transfer
from billing.selectors.sessions import others_at_work
from billing.services.prices import prices_restore
from billing.services.taking_back import Contradiction, TakenBack, chunks, ledger_take_back, told_read
from eventbus import Event, TransientError, Unreadable, read_topic

UNTOUCHED = "The ledger is as it was."


class Command(BaseCommand):
    help = (
        "After a restore, before anything else of billing is up: take back from Kafka what billing told since the dump,"
        " so that everything is in its cycle again and nobody is paid twice. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--other-hashes",
            action="store_true",
            help="go on where a closed cycle has another hash than was told; its payouts must be those that were told",
        )

    def handle(self, *args: Any, other_hashes: bool, **options: Any) -> None:
        """CommandError, and nothing written to the ledger, where what was told cannot be read or contradicts itself."""
        if others := others_at_work():
            raise CommandError(
                f"Billing is at work ({', '.join(others)}): stop its pages, relay, consumers and worker. {UNTOUCHED}"
            )
        try:
            for events in chunks(read_topic("prices-stream")):
                prices_restore(events)
            told = told_read(_read)
            if not told.read and Transfer.objects.exists():
                raise CommandError(
                    f"Kafka tells no entry at all, so what happened since the dump is not known. {UNTOUCHED}"
                )
            done = ledger_take_back(told, compare_hashes=not other_hashes)
        except (TransientError, Unreadable) as error:
            raise CommandError(f"What was told cannot be read: {error} {UNTOUCHED}") from error
        except (Contradiction, PriceConflict) as error:
            raise CommandError(f"{error} {UNTOUCHED}") from error
        self._report(done)

    def _report(self, done: TakenBack) -> None:
        for due_at in done.closed:
            self.stdout.write(f"Closed again, with the payouts that it had: the cycle of {due_at.isoformat()}.")
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(done.entries.items()))
        self.stdout.write(f"Took back: {kinds or 'nothing, the database has all that was told'}.")
        if done.incomplete:
            self.stdout.write(f"Of {done.incomplete} entries nobody tells any more who caused them, and why.")


def _read(topic: str) -> Iterator[Event]:
    """What is told in topics of others and cannot be read has caused nothing: consumers set it aside."""
    return read_topic(topic, unreadable=lambda record: None) if topic == "tasks" else read_topic(topic)

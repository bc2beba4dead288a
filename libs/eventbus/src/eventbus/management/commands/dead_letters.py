"""`dead_letters list|show|retry|discard`: the same decisions as on the page."""

import getpass
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from eventbus import dead_letters
from eventbus.models import DeadLetter
from eventbus.transient import is_transient


class Command(BaseCommand):
    help = "Events that could not be consumed: list, show, retry or discard them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """`retry` takes a number or --all."""
        actions = parser.add_subparsers(dest="action", required=True)
        decided = "those decided about, newest first"
        actions.add_parser("list").add_argument("--decided", action="store_true", help=decided)
        actions.add_parser("show").add_argument("id", type=int)
        retry = actions.add_parser("retry")
        retry.add_argument("id", type=int, nargs="?")
        retry.add_argument("--all", action="store_true", help="every sequence, oldest first")
        discard = actions.add_parser("discard")
        discard.add_argument("id", type=int)
        discard.add_argument("--reason", required=True)
        for action in (retry, discard):
            action.add_argument("--by", default="", help="who decides; default: the user of the shell")

    def handle(self, *args: Any, **options: Any) -> None:
        """CommandError where nothing was done or something is left."""
        by = options.get("by") or getpass.getuser()
        try:
            match options["action"]:
                case "list":
                    self._list(_all_decided() if options["decided"] else _all_heads())
                case "show":
                    self._show(options["id"])
                case "retry":
                    self._retry(options, by)
                case _:
                    dead_letters.discard(options["id"], by=by, reason=options["reason"])
                    self.stdout.write(f"Discarded {options['id']}.")
        except (dead_letters.NotOpen, ValueError) as error:
            raise CommandError(str(error)) from error
        except Exception as error:
            if not is_transient(error):
                raise
            raise CommandError(f"Something it needs is away, nothing was done: {error}") from error

    def _list(self, letters: Iterable[DeadLetter]) -> None:
        letter = None
        for letter in letters:
            behind = f"{letter.waiting_behind} waiting behind" if letter.is_open else letter.state  # type: ignore[attr-defined]
            self.stdout.write(
                f"{letter.pk} {letter.received_at.isoformat()} {letter.group.name} {letter.event_name or letter.topic}"
                f" {letter.key_text} {letter.reason}: {letter.error[:200]} ({behind})"
            )
        if letter is None:
            self.stdout.write("There is no such dead letter.")

    def _show(self, pk: int) -> None:
        letter = DeadLetter.objects.select_related("group").filter(pk=pk).first()
        if letter is None:
            raise dead_letters.NotOpen(f"There is no dead letter {pk}.")
        event = dead_letters.content(letter)
        facts = {
            "state": letter.state,
            "consumer": letter.group.name,
            "record": f"{letter.topic}/{letter.partition}/{letter.offset}",
            "received": letter.received_at.isoformat(),
            "key": letter.key_text,
            "event": f"{letter.event_name} {letter.event_id}",
            "reason": f"{letter.reason}: {letter.error}",
            "decided": f"{letter.resolved_by} {letter.resolution}".strip() or "not yet",
            "content": dict(event.data) if event else bytes(letter.value or b"").hex(),
        }
        for name, value in facts.items():
            self.stdout.write(f"{name}: {value}")

    def _retry(self, options: dict[str, Any], by: str) -> None:
        if (options["id"] is None) != options["all"]:
            raise CommandError("Name one dead letter, or --all.")
        pks = [letter.pk for letter in _all_heads()] if options["all"] else [options["id"]]
        if not pks:
            self.stdout.write("No dead letter is open.")
        failed = 0
        for pk in pks:
            try:
                result = dead_letters.retry(pk, by=by)
            except dead_letters.NotOpen:
                if not options["all"]:
                    raise
                continue  # it was of the sequence of one before
            self.stdout.write(f"{pk}: applied {result.applied}, left {result.left} {result.error}".rstrip())
            failed += bool(result.error)
        if failed:
            raise CommandError(f"{failed} of {len(pks)} failed again.")


def _all_decided() -> Iterator[DeadLetter]:
    after = 0
    while page := dead_letters.listing(after=after, size=500, decided=True):
        yield from page
        after = page[-1].pk


def _all_heads() -> list[DeadLetter]:
    heads: list[DeadLetter] = []
    while page := dead_letters.listing(after=heads[-1].pk if heads else 0, size=500):
        heads += page
    return heads

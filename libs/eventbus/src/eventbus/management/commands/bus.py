"""`bus offsets list|accept`: where consumers stand, and the decision to go on where a topic was replaced."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from eventbus import positions
from eventbus.broker import Broker
from eventbus.errors import TransientError
from eventbus.models import ConsumerOffset
from eventbus.positions import Found, Partition, Position

ALL = "all"


class Command(BaseCommand):
    help = "Show where consumers stand; accept that one goes on in a topic that was replaced."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """`bus offsets list` and `bus offsets accept TOPIC|all [--consumer NAME] --reason WHY [--at low|high|N]`."""
        subjects = parser.add_subparsers(dest="subject", required=True)
        actions = subjects.add_parser("offsets").add_subparsers(dest="action", required=True)
        actions.add_parser("list")
        accept = actions.add_parser("accept")
        accept.add_argument("topic", help="without prefix; all where Kafka itself was lost")
        accept.add_argument("--consumer", default="", help="name of the group, such as billing.tasks; default: each")
        accept.add_argument("--partition", type=int, help="default: all that are stopped")
        accept.add_argument("--at", default="low", help="low (default: read all that is there), high, or an offset")
        accept.add_argument("--reason", required=True)
        accept.add_argument("--by", default="", help="who decides; default: the user of the shell")

    def handle(self, *args: Any, **options: Any) -> None:
        """CommandError where the broker does not answer or nothing is stopped."""
        try:
            if options["action"] == "list":
                self._list()
            else:
                self._accept(options)
        except TransientError as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        for offset, broker in _with_broker(list(ConsumerOffset.objects.select_related("group").order_by("pk"))):
            why = positions.problem(Position(offset.topic_id, offset.position), broker)
            state = f"STOPPED: {why}" if why else f"behind by at most {broker.high - offset.position}"
            self.stdout.write(f"{offset.group.name} {offset.topic}/{offset.partition} at {offset.position}, {state}")

    def _accept(self, options: dict[str, Any]) -> None:
        rows = ConsumerOffset.objects.select_related("group").order_by("pk")
        if options["topic"] != ALL:
            rows = rows.filter(topic=options["topic"])
        if options["consumer"]:
            rows = rows.filter(group__name=options["consumer"])
        if options["partition"] is not None:
            rows = rows.filter(partition=options["partition"])
        by = options["by"] or getpass.getuser()
        accepted = 0
        for offset, broker in _with_broker(list(rows)):
            if positions.problem(Position(offset.topic_id, offset.position), broker):
                at = _start(options["at"], broker)
                positions.accept(offset, broker, position=at, reason=options["reason"], decided_by=by)
                where = f"{offset.group.name} {offset.topic}/{offset.partition}"
                self.stdout.write(f"{where} goes on at {at}, it was at {offset.position}.")
                accepted += 1
        if not accepted:
            raise CommandError("No such partition is stopped.")


def _with_broker(offsets: list[ConsumerOffset]) -> list[tuple[ConsumerOffset, Found]]:
    partitions: list[Partition] = [(offset.topic, offset.partition) for offset in offsets]
    found = Broker().found(partitions)
    return [(offset, found[offset.topic, offset.partition]) for offset in offsets]


def _start(at: str, broker: Found) -> int:
    if at in {"low", "high"}:
        return broker.low if at == "low" else broker.high
    if not at.isdecimal() or not broker.low <= int(at) <= broker.high:
        raise CommandError(f"--at is low, high or an offset from {broker.low} to {broker.high}.")
    return int(at)

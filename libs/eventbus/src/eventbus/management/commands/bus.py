"""`bus offsets list|accept`: where consumers stand, and the decision to go on where a topic was replaced."""

import getpass
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q, QuerySet

from eventbus import positions
from eventbus.broker import Broker
from eventbus.errors import TransientError
from eventbus.models import ConsumerOffset
from eventbus.positions import Found, Partition, Position
from eventbus.subscription import subscriptions

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
        for offset, broker in _with_broker(_of_subscriptions()):
            why = positions.problem(Position(offset.topic_id, offset.position), broker)
            state = f"STOPPED: {why}" if why else f"behind by at most {broker.high - offset.position}"
            self.stdout.write(f"{offset.group.name} {offset.topic}/{offset.partition} at {offset.position}, {state}")

    def _accept(self, options: dict[str, Any]) -> None:
        rows = _of_subscriptions()
        if options["topic"] != ALL:
            rows = rows.filter(topic=options["topic"])
        if options["consumer"]:
            rows = rows.filter(group__name=options["consumer"])
        if options["partition"] is not None:
            rows = rows.filter(partition=options["partition"])
        by = options["by"] or getpass.getuser()
        stopped = [
            (offset, broker, _start(options["at"], broker))
            for offset, broker in _with_broker(rows)
            if positions.problem(Position(offset.topic_id, offset.position), broker)
        ]
        if not stopped:
            raise CommandError("No such partition is stopped.")
        for offset, broker, at in stopped:
            positions.accept(offset, broker, position=at, reason=options["reason"], decided_by=by)
            where = f"{offset.group.name} {offset.topic}/{offset.partition}"
            self.stdout.write(f"{where} goes on at {at}, it was at {offset.position}.")


def _of_subscriptions() -> "QuerySet[ConsumerOffset]":
    """Without topics that are read no longer: the broker may not have them any more."""
    read = Q()
    for found in subscriptions().values():
        read |= Q(group__name=found.group, topic__in=found.topics)
    return ConsumerOffset.objects.filter(read).select_related("group").order_by("pk")


def _with_broker(offsets: Iterable[ConsumerOffset]) -> list[tuple[ConsumerOffset, Found]]:
    offsets = list(offsets)
    partitions: list[Partition] = [(offset.topic, offset.partition) for offset in offsets]
    found = Broker().found(partitions)
    return [(offset, found[offset.topic, offset.partition]) for offset in offsets]


def _start(at: str, broker: Found) -> int:
    if at in {"low", "high"}:
        return broker.low if at == "low" else broker.high
    if not at.isdecimal() or not broker.low <= int(at) <= broker.high:
        raise CommandError(f"--at is low, high or an offset from {broker.low} to {broker.high}.")
    return int(at)

"""`relay_and_freeze PLACE`: `run_relay`, stopped by SIGSTOP in the middle of its first batch."""

import os
import signal
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from eventbus.heartbeat import Heartbeat
from eventbus.process import stop_on_signals
from eventbus.relay import Relay
from eventbus.relay_runner import RelayRunner
from eventbus.wire import Outgoing

BETWEEN = "between"  # two records of the batch
BEFORE_COMMIT = "before-commit"


class _Rows(list[Outgoing]):
    """Rows after one of which the process is stopped, once what came before is on the broker."""

    def __init__(self, rows: list[Outgoing], stop_after: int, relay: Relay) -> None:
        super().__init__(rows)
        self._stop_after = stop_after
        self._relay = relay

    def __iter__(self) -> Iterator[Outgoing]:
        for count, row in enumerate(super().__iter__(), start=1):
            yield row
            if count == self._stop_after:
                self._stop_after = 0
                self._relay._live_producer().flush()
                os.kill(os.getpid(), signal.SIGSTOP)


class Command(BaseCommand):
    help = "Relay, but freeze in the first batch."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", choices=[BETWEEN, BEFORE_COMMIT])

    def handle(self, *args: Any, **options: Any) -> None:
        place = options["place"]

        class Freezing(Relay):
            def send(self, rows: list[Outgoing]) -> bool:
                return super().send(_Rows(rows, 1 if place == BETWEEN else len(rows), self))

        runner = RelayRunner(1, Heartbeat(), Freezing)
        stop_on_signals(runner.stop)
        runner.run()

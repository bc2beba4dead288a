"""`run_consumer NAME` as the event bus has it; billing reads its own prices before the first event of `tasks`."""

import os
import threading
from collections.abc import Callable
from typing import Any

from billing.selectors.clock import database_now
from eventbus import Consumer, consumed_until
from eventbus.heartbeat import Heartbeat
from eventbus.management.commands import run_consumer
from eventbus.process import stop_on_signals


class Command(run_consumer.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """A fresh or restored billing must not price a task anew whose price it published before."""
        heartbeat = Heartbeat(os.environ.get("HEARTBEAT_FILE"))
        if options["name"] == "tasks" and not read_own_prices(heartbeat, when_told=stop_on_signals):
            return
        super().handle(*args, **options)


def read_own_prices(heartbeat: Heartbeat, *, when_told: Callable[[Callable[[], None]], None]) -> bool:
    """Read `prices-stream` to where it ends now; prices that are not in the database are taken over.

    The consumer keeps the heartbeat also while it waits for a broker that is away. `when_told` is given what ends the
    reading; False if that came first.
    """
    start = database_now()
    consumer = Consumer.on_kafka("prices", heartbeat)
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        consumer.stop()

    when_told(stop)
    try:
        while not stopped.is_set() and ((until := consumed_until("prices")) is None or until < start):
            consumer.step()
    finally:
        consumer.close()
    return not stopped.is_set()

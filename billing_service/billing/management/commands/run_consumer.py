"""`run_consumer NAME` as the event bus has it; billing reads its own prices before the first event of `tasks`."""

import os
from pathlib import Path
from typing import Any

from billing.selectors.clock import database_now
from eventbus import Consumer, consumed_until
from eventbus.management.commands import run_consumer


class Command(run_consumer.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """A fresh or restored billing must not price a task anew whose price it published before."""
        if options["name"] == "tasks":
            read_own_prices()
        super().handle(*args, **options)


def read_own_prices() -> None:
    """Read `prices-stream` to where it ends now; prices that are not in the database are taken over."""
    start = database_now()
    consumer = Consumer.on_kafka("prices")
    try:
        while (until := consumed_until("prices")) is None or until < start:
            consumer.step()
            if heartbeat := os.environ.get("HEARTBEAT_FILE"):
                Path(heartbeat).touch()
    finally:
        consumer.close()

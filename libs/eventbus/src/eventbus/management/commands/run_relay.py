"""`run_relay`: send the outbox to Kafka until SIGTERM."""

from typing import Any

from django.core.management.base import BaseCommand

from eventbus.conf import conf
from eventbus.process import prepare, stop_on_signals
from eventbus.relay_runner import RelayRunner


class Command(BaseCommand):
    help = "Send the events of the outbox to Kafka, until stopped."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with the batch under way."""
        runner = RelayRunner(conf().shards, prepare())
        stop_on_signals(runner.stop)
        runner.run()

"""`run_consumer NAME`: consume a subscription until SIGTERM."""

from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser

from eventbus.consumer import Consumer
from eventbus.errors import ConsumerStopped
from eventbus.process import prepare, stop_on_signals
from eventbus.subscription import subscriptions

logger = structlog.get_logger("eventbus.consumer")


class Command(BaseCommand):
    help = "Consume the events of one subscription, until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The name is a key of the service's CONSUMERS."""
        parser.add_argument("name", choices=list(subscriptions()))

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with the batch under way; exits 1 where somebody has to look first."""
        consumer = Consumer.on_kafka(options["name"], prepare())
        stop_on_signals(consumer.stop)
        try:
            consumer.run()
        except ConsumerStopped as error:
            logger.critical("consumer_stopped", consumer=options["name"], error=str(error))
            raise CommandError(f"The consumer stops, because the fault seems to be its own: {error}") from error

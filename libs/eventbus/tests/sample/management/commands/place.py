"""`place N`: the shop's use case, as a process of its own."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from eventbus import publish
from sample.published import order


class Command(BaseCommand):
    help = "Place an order."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            publish(order("OrderPlaced", number=options["number"]))

"""Billing's part of the demo: the first cycle, and closings with an injected clock."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.domain import due_on
from billing.models import Cycle
from billing.services.cycles import cycle_open_first, cycles_close_due
from chassis.business_time import zone


class Command(BaseCommand):
    help = "Seed the demo: open the first cycle (--first-due) or close the cycle of a past day (--close)."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--first-due", type=date.fromisoformat, metavar="DAY", help="day of the first closing")
        what.add_argument("--close", type=date.fromisoformat, metavar="DAY", help="day whose cycle is closed")

    def handle(self, *args: Any, first_due: date | None, close: date | None, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("seed_demo is for the demo only: set DEMO=true there")
        day = first_due or close
        assert day is not None
        due_at = due_on(day, zone=zone(), at=settings.BILLING_CYCLE_TIME)
        if first_due:
            opened = cycle_open_first(due_at=due_at)
            self.stdout.write(f"The first cycle is due on {day}." if opened else "There are cycles already.")
            return
        if not Cycle.objects.filter(due_at=due_at).exists():
            raise CommandError(f"no cycle is due on {day}")
        # A moment after it is due: the seed has waited until all of the day is consumed.
        closed = cycles_close_due(now=due_at + timedelta(seconds=1), consumed=lambda moment: True)
        self.stdout.write(f"Closed the cycle of {day}." if closed else f"The cycle of {day} is closed already.")

"""Billing's part of the demo: the first cycle, and closings with an injected clock."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid5

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.domain import due_on
from billing.models import Cycle
from billing.services.adjustments import adjustment_post
from billing.services.cycles import cycle_open_first, cycles_close_due
from chassis.business_time import zone
from chassis.replica.models import Account

FINANCE, WORKER = "finance@popug.example", "worker@popug.example"
CORRECTION = 1_250  # cents
CORRECTED_AT = time(16, 20)


class Command(BaseCommand):
    help = "Seed the demo: open the first cycle, post a correction, or close the cycle of a past day."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--first-due", type=date.fromisoformat, metavar="DAY", help="day of the first closing")
        what.add_argument("--correct", type=date.fromisoformat, metavar="DAY", help="finance pays a worker")
        what.add_argument("--close", type=date.fromisoformat, metavar="DAY", help="day whose cycle is closed")

    def handle(
        self, *args: Any, first_due: date | None, close: date | None, correct: date | None, **options: Any
    ) -> None:
        if not settings.DEMO:
            raise CommandError("seed_demo is for the demo only: set DEMO=true there")
        if correct:
            self.correct(correct)
            return
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

    def correct(self, day: date) -> None:
        """Finance pays somebody for what no task says; once for each day."""
        people = {account.email: account.pk for account in Account.objects.filter(email__in=(FINANCE, WORKER))}
        if len(people) < 2:
            raise CommandError("There are no accounts yet: seed auth, and let the accounts' events arrive.")
        adjustment_post(
            form_key=uuid5(people[WORKER], f"correction of {day}"),
            account_id=people[WORKER],
            amount=CORRECTION,
            credit=True,
            reason="Thank you for the millet that you bought on your way to work.",
            actor_id=people[FINANCE],
            now=datetime.combine(day, CORRECTED_AT, zone()),
        )
        self.stdout.write(f"Posted a correction on {day}.")

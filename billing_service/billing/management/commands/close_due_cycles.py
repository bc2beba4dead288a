"""Closing by hand: the same as celery beat does, safe at any time, twice, and on two replicas at once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.models import Cycle
from billing.selectors.clock import database_now
from billing.selectors.consumption import consumed_before
from billing.services.cycles import cycles_close_due


class Command(BaseCommand):
    help = "Close each billing cycle that is due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-if-due", action="store_true", help="close the open cycle at once (demo only)")

    def handle(self, *args: Any, as_if_due: bool, **options: Any) -> None:
        if as_if_due and not settings.DEMO:
            raise CommandError("--as-if-due is for the demo only: set DEMO=true there")
        now = database_now()
        closed = cycles_close_due(now=now, consumed=consumed_before, as_if_due=as_if_due)
        for cycle in Cycle.objects.filter(id__in=closed).order_by("due_at"):
            self.stdout.write(f"Closed the cycle of {cycle.due_at.isoformat()}; payouts: {cycle.payout_count}.")
        waiting = Cycle.objects.exclude(state=Cycle.State.CLOSED).filter(due_at__lte=now).first()
        if waiting:
            self.stdout.write(f"The cycle of {waiting.due_at.isoformat()} is due and waits for events before it.")
        elif not closed:
            self.stdout.write("No cycle is due.")

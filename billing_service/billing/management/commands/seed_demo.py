"""Billing's part of the demo: the first cycle, and closings with an injected clock."""

import time
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any
from uuid import uuid5

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing.domain import due_on
from billing.models import Cycle, LedgerAccount
from billing.selectors.clock import database_now
from billing.selectors.consumption import consumed_before
from billing.services.adjustments import adjustment_post
from billing.services.cycles import cycle_open_first, cycles_close_due
from chassis.business_time import business_date, zone
from chassis.demo import Turns, business_days
from chassis.replica.models import Account

FINANCE, WORKER, DEBTOR = "finance@popug.example", "worker@popug.example", "pavel@popug.example"
CORRECTION, DEBT = 1_250, 4_500  # cents
CORRECTED_AT = clock(16, 20)


class Command(BaseCommand):
    help = "Seed the demo: open the first cycle, post a correction, or close the cycle of a past day."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--first-due", type=date.fromisoformat, metavar="DAY", help="day of the first closing")
        what.add_argument("--correct", type=date.fromisoformat, metavar="DAY", help="finance pays a worker")
        what.add_argument("--debt", type=date.fromisoformat, metavar="DAY", help="finance takes more than is owed")
        what.add_argument("--close", type=date.fromisoformat, metavar="DAY", help="day whose cycle is closed")
        what.add_argument("--history", action="store_true", help="settle each of the days that tasks' --history tells")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("seed_demo is for the demo only: set DEMO=true there")
        if options["history"]:
            self.history(business_date(database_now()))
        elif options["correct"]:
            self.correct(options["correct"])
        elif options["debt"]:
            self.debt(options["debt"])
        elif options["first_due"]:
            self.open(options["first_due"])
        else:
            self.close(options["close"])

    def history(self, today: date) -> None:
        """Each day's cycle is closed at its time, once all of the day is consumed; yesterday knows a correction.

        A ledger that was in use before has no cycles of those days: what is told then belongs to its open one.
        """
        turns, days = Turns(), business_days(today)
        if turns.ended:
            self.stdout.write("The past was told to its end before.")
            return
        self.open(days[0])
        turns.note("opened", days[0])
        for day in (day for day in days if not turns.noted("settled", day)):
            turns.wait("told", day)
            told_at = database_now()
            while not consumed_before(told_at):
                time.sleep(0.1)
            if day == days[-1]:
                self.correct(day)
            if Cycle.objects.filter(due_at=_due(day)).exists():
                self.close(day)
            turns.note("settled", day)
        self.debt(today)
        turns.end()

    def open(self, day: date) -> None:
        """The first cycle of an empty ledger."""
        opened = cycle_open_first(due_at=_due(day))
        self.stdout.write(f"The first cycle is due on {day}." if opened else "There are cycles already.")

    def close(self, day: date) -> None:
        """At its own time: the seed has waited until all of the day is consumed."""
        due_at = _due(day)
        if not Cycle.objects.filter(due_at=due_at).exists():
            raise CommandError(f"no cycle is due on {day}")
        closed = cycles_close_due(now=due_at + timedelta(seconds=1), consumed=lambda moment: True)
        self.stdout.write(f"Closed the cycle of {day}." if closed else f"The cycle of {day} is closed already.")

    def correct(self, day: date) -> None:
        """Finance pays somebody for what no task says; once for each day."""
        self._adjust(
            WORKER,
            CORRECTION,
            credit=True,
            reason="Thank you for the millet that you bought on your way to work.",
            key=f"correction of {day}",
            now=datetime.combine(day, CORRECTED_AT, zone()),
        )
        self.stdout.write(f"Posted a correction on {day}.")

    def debt(self, day: date) -> None:
        """Whatever is owed to somebody, and more, is taken: the balance is below zero, where it is not yet."""
        account = Account.objects.filter(email=DEBTOR)
        balance = LedgerAccount.objects.filter(id__in=account.values("pk")).values_list("balance", flat=True).first()
        if (balance or 0) >= 0:
            self._adjust(
                DEBTOR,
                (balance or 0) + DEBT,
                credit=False,
                reason="The incubator that was left open over night, as we agreed.",
                key=f"debt of {day}",
                now=database_now(),
            )
        self.stdout.write(f"Somebody has owed something since {day}.")

    def _adjust(self, email: str, amount: int, *, credit: bool, reason: str, key: str, now: datetime) -> None:
        people = {account.email: account.pk for account in Account.objects.filter(email__in=(FINANCE, email))}
        if len(people) < 2:
            raise CommandError("There are no accounts yet: seed auth, and let the accounts' events arrive.")
        adjustment_post(
            form_key=uuid5(people[email], key),
            account_id=people[email],
            amount=amount,
            credit=credit,
            reason=reason,
            actor_id=people[FINANCE],
            now=now,
        )


def _due(day: date) -> datetime:
    return due_on(day, zone=zone(), at=settings.BILLING_CYCLE_TIME)

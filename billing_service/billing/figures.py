"""What operators watch of billing: read at each scrape of its worker."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Min, Q, Sum

from billing.models import Cycle, LedgerAccount, LedgerCheck, Payout
from billing.selectors.clock import database_now
from billing.selectors.days import days
from chassis.business_time import business_date
from chassis.figures import Figure
from chassis.keys import known_since


def income_today() -> int:
    """Management's income of the business day, cents."""
    today = business_date(database_now())
    return sum(day.sums.income for day in days(today, today))


def cycle_overdue() -> float:
    """Seconds since the oldest cycle that is not closed was due."""
    due_at = Cycle.objects.exclude(state=Cycle.State.CLOSED).aggregate(oldest=Min("due_at"))["oldest"]
    return max((database_now() - due_at).total_seconds(), 0.0) if due_at else 0.0


def payout_mails_late() -> int:
    """Payout mails that were not sent an hour after their payout."""
    an_hour_ago = database_now() - timedelta(hours=1)
    return Payout.objects.filter(done_at=None, transfer__recorded_at__lt=an_hour_ago).count()


def below_zero() -> int:
    """People who owe."""
    return LedgerAccount.objects.filter(balance__lt=0).count()


def ledger_checked_at() -> float:
    """When `ledger_check` ran last, seconds since 1970; 0 if it never did."""
    last = LedgerCheck.objects.order_by("id").last()
    return last.finished_at.timestamp() if last else 0.0


def ledger_findings() -> int:
    """What it found then."""
    last = LedgerCheck.objects.order_by("id").last()
    return last.findings if last else 0


def price_key_known_since() -> float:
    """Since when the key that prices new tasks does so, seconds since 1970."""
    return known_since("price key", next(iter(settings.PRICE_KEYS))).timestamp()


def _balances(which: Q) -> int:
    return int(LedgerAccount.objects.filter(which).aggregate(all=Sum("balance"))["all"] or 0)


FIGURES = {
    "billing_income_today_cents": Figure("Management's income of the business day", income_today),
    "billing_cycle_overdue_seconds": Figure("Age of the oldest cycle that is due and not closed", cycle_overdue),
    "billing_payout_mails_late": Figure("Payouts of more than an hour ago whose mail is not sent", payout_mails_late),
    "billing_ledger_check_timestamp_seconds": Figure("When ledger_check ran last; 0: never", ledger_checked_at),
    "billing_ledger_check_findings": Figure("What ledger_check found then", ledger_findings),
    "billing_price_key_since_timestamp_seconds": Figure("Since when the key prices new tasks", price_key_known_since),
    "billing_accounts_below_zero": Figure("People below zero", below_zero),
    "billing_owed_cents": Figure("Balances above zero: the next payout", lambda: _balances(Q(balance__gt=0))),
    "billing_debt_cents": Figure("Balances below zero", lambda: _balances(Q(balance__lt=0))),
}

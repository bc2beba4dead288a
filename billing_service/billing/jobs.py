"""Celery tasks: nudges to look at the rows, safe to run at any time and on many workers at once."""

from celery import shared_task

from billing.selectors.clock import database_now
from billing.selectors.consumption import consumed_before
from billing.services.checks import ledger_check_nightly
from billing.services.cycles import cycles_close_due
from billing.services.mails import payout_mails_send


@shared_task(name="billing.jobs.close_due_cycles")  # type: ignore[untyped-decorator]
def close_due_cycles() -> None:
    """Close what is due; beat asks every minute, so that nothing depends on being up at 18:00."""
    if cycles_close_due(now=database_now(), consumed=consumed_before):
        send_payout_mails.delay()


@shared_task(name="billing.jobs.send_payout_mails")  # type: ignore[untyped-decorator]
def send_payout_mails() -> None:
    """Send the payout mails that are due."""
    payout_mails_send(clock=database_now)


@shared_task(name="billing.jobs.check_ledger")  # type: ignore[untyped-decorator]
def check_ledger() -> None:
    """Prove the ledger once a night; beat asks every ten minutes, so that nothing depends on being up at three."""
    ledger_check_nightly(now=database_now())

"""Celery jobs: rows in the database say what is to be done, beat asks often."""

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from accounts import services


@shared_task(name="accounts.logouts_send")
def logouts_send() -> None:
    """Tries again what the thread after the commit could not deliver."""
    services.logouts_send(clock=timezone.now)


@shared_task(name="accounts.mail_send")
def mail_send() -> None:
    services.mail_send(clock=timezone.now)


@shared_task(name="accounts.tidy")
def tidy() -> None:
    """Forgets expired tokens and grants, and what the services forget by their own rule."""
    call_command("cleartokens")
    services.sessions_tidy(now=timezone.now())

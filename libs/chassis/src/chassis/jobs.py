"""Housekeeping that every service needs, run once a day by celery beat."""

from datetime import timedelta

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from chassis.form_keys import forget_before

FORM_KEYS_KEPT = timedelta(days=90)


@shared_task(name="chassis.tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Deletes sessions that ended and form keys that no browser will send again."""
    call_command("clearsessions")
    forget_before(timezone.now() - FORM_KEYS_KEPT)

"""Housekeeping of the bus, run once a day by celery beat."""

from celery import shared_task
from django.utils import timezone

from eventbus.inbox import prune_inbox, strip_letters


@shared_task(name="eventbus.prune_inbox")  # type: ignore[untyped-decorator]
def forget_old_events() -> None:
    """Forgets ids of events that no topic can repeat any more, and what was in dead letters decided as long ago."""
    prune_inbox(now=timezone.now())
    strip_letters(now=timezone.now())

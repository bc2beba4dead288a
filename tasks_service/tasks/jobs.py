"""Celery tasks: nudges to look at the rows, safe to run at any time and on many workers at once."""

from celery import shared_task
from django.utils import timezone

from tasks import services


@shared_task(name="tasks.notifications_send")  # type: ignore[untyped-decorator]
def notifications_send() -> None:
    """Compose what is due and send it, new messages and those that failed."""
    services.messages_compose(now=timezone.now())
    services.messages_send(clock=timezone.now)

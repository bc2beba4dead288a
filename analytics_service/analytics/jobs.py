"""What celery beat does for analytics."""

from celery import shared_task
from django.utils import timezone

from analytics import services


@shared_task(name="analytics.make_partitions")  # type: ignore[untyped-decorator]
def make_partitions() -> None:
    services.partitions_make(now=timezone.now())

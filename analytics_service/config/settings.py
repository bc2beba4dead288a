"""Settings of the analytics service; what all services share is in `chassis.settings`."""

from pathlib import Path

from celery.schedules import crontab

from chassis.settings import service_settings

BASE_DIR = Path(__file__).resolve().parent.parent

globals().update(
    service_settings(
        name="analytics",
        base_dir=BASE_DIR,
        apps=["analytics"],
        consumers="analytics.events.consumed.CONSUMERS",
        beat={"partitions": {"task": "analytics.make_partitions", "schedule": crontab(hour="3,15", minute="30")}},
    )
)

NAVIGATION = [
    ("Overview", "overview", ("admin",)),
    ("Dead letters", "dead_letters:list", ("admin",)),
]

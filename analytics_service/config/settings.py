"""Settings of the analytics service; what all services share is in `chassis.settings`."""

from pathlib import Path

from chassis.settings import service_settings

BASE_DIR = Path(__file__).resolve().parent.parent

globals().update(
    service_settings(
        name="analytics",
        base_dir=BASE_DIR,
        apps=["analytics"],
        consumers="analytics.events.consumed.CONSUMERS",
        beat={"partitions": {"task": "analytics.make_partitions", "schedule": "30 3,15 * * *"}},
    )
)

NAVIGATION = [
    ("Overview", "overview", ("admin",)),
    ("Dead letters", "dead_letters:list", ("admin",)),
]
